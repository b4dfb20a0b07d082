//! Every limit of a session: reached by one, reported to that one, counted, and unnoticed by another.

use serde_json::{Value, json};

use crate::{
    shop::{Bystander, shop, shop_with, wait_for_closed, wait_for_limit},
    support::TestApp,
    wire::{Ended, OFFER, Opening, PING, RSV1, TEXT, Wire, deflate, frame},
};

const MESSAGE_BYTES_MAX: usize = 32 << 10;

fn open(app: &TestApp) -> Wire {
    Wire::greeted(app.server().url(), Opening::default()).0
}

/// How a session ends that is opened while a limit is reached.
fn turned_away(app: &TestApp, opening: Opening<'_>) -> Ended {
    Wire::open(app.server().url(), opening).end()
}

#[test]
fn one_session_too_many_is_turned_away_until_another_ends() {
    let app = shop_with(&["--sessions-max", "2"]);
    let mut bystander = Bystander::beside(&app);
    let second = open(&app);
    assert_eq!(turned_away(&app, Opening::default()), Some(3013));
    wait_for_limit(&app, "sessions", 1);
    bystander.notices_nothing("a session too many");
    drop(second);
    wait_for_closed(&app, "normal", 1);
    open(&app);
}

#[test]
fn an_address_with_enough_sessions_leaves_room_for_others() {
    let app = shop_with(&["--sessions-per-address-max", "2"]);
    let mut bystander = Bystander::beside(&app);
    let _second = open(&app);
    assert_eq!(turned_away(&app, Opening::default()), Some(3014));
    wait_for_limit(&app, "sessions_per_address", 1);
    let elsewhere = Opening { from: Some([127, 0, 0, 2]), ..Opening::default() };
    Wire::greeted(app.server().url(), elsewhere);
    bystander.notices_nothing("a session too many of one address");
}

#[test]
fn a_principal_with_enough_sessions_leaves_room_for_others() {
    let app = shop_with(&["--sessions-per-principal-max", "1"]);
    let mut bystander = Bystander::beside(&app);
    let ana = Opening { headers: &[("X-Aisled-As", "ana")], ..Opening::default() };
    let first = Wire::greeted(app.server().url(), ana);
    assert_eq!(turned_away(&app, ana), Some(3015));
    wait_for_limit(&app, "sessions_per_principal", 1);
    Wire::greeted(app.server().url(), Opening { headers: &[("X-Aisled-As", "ben")], ..Opening::default() });
    drop(first);
    wait_for_closed(&app, "normal", 2);
    Wire::greeted(app.server().url(), ana);
    bystander.notices_nothing("a session too many of one principal");
}

#[test]
fn ten_thousand_topics_are_refused_but_for_the_first_thousand() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let mut wire = open(&app);
    let (mut followed, mut refused) = (0, 0);
    for batch in 0..10 {
        // As many as one message holds.
        let topics: Vec<_> = (0..1_000).map(|number| json!({ "topic": format!("deals:s{batch}-{number}") })).collect();
        wire.send(&json!({ "id": batch, "op": "subscribe", "topics": topics }));
        loop {
            let part = wire.next_where(|message| message["id"] == batch);
            for topic in part["topics"].as_array().unwrap() {
                match topic["error"]["code"].as_str() {
                    None => followed += 1,
                    Some(code) => {
                        assert_eq!((code, &topic["error"]["temporary"]), ("too_many_topics", &json!(false)));
                        refused += 1;
                    }
                }
            }
            if part["more"] == false {
                break;
            }
        }
    }
    assert_eq!((followed, refused), (1_000, 9_000));
    wait_for_limit(&app, "topics", 9_000);
    assert_eq!(wire.follow("deals:s0-7")["recovered"], false, "what is followed may be followed again");
    bystander.notices_nothing("ten thousand topics");
}

#[test]
fn commands_beyond_the_rate_are_told_when_to_try_again() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let mut wire = open(&app);
    let command =
        |id: usize| json!({ "id": id, "op": "command", "entity": "list", "entity_id": "nowhere", "command": { "op": "archive" } });
    let mut sent = 0;
    let refused = 'sending: loop {
        // Few enough that they are not too many in flight.
        for id in sent..sent + 20 {
            wire.send(&command(id));
        }
        for _ in 0..20 {
            let answer = wire.next();
            if answer["code"] == "too_many_commands" {
                break 'sending answer;
            }
            assert_eq!(answer["code"], "list_not_found", "{answer}");
        }
        sent += 20;
        assert!(sent < 400, "no limit was met");
    };
    assert!(sent >= 80, "a burst of a hundred is free, but after {sent} it ended");
    assert_eq!(refused["temporary"], true);
    assert!((1..=21).contains(&refused["retry_after_ms"].as_u64().unwrap()), "{refused}");
    wait_for_limit(&app, "commands_per_second", 1);
    bystander.notices_nothing("too many commands");
}

#[test]
fn commands_that_would_wait_behind_too_many_are_refused() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let mut wire = open(&app);
    let command = |id: usize| json!({ "id": id, "op": "command", "entity": "list", "entity_id": "weekly", "command": { "op": "rename", "name": "N" } });
    let at_once: Vec<u8> = (0..90).flat_map(|id| frame(TEXT, command(id).to_string().as_bytes())).collect();
    wire.send_bytes(&at_once);
    let answers: Vec<Value> = (0..90).map(|_| wire.next()).collect();
    let refused: Vec<_> = answers.iter().filter(|answer| answer["type"] == "error").collect();
    assert!((1..=26).contains(&refused.len()), "{} of 90 were refused", refused.len());
    assert!(refused.iter().all(|answer| answer["code"] == "too_many_in_flight" && answer["temporary"] == true), "{refused:?}");
    wait_for_limit(&app, "requests_in_flight", refused.len() as u64);
    bystander.hears_everything("too many commands in flight");
}

#[test]
fn a_message_of_32_kib_is_taken_and_a_larger_one_ends_the_session() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let ping = |bytes: usize| format!("{:bytes$}", r#"{"id":1,"op":"ping"}"#).into_bytes();
    let mut wire = Wire::greeted(app.server().url(), Opening { headers: &[OFFER], ..Opening::default() }).0;
    wire.send_frame(TEXT, &ping(MESSAGE_BYTES_MAX));
    assert_eq!(wire.next()["type"], "pong");
    wire.send_frame(TEXT | RSV1, &deflate(&ping(MESSAGE_BYTES_MAX)));
    assert_eq!(wire.next()["type"], "pong");

    let too_large = ping(MESSAGE_BYTES_MAX + 1);
    let bomb = deflate(&vec![b' '; 30 << 20]);
    assert!(bomb.len() < MESSAGE_BYTES_MAX, "the bomb is small as it is sent: {}", bomb.len());
    let fragments = [frame(0x01, &too_large[..20_000]), frame(0x80, &too_large[20_000..])].concat();
    let cases = [
        ("a large message", frame(TEXT, &too_large)),
        ("a message that claims to be endless", vec![TEXT, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
        ("large fragments", fragments),
        ("a message that inflates too far", frame(TEXT | RSV1, &deflate(&too_large))),
        ("a bomb", frame(TEXT | RSV1, &bomb)),
    ];
    for (met, (what, bytes)) in (1..).zip(cases) {
        let mut wire = Wire::greeted(app.server().url(), Opening { headers: &[OFFER], ..Opening::default() }).0;
        wire.send_bytes(&bytes);
        assert_eq!(wire.end(), Some(1009), "{what}");
        wait_for_limit(&app, "message_bytes", met);
        wait_for_closed(&app, "message_too_large", met);
        bystander.notices_nothing(what);
    }
}

#[test]
fn a_flood_of_messages_or_pings_ends_the_session() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let floods = [
        ("pings", frame(PING, b"")),
        ("requests", frame(TEXT, br#"{"id":1,"op":"ping"}"#)),
        ("pongs nobody asked for", frame(0x8a, b"")),
        ("fragments without an end", frame(0x00, b"")),
    ];
    for (met, (what, one)) in (1..).zip(floods) {
        let mut wire = open(&app);
        if what.starts_with("fragments") {
            wire.send_frame(0x01, b"");
        }
        // Twice the burst: the rate allows less meanwhile if this takes under two seconds. Else more is sent.
        let end = (0..50).find_map(|_| {
            wire.send_bytes(&one.repeat(800));
            wire.send(&json!({ "id": "end", "op": "ping" }));
            loop {
                match wire.next_or_end() {
                    Ok(message) if message["id"] == "end" => return None,
                    Ok(_) => {}
                    Err(end) => return Some(end),
                }
            }
        });
        assert_eq!(end, Some(Some(4011)), "{what}");
        wait_for_limit(&app, "messages_per_second", met);
        wait_for_closed(&app, "flood", met);
        bystander.notices_nothing(what);
    }
}

#[test]
fn twenty_unreadable_requests_in_a_row_end_the_session() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let mut wire = open(&app);
    for round in 0..3 {
        for _ in 0..19 {
            wire.send_frame(TEXT, b"\x00\x01garbage");
            assert_eq!(wire.next()["code"], "malformed_message");
        }
        assert_eq!(wire.ask(&json!({ "id": round, "op": "ping" }))["type"], "pong", "a readable one restarts the count");
    }
    (0..20).for_each(|_| wire.send_frame(TEXT, b"[]"));
    assert_eq!(wire.end(), Some(4010));
    wait_for_limit(&app, "bad_requests", 1);
    wait_for_closed(&app, "bad_requests", 1);
    bystander.notices_nothing("nonsense");
}

#[test]
fn a_session_has_a_longest_time() {
    let app = shop_with(&["--session-lifetime-seconds", "1"]);
    let mut wire = open(&app);
    assert_eq!(wire.end(), Some(3003));
    wait_for_limit(&app, "lifetime", 1);
    wait_for_closed(&app, "lifetime", 1);
}

#[test]
fn a_client_that_answers_no_ping_is_given_up_and_one_that_does_is_kept() {
    let app = shop_with(&["--session-ping-seconds", "1"]);
    let url = app.server().url();
    let (mut silent, _) = Wire::greeted(url, Opening::default());
    let (mut lively, hello) = Wire::greeted(url, Opening::default());
    assert_eq!(hello["ping_interval_seconds"], 1);
    let (mut pings, mut answered) = (0, 0);
    let end = loop {
        let frame = silent.next_frame().expect("a close frame comes before the end");
        match frame.first {
            PING => {
                pings += 1;
                // The other one answers as many as it has got by now.
                let ping = lively.next_frame().expect("it is kept");
                assert_eq!(ping.first, PING);
                lively.send_frame(0x8a, &ping.payload);
                answered += 1;
            }
            0x88 => break frame.payload.first_chunk().map(|code| u16::from_be_bytes(*code)),
            _ => {}
        }
    };
    assert!(pings >= 1 && answered >= 1);
    assert_eq!(end, Some(3002));
    wait_for_limit(&app, "silent", 1);
    wait_for_closed(&app, "silent", 1);
    assert_eq!(lively.ask(&json!({ "id": 1, "op": "ping" }))["type"], "pong");
}
