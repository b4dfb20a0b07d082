//! Given a log, when commands are tried at a position, then their results; the log itself is unchanged.

use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::{
    domain::product::{PriceKind, ProductEvent},
    events::{Append, MemoryLog, clock::ManualClock},
    projections::testing::{TestLog, created, details, item_added},
};

/// A log in memory with the events of a test log.
fn log_of(events: &TestLog) -> MemoryLog {
    let clock = Arc::new(ManualClock::default());
    let log = MemoryLog::new(clock.clone());
    for event in &events.events {
        let Recorded { stream, version, who, by, event, at, .. } = event.clone();
        clock.set(at);
        log.append(Append { stream, expected_version: version - 1, who, by, command: None, client: None, events: vec![event] })
            .wait()
            .unwrap();
    }
    log
}

/// Milk for 1.50 at one store, 1.20 later, and a list with two of it.
fn weekly() -> MemoryLog {
    let mut log = TestLog::default();
    log.store("spar").product("milk", ProductEvent::Registered(details("Milk", None)));
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).list("weekly", created(Some("spar")));
    log.list("weekly", item_added("i1", Some("milk"), crate::domain::Quantity::each(2)));
    log.price("milk", "spar", PriceKind::Shelf, "1.20", 2);
    log_of(&log)
}

fn what(stream: &str, command: Value) -> WhatIf {
    WhatIf { stream: stream.parse().unwrap(), command, who: Principal::new("ann").ok() }
}

fn estimated(fork: &mut Fork<'_>) -> Value {
    let totals = fork.totals(&ListId::new("weekly").unwrap()).unwrap().unwrap();
    assert_eq!(totals.stores.len(), 1);
    totals.shown["estimated"]["amount"].clone()
}

#[test]
fn commands_tried_on_a_fork_change_its_totals_and_not_the_log() {
    let log = weekly();
    let mut fork = Fork::at(&log, Position(5)).unwrap();
    assert_eq!(estimated(&mut fork), "3.00", "the later price is not known yet");
    let more = what("list/weekly", json!({"op": "change_quantity", "item": "i1", "by": {"amount": "1", "unit": "each"}}));
    let decided = fork.attempt(&more).unwrap();
    assert_eq!(decided.outcome, Verdict::Applied);
    assert_eq!(
        (&decided.events[0]["position"], &decided.events[0]["previous"], &decided.events[0]["version"]),
        (&json!("6"), &json!("5"), &json!(3))
    );
    assert_eq!(estimated(&mut fork), "4.50");
    let price = json!({"op": "observe_price", "store": "spar", "price": {"amount": "1.00", "currency": "EUR", "per": "each"},
        "observed_at": "1970-01-02T12:00:00Z", "source": "what-if"});
    let decided = fork.attempt(&what("product/milk", price)).unwrap();
    assert_eq!(decided.outcome, Verdict::Applied, "{decided:?}");
    assert_eq!(estimated(&mut fork), "3.00");
    assert_eq!(log.head(), Position(6), "nothing was recorded");
}

#[test]
fn a_refusal_is_told_and_changes_nothing() {
    let log = weekly();
    let mut fork = Fork::at(&log, Position(6)).unwrap();
    assert_eq!(estimated(&mut fork), "2.40");
    for (command, code) in [(json!({"op": "check", "item": "i9"}), "item_not_found"), (json!({"op": "cheer"}), "malformed_command")] {
        let decided = fork.attempt(&what("list/weekly", command)).unwrap();
        assert_eq!((decided.outcome, decided.code), (Verdict::Refused, Some(code)), "{decided:?}");
        assert!(decided.detail.is_some() && decided.events.is_empty());
    }
    assert_eq!(estimated(&mut fork), "2.40");
}

#[test]
fn a_position_the_log_does_not_hold_is_refused() {
    let log = weekly();
    let refusal = |position| Fork::at(&log, Position(position)).map(|_| ()).unwrap_err().to_string();
    assert!(refusal(0).contains("first event") && refusal(7).contains("ends at position 6"));
    assert!(Fork::at(&log, Position(6)).unwrap().totals(&ListId::new("none").unwrap()).unwrap().is_none());
}

#[test]
fn a_fork_refuses_what_a_server_refuses() {
    let log = weekly();
    let mut fork = Fork::at(&log, log.head()).unwrap();
    let price = |store: &str, currency: &str| {
        json!({"op": "observe_price", "store": store, "price": {"amount": "1.00", "currency": currency, "per": "each"},
            "observed_at": "1970-01-02T12:00:00Z", "source": "what-if"})
    };
    for (stream, command, code) in [
        ("product/milk", price("spar", "USD"), "currency_differs"),
        ("product/milk", price("nowhere", "EUR"), "store_not_found"),
        ("list/weekly", json!({"op": "match", "item": "i1", "product": "unknown"}), "product_not_found"),
    ] {
        let decided = fork.attempt(&what(stream, command)).unwrap();
        assert_eq!((decided.outcome, decided.code), (Verdict::Refused, Some(code)));
    }
    assert_eq!(fork.attempt(&what("product/milk", price("spar", "EUR"))).unwrap().outcome, Verdict::Applied);
}
