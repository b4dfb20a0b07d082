//! What no client should send is answered, and harms nobody.

use std::io::Write;

use serde_json::json;
use tungstenite::Message;

use crate::shop::{code, connect, follow, handshake, raw_close_code, raw_session, shop};

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
