//! What one command costs before the log sees it: deciding, recording, and the price of a line.

use aisled::domain::{
    Content, Context, Currency, Entity, Fact, ItemId, Moment, Principal, ProductId, Quantity, Unit, UnitPrice, line_total,
    list::{ListCommand, ListState, Lists},
};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

/// Items on the list that is edited.
const ITEMS: i64 = 200;

fn line_totals(criterion: &mut Criterion) {
    let euro = Currency::new("EUR").expect("the euro is known");
    let per_kg = UnitPrice::parse("3.4990", euro, Unit::parse("kg")).expect("a valid price");
    let each = UnitPrice::parse("1.99", euro, Unit::parse("each")).expect("a valid price");
    let grams = Quantity::parse("350", Unit::parse("g")).expect("a valid quantity");
    let pack = Quantity::parse("125", Unit::parse("g")).expect("a valid quantity");
    criterion.bench_function("line_total: 350 g at a price per kg", |bencher| {
        bencher.iter(|| line_total(black_box(&per_kg), black_box(&grams), None));
    });
    criterion.bench_function("line_total: 350 g in packs of 125 g", |bencher| {
        bencher.iter(|| line_total(black_box(&each), black_box(&grams), Some(Content { quantity: &pack, sold_by_weight: false })));
    });
}

fn lists(criterion: &mut Criterion) {
    let who = Principal::new("bench").expect("a valid id");
    let context = Context::new(who.clone(), Moment(0));
    let state = list_of_items(&context);
    let add = add_item(ITEMS);
    criterion.bench_function("list: decide to add an item to 200", |bencher| {
        bencher.iter(|| Lists::decide(black_box(&state), black_box(&add), &context));
    });
    let events = Lists::decide(&state, &add, &context).expect("the item can be added").events;
    let fact = Fact { who: &who, at: Moment(0), position: 1, version: 1 };
    criterion.bench_function("list: evolve by an added item", |bencher| {
        bencher.iter_batched_ref(|| state.clone(), |state| Lists::evolve(state, &events[0], &fact), criterion::BatchSize::LargeInput);
    });
}

fn list_of_items(context: &Context) -> ListState {
    let create = ListCommand::Create { name: "Weekly".into(), household: None, store: None };
    let mut state = ListState::default();
    for command in std::iter::once(create).chain((0..ITEMS).map(add_item)) {
        let decision = Lists::decide(&state, &command, context).expect("the command is valid");
        for event in &decision.events {
            Lists::evolve(&mut state, event, &Fact { who: &context.who, at: context.at, position: 1, version: 1 });
        }
    }
    state
}

fn add_item(number: i64) -> ListCommand {
    ListCommand::AddItem {
        item: ItemId::new(&format!("item-{number}")).expect("a valid id"),
        name: format!("Thing {number}"),
        product: Some(ProductId::new(&format!("product-{number}")).expect("a valid id")),
        specification: None,
        quantity: Quantity::each(1),
        note: None,
    }
}

criterion_group!(benches, line_totals, lists);
criterion_main!(benches);
