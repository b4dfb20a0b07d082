//! A reader of the feed without WebSocket: HTTP by hand, so that it can stall, break off and read on.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use serde_json::Value;

use crate::{
    support::conform,
    wire::{Opening, connect},
};

/// An answer whose body never ends.
pub struct Feed {
    reader: BufReader<TcpStream>,
    /// The read but unused part of the body.
    body: Vec<u8>,
    pub status: u16,
}

/// One message and the feed's cursor after it.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    pub cursor: String,
    pub message: Value,
}

impl Feed {
    /// Asks for a path of the server.
    pub fn open(url: &str, path: &str, opening: Opening<'_>) -> Self {
        let host = url.trim_start_matches("http://");
        let mut stream = connect(host, opening).expect("the server listens");
        let headers: String = opening.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n{headers}\r\n").as_bytes()).expect("the request is taken");
        let mut feed = Self { reader: BufReader::new(stream), body: Vec::new(), status: 0 };
        let status = feed.head_line();
        feed.status = status.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or_else(|| panic!("no status: {status}"));
        while !feed.head_line().is_empty() {}
        feed
    }

    pub fn events(url: &str, topics: &str, since: Option<&str>) -> Self {
        let headers: Vec<_> = since.map(|since| ("Last-Event-ID", since)).into_iter().collect();
        let feed = Self::open(url, &format!("/api/v1/live/sse?topics={topics}"), Opening { headers: &headers, ..Opening::default() });
        assert_eq!(feed.status, 200);
        feed
    }

    /// The next server-sent event; `None` at the end.
    pub fn event(&mut self) -> Option<Told> {
        let (mut cursor, mut message) = (String::new(), None);
        loop {
            let line = self.line()?;
            match (line.split_once(": "), &mut message) {
                (Some(("id", id)), _) => id.clone_into(&mut cursor),
                (Some(("data", data)), message) => *message = Some(serde_json::from_str(data).expect("data is JSON")),
                (None, message) if line.is_empty() => {
                    if let Some(message) = message.take() {
                        conform::assert_sent_by_server(&message);
                        return Some(Told { cursor, message });
                    }
                }
                _ => assert!(line.starts_with(':'), "no part of an event: {line}"),
            }
        }
    }

    /// The next event that fits.
    #[track_caller]
    pub fn event_where(&mut self, fits: impl Fn(&Value) -> bool) -> Told {
        loop {
            let told = self.event().expect("the feed goes on");
            if fits(&told.message) {
                return told;
            }
        }
    }

    /// The next line of NDJSON; `None` at the end.
    pub fn told(&mut self) -> Option<Told> {
        let line = std::iter::from_fn(|| self.line()).find(|line| !line.is_empty())?;
        let mut line: Value = serde_json::from_str(&line).expect("a line is JSON");
        conform::assert_message("line", &line);
        Some(Told { cursor: line["cursor"].as_str().expect("a cursor").to_owned(), message: line["message"].take() })
    }

    /// The next line of the body; `None` at its end, or the connection's.
    pub fn line(&mut self) -> Option<String> {
        loop {
            if let Some(at) = self.body.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.body.drain(..=at).collect();
                return Some(String::from_utf8(line[..at].to_vec()).expect("a line is text"));
            }
            self.chunk()?;
        }
    }

    /// Reads one more chunk; `None` if that was the last.
    fn chunk(&mut self) -> Option<()> {
        let mut size = String::new();
        self.reader.read_line(&mut size).ok()?;
        let size = usize::from_str_radix(size.trim(), 16).ok().filter(|size| *size > 0)?;
        let mut chunk = vec![0; size + 2];
        self.reader.read_exact(&mut chunk).ok()?;
        self.body.extend_from_slice(&chunk[..size]);
        Some(())
    }

    fn head_line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).expect("an answer");
        line.trim().to_owned()
    }
}
