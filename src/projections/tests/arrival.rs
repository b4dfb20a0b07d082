//! What the views tell does not depend on the order in which things come: prices of earlier days, receipts, registrations.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use crate::{
    domain::{
        Event, HouseholdId, Moment, Principal, StreamKind,
        moment::DAY_MICROS,
        product::{PriceKind, ProductEvent},
        rights::Reader,
    },
    projections::{Deal, DealChange, DealQuery, HistoryQuery, PriceLookup, Views, testing::*},
};

/// Everything is recorded then.
const TODAY: i64 = 420;

type Row = (StreamKind, String, Event);

fn price_row((product_id, store_id, kind, on_day): (u8, u8, PriceKind, i64), (cents, valid): (i64, u8)) -> Row {
    let mut seen = seen(&format!("store{store_id}"), kind, &format!("{}.{:02}", cents / 100, cents % 100), on_day);
    // In the morning: receipts are from midnight, and are no corrections of it.
    seen.observed_at = Moment(seen.observed_at.0 + DAY_MICROS / 4);
    seen.valid_from = (valid == 1).then(|| day(on_day + 2));
    seen.valid_until = (valid == 2).then(|| day(on_day + 9));
    (StreamKind::Product, format!("product{product_id}"), observed(seen).into())
}

fn any_prices() -> impl Strategy<Value = Vec<Row>> {
    let kind = prop::sample::select(vec![PriceKind::Shelf, PriceKind::Shelf, PriceKind::Promo, PriceKind::Clearance, PriceKind::Member]);
    let recent = prop_oneof![1_i64..TODAY, (TODAY - 40)..TODAY];
    // Few amounts, so that the same price is often seen again.
    let amount = prop_oneof![prop::sample::select(vec![199, 149, 99, 40]), 30_i64..300];
    prop::collection::btree_map((0_u8..2, 0_u8..2, kind, recent), (amount, 0_u8..8), 0..60)
        .prop_map(|prices| prices.into_iter().map(|(place, seen)| price_row(place, seen)).collect())
}

fn any_orders() -> impl Strategy<Value = Vec<Row>> {
    let order = (0_u8..2, 0_u8..4, (TODAY - 60)..TODAY, 50_i64..300);
    prop::collection::vec(order, 0..12).prop_map(|orders| {
        let row = |(number, (store_id, product_id, on_day, cents)): (usize, (u8, u8, i64, i64))| {
            let charged = format!("{}.{:02}", cents / 100, cents % 100);
            let placed = placed("home", &format!("store{store_id}"), on_day, &[(&format!("product{product_id}"), &charged)]);
            (StreamKind::Order, format!("order{number}"), placed.into())
        };
        orders.into_iter().enumerate().map(row).collect()
    })
}

/// The rows of a source, and the same in another order. Product 3 is never registered: only receipts name it.
fn any_source() -> impl Strategy<Value = (Vec<Row>, Vec<Row>)> {
    (any_prices(), any_orders()).prop_flat_map(|(prices, orders)| {
        let products = (0..3).map(|n| format!("product{n}"));
        let products = products.map(|id| (StreamKind::Product, id.clone(), ProductEvent::Registered(details(&id, None)).into()));
        let rows: Vec<Row> = products.chain(prices).chain(orders).collect();
        (Just(rows.clone()), Just(rows).prop_shuffle())
    })
}

fn views_of(rows: &[Row]) -> Views {
    let mut log = TestLog::on(day(TODAY));
    for (kind, id, event) in rows {
        log.push(*kind, id, event.clone());
    }
    log.views()
}

/// An answer without the positions in it, which are what the order of arrival is.
fn told(answer: &impl serde::Serialize) -> Value {
    fn without_positions(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|name, _| name != "position" && name != "updated");
                fields.values_mut().for_each(without_positions);
            }
            Value::Array(values) => values.iter_mut().for_each(without_positions),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut value = serde_json::to_value(answer).unwrap();
    without_positions(&mut value);
    value
}

fn everything(views: &Views) -> BTreeMap<String, Value> {
    let home = HouseholdId::new("home").unwrap();
    let everybody = Reader::admin(Principal::new("local").unwrap());
    let moments = [TODAY, TODAY - 3, TODAY - 20, TODAY - 90].map(day);
    let mut all = BTreeMap::from([
        ("deals".to_owned(), told(&views.deals(&DealQuery { at: day(TODAY), outliers: true, limit: 99, ..DealQuery::default() }).deals)),
        ("spend".to_owned(), told(&views.spend(&home, None, None))),
        ("orders of home".to_owned(), told(&views.orders_of(&home, None, 99))),
        ("orders".to_owned(), told(&views.newest_orders(&everybody, None, 99))),
    ]);
    for id in (0..4).map(|n| product(&format!("product{n}"))) {
        all.insert(format!("{id}"), told(&views.product(&id)));
        all.insert(format!("{id} history"), told(&views.price_history(&id, &HistoryQuery { limit: 99, ..HistoryQuery::default() })));
        all.insert(format!("{id} stores"), told(&views.stores_of(&id)));
        for at in moments {
            all.insert(format!("{id} best {at}"), told(&views.best_prices(&id, at, true)));
            all.insert(format!("{id} next {at}"), told(&views.next_change(&id, at)));
            let held = |store_id| views.price_at(&id, &store(store_id), PriceKind::Promo, at);
            all.insert(format!("{id} held {at}"), told(&["store0", "store1"].map(held)));
            let then = views.now().true_at(at);
            let best = |store_id| then.best(&id, &store(store_id), at).map(|used| (used.price, used.observed_at));
            all.insert(format!("{id} then {at}"), told(&["store0", "store1"].map(best)));
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_order_of_a_sources_rows_ends_in_the_same_views((rows, shuffled) in any_source()) {
        prop_assert_eq!(everything(&views_of(&rows)), everything(&views_of(&shuffled)));
    }
}

fn deals(log: &TestLog) -> Vec<Deal> {
    log.views().deals(&DealQuery { at: log.now, limit: 10, outliers: true, ..DealQuery::default() }).deals
}

#[test]
fn a_price_that_comes_late_for_an_earlier_day_is_judged_with_every_deal_that_began_after_it() {
    let mut log = TestLog::on(day(110));
    log.price("milk", "spar", PriceKind::Shelf, "2.00", 1).price("milk", "spar", PriceKind::Promo, "1.50", 100);
    assert!(deals(&log)[0].honest);
    log.price("milk", "spar", PriceKind::Shelf, "1.40", 80).price("milk", "spar", PriceKind::Shelf, "2.00", 85);
    assert!(!deals(&log)[0].honest, "it cost less within the thirty days before");
    assert!(matches!(&log.last_changes().deals[..], [] | [DealChange::Changed(_)]));
    log.price("milk", "spar", PriceKind::Shelf, "1.55", 20);
    assert_eq!(deals(&log)[0].reference, price("1.55"), "the usual price is another one");
    log.price("milk", "spar", PriceKind::Clearance, "1.00", 90);
    assert_eq!(deals(&log).into_iter().map(|deal| deal.lowest_30_days).collect::<Vec<_>>(), [price("1.40"), price("1.00")]);
}

#[test]
fn a_third_price_at_any_store_makes_an_outlier_of_one_that_was_none() {
    let mut log = TestLog::on(day(101));
    log.price("milk", "spar", PriceKind::Shelf, "99.00", 1).price("milk", "spar", PriceKind::Shelf, "0.75", 100);
    assert!(!deals(&log)[0].outlier);
    log.price("milk", "billa", PriceKind::Shelf, "99.00", 2);
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Changed(deal)] if deal.outlier));
}

#[test]
fn a_deal_lasts_however_often_its_price_or_the_usual_one_is_seen() {
    let mut log = TestLog::default();
    let minutes = |log: &mut TestLog, kind, amount: &str, from: i64| {
        for minute in 0..700 {
            let mut seen = seen("spar", kind, amount, from);
            seen.observed_at = Moment(day(from).0 + minute * 60_000_000);
            log.now = log.now.max(seen.observed_at);
            log.product("milk", observed(seen));
        }
    };
    log.price("milk", "spar", PriceKind::Shelf, "2.00", 1);
    minutes(&mut log, PriceKind::Shelf, "2.00", 60);
    log.price("milk", "spar", PriceKind::Promo, "1.50", 61);
    minutes(&mut log, PriceKind::Shelf, "2.00", 62);
    minutes(&mut log, PriceKind::Promo, "1.50", 63);
    let [deal] = &deals(&log)[..] else { panic!("one deal") };
    assert_eq!((deal.reference.clone(), deal.since, deal.lowest_30_days.clone()), (price("2.00"), day(61), price("2.00")));
    assert_eq!(deal.last_seen, Moment(day(63).0 + 699 * 60_000_000));
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 50);
    assert_eq!(deals(&log).len(), 1, "judged again after a late price, it is still one");
}

#[test]
fn what_nobody_has_seen_for_a_month_is_no_deal_of_today_until_it_is_seen_again() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "2.00", 1).price("milk", "spar", PriceKind::Shelf, "1.50", 100);
    assert_eq!(deals(&log)[0].last_seen, day(100));
    let at = |log: &TestLog, on_day| log.views().deals(&DealQuery { at: day(on_day), limit: 9, ..DealQuery::default() }).deals.len();
    assert_eq!([129, 130].map(|on_day| at(&log, on_day)), [1, 0], "asked later, with nothing recorded meanwhile");
    log.price("bread", "spar", PriceKind::Shelf, "3.00", 131);
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Ended(_)]));
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 140);
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Began(deal)] if deal.since == day(100) && deal.last_seen == day(140)));
}

#[test]
fn prices_that_were_old_when_they_were_recorded_are_no_deals() {
    let mut log = TestLog::on(day(1_000));
    for (amount, on_day) in [("2.00", 1), ("1.50", 100), ("1.50", 101)] {
        log.price("milk", "spar", PriceKind::Shelf, amount, on_day);
    }
    assert!(deals(&log).is_empty());
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 999);
    assert_eq!(deals(&log).len(), 1, "seen yesterday, it is one");
}

#[test]
fn a_promotion_without_an_end_counts_for_a_month_after_it_was_seen() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "2.00", 1).price("milk", "spar", PriceKind::Promo, "1.50", 5);
    log.price("milk", "spar", PriceKind::Promo, "1.50", 10);
    let best = |on_day| log.views().best_price(&product("milk"), &store("spar"), day(on_day), false).unwrap().price;
    assert_eq!([39, 40].map(best), [price("1.50"), price("2.00")]);
    assert_eq!(log.views().next_change(&product("milk"), day(11)), Some(day(40)), "lists look again then");
    let held = log.views().price_at(&product("milk"), &store("spar"), PriceKind::Promo, day(12)).unwrap();
    assert_eq!((held.since, held.until), (day(5), Some(day(40))));
}

#[test]
fn what_only_receipts_name_is_nowhere_until_it_is_registered_and_then_has_its_prices() {
    let mut log = TestLog::on(day(110));
    log.order("o1", placed("home", "spar", 1, &[("milk", "2.00")])).order("o2", placed("home", "spar", 100, &[("milk", "1.50")]));
    let prices = |log: &TestLog| {
        let views = log.views();
        let history = views.price_history(&product("milk"), &HistoryQuery { limit: 9, ..HistoryQuery::default() }).len();
        (views.best_prices(&product("milk"), day(110), true).len(), history, views.stores_of(&product("milk")).len(), deals(log).len())
    };
    assert_eq!(prices(&log), (0, 0, 0, 0));
    log.product("milk", ProductEvent::Registered(details("Milk", None)));
    assert_eq!(prices(&log), (1, 2, 1, 1));
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Began(_)]));
}

#[test]
fn of_two_receipts_of_one_moment_the_lower_price_counts() {
    for order in [["1.69", "1.49"], ["1.49", "1.69"]] {
        let mut log = TestLog::on(day(4));
        log.product("milk", ProductEvent::Registered(details("Milk", None)));
        for (number, amount) in order.iter().enumerate() {
            log.order(&format!("o{number}"), placed("home", "spar", 3, &[("milk", amount)]));
        }
        let best = log.views().best_price(&product("milk"), &store("spar"), day(4), false).unwrap();
        assert_eq!(best.price, price("1.49"));
    }
}

#[test]
fn the_newest_order_is_the_one_placed_last_whichever_was_recorded_first() {
    let mut log = TestLog::default();
    for (id, on_day) in [("b", 5), ("c", 9), ("a", 7), ("d", 7)] {
        log.order(id, placed("home", "spar", on_day, &[("milk", "1.00")]));
    }
    let (views, home) = (log.views(), HouseholdId::new("home").unwrap());
    let everybody = Reader::admin(Principal::new("local").unwrap());
    let ids = |orders: Vec<crate::projections::OrderSummary>| orders.into_iter().map(|order| order.id.to_string()).collect::<String>();
    assert_eq!((ids(views.orders_of(&home, None, 9)), ids(views.newest_orders(&everybody, None, 9))), ("cdab".into(), "cdab".into()));
    assert_eq!(ids(views.orders_of(&home, Some(&order_id("d")), 1)), "a");
    assert_eq!(ids(views.newest_orders(&everybody, Some(&order_id("a")), 9)), "b");
    assert!(views.newest_orders(&everybody, Some(&order_id("nowhere")), 9).is_empty());
    let resumed = Views::from_checkpoint(&views.to_checkpoint()).unwrap();
    assert_eq!(ids(resumed.newest_orders(&everybody, None, 9)), "cdab");
}
