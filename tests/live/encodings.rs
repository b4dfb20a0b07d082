//! JSON and MessagePack say the same.

use serde_json::{Value, json};

use crate::{
    shop::{Bystander, price, rename, shop, wait_for_closed},
    wire::{BINARY, MSGPACK, Opening, TEXT, Wire},
};

#[test]
fn a_conversation_in_both_encodings_says_the_same() {
    let app = shop();
    app.post("/api/v1/households", &json!({ "id": "home", "name": "Home" })).ok();
    let token = app.post("/api/v1/tokens", &json!({ "name": "t", "scopes": "read write" })).ok().body["token"].clone();
    let url = app.server().url();
    let opened = [&[][..], &[MSGPACK]].map(|headers| Wire::greeted(url, Opening { headers, ..Opening::default() }));
    let [(mut json, hello), (mut msgpack, other_hello)] = opened;
    let without_session = |mut hello: Value| hello.as_object_mut().and_then(|hello| hello.remove("session")).map(|_| hello);
    assert_eq!(without_session(hello), without_session(other_hello));
    assert!(msgpack.head.contains("aisled.v1+msgpack"), "{}", msgpack.head);

    let topics = ["list:weekly", "product:milk", "deals:billa", "household:home", "orders:home", "system", "moon:1", "list:unheard-of"];
    let topics = topics.map(|topic| json!({ "topic": topic }));
    for request in [
        json!({ "id": 1, "op": "subscribe", "topics": topics }),
        json!({ "id": 2, "op": "subscribe", "topics": [{ "topic": "list:weekly", "since": "1" }] }),
        json!({ "id": "three", "op": "ping" }),
        json!({ "id": 4, "op": "unsubscribe", "topics": ["system", "list:unheard-of"] }),
        json!({ "id": 5, "op": "dance" }),
        json!({ "id": 6, "op": "command", "entity": "list", "entity_id": "weekly", "command": { "op": "check", "item": "nobody" } }),
        json!({ "id": 7, "op": "command", "entity": "list", "entity_id": "weekly", "command_id": "once", "command": { "op": "rename", "name": "Ä 🥛" } }),
        json!({ "id": -8, "op": "refresh", "token": token }),
    ] {
        let (one, other) = (json.ask(&request), msgpack.ask(&request));
        assert_eq!(without_what_time_changes(one), without_what_time_changes(other), "{request}");
    }
    rename(&app, "Next");
    price(&app, "1.11");
    assert_eq!(what_changed(&mut json), what_changed(&mut msgpack));
}

/// The event of the rename, and the states that the price has changed, which come in any order.
fn what_changed(wire: &mut Wire) -> [Value; 3] {
    let fits: [&dyn Fn(&Value) -> bool; 3] = [
        &|message| message["event"]["data"]["name"] == "Next",
        &|message| message["key"] == "totals" && message["value"]["estimated"]["amount"] == "2.22",
        &|message| message["topic"] == "product:milk" && message["value"]["price"]["price"]["amount"] == "1.11",
    ];
    let mut found = [Value::Null, Value::Null, Value::Null];
    while found.iter().any(Value::is_null) {
        let message = wire.next();
        if let Some(place) = fits.iter().position(|fits| fits(&message)) {
            found[place] = message;
        }
    }
    found
}

/// One command is the first and the other its repetition, and presence may be sent in between.
fn without_what_time_changes(mut answer: Value) -> Value {
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("repeated");
    }
    for topic in answer["topics"].as_array_mut().into_iter().flatten() {
        if let Some(states) = topic.get_mut("states").and_then(Value::as_object_mut) {
            states.remove("presence");
        }
    }
    answer
}

#[test]
fn the_other_kind_of_message_ends_the_session() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let url = app.server().url();
    let cases = [(&[][..], BINARY), (&[][..], 0x02), (&[MSGPACK][..], TEXT), (&[MSGPACK][..], 0x01)];
    for (met, (headers, first)) in (1..).zip(cases) {
        let (mut wire, _) = Wire::greeted(url, Opening { headers, ..Opening::default() });
        wire.send_frame(first, br#"{"id":1,"op":"ping"}"#);
        assert_eq!(wire.end(), Some(1003), "{headers:?} {first:#x}");
        wait_for_closed(&app, "wrong_encoding", met);
        bystander.notices_nothing("the other encoding");
    }
}

#[test]
fn binary_garbage_in_a_binary_session_is_answered() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening { headers: &[MSGPACK], ..Opening::default() });
    let deep = vec![0x91; 30_000];
    // Claims of four billion elements or bytes must not be trusted.
    for garbage in
        [&[0xc1][..], &[0xdd, 0xff, 0xff, 0xff, 0xff], &[0xdf, 0xff, 0xff, 0xff, 0xff], &[0xc6, 0xff, 0xff, 0xff, 0xff], &deep, &[]]
    {
        wire.send_frame(BINARY, garbage);
        let answer = wire.next();
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("malformed_message")), "{answer}");
    }
    assert_eq!(wire.ask(&json!({ "id": 1, "op": "ping" }))["type"], "pong");
    bystander.notices_nothing("binary garbage");
}

#[test]
fn json_that_is_deep_or_odd_is_answered() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    let deep = "[".repeat(30_000);
    let deep_id = format!(r#"{{"id":{}{},"op":"ping"}}"#, "[".repeat(10_000), "]".repeat(10_000));
    for text in [&deep, &deep_id, "", "\u{0}", "null", "\"ping\"", r#"{"id":1e400,"op":"ping"}"#, r#"{"id":1.5,"op":"ping"}"#] {
        wire.send_frame(TEXT, text.as_bytes());
        let answer = wire.next();
        assert_eq!(answer["type"], "error", "{}: {answer}", &text[..text.len().min(40)]);
    }
    let long = "x".repeat(65);
    assert_eq!(wire.ask(&json!({ "id": 1, "op": "ping" }))["type"], "pong");
    wire.send(&json!({ "id": long, "op": "ping" }));
    assert_eq!(wire.next()["code"], "invalid_request_id");
    bystander.notices_nothing("odd JSON");
}
