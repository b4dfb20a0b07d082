//! The owner's token, on the real server.

use serde_json::{Value, json};

use crate::{
    shop::Counted,
    support::{Client, Server, process},
    wire::{Opening, Wire},
};

pub const TOKEN: &str = "a-token-that-is-long-enough";
const HEADER: (&str, &str) = ("Authorization", "Bearer a-token-that-is-long-enough");

/// A server that wants a token, on a folder of its own.
pub struct Guarded {
    server: Server,
    _folder: tempfile::TempDir,
}

impl Guarded {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = process::binary();
        command.env("AISLED_ADMIN_TOKEN", TOKEN).args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data"));
        let server = Server::start_command(command).unwrap_or_else(|exited| panic!("the server did not start: {exited:?}"));
        Self { server, _folder: folder }
    }

    pub fn url(&self) -> &str {
        self.server.url()
    }

    pub fn open(&self) -> Wire {
        let mut wire = Wire::open(self.url(), Opening::default());
        assert_eq!(wire.next(), json!({ "type": "authenticate", "within_seconds": 10 }));
        wire
    }

    fn wait_for_limit(&self, limit: &str, times: u64) {
        Counted { client: &Client::new(self.url()), headers: &[HEADER] }.wait_for("aisled_live_limits_total", "limit", limit, times);
    }
}

#[test]
fn a_token_in_the_handshake_opens_the_session_and_a_wrong_one_does_not() {
    let server = Guarded::start();
    let (mut wire, _) = Wire::greeted(server.url(), Opening { headers: &[HEADER], ..Opening::default() });
    assert_eq!(wire.ask(&json!({ "id": 1, "op": "ping" }))["type"], "pong");
    for wrong in ["Bearer wrong", "Bearer", "Basic a-token-that-is-long-enough", "Bearer a-token-that-is-long-enough-but-not-this"] {
        let answer = Wire::try_open(server.url(), Opening { headers: &[("Authorization", wrong)], ..Opening::default() });
        assert!(answer.as_ref().is_err_and(|answer| answer.starts_with("HTTP/1.1 401 ")), "{wrong}: {:?}", answer.err());
    }
    let feed = Client::new(server.url()).get("/api/v1/live/sse?topics=system");
    assert_eq!((feed.status, feed.code()), (401, "not_authenticated"));
    let origin = [HEADER, ("Origin", "http://evil.example")];
    let answer = Wire::try_open(server.url(), Opening { headers: &origin, ..Opening::default() });
    assert!(answer.is_err_and(|answer| answer.starts_with("HTTP/1.1 403 ")));
    server.wait_for_limit("origin", 1);
}

#[test]
fn a_session_without_the_header_is_asked_for_the_token() {
    let server = Guarded::start();
    let mut wire = server.open();
    assert_eq!(wire.ask(&json!({ "id": 1, "op": "ping" }))["code"], "not_authenticated");
    let refreshed = wire.ask(&json!({ "id": 2, "op": "refresh", "token": TOKEN }));
    assert_eq!(refreshed, json!({ "type": "refreshed", "id": 2, "who": "local", "expires_at": Value::Null }));
    assert_eq!(wire.next()["type"], "hello");
    assert_eq!(wire.follow("system")["recovered"], false);
    let mut wrong = server.open();
    wrong.send(&json!({ "id": 1, "op": "refresh", "token": "wrong" }));
    assert_eq!(wrong.end(), Some(4001));
    server.wait_for_limit("token", 1);
    assert_eq!(wire.ask(&json!({ "id": 3, "op": "ping" }))["type"], "pong");
}

#[test]
fn a_session_that_shows_no_token_in_time_is_closed() {
    let server = Guarded::start();
    let mut idle = server.open();
    assert_eq!(idle.end(), Some(4002));
    server.wait_for_limit("time_to_authenticate", 1);
}
