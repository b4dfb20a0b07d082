//! Given observed prices, then the best price, the history and the price at a moment.

use crate::{
    domain::{
        Moment,
        moment::DAY_MICROS,
        product::{PriceKind, ProductEvent},
    },
    projections::{HistoryQuery, testing::*},
};

fn best(log: &TestLog, on_day: i64) -> Option<String> {
    log.views().best_price(&product("milk"), &store("spar"), day(on_day), false).map(|best| best.price.amount_text())
}

#[test]
fn the_lowest_usable_price_is_the_best_and_names_the_shelf_price() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 1).price("milk", "spar", PriceKind::Promo, "1.49", 2);
    let best = log.views().best_price(&product("milk"), &store("spar"), day(3), false).unwrap();
    assert_eq!((best.kind, best.price, best.reference), (PriceKind::Promo, price("1.49"), Some(price("1.99"))));
    assert_eq!((best.age_seconds, best.position.0, &*best.source), (86_400, 2, "test"));
}

#[test]
fn an_expired_a_future_and_a_withdrawn_price_are_never_used() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 1);
    let mut promo = seen("spar", PriceKind::Promo, "1.49", 2);
    (promo.valid_from, promo.valid_until) = (Some(day(5)), Some(day(10)));
    log.product("milk", observed(promo));
    let on = |log: &TestLog, on_day| best(log, on_day).unwrap();
    assert_eq!([on(&log, 4), on(&log, 5), on(&log, 9), on(&log, 10)], ["1.99", "1.49", "1.49", "1.99"]);
    log.product("milk", ProductEvent::PriceWithdrawn { store: store("spar"), kind: PriceKind::Shelf });
    assert_eq!(best(&log, 10), None);
}

#[test]
fn a_members_price_is_used_only_when_asked_for() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 1).price("milk", "spar", PriceKind::Member, "0.99", 1);
    assert_eq!(best(&log, 2).unwrap(), "1.99");
    let member = log.views().best_price(&product("milk"), &store("spar"), day(2), true).unwrap();
    assert_eq!(member.kind, PriceKind::Member);
}

#[test]
fn an_older_observation_that_arrives_late_changes_the_history_only() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 5).price("milk", "spar", PriceKind::Shelf, "1.79", 3);
    assert!(log.last_changes().prices.is_empty());
    assert_eq!(best(&log, 6).unwrap(), "1.99");
    assert_eq!(log.views().price_history(&product("milk"), &HistoryQuery { limit: 10, ..HistoryQuery::default() }).len(), 2);
}

#[test]
fn an_observation_of_the_same_moment_is_a_correction() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "19.9", 5).price("milk", "spar", PriceKind::Shelf, "1.99", 5);
    assert_eq!(best(&log, 6).unwrap(), "1.99");
    let history = log.views().price_history(&product("milk"), &HistoryQuery { limit: 10, ..HistoryQuery::default() });
    assert_eq!(history.len(), 1);
}

#[test]
fn a_withdrawn_price_that_is_stated_again_counts_again() {
    let mut log = TestLog::default();
    let withdrawn = || ProductEvent::PriceWithdrawn { store: store("spar"), kind: PriceKind::Shelf };
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 5);
    log.now = day(8);
    log.product("milk", withdrawn());
    assert_eq!(best(&log, 9), None);
    let history = log.views().price_history(&product("milk"), &HistoryQuery { limit: 10, ..HistoryQuery::default() });
    assert_eq!(history[0].withdrawn_at, Some(day(8)));
    log.price("milk", "spar", PriceKind::Shelf, "1.89", 5);
    assert_eq!(best(&log, 9).unwrap(), "1.89");
    log.product("milk", withdrawn()).product("milk", withdrawn()).price("milk", "spar", PriceKind::Shelf, "1.79", 7);
    assert_eq!(best(&log, 9).unwrap(), "1.79");
}

#[test]
fn the_price_at_a_moment_says_since_when_and_until_when() {
    let mut log = TestLog::default();
    for (amount, on_day) in [("1.99", 1), ("1.99", 4), ("1.79", 8)] {
        log.price("milk", "spar", PriceKind::Shelf, amount, on_day);
    }
    log.now = day(20);
    log.product("milk", ProductEvent::PriceWithdrawn { store: store("spar"), kind: PriceKind::Shelf });
    let views = log.views();
    let at = |moment| views.price_at(&product("milk"), &store("spar"), PriceKind::Shelf, moment);
    let held = at(day(6)).unwrap();
    assert_eq!((held.entry.price, held.since, held.until), (price("1.99"), day(1), Some(day(8))));
    let last = at(Moment(20 * DAY_MICROS - 1)).unwrap();
    assert_eq!((last.entry.price, last.until), (price("1.79"), Some(day(20))));
    assert!(at(Moment(0)).is_none() && at(day(20)).is_none());
}

#[test]
fn the_best_prices_across_stores_come_cheapest_first() {
    let mut log = TestLog::default();
    for (store_id, amount) in [("spar", "1.99"), ("billa", "1.89"), ("hofer", "1.99")] {
        log.price("milk", store_id, PriceKind::Shelf, amount, 1);
    }
    let views = log.views();
    let stores: Vec<_> = views.best_prices(&product("milk"), day(2), false).into_iter().map(|best| best.store.to_string()).collect();
    assert_eq!(stores, ["billa", "hofer", "spar"]);
}

#[test]
fn a_limited_history_keeps_the_newest() {
    let mut log = TestLog::default();
    for n in 1..=9 {
        log.price("milk", if n % 2 == 0 { "billa" } else { "spar" }, PriceKind::Shelf, &format!("1.0{n}"), n);
    }
    let history = log.views().price_history(&product("milk"), &HistoryQuery { limit: 3, to: Some(day(9)), ..HistoryQuery::default() });
    let days: Vec<_> = history.iter().map(|entry| entry.observed_at.0 / DAY_MICROS).collect();
    assert_eq!(days, [6, 8, 7], "by the id of the store, whichever came first");
}

#[test]
fn what_was_paid_is_an_observation_from_a_receipt() {
    let mut log = TestLog::default();
    log.product("milk", ProductEvent::Registered(details("Milk", None)));
    log.order("o1", placed("home", "spar", 3, &[("milk", "1.69")]));
    let best = log.views().best_price(&product("milk"), &store("spar"), day(4), false).unwrap();
    assert_eq!((best.price, &*best.source, best.observed_at), (price("1.69"), "receipt", day(3)));
    assert_eq!(log.last_changes().prices.as_slice(), [(product("milk"), store("spar"))]);
}
