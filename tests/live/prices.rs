//! Prices are states: of a product at each store, and of a list those of everything on it.

use serde_json::{Value, json};

use crate::{
    shop::shop,
    support::TestApp,
    wire::{Opening, Wire},
};

fn observe(app: &TestApp, product: &str, store: &str, amount: &str) {
    let body = json!({ "store": store, "price": { "amount": amount, "currency": "EUR", "per": "each" } });
    app.post(&format!("/api/v1/products/{product}/prices"), &body).ok();
}

/// A shop with a second store and a second product.
fn two_stores() -> TestApp {
    let app = shop();
    app.post("/api/v1/stores", &json!({ "id": "spar", "name": "Spar", "currency": "EUR" })).ok();
    app.post("/api/v1/products", &json!({ "id": "bread", "name": "Bread" })).ok();
    observe(&app, "bread", "billa", "3.00");
    observe(&app, "bread", "spar", "2.80");
    app
}

fn amount(state: &Value) -> Option<&str> {
    state["price"]["price"]["amount"].as_str()
}

/// Waits for a state of a key with this amount, and returns it.
fn until(wire: &mut Wire, key: &str, wanted: &str) -> Value {
    wire.next_where(|message| message["key"] == key && amount(&message["value"]) == Some(wanted))["value"].clone()
}

#[test]
fn a_product_tells_its_price_at_every_store_apart() {
    let app = two_stores();
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    let start = wire.follow("product:bread");
    let stores: Vec<_> = start["snapshot"]["prices"].as_array().unwrap().iter().map(|price| price["store"].as_str().unwrap()).collect();
    assert_eq!(stores.len(), 2, "{start}");
    observe(&app, "bread", "spar", "2.70");
    observe(&app, "bread", "billa", "3.10");
    let spar = until(&mut wire, "price:spar", "2.70");
    assert_eq!((&spar["product"], &spar["store"]), (&json!("bread"), &json!("spar")));
    let billa = until(&mut wire, "price:billa", "3.10");
    assert_eq!((&billa["product"], &billa["store"]), (&json!("bread"), &json!("billa")));
    let again = wire.follow_with("product:bread", &json!({ "since": start["position"], "epoch": epoch(&app) }));
    assert_eq!((&again["recovered"], amount(&again["states"]["price:spar"]), &again["events"]), (&json!(true), Some("2.70"), &json!([])));
}

fn epoch(app: &TestApp) -> Value {
    Wire::greeted(app.server().url(), Opening::default()).1["epoch"].clone()
}

#[test]
fn a_list_brings_the_prices_of_what_is_on_it_also_of_what_comes_later() {
    let app = two_stores();
    app.post("/api/v1/products", &json!({ "id": "salt", "name": "Salt" })).ok();
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    let start = wire.follow("list:weekly");
    assert_eq!(amount(&start["states"]["price:milk"]), Some("1.49"), "{start}");
    assert!(start["states"].get("price:bread").is_none(), "bread is not on it: {start}");

    let item = |id: &str| json!({ "id": id, "name": id, "product": id, "quantity": { "amount": "1", "unit": "each" } });
    app.post("/api/v1/lists/weekly/items", &item("bread")).ok();
    let value = until(&mut wire, "price:bread", "3.00");
    assert_eq!((&value["product"], &value["store"]), (&json!("bread"), &json!("billa")));
    app.post("/api/v1/lists/weekly/items", &item("salt")).ok();
    let salt = wire.next_where(|message| message["key"] == "price:salt");
    assert_eq!(salt["value"]["price"], Value::Null, "no price is known: {salt}");
    observe(&app, "salt", "billa", "0.90");
    until(&mut wire, "price:salt", "0.90");
    observe(&app, "bread", "billa", "3.33");
    until(&mut wire, "price:bread", "3.33");

    app.patch("/api/v1/lists/weekly", &json!({ "store": "spar" })).ok();
    let value = until(&mut wire, "price:bread", "2.80");
    assert_eq!(value["store"], "spar");
    observe(&app, "bread", "spar", "2.22");
    until(&mut wire, "price:bread", "2.22");
    // The next price of bread is that of the store of now.
    observe(&app, "bread", "billa", "9.99");
    observe(&app, "bread", "spar", "2.11");
    let next = wire.next_where(|message| message["key"] == "price:bread" && amount(&message["value"]) != Some("2.22"));
    assert_eq!(amount(&next["value"]), Some("2.11"), "{next}");

    app.delete("/api/v1/lists/weekly/items/bread").ok();
    let start = wire.follow("list:weekly");
    assert!(start["states"].get("price:bread").is_none(), "it is not on the list any more: {start}");
    let later = Wire::greeted(app.server().url(), Opening::default()).0.follow("list:weekly");
    assert_eq!(later["states"]["price:salt"]["store"], "spar");
    assert_eq!(later["states"]["price:salt"]["price"], Value::Null, "no price of salt is known there: {later}");
}
