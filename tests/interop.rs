//! Other people's WebSocket clients on the real server, and what compression looks like on the wire.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
};

use flate2::{Decompress, FlushDecompress};
use serde_json::{Value, json};
use support::{PATIENCE, TestApp, process::succeeds};

const FIN_TEXT: u8 = 0x81;
const RSV1: u8 = 0x40;

/// A server with a list, empty or with items that make its snapshot larger than what is worth compressing.
fn shop(items: usize) -> TestApp {
    let app = TestApp::start();
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    for number in 0..items {
        let item = json!({ "id": format!("i{number}"), "name": format!("Milk {number} ").repeat(20), "quantity": { "amount": "1", "unit": "each" } });
        app.post("/api/v1/lists/weekly/items", &item).ok();
    }
    app
}

#[test]
fn the_python_client_speaks_compressed_with_the_server() {
    let python = tools().join("python/bin/python");
    run_client(Command::new(python).arg(script("client.py")));
}

#[test]
fn the_node_client_speaks_compressed_with_the_server() {
    run_client(Command::new("node").arg(script("client.mjs")));
}

#[test]
fn the_typescript_client_keeps_lists_on_the_server() {
    let web = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    assert!(web.join("node_modules").exists(), "the client's tools are not installed: run `make interop` once");
    let app = TestApp::start();
    let mut tests = Command::new("npm");
    tests.args(["run", "--silent", "e2e"]).current_dir(web).env("AISLED_URL", app.server().url());
    succeeds(&mut tests);
}

#[test]
fn a_large_answer_is_compressed_if_the_client_offers_it() {
    let app = shop(10);
    let mut raw = Raw::connect(&app, "/api/v1/live", Some("permessage-deflate; client_max_window_bits"));
    let agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    assert_eq!(raw.header("sec-websocket-extensions"), Some(agreed));
    assert_eq!(raw.next().0, FIN_TEXT, "the hello is small");
    let (first, payload) = raw.subscribe();
    assert_eq!(first, FIN_TEXT | RSV1);
    assert_eq!(snapshot_name(&inflate(&payload)), "Weekly");
}

#[test]
fn a_client_that_offers_nothing_or_opts_out_gets_nothing_compressed() {
    let app = shop(10);
    for (path, offer) in [("/api/v1/live", None), ("/api/v1/live?compression=off", Some("permessage-deflate"))] {
        let mut raw = Raw::connect(&app, path, offer);
        assert_eq!(raw.header("sec-websocket-extensions"), None);
        raw.next();
        let (first, payload) = raw.subscribe();
        assert_eq!(first, FIN_TEXT);
        assert!(payload.len() > 1_024);
        assert_eq!(snapshot_name(&payload), "Weekly");
    }
}

#[test]
fn a_bomb_ends_the_session_as_too_large() {
    let app = shop(0);
    let mut raw = Raw::connect(&app, "/api/v1/live", Some("permessage-deflate"));
    raw.next();
    let mut bomb = Vec::with_capacity(100_000);
    let mut compress = flate2::Compress::new(flate2::Compression::best(), false);
    compress.compress_vec(&vec![b' '; 20 << 20], &mut bomb, flate2::FlushCompress::Sync).unwrap();
    bomb.truncate(bomb.len() - 4);
    raw.send(FIN_TEXT | RSV1, &bomb);
    let (first, payload) = raw.next();
    assert_eq!(first, 0x88, "a close frame");
    assert!(String::from_utf8_lossy(&payload[2..]).contains("too large"), "{payload:?}");
}

/// Runs a client on a server of its own; its output is shown if it fails.
fn run_client(client: &mut Command) {
    let app = shop(0);
    let url = app.server().url().replace("http://", "ws://");
    succeeds(client.arg(format!("{url}/api/v1/live")).current_dir(tools()));
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop").join(name)
}

/// Where the clients are installed.
fn tools() -> PathBuf {
    let tools = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../interop");
    assert!(tools.join("ready").exists(), "the Python and Node clients are not installed: run `make interop` once");
    tools
}

fn snapshot_name(payload: &[u8]) -> String {
    let answer: Value = serde_json::from_slice(payload).unwrap();
    answer["topics"][0]["snapshot"]["name"].as_str().unwrap().to_owned()
}

fn inflate(payload: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::with_capacity(1 << 20);
    let whole = [payload, &[0, 0, 0xff, 0xff]].concat();
    Decompress::new(false).decompress_vec(&whole, &mut inflated, FlushDecompress::None).unwrap();
    inflated
}

/// A WebSocket seen as frames.
struct Raw {
    socket: BufReader<TcpStream>,
    head: Vec<String>,
}

impl Raw {
    fn connect(app: &TestApp, path: &str, offer: Option<&str>) -> Self {
        let host = app.server().url().trim_start_matches("http://").to_owned();
        let socket = TcpStream::connect(&host).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut raw = Self { socket: BufReader::new(socket), head: Vec::new() };
        let offer = offer.map(|offer| format!("Sec-WebSocket-Extensions: {offer}\r\n")).unwrap_or_default();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{offer}\r\n"
        );
        raw.socket.get_mut().write_all(request.as_bytes()).unwrap();
        loop {
            let mut line = String::new();
            raw.socket.read_line(&mut line).unwrap();
            if line.trim().is_empty() {
                break;
            }
            raw.head.push(line.trim().to_owned());
        }
        assert!(raw.head[0].contains(" 101 "), "{:?}", raw.head);
        raw
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.iter().filter_map(|line| line.split_once(": "));
        lines.filter(|(one, _)| one.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// Follows the list and returns the frame of the answer.
    fn subscribe(&mut self) -> (u8, Vec<u8>) {
        self.send(FIN_TEXT, br#"{"id":1,"op":"subscribe","topics":[{"topic":"list:weekly"}]}"#);
        self.next()
    }

    /// Sends a frame with a mask of zeros.
    fn send(&mut self, first: u8, payload: &[u8]) {
        let mut frame = vec![first, 0xfe];
        frame.extend_from_slice(&u16::try_from(payload.len()).unwrap().to_be_bytes());
        frame.extend_from_slice(&[0; 4]);
        frame.extend_from_slice(payload);
        self.socket.get_mut().write_all(&frame).unwrap();
    }

    /// First byte and payload of the next frame.
    fn next(&mut self) -> (u8, Vec<u8>) {
        let [first, length] = self.read();
        let length = match length {
            126 => usize::from(u16::from_be_bytes(self.read())),
            127 => usize::try_from(u64::from_be_bytes(self.read())).unwrap(),
            short => usize::from(short),
        };
        let mut payload = vec![0; length];
        self.socket.read_exact(&mut payload).unwrap();
        (first, payload)
    }

    fn read<const BYTES: usize>(&mut self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        self.socket.read_exact(&mut bytes).unwrap();
        bytes
    }
}
