//! Bodies and streams under pressure: cut, held back, refused, without end, and in great number.

use std::{
    io::{Read, Write},
    net::{Shutdown, TcpStream},
};

use serde_json::{Value, json};

use crate::{
    shop::{connect, follow, rename, shop},
    support::TestApp,
    tokens::Guarded,
    wire::{self, Opening, Wire},
};

const PRICE: &str = r#"{"product": "milk", "store": "billa", "price": {"amount": "1.00", "currency": "EUR"}}"#;

fn connection(app: &TestApp) -> TcpStream {
    wire::connect(app.server().url().trim_start_matches("http://"), Opening::default()).expect("the server listens")
}

/// Everything that comes until the connection ends.
fn read_to_end(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn of_a_bulk_body_that_is_cut_inside_a_line_the_whole_lines_are_answered_and_the_fault_is_counted() {
    let app = shop();
    let head = "POST /api/v1/prices?answers=refused HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\n";
    let cut = |amount: &str| format!("{}\n{}", PRICE.replace("1.00", amount), &PRICE[..20]);
    let pieces = format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n", cut("1.05").len(), cut("1.05"));
    for body in [format!("Content-Length: 9999\r\n\r\n{}", cut("1.10")), pieces] {
        // The client closes its half and reads its answers.
        let mut stream = connection(&app);
        write!(stream, "{head}{body}").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let answer = read_to_end(stream);
        assert!(answer.contains(r#""error":"body_incomplete""#), "{answer}");
        assert!(answer.contains(r#"{"lines":2,"applied":1,"unchanged":0,"refused":1}"#), "{answer}");
    }
    // A client that closes has nobody to be answered; its whole lines were taken, and the server goes on.
    let mut stream = connection(&app);
    write!(stream, "{head}Content-Length: 9999\r\n\r\n{}", cut("1.25")).unwrap();
    crate::support::wait_for("the whole line", || app.get("/api/v1/products/milk/best").ok().text.contains("1.25").then_some(()));
    stream.shutdown(Shutdown::Both).unwrap();
    app.get("/healthz").expect(200);
}

#[test]
fn head_of_an_answer_without_end_gives_its_headers_and_ends() {
    let app = shop();
    for path in [
        "/api/v1/events?follow=true",
        "/api/v1/live/sse?topics=system",
        "/api/v1/live/ndjson?topics=system&follow=true",
        "/metrics",
        "/healthz",
    ] {
        let mut stream = connection(&app);
        write!(stream, "HEAD {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let answer = read_to_end(stream);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\n"), "{path}: {answer}");
    }
    let get = app.get("/api/v1/lists/weekly").expect(200);
    let head = app.client().send("HEAD", "/api/v1/lists/weekly", &[], None).unwrap();
    assert_eq!((head.status, head.header("etag"), head.header("content-length")), (200, get.header("etag"), get.header("content-length")));
}

#[test]
fn after_head_comes_no_body_and_the_client_is_told_to_close() {
    let app = shop();
    let mut stream = connection(&app);
    let request = |method: &str, more: &str| format!("{method} /api/v1/lists/weekly HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
    write!(stream, "{}{}", request("HEAD", ""), request("GET", "Connection: close\r\n")).unwrap();
    let answers = read_to_end(stream);
    let (head, rest) = answers.split_once("\r\n\r\n").unwrap();
    assert!(head.to_lowercase().contains("connection: close"), "{head}");
    // What had been sent already is answered whole, or not at all.
    let (next, body) = rest.split_once("\r\n\r\n").unwrap_or_default();
    assert!(rest.is_empty() || next.contains(&format!("content-length: {}", body.len())), "{answers}");
}

#[test]
fn a_refused_upload_reads_why_although_it_was_still_sending() {
    let app = shop();
    let bytes = 16 << 20;
    for (path, status) in [("/api/v1/lists", "413"), ("/api/v1/nowhere", "404")] {
        let mut stream = connection(&app);
        write!(stream, "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {bytes}\r\n\r\n")
            .unwrap();
        // Like most clients it reads when all was sent.
        let piece = vec![b' '; 64 << 10];
        for _ in 0..bytes / piece.len() {
            stream.write_all(&piece).unwrap();
        }
        let answer = read_to_end(stream);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{path}: {answer}");
    }
}

#[test]
fn large_bodies_that_are_held_back_share_a_budget_and_leave_small_ones_alone() {
    let app = shop();
    let body = vec![b' '; 1_000_000];
    let held: Vec<_> = (0..150)
        .map(|_| {
            let mut stream = connection(&app);
            write!(
                stream,
                "POST /api/v1/lists HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000001\r\n\r\n"
            )
            .unwrap();
            let _ = stream.write_all(&body);
            stream
        })
        .collect();
    let refused = held.iter().filter(|stream| {
        stream.set_nonblocking(true).unwrap();
        let mut start = [0; 12];
        crate::support::wait_for("an answer or a rest", || match (&**stream).read(&mut start) {
            Ok(_) => Some(true),
            // What holds a place is answered nothing.
            Err(_) => Some(false),
        })
    });
    let refused = refused.count();
    assert!(refused >= 60, "{refused} of 150 were refused");
    app.post("/api/v1/lists", &json!({ "id": "other", "name": "Other" })).expect(201);
    let memory = crate::shop::metric(&app, "aisled_process_resident_bytes");
    assert!(memory < 400e6, "{memory} bytes for 150 MB that were sent");
}

#[test]
fn a_thousand_sockets_that_never_send_a_token_keep_nobody_out() {
    let server = Guarded::start();
    let mut idle: Vec<Wire> = (0..1_000).map(|_| Wire::open(server.url(), Opening::default())).collect();
    let mut wire = server.open();
    wire.send(&json!({ "id": 1, "op": "refresh", "token": crate::tokens::TOKEN }));
    wire.next_where(|message| message["type"] == "hello");
    assert_eq!(idle.remove(0).end(), Some(4002), "the oldest of them made room");
    assert_eq!(wire.ask(&json!({ "id": 2, "op": "ping" }))["type"], "pong");
}

#[test]
fn many_missed_events_of_one_topic_come_in_parts_and_each_once() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    drop(live);
    for number in 0..400 {
        rename(&app, &format!("Name {number}"));
    }
    let (mut live, _) = connect(&app);
    live.send(&json!({ "id": "again", "op": "subscribe", "epoch": hello["epoch"], "topics": [{ "topic": "list:weekly", "since": start["position"] }] }));
    let (mut names, mut last, mut parts) = (Vec::new(), start["position"].clone(), 0);
    loop {
        let part = live.next_where(|message| message["id"] == "again");
        let topic = &part["topics"][0];
        assert_eq!(topic["recovered"], true, "{part}");
        for event in topic["events"].as_array().unwrap() {
            assert_eq!(event["previous"], last);
            last = event["position"].clone();
            names.push(event["event"]["data"]["name"].as_str().unwrap().to_owned());
        }
        parts += 1;
        assert_eq!((topic["partial"] == true, topic["states"].is_object()), (part["more"] == true, part["more"] == false), "{part}");
        if part["more"] == false {
            break;
        }
    }
    assert_eq!(names, (0..400).map(|number| format!("Name {number}")).collect::<Vec<_>>());
    assert!(parts > 3, "{parts}");
    rename(&app, "Live");
    let pushed = live.next_where(|message| message["type"] == "event");
    assert_eq!((&pushed["previous"], &pushed["event"]["data"]["name"]), (&last, &json!("Live")));
    // The feed without a socket gets the same, and goes on from the cursor of any part.
    let cursor = format!("{}/{}", hello["epoch"].as_str().unwrap(), start["position"].as_str().unwrap());
    let told = |cursor: &str| app.get(&format!("/api/v1/live/ndjson?topics=list:weekly&since={cursor}")).ok().lines();
    let lines = told(&cursor);
    let events = |line: &Value| line["message"]["topics"][0]["events"].as_array().map_or(0, Vec::len);
    assert_eq!(lines.iter().map(events).sum::<usize>(), 401);
    let rest = told(lines[0]["cursor"].as_str().unwrap());
    assert_eq!(rest.iter().map(events).sum::<usize>(), 401 - events(&lines[0]));
}
