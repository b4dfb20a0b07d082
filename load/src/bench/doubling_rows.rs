//! Row 30: what one command costs while the collection that it changes doubles and doubles again. In this process, without log or network,
//! so that a walk over the whole collection shows.

use std::time::Instant;

use super::{Bench, table::Budget::AtMost};
use crate::measure::median;
use aisled::{
    domain::{
        Context, Currency, Entity, Event, Fact, HouseholdId, Moment, Money, OrderId, Principal, ProductId, Quantity, StoreId, StreamId,
        StreamKind, Unit, UnitPrice,
        list::{ListCommand, ListState, Lists},
        moment::DAY_MICROS,
        order::{OrderEvent, OrderLine, OrderPlacement},
        product::{PriceKind, PriceSeen, ProductDetails, ProductEvent},
    },
    events::{Position, Recorded},
    projections::{ListTotals, Views},
};

/// How often the size doubles.
const DOUBLINGS: u32 = 3;
/// Commands whose time is taken at each size.
const COMMANDS: u64 = 64;
/// Repetitions at each size; the middle one counts.
const TURNS: usize = 9;
/// Deals need a history; everything is seen and recorded around this day.
const TODAY: i64 = 20_000;

/// A collection: what it holds, how large it is at first, and what makes one of a size, ready to take commands.
type Growing = (&'static str, u64, fn(u64) -> Box<dyn Commanded>);

/// Something that takes one command after the other.
trait Commanded {
    fn command(&mut self, number: u64);
}

const COLLECTIONS: [Growing; 5] = [
    ("adding to a list, by its items", 200, |size| Box::new(OneList::of(size))),
    ("a price, by products", 4_000, |size| Box::new(Seen::products(size))),
    ("a price of a product with a deal, by open deals", 2_000, |size| Box::new(Seen::deals(size))),
    ("an order of an earlier day, by orders of the household", 2_000, |size| Box::new(Seen::orders(size))),
    ("a command of one list, by lists", 4_000, |size| Box::new(Seen::lists(size))),
];

/// Measures the row.
pub fn doubling(bench: &mut Bench) {
    for (what, first, make) in COLLECTIONS {
        let sizes: Vec<u64> = (0..=DOUBLINGS).map(|doubling| first << doubling).collect();
        let costs: Vec<f64> = sizes.iter().map(|size| nanos(&mut *make(*size))).collect();
        let (at_first, at_last) = (costs[0], costs[costs.len() - 1]);
        let largest = sizes[sizes.len() - 1];
        bench.table.figure(30, format!("{what}: at {largest} by at {first}"), at_last / at_first, "x", AtMost { must: 2.0, aim: 1.5 });
        let told: Vec<_> = costs.iter().map(|cost| format!("{:.2}", cost / 1e3)).collect();
        bench.table.note(30, format!("{what}: {sizes:?}"), format!("{} µs", told.join(", ")));
    }
}

/// The time of a command.
fn nanos(collection: &mut dyn Commanded) -> f64 {
    let mut number = 0;
    let turn = |_| {
        let begin = Instant::now();
        for _ in 0..COMMANDS {
            collection.command(number);
            number += 1;
        }
        begin.elapsed().as_nanos() as f64 / COMMANDS as f64
    };
    median((0..TURNS).map(turn).collect(), |nanos| *nanos).unwrap_or_default()
}

/// A list with its totals. Half of the commands take off what was added, so that its size stays.
struct OneList {
    context: Context,
    state: ListState,
    totals: ListTotals,
    views: Views,
    version: u64,
}

impl OneList {
    fn of(size: u64) -> Self {
        let context = Context::of_admin(who(), day(TODAY));
        let mut list = Self { context, state: ListState::default(), totals: ListTotals::default(), views: Views::default(), version: 0 };
        list.tell(&ListCommand::Create { name: "Weekly".into(), household: None, store: None });
        (0..size).for_each(|number| list.tell(&add(&format!("first-{number}"))));
        list
    }

    fn tell(&mut self, command: &ListCommand) {
        let decision = Lists::decide(&self.state, command, &self.context).expect("this holds because the command is valid");
        for event in &decision.events {
            self.version += 1;
            let fact = Fact { who: &self.context.who, at: self.context.at, position: self.version, version: self.version };
            Lists::evolve(&mut self.state, event, &fact);
            if let Some(list) = self.state.list() {
                self.totals.apply(list, event, &self.views, self.context.at);
            }
        }
    }
}

impl Commanded for OneList {
    fn command(&mut self, number: u64) {
        let item = format!("{}", number / 2);
        self.tell(&if number.is_multiple_of(2) { add(&item) } else { ListCommand::Remove { item: id(&item) } });
    }
}

fn add(item: &str) -> ListCommand {
    ListCommand::AddItem {
        item: id(item),
        name: format!("Thing {item}"),
        product: None,
        specification: None,
        quantity: Quantity::each(1),
        note: None,
    }
}

/// Views that take events.
struct Seen {
    views: Views,
    position: u64,
    next: fn(u64, u64) -> Row,
    size: u64,
}

type Row = (StreamKind, String, Event);

impl Seen {
    fn with(size: u64, before: impl Iterator<Item = Row>, next: fn(u64, u64) -> Row) -> Self {
        let mut seen = Self { views: Views::default(), position: 0, next, size };
        before.for_each(|row| seen.take(row));
        seen
    }

    fn products(size: u64) -> Self {
        Self::with(size, (0..size).flat_map(known), |number, size| price(number * 7 % size, 300 + number.cast_signed(), TODAY))
    }

    fn deals(size: u64) -> Self {
        let deals = (0..size).map(|number| price(number, 150, TODAY - 1));
        Self::with(size, (0..size).flat_map(known).chain(deals), |number, size| {
            price(number * 7 % size, 149 - (number % 50).cast_signed(), TODAY)
        })
    }

    fn orders(size: u64) -> Self {
        let placed = (0..size).map(|number| order(&format!("first-{number}"), number.cast_signed() % TODAY));
        Self::with(size, placed, |number, _| order(&format!("{number}"), number.cast_signed() * 37 % TODAY))
    }

    fn lists(size: u64) -> Self {
        let created = (0..size).map(|number| {
            let event = aisled::domain::list::ListEvent::Created { name: "Weekly".into(), household: None, store: None };
            (StreamKind::List, format!("list-{number}"), event.into())
        });
        Self::with(size, created, |number, size| {
            let event = aisled::domain::list::ListEvent::Renamed { name: format!("Name {number}") };
            (StreamKind::List, format!("list-{}", number * 7 % size), event.into())
        })
    }

    fn take(&mut self, (kind, id, event): Row) {
        self.position += 1;
        let stream = StreamId::new(kind, &id).expect("this holds because the id is short and plain");
        let recorded = Recorded {
            position: Position(self.position),
            stream,
            version: self.position,
            previous: None,
            at: day(TODAY),
            who: who(),
            by: None,
            command: None,
            client: None,
            event,
        };
        self.views.apply(&recorded);
    }
}

impl Commanded for Seen {
    fn command(&mut self, number: u64) {
        self.take((self.next)(number, self.size));
    }
}

/// A product, and that it cost 3.00 for long.
fn known(number: u64) -> [Row; 2] {
    let details = ProductDetails::named("Thing");
    [(StreamKind::Product, format!("product-{number}"), ProductEvent::Registered(details).into()), price(number, 300, TODAY - 100)]
}

fn price(product: u64, cents: i64, on_day: i64) -> Row {
    let seen = PriceSeen {
        store: id("markt"),
        kind: PriceKind::Shelf,
        price: UnitPrice::from_ten_thousandths(cents * 100, Currency::EUR, Unit::Each),
        valid_from: None,
        valid_until: None,
        observed_at: day(on_day),
        source: "bench".into(),
        evidence: None,
    };
    (StreamKind::Product, format!("product-{product}"), ProductEvent::PriceObserved { seen, outlier: false }.into())
}

fn order(name: &str, on_day: i64) -> Row {
    let charged = Money::from_minor(199, Currency::EUR);
    let line = OrderLine {
        line: 1,
        product: Some(id::<ProductId>("milk")),
        name: None,
        quantity: Quantity::each(1),
        charged,
        shop_discount: None,
        coupon_discount: None,
        coupon_match: None,
    };
    let placement = OrderPlacement {
        household: Some(id::<HouseholdId>("home")),
        store: id::<StoreId>(&format!("store-{}", on_day % 50)),
        list: None,
        placed_at: day(on_day),
        lines: vec![line],
        extras: Vec::new(),
        printed_total: None,
        source: "bench".into(),
    };
    let placed = OrderEvent::Placed { placement, total: charged, variance: None };
    (StreamKind::Order, id::<OrderId>(&format!("order-{name}")).to_string(), placed.into())
}

fn who() -> Principal {
    id("bench")
}

fn day(number: i64) -> Moment {
    Moment(number * DAY_MICROS)
}

fn id<I: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> I {
    text.parse().expect("this holds because the id is short and plain")
}
