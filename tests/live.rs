//! The live gateway from outside: a real server, real sockets. What a phone on a bad connection relies on.
#![allow(clippy::unwrap_used, clippy::panic, clippy::float_cmp, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};
use support::{Live, TestApp, wait_for};
use tungstenite::{Message, protocol::CloseFrame};

/// A server with one store, one product with a price there, and one list that holds two of it.
fn shop() -> TestApp {
    let app = TestApp::start();
    app.post("/api/v1/stores", &json!({ "id": "billa", "name": "Billa", "currency": "EUR" })).ok();
    app.post("/api/v1/products", &json!({ "id": "milk", "name": "Milk" })).ok();
    price(&app, "1.49");
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly", "store": "billa" })).ok();
    let item = json!({ "id": "i1", "name": "Milk", "product": "milk", "quantity": { "amount": "2", "unit": "each" } });
    let added = app.post("/api/v1/lists/weekly/items", &item).ok().body;
    // From here on the total is there: the views have the price, and have told the list.
    app.get(&format!("/api/v1/lists/weekly?after={}", added["position"].as_str().expect("a position"))).ok();
    app
}

fn price(app: &TestApp, amount: &str) {
    let body = json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" } });
    app.post("/api/v1/products/milk/prices", &body).ok();
}

fn rename(app: &TestApp, name: &str) -> Value {
    app.patch("/api/v1/lists/weekly", &json!({ "name": name })).ok().body
}

/// Connects and takes the hello.
fn connect(app: &TestApp) -> (Live, Value) {
    let mut live = app.live();
    let hello = live.next();
    assert_eq!(hello["type"], "hello");
    (live, hello)
}

/// Sends a request and waits for its answer; pushes before it are dropped.
fn ask(live: &mut Live, request: &Value) -> Value {
    live.send(request);
    live.next_where(|message| message["id"] == request["id"])
}

/// Follows one topic and gives how it starts.
fn follow(live: &mut Live, topic: &str) -> Value {
    let answer = ask(live, &json!({ "id": topic, "op": "subscribe", "topics": [{ "topic": topic }] }));
    answer["topics"][0].clone()
}

fn follow_since(live: &mut Live, topic: &str, since: &str, epoch: &Value) -> Value {
    let request = json!({ "id": "again", "op": "subscribe", "epoch": epoch, "topics": [{ "topic": topic, "since": since }] });
    ask(live, &request)["topics"][0].clone()
}

fn position(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no position: {value}"))
}

fn estimated(totals: &Value) -> &str {
    totals["estimated"]["amount"].as_str().unwrap_or_else(|| panic!("no total: {totals}"))
}

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
fn coming_back_gives_exactly_what_was_missed() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    drop(live);
    for number in 0..40 {
        rename(&app, &format!("Name {number}"));
    }
    price(&app, "1.00");
    let (mut live, _) = connect(&app);
    let again = follow_since(&mut live, "list:weekly", start["position"].as_str().unwrap(), &hello["epoch"]);
    assert_eq!(again["recovered"], true, "{again}");
    let events = again["events"].as_array().unwrap();
    assert_eq!(events.len(), 40);
    let mut last = &start["position"];
    for (number, event) in events.iter().enumerate() {
        assert_eq!(&event["previous"], last);
        assert_eq!(event["event"]["data"]["name"], format!("Name {number}"));
        last = &event["position"];
    }
    assert_eq!(last, &again["position"]);
    let total = |value: &Value| (estimated(value) == "2.00").then_some(());
    if total(&again["states"]["totals"]).is_none() {
        live.next_where(|message| message["key"] == "totals" && total(&message["value"]).is_some());
    }
}

#[test]
fn coming_back_with_nothing_missed_gives_no_event() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    let again = follow_since(&mut live, "list:weekly", start["position"].as_str().unwrap(), &hello["epoch"]);
    assert_eq!((&again["recovered"], again["events"].as_array().map(Vec::len)), (&json!(true), Some(0)));
}

#[test]
fn what_cannot_be_continued_starts_from_a_snapshot_and_says_so() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let here = follow(&mut live, "list:weekly")["position"].as_str().unwrap().to_owned();
    for (since, epoch) in [(&*here, json!("another")), (&here, Value::Null), ("999999999", hello["epoch"].clone())] {
        let again = follow_since(&mut live, "list:weekly", since, &epoch);
        assert_eq!(again["recovered"], false, "{since} {epoch}");
        assert_eq!(again["snapshot"]["name"], "Weekly");
    }
}

#[test]
fn a_restarted_server_continues_the_same_epoch() {
    let mut app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    rename(&app, "Missed");
    app.kill();
    app.restart();
    let (mut live, hello_again) = connect(&app);
    assert_eq!(hello["epoch"], hello_again["epoch"]);
    let again = follow_since(&mut live, "list:weekly", start["position"].as_str().unwrap(), &hello_again["epoch"]);
    assert_eq!(again["recovered"], true);
    assert_eq!(again["events"][0]["event"]["data"]["name"], "Missed");
}

#[test]
fn a_reader_that_comes_and_goes_under_writes_misses_nothing_and_sees_nothing_twice() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    let (mut seen, mut last) = (start["snapshot"]["version"].as_u64().unwrap(), start["position"].clone());
    let end = seen + 300;
    let writer = std::thread::spawn({
        let client = app.client().clone();
        move || (0..300).for_each(|n| drop(client.patch("/api/v1/lists/weekly", &json!({ "name": format!("{n}") })).ok()))
    });
    let mut take = |event: &Value, previous: &Value, position: &Value, last: &mut Value| {
        assert_eq!(previous, &*last, "a gap or a repetition");
        seen += 1;
        assert_eq!(event["version"].as_u64(), Some(seen));
        *last = position.clone();
        seen
    };
    let mut rounds = 0;
    'all: loop {
        for _ in 0..=rounds % 7 {
            let push = live.next_where(|message| message["type"] == "event");
            if take(&push["event"], &push["previous"], &push["position"], &mut last) == end {
                break 'all;
            }
        }
        rounds += 1;
        if rounds % 3 > 0 {
            // On the same connection: what waits for the old subscription must neither repeat nor get lost.
            drop(std::mem::replace(&mut live, connect(&app).0));
        }
        let again = follow_since(&mut live, "list:weekly", last.as_str().unwrap(), &hello["epoch"]);
        assert_eq!(again["recovered"], true);
        for event in again["events"].as_array().unwrap() {
            if take(&event["event"], &event["previous"], &event["position"], &mut last) == end {
                break 'all;
            }
        }
    }
    writer.join().expect("every write is taken");
}

#[test]
fn a_snapshot_taken_under_writes_continues_without_a_gap() {
    let app = shop();
    let writer = std::thread::spawn({
        let client = app.client().clone();
        move || (0..200).for_each(|n| drop(client.patch("/api/v1/lists/weekly", &json!({ "name": format!("{n}") })).ok()))
    });
    let mut done = false;
    while !done {
        done = writer.is_finished();
        let (mut live, _) = connect(&app);
        let start = follow(&mut live, "list:weekly");
        let mut last = start["position"].clone();
        for event in start["events"].as_array().into_iter().flatten() {
            assert_eq!(event["previous"], last);
            last = event["position"].clone();
        }
        live.send(&json!({ "id": "end", "op": "ping" }));
        loop {
            let message = live.next();
            if message["id"] == "end" {
                break;
            }
            if message["type"] == "event" {
                assert_eq!(message["previous"], last, "{message}");
                last = message["position"].clone();
            }
        }
    }
    writer.join().expect("every write is taken");
}

#[test]
fn commands_over_the_socket_do_what_http_does() {
    let app = shop();
    let (mut live, _) = connect(&app);
    let command = |id: &str, command_id: &str, command: Value| json!({ "id": id, "op": "command", "entity": "list", "entity_id": "weekly", "command_id": command_id, "command": command });
    let add = json!({ "op": "add_item", "item": "i2", "name": "Milk", "product": "milk", "quantity": { "amount": "3", "unit": "each" } });
    let done = ask(&mut live, &command("c1", "k1", add.clone()));
    assert_eq!((&done["type"], &done["outcome"], &done["item"]), (&json!("done"), &json!("merged"), &json!("i1")), "{done}");
    assert_eq!(estimated(&done["totals"]), "7.45");
    assert_eq!(app.get("/api/v1/lists/weekly").ok().body["version"], done["version"]);

    let again = ask(&mut live, &command("c2", "k1", add.clone()));
    assert_eq!((&again["outcome"], &again["repeated"], &again["position"]), (&json!("merged"), &json!(true), &done["position"]));
    let mut over_http = add;
    over_http["command_id"] = json!("k1");
    let over_http = app.post("/api/v1/lists/weekly/commands", &over_http).ok().body;
    assert_eq!(
        (&over_http["outcome"], &over_http["repeated"], &over_http["position"]),
        (&json!("merged"), &json!(true), &done["position"])
    );

    let other = ask(&mut live, &command("c3", "k1", json!({ "op": "check", "item": "i1" })));
    assert_eq!((&other["type"], &other["code"]), (&json!("error"), &json!("key_reused")));
}

#[test]
fn a_refused_command_says_what_http_says() {
    let app = shop();
    let (mut live, _) = connect(&app);
    for command in [
        json!({ "op": "check", "item": "nobody" }),
        json!({ "op": "rename", "name": "" }),
        json!({ "op": "add_item", "item": "x", "name": "X", "product": "unheard-of", "quantity": { "amount": "1", "unit": "each" } }),
        json!({ "op": "add_item", "item": "x", "name": "X", "quantity": { "amount": "-1", "unit": "each" } }),
        json!({ "op": "add_item", "item": "x", "name": "X", "quantity": { "amount": 1, "unit": "each" } }),
        json!({ "op": "dance" }),
        json!({}),
    ] {
        let refused = ask(&mut live, &json!({ "id": 1, "op": "command", "entity": "list", "entity_id": "weekly", "command": command }));
        let over_http = app.post("/api/v1/lists/weekly/commands", &command);
        assert_eq!(refused["type"], "error", "{refused}");
        assert_eq!(refused["code"].as_str(), Some(over_http.code()), "{command}: {refused} / {}", over_http.text);
        assert_eq!(refused["temporary"], false);
    }
    let stale = json!({ "id": 2, "op": "command", "entity": "list", "entity_id": "weekly", "command": { "op": "rename", "name": "N" }, "if_version": 1 });
    assert_eq!(ask(&mut live, &stale)["code"], "version_mismatch");
}

#[test]
fn commands_sent_at_once_are_carried_out_in_order() {
    let app = shop();
    let (mut live, _) = connect(&app);
    for number in 0..50 {
        let command = json!({ "op": "rename", "name": format!("Name {number}") });
        live.send(&json!({ "id": number, "op": "command", "entity": "list", "entity_id": "weekly", "command": command }));
    }
    for number in 0..50 {
        let done = live.next();
        assert_eq!((&done["id"], &done["outcome"]), (&json!(number), &json!("applied")));
    }
    assert_eq!(app.get("/api/v1/lists/weekly").ok().body["name"], "Name 49");
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
    let observed = |amount: &str, at: &str| {
        let body = json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" }, "observed_at": at });
        app.post("/api/v1/products/bread/prices", &body).ok();
    };
    app.post("/api/v1/products", &json!({ "id": "bread", "name": "Bread" })).ok();
    observed("4.00", "2024-01-01");
    observed("3.99", "2024-03-01");
    let (mut live, _) = connect(&app);
    follow(&mut live, "deals:billa");
    observed("2.00", "2024-03-10");
    let push = live.next_where(|message| message["topic"] == "deals:billa");
    assert_eq!(push["event"]["type"], "deals.changed");
    assert_eq!(
        (&push["event"]["deals"][0]["change"], &push["event"]["deals"][0]["deal"]["product"]),
        (&json!("began"), &json!("bread")),
        "{push}"
    );
}

#[test]
fn a_slow_reader_is_closed_and_the_others_are_unaffected() {
    let app = shop();
    let (mut slow, _) = connect(&app);
    follow(&mut slow, "list:weekly");
    let (mut quick, _) = connect(&app);
    follow(&mut quick, "list:weekly");
    // Large events: what the kernel takes for a reader that reads nothing, and the outbox behind it, must overflow.
    let note = |number: u32| format!("{number}{}", "x".repeat(900));
    let mut closed = false;
    for number in 0..20_000 {
        app.patch("/api/v1/lists/weekly/items/i1", &json!({ "note": note(number) })).ok();
        let push = quick.next_where(|message| message["type"] == "event");
        assert_eq!(push["event"]["data"]["note"].as_str(), Some(&*note(number)), "the quick reader has every event in order");
        if number % 50 == 0 && metric(&app, "aisled_live_sessions_closed_slow_total") > 0.0 {
            closed = true;
            break;
        }
    }
    assert!(closed, "the slow reader was never closed");
    let close = wait_for("the end of the slow session", || slow.next_or_close().err());
    assert!(close.is_none_or(|close| u16::from(close.code) == 3008));
}

#[test]
fn bad_requests_are_answered_and_harm_nobody() {
    let app = shop();
    let (mut live, _) = connect(&app);
    for (text, code) in [
        ("{", "malformed_message"),
        ("7", "invalid_request"),
        (r#"{"id":1,"op":"dance"}"#, "invalid_request"),
        (r#"{"id":1,"op":"subscribe","topics":"list:weekly"}"#, "invalid_request"),
        (r#"{"id":{},"op":"ping"}"#, "invalid_request_id"),
        (r#"{"id":1,"op":"command","entity":"list","entity_id":"a/b","command":{"op":"archive"}}"#, "invalid_id"),
        (r#"{"id":1,"op":"command","entity":"moon","entity_id":"a","command":{"op":"archive"}}"#, "invalid_request"),
    ] {
        live.send_text(text);
        let answer = live.next();
        assert_eq!((&answer["type"], answer["code"].as_str()), (&json!("error"), Some(code)), "{text}");
    }
    for topic in ["list:unheard-of", "product:unheard-of", "household:unheard-of"] {
        assert_eq!(follow(&mut live, topic)["error"]["code"], "not_found", "{topic}");
    }
    for topic in ["moon:1", "list:a b", ""] {
        assert_eq!(follow(&mut live, topic)["error"]["code"], "invalid_topic", "{topic}");
    }
    assert_eq!(follow(&mut live, "list:weekly")["recovered"], false, "the session goes on");
    assert_eq!(app.get("/healthz").status, 200);
}

#[test]
fn one_session_has_a_thousand_topics_and_no_more() {
    let app = shop();
    let (mut live, _) = connect(&app);
    let topics: Vec<_> = (0..1_200).map(|number| json!({ "topic": format!("deals:s{number}") })).collect();
    live.send(&json!({ "id": 1, "op": "subscribe", "topics": topics }));
    let mut refused = Vec::new();
    loop {
        let part = live.next_where(|message| message["id"] == 1);
        refused.extend(part["topics"].as_array().unwrap().iter().filter(|topic| topic.get("error").is_some()).cloned());
        if part["more"] == false {
            break;
        }
    }
    assert_eq!(refused.len(), 200);
    assert!(refused.iter().all(|topic| topic["error"]["code"] == "too_many_topics"));
}

#[test]
fn what_is_no_text_message_ends_the_session_with_its_code() {
    let app = shop();
    let ended = |message: Message| {
        let (mut live, _) = connect(&app);
        live.send_message(message);
        code(live.next_or_close())
    };
    assert_eq!(ended(Message::binary(vec![0, 159, 146, 150])), Some(1003));
    assert_eq!(ended(Message::text("x".repeat(65 * 1024))), Some(1009));
    let mut raw = raw_session(&app);
    raw.write_all(&[0x81, 0x82, 0, 0, 0, 0, 0xff, 0xfe]).unwrap();
    assert_eq!(raw_close_code(&mut raw), Some(1007));
    let mut raw = raw_session(&app);
    raw.write_all(&[0xf1, 0xff, 0x00, 0x13, 0x37]).unwrap();
    assert_eq!(raw_close_code(&mut raw), Some(1002));
    let mut raw = raw_session(&app);
    for _ in 0..3 {
        let mut fragment = vec![0x01, 0xfe, 0x75, 0x30, 0, 0, 0, 0];
        fragment.resize(8 + 30_000, b'x');
        if raw.write_all(&fragment).is_err() {
            break;
        }
    }
    assert!(matches!(raw_close_code(&mut raw), Some(1002 | 1009)));
}

#[test]
fn a_client_that_only_talks_nonsense_is_sent_away() {
    let app = shop();
    let (mut live, _) = connect(&app);
    for _ in 0..20 {
        live.send_text("nonsense");
    }
    let end = loop {
        match live.next_or_close() {
            Ok(message) => assert_eq!(message["code"], "malformed_message"),
            end => break end,
        }
    };
    assert_eq!(code(end), Some(4010));
}

#[test]
fn a_handshake_that_cannot_be_agreed_to_is_refused_with_a_reason() {
    let app = shop();
    let host = app.server().url().trim_start_matches("http://").to_owned();
    let proper = [
        ("Host", &*host),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = |change: &[(&str, &str)]| {
        let mut headers: Vec<_> = proper.iter().filter(|(name, _)| !change.iter().any(|(other, _)| other == name)).copied().collect();
        headers.extend_from_slice(change);
        handshake(&host, &headers).1
    };
    assert!(answer(&[]).starts_with("HTTP/1.1 101 "));
    assert!(answer(&[("Accept-Encoding", "gzip, br, zstd")]).starts_with("HTTP/1.1 101 "));
    for (change, status, code) in [
        (("Origin", "http://evil.example"), "403", "foreign_origin"),
        (("Origin", "null"), "403", "foreign_origin"),
        (("Sec-WebSocket-Key", "short"), "400", "invalid_key"),
        (("Sec-WebSocket-Version", "8"), "426", "unsupported_version"),
        (("Upgrade", "h2c"), "400", "not_a_websocket"),
    ] {
        let text = answer(&[change]);
        assert!(text.starts_with(&format!("HTTP/1.1 {status} ")) && text.contains(code), "{change:?}: {text}");
    }
    assert_eq!(app.get("/api/v1/live").status, 400);
}

#[test]
fn a_stopping_server_tells_its_sessions_to_come_back() {
    let mut app = shop();
    let (mut live, _) = connect(&app);
    follow(&mut live, "list:weekly");
    assert_eq!(app.stop(), Some(0));
    let end = loop {
        match live.next_or_close() {
            Ok(_) => {}
            end => break end,
        }
    };
    assert_eq!(code(end), Some(3001));
}

#[test]
fn sessions_that_end_are_forgotten() {
    let app = shop();
    let sessions: Vec<_> = (0..20).map(|_| connect(&app).0).collect();
    wait_for("20 sessions to be counted", || (metric(&app, "aisled_live_sessions") > 19.5).then_some(()));
    drop(sessions);
    wait_for("all sessions to be gone", || (metric(&app, "aisled_live_sessions") < 0.5).then_some(()));
}

fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.get("/metrics").ok().text;
    let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
    line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

fn code(end: Result<Value, Option<CloseFrame>>) -> Option<u16> {
    match end {
        Ok(message) => panic!("no close but {message}"),
        Err(close) => close.map(|close| close.code.into()),
    }
}

/// Sends an upgrade request by hand and reads the head of the answer, and the body where the connection ends with it.
fn handshake(host: &str, headers: &[(&str, &str)]) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
    let lines: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("GET /api/v1/live HTTP/1.1\r\n{lines}\r\n").as_bytes()).unwrap();
    let (mut text, mut buffer) = (Vec::new(), [0; 4096]);
    while !text.windows(4).any(|four| four == b"\r\n\r\n") || (text.starts_with(b"HTTP/1.1 4") && !text.ends_with(b"}")) {
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&text));
        text.extend_from_slice(&buffer[..read]);
    }
    (stream, String::from_utf8_lossy(&text).into_owned())
}

/// A session whose frames the test writes itself.
fn raw_session(app: &TestApp) -> TcpStream {
    let host = app.server().url().trim_start_matches("http://");
    let headers = [
        ("Host", host),
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    handshake(host, &headers).0
}

/// Reads to the end and gives the code of the close frame, which is the last frame.
fn raw_close_code(stream: &mut TcpStream) -> Option<u16> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    let at = bytes.iter().rposition(|byte| *byte == 0x88)?;
    Some(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]))
}
