//! A small shop to follow, and how the tests talk to it.

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use serde_json::{Value, json};
use tungstenite::protocol::CloseFrame;

use crate::{
    support::{Client, Live, PATIENCE, TestApp, wait_for},
    wire::{Opening, Wire},
};

/// A server with one store, one product with a price there, and one list that holds two of it.
/// It acknowledges before the disk does, which saves the most of a test's time and changes nothing that a session sees.
pub fn shop() -> TestApp {
    shop_with(&["--durability", "flush"])
}

/// A shop whose server has more arguments.
pub fn shop_with(arguments: &[&str]) -> TestApp {
    let app = TestApp::start_with(arguments);
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

pub fn price(app: &TestApp, amount: &str) {
    let body = json!({ "store": "billa", "price": { "amount": amount, "currency": "EUR", "per": "each" } });
    app.post("/api/v1/products/milk/prices", &body).ok();
}

pub fn rename(app: &TestApp, name: &str) -> Value {
    app.patch("/api/v1/lists/weekly", &json!({ "name": name })).ok().body
}

/// Connects and takes the hello.
pub fn connect(app: &TestApp) -> (Live, Value) {
    let mut live = app.live();
    let hello = live.next();
    assert_eq!(hello["type"], "hello");
    (live, hello)
}

/// Sends a request and waits for its answer; pushes before it are dropped.
pub fn ask(live: &mut Live, request: &Value) -> Value {
    live.send(request);
    live.next_where(|message| message["id"] == request["id"])
}

/// Follows one topic and returns how it starts.
pub fn follow(live: &mut Live, topic: &str) -> Value {
    let answer = ask(live, &json!({ "id": topic, "op": "subscribe", "topics": [{ "topic": topic }] }));
    answer["topics"][0].clone()
}

pub fn follow_since(live: &mut Live, topic: &str, since: &str, epoch: &Value) -> Value {
    let request = json!({ "id": "again", "op": "subscribe", "epoch": epoch, "topics": [{ "topic": topic, "since": since }] });
    ask(live, &request)["topics"][0].clone()
}

pub fn position(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.split('~').next()?.parse().ok()).unwrap_or_else(|| panic!("no position: {value}"))
}

pub fn estimated(totals: &Value) -> &str {
    totals["estimated"]["amount"].as_str().unwrap_or_else(|| panic!("no total: {totals}"))
}

pub fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.get("/metrics").ok().text;
    let line = text.lines().find(|line| line.split([' ', '{']).next() == Some(name));
    line.and_then(|line| line.rsplit(' ').next()).and_then(|value| value.parse().ok()).unwrap_or(0.0)
}

pub fn code(end: Result<Value, Option<CloseFrame>>) -> Option<u16> {
    match end {
        Ok(message) => panic!("no close but {message}"),
        Err(close) => close.map(|close| close.code.into()),
    }
}

/// Sends an upgrade request by hand and reads the head of the answer, and the body where the connection ends with it.
pub fn handshake(host: &str, headers: &[(&str, &str)]) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
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
pub fn raw_session(app: &TestApp) -> TcpStream {
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

/// Reads to the end and returns the code of the close frame, which is the last frame.
pub fn raw_close_code(stream: &mut TcpStream) -> Option<u16> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut buffer) {
        bytes.extend_from_slice(&buffer[..read]);
    }
    let at = bytes.iter().rposition(|byte| *byte == 0x88)?;
    Some(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]))
}

/// The counters of a server.
pub struct Counted<'a> {
    pub client: &'a Client,
    pub headers: &'a [(&'a str, &'a str)],
}

impl Counted<'_> {
    /// What a counter with one label has counted.
    pub fn value(&self, name: &str, label: &str, value: &str) -> u64 {
        let text = self.client.get_with("/metrics", self.headers).ok().text;
        let wanted = format!("{name}{{{label}=\"{value}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&wanted)).and_then(|value| value.trim().parse().ok()).unwrap_or(0)
    }

    /// Waits until it has counted this many.
    pub fn wait_for(&self, name: &str, label: &str, value: &str, times: u64) {
        wait_for(&format!("{name} of {value} to be {times}"), || (self.value(name, label, value) >= times).then_some(()));
    }
}

/// Waits until a limit was reached at least this many times.
pub fn wait_for_limit(app: &TestApp, limit: &str, times: u64) {
    Counted { client: app.client(), headers: &[] }.wait_for("aisled_live_limits_total", "limit", limit, times);
}

/// Waits until at least this many sessions ended for a reason.
pub fn wait_for_closed(app: &TestApp, reason: &str, times: u64) {
    Counted { client: app.client(), headers: &[] }.wait_for("aisled_live_closed_total", "reason", reason, times);
}

/// How many sessions ended for a reason.
pub fn closed(app: &TestApp, reason: &str) -> u64 {
    Counted { client: app.client(), headers: &[] }.value("aisled_live_closed_total", "reason", reason)
}

/// A session that behaves, next to one that does not: it must notice nothing.
pub struct Bystander<'a> {
    app: &'a TestApp,
    wire: Wire,
    last: Value,
    heard: u32,
}

impl<'a> Bystander<'a> {
    pub fn beside(app: &'a TestApp) -> Self {
        let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
        let last = wire.follow("list:weekly")["position"].clone();
        Self { app, wire, last, heard: 0 }
    }

    /// Changes the list and receives it, directly after the change before; the server has logged no panic.
    #[track_caller]
    pub fn notices_nothing(&mut self, of: &str) {
        self.heard += 1;
        let name = format!("Change {}", self.heard);
        rename(self.app, &name);
        let event = self.wire.next_where(|message| message["type"] == "event");
        assert_eq!((&event["previous"], &event["event"]["data"]["name"]), (&self.last, &json!(name)), "after {of}");
        self.last = event["position"].clone();
        self.sees_no_panic(of);
    }

    /// Receives everything that others changed, without a gap, and then a change of its own.
    #[track_caller]
    pub fn hears_everything(&mut self, of: &str) {
        self.heard += 1;
        let name = format!("Change {}", self.heard);
        rename(self.app, &name);
        loop {
            let event = self.wire.next_where(|message| message["type"] == "event");
            assert_eq!(event["previous"], self.last, "after {of}");
            self.last = event["position"].clone();
            if event["event"]["data"]["name"] == *name {
                return self.sees_no_panic(of);
            }
        }
    }

    #[track_caller]
    fn sees_no_panic(&self, of: &str) {
        let said = self.app.server().stderr();
        assert!(!said.contains("panicked"), "after {of} the server says:\n{said}");
    }
}
