//! The documents of both protocols are valid: they follow the standards, and the messages of a real server and its clients match them.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
};

use jsonschema::Draft;
use serde_json::{Value, json};
use support::{
    Live, TestApp,
    conform::{DOCUMENT, assert_message, faults, validator},
};

fn fixture(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn the_served_documents_are_the_kept_one_and_fit_the_official_schemas() {
    let app = TestApp::start();
    let asyncapi = app.get("/api/v1/asyncapi.json").ok().body;
    assert_eq!(asyncapi, *DOCUMENT);
    let official = validator(Draft::Draft7, &fixture(include_str!("fixtures/asyncapi/3.0.0.json")));
    assert_eq!(faults(&official, &asyncapi), [""; 0]);
    assert!(!official.is_valid(&json!({ "asyncapi": "3.0.0", "info": { "title": "no version" } })), "the schema refuses something");

    let openapi = app.get("/api/v1/openapi.json").ok().body;
    let official = validator(Draft::Draft202012, &fixture(include_str!("fixtures/openapi/3.1.json")));
    assert_eq!(faults(&official, &openapi), [""; 0]);
    assert!(
        !official.is_valid(&json!({ "openapi": "3.1.0", "info": { "title": "no version" }, "paths": {} })),
        "the schema refuses something"
    );
}

#[test]
fn every_message_has_examples_that_fit_it() {
    for (name, message) in DOCUMENT["components"]["messages"].as_object().unwrap() {
        let examples = message["examples"].as_array().map_or(&[][..], Vec::as_slice);
        assert!(!examples.is_empty(), "{name}");
        examples.iter().for_each(|example| assert_message(name, &example["payload"]));
    }
}

#[test]
fn a_message_that_does_not_fit_is_seen() {
    let pong = json!({ "type": "pong", "id": 1, "position": 42 });
    let failed = std::panic::catch_unwind(|| assert_message("pong", &pong)).expect_err("a position is a text");
    assert!(failed.downcast_ref::<String>().unwrap().contains("/position"));
}

/// A session that records the kinds of messages it saw.
struct Session {
    live: Live,
    seen: BTreeSet<String>,
}

impl Session {
    fn open(app: &TestApp) -> Self {
        Self { live: app.live(), seen: BTreeSet::new() }
    }

    /// The first message that matches. The client has checked its schema.
    fn take(&mut self, fits: impl Fn(&Value) -> bool) -> Value {
        loop {
            let message = self.live.next();
            let key = message["key"].as_str().map(|key| key.split(':').next().unwrap());
            self.seen.insert(key.or(message["type"].as_str()).unwrap().to_owned());
            for topic in message["topics"].as_array().into_iter().flatten() {
                let way = if topic.get("error").is_some() {
                    "refused"
                } else {
                    ["snapshot", "recovered"][usize::from(topic["recovered"] == true)]
                };
                self.seen.insert(way.to_owned());
            }
            if fits(&message) {
                return message;
            }
        }
    }

    /// Sends a request that matches its schema, and reads the answer.
    fn ask(&mut self, request: Value) -> Value {
        assert_message(request["op"].as_str().unwrap(), &request);
        self.live.send(&request);
        self.take(|message| message["id"] == request["id"])
    }
}

#[test]
fn every_kind_of_message_of_a_session_fits_its_schema() {
    let mut app = TestApp::start();
    app.post("/api/v1/stores", &json!({ "id": "billa", "name": "Billa", "currency": "EUR" })).ok();
    app.post("/api/v1/products", &json!({ "id": "milk", "name": "Milk", "category": "dairy" })).ok();
    app.post("/api/v1/households", &json!({ "id": "home", "name": "Home" })).ok();
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly", "store": "billa" })).ok();
    let mut session = Session::open(&app);
    let hello = session.take(|message| message["type"] == "hello");

    let topics =
        ["list:weekly", "product:milk", "household:home", "orders:home", "system", "list:nobody"].map(|topic| json!({ "topic": topic }));
    let deals =
        json!({ "topic": "deals:billa", "max_rate": 2, "filter": { "category": "dairy", "min_saving_percent": 20, "honest": true } });
    let topics: Vec<_> = topics.into_iter().chain([deals]).collect();
    let started = session.ask(json!({ "id": 1, "op": "subscribe", "topics": topics }));
    let mut other = app.live();
    other.send(&json!({ "op": "subscribe", "topics": [{ "topic": "list:weekly" }] }));
    session.take(|message| message["key"] == "presence");

    let mut number = 10;
    let mut command = |session: &mut Session, entity: &str, entity_id: &str, command: Value| {
        number += 1;
        let request = json!({ "id": number, "op": "command", "entity": entity, "entity_id": entity_id, "command_id": format!("c{number}"), "command": command });
        session.ask(request)
    };
    let milk = json!({ "op": "add_item", "item": "i1", "name": "Milk", "product": "milk", "quantity": { "amount": "2", "unit": "each" } });
    let price = json!({ "amount": "1.29", "currency": "EUR", "per": "each" });
    let observe =
        json!({ "op": "observe_price", "store": "billa", "price": price, "observed_at": "2026-01-05T10:00:00Z", "source": "manual" });
    for (entity, entity_id, body) in [
        ("list", "weekly", milk),
        ("product", "milk", observe),
        ("household", "home", json!({ "op": "set_budget", "monthly": { "amount": "400.00", "currency": "EUR" } })),
        ("list", "weekly", json!({ "op": "check", "item": "i1" })),
        ("list", "weekly", json!({ "op": "archive" })),
        ("list", "weekly", json!({ "op": "revive" })),
    ] {
        let answer = command(&mut session, entity, entity_id, body);
        assert_eq!(answer["type"], "done", "{answer}");
    }
    assert_eq!(command(&mut session, "list", "weekly", json!({ "op": "check", "item": "nobody" }))["type"], "error");
    let line = json!({ "line": 1, "name": "Bread", "quantity": { "amount": "1", "unit": "each" }, "charged": { "amount": "2.00", "currency": "EUR" } });
    app.post("/api/v1/orders", &json!({ "id": "o1", "household": "home", "store": "billa", "lines": [line] })).ok();
    session.take(|message| message["topic"] == "orders:home");

    let since = &started["topics"][0]["position"];
    let again = json!({ "id": 2, "op": "subscribe", "epoch": hello["epoch"], "topics": [{ "topic": "list:weekly", "since": since }] });
    assert_eq!(session.ask(again)["topics"][0]["recovered"], true);
    session.ask(json!({ "id": "p", "op": "ping" }));
    let token = app.post("/api/v1/tokens", &json!({ "name": "t", "scopes": "read" })).ok().body["token"].clone();
    session.ask(json!({ "id": "r", "op": "refresh", "token": token }));
    session.ask(json!({ "id": 3, "op": "unsubscribe", "topics": ["product:milk"] }));
    session.live.send_text("nonsense");
    session.take(|message| message["code"] == "malformed_message");

    app.stop();
    session.take(|message| message["type"] == "closing");
    let known = [
        "closing",
        "done",
        "error",
        "event",
        "hello",
        "pong",
        "presence",
        "price",
        "recovered",
        "refreshed",
        "refused",
        "snapshot",
        "subscribed",
        "totals",
        "unsubscribed",
    ];
    assert_eq!(session.seen.iter().map(String::as_str).collect::<Vec<_>>(), known);
}

#[test]
fn a_session_without_a_token_is_asked_as_described() {
    const TOKEN: &str = "a-token-that-is-long-enough-for-a-test";
    let app = TestApp::start_with(&["--admin-token", TOKEN]);
    let mut session = Session::open(&app);
    session.take(|message| message["type"] == "authenticate");
    assert_eq!(session.ask(json!({ "id": 1, "op": "ping" }))["code"], "not_authenticated");
    assert_eq!(session.ask(json!({ "id": 2, "op": "refresh", "token": TOKEN }))["type"], "refreshed");
    session.take(|message| message["type"] == "hello");
}

#[test]
fn the_feed_without_websocket_says_what_is_described() {
    let app = TestApp::start();
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    let lines = app.get("/api/v1/live/ndjson?topics=list:weekly").ok().lines();
    assert!(!lines.is_empty());
    lines.iter().for_each(|line| assert_message("line", line));

    let agent = ureq::Agent::new_with_defaults();
    let response = agent.get(format!("{}/api/v1/live/sse?topics=list:weekly", app.client().url())).call().unwrap();
    let mut data = BufReader::new(response.into_body().into_reader())
        .lines()
        .map_while(Result::ok)
        .filter_map(|line| line.strip_prefix("data: ").map(|data| serde_json::from_str::<Value>(data).unwrap()));
    let mut expect = |kind: &str| {
        let message = data.find(|message| message["type"] == kind).unwrap_or_else(|| panic!("the stream ended before {kind}"));
        assert_message(kind, &message);
    };
    expect("subscribed");
    app.patch("/api/v1/lists/weekly", &json!({ "name": "Monthly" })).ok();
    expect("event");
}
