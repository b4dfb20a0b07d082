//! Behind a proxy, in the bytes that proxies send: what a server without settings refuses, and what one with them serves.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    io::{Read, Write},
    net::TcpStream,
};

use aisled::{
    domain::rights::Action,
    http::{NEEDS, ROUTES, route::Need},
};
use support::{PATIENCE, TestApp};

/// Headers with their values.
type Headers<'a> = &'a [(&'a str, &'a str)];

const SOCKET: &str = "GET /api/v1/live HTTP/1.1";
const UPGRADE: [(&str, &str); 4] = [
    ("Upgrade", "websocket"),
    ("Connection", "Upgrade"),
    ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
];
/// What nginx adds where the usual lines are copied.
const FORWARDED: [(&str, &str); 2] = [("X-Forwarded-For", "203.0.113.7"), ("X-Real-IP", "203.0.113.7")];
const HTTPS: (&str, &str) = ("X-Forwarded-Proto", "https");

/// Sends a request as it is and returns the whole answer, or the head of one that opens a socket.
fn answer(app: &TestApp, line: &str, headers: &[Headers<'_>]) -> String {
    let mut stream = TcpStream::connect(host(app)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let lines: String = headers.iter().copied().flatten().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    stream.write_all(format!("{line}\r\n{lines}\r\n").as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4_096];
    while !is_whole(&String::from_utf8_lossy(&answer)) {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            bytes => answer.extend_from_slice(&piece[..bytes]),
        }
    }
    String::from_utf8_lossy(&answer).into_owned()
}

fn is_whole(answer: &str) -> bool {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    head.starts_with("HTTP/1.1 101 ") || length.is_some_and(|length: usize| body.len() >= length)
}

fn host(app: &TestApp) -> &str {
    app.server().url().trim_start_matches("http://")
}

/// The status and the code of a refusal.
fn verdict(answer: &str) -> (&str, &str) {
    let status = answer.split(' ').nth(1).unwrap_or_default();
    let code = answer.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next()).unwrap_or_default();
    (status, code)
}

/// A server with a token behind `https://shop.example`.
fn shop() -> TestApp {
    let settings = ["--public-url", "https://shop.example", "--trusted-proxies", "127.0.0.1"];
    TestApp::start_in(&settings, &[("AISLED_ADMIN_TOKEN", "0123456789abcdef")])
}

#[test]
fn a_server_without_settings_serves_nothing_that_came_through_nginx() {
    let app = TestApp::start();
    let host = [("Host", host(&app)), ("Connection", "close"), ("Content-Length", "0")];
    for ((method, route), _) in ROUTES.iter().zip(NEEDS).filter(|(_, need)| **need != Need::May(Action::Enter)) {
        let path = route.replace(['{', '}'], "");
        let plain = answer(&app, &format!("{method} {path} HTTP/1.0"), &[&host]);
        let usual = answer(&app, &format!("{method} {path} HTTP/1.1"), &[&host, &FORWARDED]);
        for answer in [plain, usual] {
            assert_eq!(verdict(&answer), ("401", "not_authenticated"), "{method} {path}: {answer}");
        }
    }
    // A socket opens, and is told nothing until it has sent a token.
    assert_eq!(verdict(&answer(&app, SOCKET, &[&host[..1], &UPGRADE, &FORWARDED])).0, "101");
    assert_eq!(app.get("/healthz").status, 200);
    assert_eq!(app.get("/api/v1/lists").status, 200);
}

#[test]
fn a_server_that_knows_its_proxy_opens_sockets_for_its_pages() {
    let app = shop();
    let from =
        |origin: &str, more: Headers<'_>| answer(&app, SOCKET, &[&[("Host", host(&app)), ("Origin", origin)], &UPGRADE, &FORWARDED, more]);
    assert_eq!(verdict(&from("https://shop.example", &[HTTPS])).0, "101");
    assert_eq!(verdict(&from("https://evil.example", &[HTTPS])), ("403", "foreign_origin"));
    let passed_on = answer(&app, SOCKET, &[&[("Host", "shop.example"), ("Origin", "https://shop.example")], &UPGRADE, &FORWARDED]);
    assert_eq!(verdict(&passed_on).0, "101");
    let metrics = app.client().get_with("/metrics", &[("authorization", "Bearer 0123456789abcdef")]).text;
    assert!(metrics.contains("{limit=\"origin\"} 1"), "{metrics}");
}

#[test]
fn https_is_seen_where_the_trusted_proxy_says_so() {
    let app = shop();
    let own = format!("https://{}", host(&app));
    let with = |more: Headers<'_>| answer(&app, SOCKET, &[&[("Host", host(&app)), ("Origin", &own)], &UPGRADE, &FORWARDED, more]);
    assert_eq!(verdict(&with(&[HTTPS])).0, "101");
    assert_eq!(verdict(&with(&[])), ("403", "foreign_origin"));
    assert_eq!(verdict(&with(&[("Forwarded", "for=203.0.113.7;proto=https")])).0, "101");
    assert_eq!(verdict(&with(&[("Forwarded", "for=198.51.100.1;proto=https")])), ("400", "contradicting_forwarded"));
}

#[test]
fn odd_hosts_and_endless_headers_are_answered_in_order() {
    let app = TestApp::start();
    let good = host(&app);
    let long = "a".repeat(64 << 10);
    let read = |headers: Headers<'_>| answer(&app, "GET /healthz HTTP/1.1", &[headers, &[("Connection", "close")]]);
    for odd in ["evil.example", "ann@127.0.0.1", "127.0.0.1:0", "127.0.0.1:99999", "[fe80::1%25lo]", "localhost..", &long] {
        assert_eq!(verdict(&read(&[("Host", odd)])), ("421", "foreign_host"), "{odd:.40}");
    }
    for own in ["LOCALHOST", "localhost.", "127.0.0.1:80", "[::1]:8080", good] {
        assert_eq!(verdict(&read(&[("Host", own)])).0, "200", "{own}");
    }
    // The HTTP library itself refuses these two, before any route or rule.
    assert_eq!(verdict(&read(&[("Host", good), ("Host", good)])).0, "400");
    assert_eq!(verdict(&read(&[])).0, "400");
    assert_eq!(verdict(&answer(&app, "GET /healthz HTTP/1.0", &[])), ("421", "foreign_host"));
    assert_eq!(verdict(&read(&[("Host", good), ("X-Forwarded-For", &long)])).0, "200");
    assert_eq!(verdict(&read(&[("Host", good), ("Accept", &long)])).0, "200");
    let target = answer(&app, "GET http://evil.example/healthz HTTP/1.1", &[&[("Host", good), ("Connection", "close")]]);
    assert_eq!(verdict(&target), ("421", "foreign_host"));
}
