//! Texts are recorded without blanks around them, whichever route or command brings them.

use serde_json::{Value, json};

use super::{Person, Side, Things, World, body_of, content_type, with_body, writes};
use crate::events::{Position, codec::event_json};

/// Words of ours, ids and times: blanks in them are a mistake and are refused.
const NOT_TEXT: &[&str] = &[
    "id",
    "op",
    "command_id",
    "household",
    "store",
    "stores",
    "list",
    "item",
    "product",
    "member",
    "after",
    "order",
    "offer",
    "role",
    "kind",
    "unit",
    "amount",
    "currency",
    "placed_at",
    "observed_at",
    "valid_from",
    "valid_until",
    "at",
    "country",
    "time_zone",
    "snapshot",
    "stream",
    "stock",
    "position",
];

/// A value with blanks around all its texts.
fn padded(value: &Value, name: &str) -> Value {
    match value {
        Value::String(text) if !NOT_TEXT.contains(&name) => json!(format!(" \u{a0}{text}\t").replace('\t', " ")),
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), padded(value, name))).collect(),
        Value::Array(entries) => entries.iter().map(|value| padded(value, name)).collect(),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// The texts in it with blanks around them.
fn untidy(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => (text.trim() != text).then(|| text.clone()).into_iter().collect(),
        Value::Object(fields) => fields.iter().flat_map(|(name, value)| untidy(&json!(name)).into_iter().chain(untidy(value))).collect(),
        Value::Array(entries) => entries.iter().flat_map(untidy).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

/// What was recorded after a position, with blanks around it.
fn recorded_untidy(world: &World, after: Position) -> Vec<String> {
    let events = world.rig.app.log.read(after, 1_000).expect("the log can be read");
    events.iter().flat_map(|recorded| untidy(&event_json(recorded))).collect()
}

#[actix_web::test]
async fn what_any_route_records_has_no_blanks_around_it() {
    let mut world = World::new().await;
    let mut faults = Vec::new();
    for sample in writes().filter(|sample| !sample.body.is_empty()) {
        let things = world.furnish(Side::Hidden).await;
        let head = world.rig.app.log.head();
        let body: Value = serde_json::from_str(&body_of(sample, &things)).expect("a sample is JSON");
        let answer = world.line.send(with_body(sample, &things, padded(&body, "").to_string())).await;
        faults.extend(recorded_untidy(&world, head).into_iter().map(|text| format!("{} {}: {text:?}", sample.method, sample.path)));
        let plain = world.line.send(with_body(sample, &things.clone(), body_of(sample, &things))).await;
        // Sent again without blanks it is the same, or it failed for another reason.
        if answer.status.is_client_error() && plain.status.is_success() && !things.fill(sample.body).contains("scopes") {
            faults.push(format!("{} {}: {:?}", sample.method, sample.path, answer.body));
        }
        world.tidy(Side::Hidden, &things).await;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Commands with every text that they may carry.
fn commands(things: &Things) -> Vec<(String, Value)> {
    let line = |number: u32| json!({"line": number, "name": "Tea", "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "2.00", "currency": "EUR"}});
    let quantity = json!({"amount": "1", "unit": "glass"});
    let money = json!({"amount": "1.00", "currency": "EUR"});
    let (new, place) = (
        things.fill("$new"),
        json!({"household": things.household(), "store": "s", "placed_at": "2026-01-01", "source": "till",
        "lines": [line(1)], "extras": [{"kind": "tip", "amount": money}]}),
    );
    let mut placed = place.clone();
    placed["op"] = json!("place");
    let details = json!({"op": "register", "name": "Tea", "brand": "B", "category": "C", "ingredients": "leaves", "nutrition": {"fat": 1},
        "codes": [{"source": {"source": "shop", "id": "7"}}, {"store_made": {"store": "s", "code": "9"}}]});
    let store =
        json!({"op": "register", "name": "Shop", "currency": "EUR", "chain": "Chain", "country": "AT", "time_zone": "Europe/Vienna"});
    let all = [
        (format!("orders/{new}"), placed),
        (format!("orders/{new}"), json!({"op": "amend", "lines": [line(2)]})),
        (
            format!("orders/{new}"),
            json!({"op": "substitute_line", "line": 1, "product": null, "name": "Other", "quantity": quantity, "charged": money}),
        ),
        (
            format!("orders/{new}"),
            json!({"op": "refund_line", "line": 1, "quantity": {"amount": "0", "unit": "glass"}, "amount": money, "reason": "stale"}),
        ),
        (format!("orders/{new}"), json!({"op": "cancel", "reason": "late"})),
        (format!("products/{new}"), details),
        (
            format!("products/{new}"),
            json!({"op": "change_details", "name": "Chai", "brand": "BB", "category": "CC", "content": null, "sold_by_weight": null}),
        ),
        (format!("products/{new}"), json!({"op": "link_code", "code": {"source": {"source": "shop", "id": "8"}}})),
        (
            format!("products/{new}"),
            json!({"op": "observe_price", "store": "s", "price": money, "observed_at": "2026-01-01", "source": "seen", "evidence": "photo"}),
        ),
        (
            format!("products/{new}"),
            json!({"op": "announce_offer", "offer": "leaflet", "store": "s", "terms": {"percent_off": {"percent": 10}},
                "valid_from": "2026-01-01", "valid_until": null, "member_only": false, "source": "leaflet"}),
        ),
        (format!("stores/{new}"), store),
        (format!("stores/{new}"), json!({"op": "change_details", "name": "Shop 2", "chain": "Other", "country": null, "time_zone": null})),
        (format!("stores/{new}"), json!({"op": "learn_aisle_order", "categories": ["fruit", "dairy"]})),
        (format!("households/{new}"), json!({"op": "create", "name": "Home"})),
        (format!("lists/{new}"), json!({"op": "create", "name": "Weekly", "household": null, "store": "s"})),
        (format!("lists/{new}"), json!({"op": "rename", "name": "Daily"})),
        (
            format!("lists/{new}"),
            json!({"op": "add_item", "item": "i", "name": "Tea", "product": null, "specification": "green", "quantity": quantity, "note": "two"}),
        ),
        (format!("lists/{new}"), json!({"op": "change_details", "item": "i", "name": "Chai", "specification": "black", "note": "three"})),
    ];
    all.to_vec()
}

#[actix_web::test]
async fn what_any_command_records_has_no_blanks_around_it_and_the_same_again_is_a_repetition() {
    let mut world = World::new().await;
    let things = world.furnish(Side::Hidden).await;
    for (place, command) in commands(&things) {
        let head = world.rig.app.log.head();
        let send = |command: &Value| {
            Person::Admin
                .asks(actix_web::http::Method::POST, &format!("/api/v1/{place}/commands"))
                .insert_header(content_type(super::sample("POST", "/api/v1/lists/{id}/commands").expect("it is a route")))
                .set_payload(command.to_string())
        };
        let padded = world.line.send(send(&padded(&command, ""))).await;
        assert_eq!((padded.status.as_u16(), &padded.json()["outcome"]), (200, &json!("applied")), "{place} {command}: {:?}", padded.body);
        assert_eq!(recorded_untidy(&world, head), Vec::<String>::new(), "{place} {command}");
        let again = world.line.send(send(&command)).await;
        assert_eq!(again.json()["outcome"], "unchanged", "{place} {command}: {:?}", again.body);
    }
}
