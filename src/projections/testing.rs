//! A small log for tests: events in, with positions, versions and times counted up.

use std::{collections::BTreeMap, sync::Arc};

use proptest::prelude::*;

use super::{Changes, Views};
use crate::{
    domain::{
        Currency, Event, HouseholdId, ItemId, Moment, Money, OrderId, Principal, ProductId, Quantity, StoreId, StreamId, StreamKind, Unit,
        UnitPrice,
        codes::{Gtin, ProductCode},
        household::HouseholdEvent,
        list::ListEvent,
        moment::DAY_MICROS,
        order::{OrderEvent, OrderLine, OrderPlacement},
        product::{DetailsChange, PriceKind, PriceSeen, ProductDetails, ProductEvent},
        store::{StoreDetails, StoreEvent},
    },
    events::{Position, Recorded},
};

/// The events so far.
#[derive(Debug, Default)]
pub struct TestLog {
    pub events: Vec<Recorded>,
    versions: BTreeMap<StreamId, (u64, Position)>,
    /// When the next event is recorded.
    pub now: Moment,
}

impl TestLog {
    /// An empty log whose next event is recorded then.
    pub fn on(now: Moment) -> Self {
        Self { now, ..Self::default() }
    }

    pub fn push(&mut self, kind: StreamKind, id: &str, event: impl Into<Event>) -> &mut Self {
        let stream = StreamId::new(kind, id).unwrap();
        let position = Position(self.events.len() as u64 + 1);
        let (version, previous) = self.versions.get(&stream).map_or((1, None), |(version, at)| (version + 1, Some(*at)));
        self.versions.insert(stream.clone(), (version, position));
        let who = Principal::new("ann").unwrap();
        self.events.push(Recorded {
            position,
            stream,
            version,
            previous,
            at: self.now,
            who,
            by: None,
            command: None,
            client: None,
            event: event.into(),
        });
        self
    }

    pub fn product(&mut self, id: &str, event: ProductEvent) -> &mut Self {
        self.push(StreamKind::Product, id, event)
    }

    pub fn list(&mut self, id: &str, event: ListEvent) -> &mut Self {
        self.push(StreamKind::List, id, event)
    }

    pub fn order(&mut self, id: &str, event: OrderEvent) -> &mut Self {
        self.push(StreamKind::Order, id, event)
    }

    pub fn store(&mut self, id: &str) -> &mut Self {
        let details = StoreDetails { name: id.into(), currency: eur(), chain: None, country: None, time_zone: None };
        self.push(StreamKind::Store, id, StoreEvent::Registered(details))
    }

    /// A price per piece, seen on a day.
    pub fn price(&mut self, product: &str, store_id: &str, kind: PriceKind, amount: &str, on_day: i64) -> &mut Self {
        self.now = self.now.max(day(on_day));
        self.product(product, observed(seen(store_id, kind, amount, on_day)))
    }

    pub fn views(&self) -> Views {
        let mut views = Views::default();
        self.events.iter().for_each(|event| drop(views.apply(event)));
        views
    }

    /// What the newest event changes.
    pub fn last_changes(&self) -> Changes {
        let (last, before) = self.events.split_last().unwrap();
        let mut views = Views::default();
        for event in before {
            views.apply(event);
        }
        views.apply(last)
    }
}

pub fn eur() -> Currency {
    Currency::new("EUR").unwrap()
}

pub fn euros(amount: &str) -> Money {
    Money::parse(amount, eur()).unwrap()
}

pub fn day(day: i64) -> Moment {
    Moment(day * DAY_MICROS)
}

pub fn product(id: &str) -> ProductId {
    ProductId::new(id).unwrap()
}

pub fn store(id: &str) -> StoreId {
    StoreId::new(id).unwrap()
}

pub fn price(amount: &str) -> UnitPrice {
    UnitPrice::parse(amount, eur(), Unit::Each).unwrap()
}

pub fn seen(store_id: &str, kind: PriceKind, amount: &str, on_day: i64) -> PriceSeen {
    PriceSeen {
        store: store(store_id),
        kind,
        price: price(amount),
        valid_from: None,
        valid_until: None,
        observed_at: day(on_day),
        source: "test".into(),
        evidence: None,
    }
}

pub fn observed(seen: PriceSeen) -> ProductEvent {
    ProductEvent::PriceObserved { seen, outlier: false }
}

pub fn details(name: &str, content: Option<Quantity>) -> ProductDetails {
    ProductDetails {
        name: name.into(),
        brand: None,
        category: Some("dairy".into()),
        content,
        sold_by_weight: false,
        organic: false,
        codes: vec![],
        ingredients: None,
        nutrition: BTreeMap::new(),
    }
}

pub fn item_added(item: &str, product_id: Option<&str>, quantity: Quantity) -> ListEvent {
    ListEvent::ItemAdded {
        item: ItemId::new(item).unwrap(),
        name: item.into(),
        product: product_id.map(product),
        specification: None,
        quantity,
        note: None,
        rank: 0,
    }
}

pub fn created(store_id: Option<&str>) -> ListEvent {
    ListEvent::Created { name: "Weekly".into(), household: None, store: store_id.map(store) }
}

pub fn created_for(household: &str, store_id: Option<&str>) -> ListEvent {
    ListEvent::Created { name: "Weekly".into(), household: HouseholdId::new(household).ok(), store: store_id.map(store) }
}

pub fn placed(household: &str, store_id: &str, on_day: i64, lines: &[(&str, &str)]) -> OrderEvent {
    let line = |(i, (product_id, charged)): (usize, &(&str, &str))| OrderLine {
        line: u32::try_from(i).unwrap() + 1,
        product: Some(product(product_id)),
        name: None,
        quantity: Quantity::each(1),
        charged: euros(charged),
        shop_discount: None,
        coupon_discount: None,
        coupon_match: None,
    };
    let lines: Vec<_> = lines.iter().enumerate().map(line).collect();
    let total = Money::sum(lines.iter().map(|line| line.charged), eur()).unwrap();
    let placement = OrderPlacement {
        household: Some(HouseholdId::new(household).unwrap()),
        store: store(store_id),
        list: None,
        placed_at: day(on_day),
        lines,
        extras: vec![],
        printed_total: None,
        source: "test".into(),
    };
    OrderEvent::Placed { placement, total, variance: None }
}

pub fn order_id(id: &str) -> OrderId {
    OrderId::new(id).unwrap()
}

/// Any history at all of a few lists, products, stores and orders, sensible or not.
pub fn any_log() -> impl Strategy<Value = Arc<TestLog>> {
    proptest::collection::vec((0_u8..19, 0_u8..4, 0_u8..5, 1_i64..60, 0_i64..3), 1..80).prop_map(|steps| {
        let mut log = TestLog { now: day(100), ..TestLog::default() };
        for step in steps {
            any_step(&mut log, step);
        }
        Arc::new(log)
    })
}

fn any_step(log: &mut TestLog, (what, a, b, n, days): (u8, u8, u8, i64, i64)) {
    log.now = Moment(log.now.0 + days * DAY_MICROS);
    let (list, product_id, store_id) = (format!("list{}", a % 2), format!("product{a}"), format!("store{b}"));
    let item = ItemId::new(&format!("item{b}")).unwrap();
    let today = log.now.0 / DAY_MICROS;
    let kind = [PriceKind::Shelf, PriceKind::Promo, PriceKind::Member, PriceKind::Clearance][usize::try_from(n % 4).unwrap()];
    let quantity = if n % 5 == 0 { Quantity::parse("1.5", Unit::parse("kg")).unwrap() } else { Quantity::each(n) };
    match what {
        0 if n % 3 == 0 => log.list(&list, created_for("home", (n % 2 == 0).then_some(store_id.as_str()))),
        0 => log.list(&list, created((n % 2 == 0).then_some(store_id.as_str()))),
        1 => log.list(&list, item_added(item.as_str(), (n % 7 != 0).then_some(product_id.as_str()), quantity)),
        2 => log.list(&list, ListEvent::ItemQuantityChanged { item, by: None, quantity }),
        3 => log.list(&list, ListEvent::ItemChecked { item }),
        4 => log.list(&list, ListEvent::ItemUnchecked { item }),
        5 if n % 3 == 0 => log.list(&list, ListEvent::CheckedCleared { items: vec![item] }),
        5 => log.list(&list, ListEvent::ItemRemoved { item }),
        6 => log.list(&list, ListEvent::ItemMatched { item, product: (n % 3 != 0).then(|| product(&product_id)) }),
        7 => log.list(&list, ListEvent::StoreChosen { store: (n % 4 != 0).then(|| store(&store_id)) }),
        8 if n % 2 == 0 => log.store(&store_id),
        8 => {
            let content = (n % 3 == 0).then(|| Quantity::parse("250", Unit::parse("g")).unwrap());
            log.product(&product_id, ProductEvent::Registered(details(&product_id, content)))
        }
        9 => log.product(&product_id, ProductEvent::PriceWithdrawn { store: store(&store_id), kind }),
        10 => log.order(&format!("order{n}"), placed("home", &store_id, today, &[(&product_id, "2.50")])),
        11 => {
            let stores = (0..5).filter(|bit| n >> bit & 1 == 1).map(|bit| store(&format!("store{bit}"))).collect();
            log.push(StreamKind::Household, "home", HouseholdEvent::StoresChosen { stores })
        }
        12 => match n % 4 {
            0 => log.product(&product_id, ProductEvent::Discontinued {}),
            1 => log.product(&product_id, ProductEvent::Merged { into: product(&format!("product{b}")) }),
            2 => {
                let code = ProductCode::Gtin(Gtin::parse(["4006381333931", "96385074"][usize::from(a % 2)]).unwrap());
                log.product(&product_id, ProductEvent::CodeLinked { code })
            }
            _ => {
                let change = StoreEvent::DetailsChanged {
                    name: Some(format!("Shop {n}")),
                    chain: None,
                    country: None,
                    time_zone: None,
                    from_source: false,
                };
                log.push(StreamKind::Store, &store_id, change)
            }
        },
        13 => {
            let content = (n % 3 == 0).then(|| Quantity::parse("500", Unit::parse("g")).unwrap());
            let (name, sold_by_weight) = (Some(format!("Product {n}")), (n % 4 == 0).then_some(n % 8 == 0));
            log.product(
                &product_id,
                ProductEvent::DetailsChanged(DetailsChange { name, content, sold_by_weight, ..DetailsChange::default() }),
            )
        }
        _ => {
            let mut price_seen = seen(&store_id, kind, &format!("{}.{:02}", n / 10, 1 + n), today - i64::from(b) * days);
            price_seen.valid_from = (n % 6 == 0).then(|| day(today + 1));
            price_seen.valid_until = (n % 5 == 0).then(|| day(today + 3));
            if n % 11 == 0 {
                price_seen.price = UnitPrice::parse("9.9", eur(), Unit::parse("kg")).unwrap();
            }
            log.product(&product_id, observed(price_seen))
        }
    };
}
