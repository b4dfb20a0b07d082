//! The deals of a store, and the part of them that a filter lets through.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::{
    shop::shop,
    support::{TestApp, days_ago},
    wire::{Opening, Wire},
};

/// A product whose price was 4.00 for two months.
fn product(app: &TestApp, id: &str, category: &str) {
    app.post("/api/v1/products", &json!({ "id": id, "name": id, "category": category })).ok();
    observe(app, id, "4.00", 70);
    observe(app, id, "3.99", 10);
}

fn observe(app: &TestApp, product: &str, amount: &str, days: u64) {
    let body = json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" }, "observed_at": days_ago(days) });
    let done = app.post(&format!("/api/v1/products/{product}/prices"), &body).ok().body;
    app.get(&format!("/api/v1/deals?after={}", done["position"].as_str().expect("a position"))).ok();
}

/// A page that shows the deals that fit a filter.
struct Page {
    wire: Wire,
    shown: BTreeSet<String>,
}

impl Page {
    fn open(app: &TestApp, filter: &Value) -> Self {
        let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
        let options = if filter.is_null() { json!({}) } else { json!({ "filter": filter }) };
        let start = wire.follow_with("deals:billa", &options);
        let deals = start["snapshot"]["deals"].as_array().unwrap_or_else(|| panic!("no deals in {start}"));
        let shown = deals.iter().map(|deal| deal["product"].as_str().unwrap().to_owned()).collect();
        Self { wire, shown }
    }

    fn shown(&self) -> Vec<&str> {
        self.shown.iter().map(String::as_str).collect()
    }

    /// The next change of what is shown, as `change product`. The end of a deal that is not shown changes nothing.
    fn next(&mut self) -> String {
        loop {
            let event = self.wire.next_where(|message| message["type"] == "event");
            assert_eq!((&event["topic"], &event["event"]["type"]), (&json!("deals:billa"), &json!("deals.changed")));
            let [one] = &event["event"]["deals"].as_array().unwrap()[..] else { panic!("one price is one change: {event}") };
            let (change, product) = (one["change"].as_str().unwrap(), one["deal"]["product"].as_str().unwrap());
            let news =
                if change == "ended" { self.shown.remove(product) } else { self.shown.insert(product.to_owned()) || change == "changed" };
            if news {
                return format!("{change} {product}");
            }
        }
    }
}

#[test]
fn a_filter_holds_for_the_snapshot_and_for_what_follows() {
    let app = shop();
    for (id, category) in [("butter", "dairy"), ("cream", "dairy"), ("bread", "bakery"), ("roll", "bakery")] {
        product(&app, id, category);
    }
    observe(&app, "butter", "2.00", 3);
    observe(&app, "bread", "3.60", 3);
    let mut all = Page::open(&app, &Value::Null);
    let mut dairy = Page::open(&app, &json!({ "category": "dairy" }));
    let mut large = Page::open(&app, &json!({ "min_saving_percent": 20, "honest": true }));
    assert_eq!((all.shown(), dairy.shown(), large.shown()), (vec!["bread", "butter"], vec!["butter"], vec!["butter"]));
    let over_http = app.get("/api/v1/deals?store=billa&min_saving_percent=20&honest=true").ok().body;
    assert_eq!(over_http["deals"][0]["product"], "butter");

    observe(&app, "roll", "2.00", 3);
    assert_eq!((all.next(), large.next()), ("began roll".to_owned(), "began roll".to_owned()));
    observe(&app, "cream", "3.60", 3);
    assert_eq!((all.next(), dairy.next()), ("began cream".to_owned(), "began cream".to_owned()), "no word of roll");
    observe(&app, "roll", "3.50", 2);
    assert_eq!(all.next(), "changed roll");
    assert_eq!(large.next(), "ended roll", "it does not save enough any more, and there was no word of cream");
    observe(&app, "roll", "4.00", 1);
    assert_eq!(all.next(), "ended roll");
    observe(&app, "butter", "4.00", 1);
    for page in [&mut all, &mut dairy, &mut large] {
        assert_eq!(page.next(), "ended butter");
    }
    assert_eq!((all.shown(), dairy.shown(), large.shown()), (vec!["bread", "cream"], vec!["cream"], vec![]));
}

#[test]
fn filters_where_there_is_nothing_to_filter_are_refused() {
    let app = shop();
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    let code = |answer: Value| answer["error"]["code"].clone();
    assert_eq!(code(wire.follow_with("list:weekly", &json!({ "filter": {} }))), "invalid_option");
    assert_eq!(code(wire.follow_with("deals:billa", &json!({ "filter": { "min_saving_percent": 101 } }))), "invalid_option");
    for rate in [json!(0), json!(0.009), json!(1_001), json!(-1)] {
        assert_eq!(code(wire.follow_with("list:weekly", &json!({ "max_rate": rate }))), "invalid_option", "{rate}");
    }
    for request in [
        json!({ "topic": "deals:billa", "filter": { "colour": "red" } }),
        json!({ "topic": "deals:billa", "filter": { "min_saving_percent": "20" } }),
        json!({ "topic": "list:weekly", "max_rate": "fast" }),
        json!({ "topic": "list:weekly", "colour": "red" }),
    ] {
        let answer = wire.ask(&json!({ "id": 1, "op": "subscribe", "topics": [request] }));
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("invalid_request")), "{answer}");
    }
}
