//! Where a topic starts after a restart, with another filter, and under a burst.

use serde_json::{Value, json};

use crate::{
    shop::{ask, connect, follow, follow_since, shop},
    support::{TestApp, days_ago},
};

/// A product that begins a deal at billa with this price.
fn deal(app: &TestApp, product: &str) -> String {
    app.post("/api/v1/products", &json!({ "id": product, "name": product })).ok();
    for (amount, days) in [("4.00", 70), ("3.99", 10)] {
        observe(app, product, amount, days);
    }
    observe(app, product, "2.00", 3)
}

fn observe(app: &TestApp, product: &str, amount: &str, days: u64) -> String {
    let body = json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" }, "observed_at": days_ago(days) });
    let done = app.post(&format!("/api/v1/products/{product}/prices"), &body).ok().body;
    done["position"].as_str().expect("a position").to_owned()
}

/// The products of a snapshot of deals.
fn products(start: &Value) -> Vec<&str> {
    start["snapshot"]["deals"].as_array().unwrap().iter().map(|deal| deal["product"].as_str().unwrap()).collect()
}

#[test]
fn deals_that_changed_before_a_restart_are_no_silent_gap_after_it() {
    let mut app = shop();
    let position = deal(&app, "butter");
    let epoch = connect(&app).1["epoch"].clone();
    deal(&app, "roll");
    observe(&app, "butter", "3.99", 2);
    app.kill();
    app.restart();
    let (mut live, hello) = connect(&app);
    assert_eq!(hello["epoch"], epoch);
    let again = follow_since(&mut live, "deals:billa", &position, &epoch);
    assert_eq!((&again["recovered"], products(&again)), (&json!(false), vec!["roll"]), "{again}");
}

#[test]
fn another_filter_starts_from_a_snapshot() {
    let app = shop();
    let position = deal(&app, "butter");
    let (mut live, hello) = connect(&app);
    let subscribe = |filter: Value| {
        json!({ "id": filter.to_string(), "op": "subscribe", "epoch": hello["epoch"],
            "topics": [{ "topic": "deals:billa", "since": position, "filter": filter }] })
    };
    ask(&mut live, &subscribe(json!({ "category": "toys" })));
    let whole = ask(&mut live, &subscribe(json!({})));
    let start = &whole["topics"][0];
    assert_eq!((&start["recovered"], products(start)), (&json!(false), vec!["butter"]), "{whole}");
}

#[test]
fn a_burst_that_is_larger_than_the_outbox_closes_no_reader_that_reads() {
    const PRODUCTS: usize = 150;
    let app = shop();
    app.post("/api/v1/stores", &json!({ "id": "spar", "name": "Spar", "currency": "EUR" })).ok();
    for number in 0..PRODUCTS {
        let product = format!("p{number}");
        app.post("/api/v1/products", &json!({ "id": product, "name": product })).ok();
        for store in ["billa", "spar"] {
            let body = json!({ "store": store, "price": { "amount": "1.00", "currency": "EUR", "per": "each" } });
            app.post(&format!("/api/v1/products/{product}/prices"), &body).ok();
        }
        let item = json!({ "id": product, "name": product, "product": product, "quantity": { "amount": "1", "unit": "each" } });
        app.post("/api/v1/lists/weekly/items", &item).ok();
    }
    let (mut live, _) = connect(&app);
    follow(&mut live, "list:weekly");
    app.patch("/api/v1/lists/weekly", &json!({ "store": "spar" })).ok();
    let mut seen = 0;
    while seen < PRODUCTS {
        let push = live.next();
        seen += usize::from(push["value"]["store"] == "spar" && push["key"].as_str().is_some_and(|key| key.starts_with("price:p")));
    }
}
