//! What a topic sends: its start, events that name the one before, states, and silence once it is left.

use serde_json::json;

use crate::{
    shop::{ask, connect, estimated, follow, follow_since, position, price, rename, shop},
    support::days_ago,
};

#[test]
fn a_session_begins_with_epoch_position_and_limits() {
    let app = shop();
    let (_, hello) = connect(&app);
    assert!(!hello["epoch"].as_str().unwrap().is_empty());
    assert!(position(&hello["position"]) >= 5);
    assert!(hello["ping_interval_seconds"].as_u64().unwrap() > 0);
    assert_eq!(hello["limits"]["topics_max"], 1_000);
}

#[test]
fn a_new_price_changes_the_total_of_an_open_list() {
    let app = shop();
    let (mut live, _) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    assert_eq!(start["recovered"], false);
    assert_eq!(start["snapshot"]["name"], "Weekly");
    assert_eq!(estimated(&start["snapshot"]["totals"]), "2.98");
    price(&app, "1.29");
    let push = live.next_where(|message| message["key"] == "price:milk");
    assert_eq!((push["topic"].as_str(), push["value"]["price"]["price"]["amount"].as_str()), (Some("list:weekly"), Some("1.29")), "{push}");
    let push = live.next_where(|message| message["key"] == "totals");
    assert_eq!(push["topic"], "list:weekly");
    assert_eq!(estimated(&push["value"]), "2.58");
}

#[test]
fn the_snapshot_is_what_http_shows() {
    let app = shop();
    let (mut live, _) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    assert_eq!(start["snapshot"], app.get("/api/v1/lists/weekly").ok().body);
    let price = &start["states"]["price:milk"];
    assert_eq!((&price["product"], &price["store"], &price["price"]["price"]["amount"]), (&json!("milk"), &json!("billa"), &json!("1.49")));
    assert_eq!(start["states"]["presence"], json!({ "present": [{ "who": "local", "sessions": 1 }], "more": 0 }));
}

#[test]
fn each_event_states_the_position_before_it() {
    let app = shop();
    let (mut live, _) = connect(&app);
    let mut last = follow(&mut live, "list:weekly")["position"].clone();
    for name in ["A", "B", "C"] {
        let done = rename(&app, name);
        let push = live.next_where(|message| message["type"] == "event");
        assert_eq!(push["previous"], last);
        assert_eq!(push["position"], done["position"]);
        assert_eq!(push["event"]["data"]["name"], name, "{push}");
        last = push["position"].clone();
    }
}

#[test]
fn a_left_topic_is_silent() {
    let app = shop();
    let (mut live, _) = connect(&app);
    follow(&mut live, "list:weekly");
    let left = ask(&mut live, &json!({ "id": 9, "op": "unsubscribe", "topics": ["list:weekly", "list:other"] }));
    assert_eq!(left["topics"], json!(["list:weekly"]));
    rename(&app, "Unheard");
    let pong = ask(&mut live, &json!({ "id": 10, "op": "ping" }));
    assert_eq!(pong["type"], "pong");
    live.send(&json!({ "id": 11, "op": "ping" }));
    assert_eq!(live.next()["id"], 11, "nothing came in between");
}

#[test]
fn products_orders_households_and_deals_have_topics() {
    let app = shop();
    app.post("/api/v1/households", &json!({ "id": "home", "name": "Home" })).ok();
    let (mut live, hello) = connect(&app);
    let topics = ["product:milk", "orders:home", "household:home", "deals:billa", "system"];
    let request = json!({ "id": 1, "op": "subscribe", "topics": topics.map(|topic| json!({ "topic": topic })) });
    let answer = ask(&mut live, &request);
    for (topic, start) in topics.iter().zip(answer["topics"].as_array().unwrap()) {
        assert_eq!((&start["topic"], &start["recovered"]), (&json!(topic), &json!(false)), "{start}");
    }
    assert_eq!(answer["topics"][0]["snapshot"]["prices"][0]["store"], "billa", "{answer}");

    price(&app, "1.19");
    let push = live.next_where(|message| message["topic"] == "product:milk");
    assert_eq!(
        (&push["type"], &push["key"], &push["value"]["price"]["price"]["amount"]),
        (&json!("state"), &json!("price:billa"), &json!("1.19"))
    );
    app.patch("/api/v1/products/milk", &json!({ "name": "Whole milk" })).ok();
    let push = live.next_where(|message| message["topic"] == "product:milk");
    assert_eq!(
        (&push["event"]["type"], &push["previous"]),
        (&json!("product.details_changed"), &answer["topics"][0]["position"]),
        "a price is no event"
    );

    let line = json!({ "line": 1, "name": "Bread", "quantity": { "amount": "1", "unit": "each" }, "charged": { "amount": "2.00", "currency": "EUR" } });
    let order = app.post("/api/v1/orders", &json!({ "id": "o1", "household": "home", "store": "billa", "lines": [line] })).ok().body;
    let push = live.next_where(|message| message["topic"] == "orders:home");
    assert_eq!((&push["event"]["type"], &push["position"]), (&json!("order.placed"), &order["position"]));
    assert!(position(&push["previous"]) < position(&push["position"]));

    app.post("/api/v1/orders/o1/commands", &json!({ "op": "cancel", "reason": null })).ok();
    let again = follow_since(&mut live, "orders:home", order["position"].as_str().unwrap(), &hello["epoch"]);
    assert_eq!((&again["recovered"], &again["events"][0]["event"]["type"]), (&json!(true), &json!("order.cancelled")), "{again}");
}

#[test]
fn a_price_drop_begins_a_deal_for_who_follows_the_store() {
    let app = shop();
    let observed = |amount: &str, days: u64| {
        let body =
            json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" }, "observed_at": days_ago(days) });
        app.post("/api/v1/products/bread/prices", &body).ok();
    };
    app.post("/api/v1/products", &json!({ "id": "bread", "name": "Bread" })).ok();
    observed("4.00", 70);
    observed("3.99", 10);
    let (mut live, _) = connect(&app);
    follow(&mut live, "deals:billa");
    observed("2.00", 1);
    let push = live.next_where(|message| message["topic"] == "deals:billa");
    assert_eq!(push["event"]["type"], "deals.changed");
    assert_eq!(
        (&push["event"]["deals"][0]["change"], &push["event"]["deals"][0]["deal"]["product"]),
        (&json!("began"), &json!("bread")),
        "{push}"
    );
}
