//! Micro benches of the read models: how fast prices are applied, and what a change of a list's total costs at any length.

use std::{collections::BTreeMap, hint::black_box};

use aisled::{
    domain::{
        Currency, Event, ItemId, Moment, Principal, ProductId, Quantity, StoreId, StreamId, StreamKind, Unit, UnitPrice,
        list::{Indexed, Item, List, ListEvent, Mark},
        moment::DAY_MICROS,
        product::{PriceKind, PriceSeen, ProductEvent},
    },
    events::{Position, Recorded},
    projections::{ListTotals, Views},
};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Products of the synthetic catalogue; the events go round them, each a week after the last.
const PRODUCTS: u64 = 20_000;
const STORES: u64 = 13;
const EVENTS: u64 = 100_000;

fn price_event(n: u64) -> Recorded {
    let product = n % PRODUCTS;
    let (eur, days) = (Currency::new("EUR").expect("a known currency"), i64::try_from(n / PRODUCTS).expect("few rounds") * 7);
    let seen = PriceSeen {
        store: store(product % STORES),
        kind: PriceKind::Shelf,
        price: UnitPrice::from_ten_thousandths(10_000 + i64::try_from(n * 7_919 % 10_000).expect("below ten thousand"), eur, Unit::Each),
        valid_from: None,
        valid_until: None,
        observed_at: Moment(days * DAY_MICROS),
        source: "bench".into(),
        evidence: None,
    };
    Recorded {
        position: Position(n + 1),
        stream: StreamId::new(StreamKind::Product, &format!("product:{product}")).expect("a valid id"),
        version: n / PRODUCTS + 1,
        previous: None,
        at: Moment(days * DAY_MICROS),
        who: Principal::new("bench").expect("a valid id"),
        by: None,
        command: None,
        client: None,
        event: Event::Product(ProductEvent::PriceObserved { seen, outlier: false }),
    }
}

fn store(n: u64) -> StoreId {
    StoreId::new(&format!("store:{n}")).expect("a valid id")
}

fn apply_prices(c: &mut Criterion) {
    let events: Vec<_> = (0..EVENTS).map(price_event).collect();
    let mut group = c.benchmark_group("views");
    group.throughput(Throughput::Elements(EVENTS)).sample_size(10);
    group.bench_function("apply price events", |b| {
        b.iter_batched(
            Views::default,
            |mut views| {
                for event in &events {
                    black_box(views.apply(event));
                }
                views
            },
            BatchSize::PerIteration,
        );
    });
    let views = views_of(&events);
    group.bench_function("checkpoint", |b| b.iter(|| black_box(views.to_checkpoint())));
    let checkpoint = views.to_checkpoint();
    group.bench_function("restore", |b| b.iter(|| Views::from_checkpoint(&checkpoint).expect("just made")));
    group.finish();
}

fn change_totals(c: &mut Criterion) {
    let views = views_of(&(0..EVENTS).map(price_event).collect::<Vec<_>>());
    let mut group = c.benchmark_group("list totals");
    for items in [10_u64, 100, 2_000] {
        let list = list(items);
        let mut totals = ListTotals::build(&list, &views, Moment(0));
        let (item, product) = (ItemId::new("item:0").expect("a valid id"), ProductId::new("product:0").expect("a valid id"));
        let event = ListEvent::ItemQuantityChanged { item, by: None, quantity: Quantity::each(2) };
        group.bench_with_input(BenchmarkId::new("change an item", items), &items, |b, _| {
            b.iter(|| totals.apply(&list, black_box(&event), &views, Moment(0)));
        });
        group.bench_with_input(BenchmarkId::new("change a price", items), &items, |b, _| {
            b.iter(|| totals.price_changed(&list, black_box(&product), &store(0), &views, Moment(0)));
        });
        group.bench_with_input(BenchmarkId::new("show", items), &items, |b, _| b.iter(|| black_box(totals.view(None))));
    }
    group.finish();
}

fn views_of(events: &[Recorded]) -> Views {
    let mut views = Views::default();
    for event in events {
        views.apply(event);
    }
    views
}

fn list(items: u64) -> List {
    let mark = Mark { who: Principal::new("bench").expect("a valid id"), at: Moment(0) };
    let item = |n: u64| Item {
        name: format!("item {n}"),
        product: Some(ProductId::new(&format!("product:{n}")).expect("a valid id")),
        specification: None,
        quantity: Quantity::each(1),
        note: None,
        rank: 0,
        added: mark.clone(),
        checked: None,
    };
    List {
        name: "bench".into(),
        household: None,
        store: Some(store(0)),
        members: BTreeMap::new(),
        items: (0..items).map(|n| (ItemId::new(&format!("item:{n}")).expect("a valid id"), item(n))).collect(),
        removed: Indexed::default(),
        budget: None,
        last_order: None,
        created_at: Moment(0),
    }
}

criterion_group!(benches, apply_prices, change_totals);
criterion_main!(benches);
