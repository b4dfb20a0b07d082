//! Who may follow what, and until when: asked at the start, and again when it changes.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    policy::{Governed, owner_posts},
    wire::{Opening, Wire},
};

/// Long enough to show it on a busy machine.
const TOKEN_LASTS: Duration = Duration::from_secs(4);

#[test]
fn a_topic_one_may_not_see_is_forbidden_and_the_others_are_not() {
    let server = Governed::with_lists(&["a", "b"]);
    server.deny("ana", "list:a");
    let mut ana = server.session_of("ana");
    let topics = ["list:a", "list:b", "deals:billa"].map(|topic| json!({ "topic": topic }));
    let answer = ana.ask(&json!({ "id": 1, "op": "subscribe", "topics": topics }));
    assert_eq!((&answer["topics"][0]["error"]["code"], &answer["topics"][0]["error"]["temporary"]), (&json!("forbidden"), &json!(false)));
    assert!(answer["topics"][0].get("snapshot").is_none(), "nothing is given away: {answer}");
    assert_eq!((&answer["topics"][1]["recovered"], &answer["topics"][2]["recovered"]), (&json!(false), &json!(false)));
    server.deny("ana", "list:nowhere");
    assert_eq!(ana.follow("list:nowhere")["error"]["code"], "forbidden", "not even whether it exists");
    server.rename("a", "Secret");
    server.rename("b", "Seen");
    assert_eq!(next_event(&mut ana)["event"]["data"]["name"], "Seen");
    server.allow("ana", "list:a");
    assert_eq!(ana.follow("list:a")["snapshot"]["name"], "Secret");
}

#[test]
fn who_sends_a_command_with_a_token_of_their_own_acts_for_nobody() {
    let server = Governed::with_lists(&["a"]);
    server.token("token of mia", "mia", None);
    server.post("/api/v1/lists/a/members", &json!({ "member": "mia", "role": "editor" })).ok();
    let headers = [("X-Aisled-As", "mia")];
    let mut wire = Wire::open(server.url(), Opening { headers: &headers, ..Opening::default() });
    wire.ask(&json!({ "id": 1, "op": "refresh", "token": "token of mia" }));
    wire.follow("list:a");
    wire.send(&json!({ "id": 2, "op": "command", "entity": "list", "entity_id": "a", "command": { "op": "rename", "name": "B" } }));
    let event = next_event(&mut wire)["event"].clone();
    assert_eq!((event["who"].as_str(), event.get("by")), (Some("mia"), None), "{event}");
}

#[test]
fn who_is_no_admin_and_names_somebody_else_is_refused_on_a_socket_too() {
    let server = Governed::with_lists(&["a"]);
    server.token("token of mia", "mia", None);
    let mut wire = Wire::open(server.url(), Opening { headers: &[("X-Aisled-As", "ben")], ..Opening::default() });
    let refused = wire.ask(&json!({ "id": 1, "op": "refresh", "token": "token of mia" }));
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("forbidden")), "{refused}");
}

fn next_event(wire: &mut Wire) -> Value {
    wire.next_where(|message| message["type"] == "event")
}

#[test]
fn a_right_that_is_taken_away_ends_the_topic_at_once_and_nothing_else() {
    let server = Governed::with_lists(&["a", "b"]);
    let (mut ana, mut ben) = (server.session_of("ana"), server.session_of("ben"));
    for wire in [&mut ana, &mut ben] {
        ["list:a", "list:b"].iter().for_each(|topic| assert_eq!(wire.follow(topic)["recovered"], false));
    }
    server.rename("a", "Seen by both");
    for wire in [&mut ana, &mut ben] {
        assert_eq!(next_event(wire)["event"]["data"]["name"], "Seen by both");
    }
    server.deny("ana", "list:a");
    // Everything of the list that follows is written after the right was revoked.
    server.rename("a", "Seen by Ben");
    server.rename("b", "The end");
    let (mut revoked, mut told) = (0, Vec::new());
    loop {
        let message = ana.next();
        match message["type"].as_str() {
            Some("revoked") => {
                assert_eq!((&message["topics"], &message["code"]), (&json!(["list:a"]), &json!("forbidden")));
                revoked += 1;
            }
            Some("event") => told.push(message["event"]["data"]["name"].clone()),
            _ if message["topic"] == "list:a" => assert_eq!(revoked, 0, "a push of a topic that was taken away: {message}"),
            _ => {}
        }
        if told.contains(&json!("The end")) && revoked > 0 {
            break;
        }
    }
    assert_eq!((revoked, told), (1, vec![json!("The end")]));
    assert_eq!(next_event(&mut ben)["event"]["data"]["name"], "Seen by Ben");
    assert_eq!(ana.follow("list:a")["error"]["code"], "forbidden");
    let left = ana.ask(&json!({ "id": 2, "op": "unsubscribe", "topics": ["list:a", "list:b"] }));
    assert_eq!(left["topics"], json!(["list:b"]));
}

#[test]
fn a_right_taken_away_under_a_stream_of_changes_cuts_it_off() {
    let server = Governed::with_lists(&["a", "b"]);
    let mut ana = server.session_of("ana");
    ["list:a", "list:b"].iter().for_each(|topic| assert_eq!(ana.follow(topic)["recovered"], false));
    let done = Arc::new(AtomicBool::new(false));
    let writer = thread::spawn({
        let (client, done) = (server.client(), Arc::clone(&done));
        move || {
            for number in 0.. {
                if done.load(Ordering::Acquire) {
                    return;
                }
                for list in ["a", "b"] {
                    let rename = json!({ "op": "rename", "name": format!("{number}") });
                    owner_posts(&client, &format!("/api/v1/lists/{list}/commands"), &rename).ok();
                }
            }
        }
    });
    (0..20).for_each(|_| drop(next_event(&mut ana)));
    server.deny("ana", "list:a");
    ana.next_where(|message| message["type"] == "revoked");
    // The other topic continues, and nothing of this one slips in between.
    for _ in 0..30 {
        let push = ana.next();
        assert_ne!(push["topic"], "list:a", "{push}");
    }
    done.store(true, Ordering::Release);
    writer.join().expect("every write is taken");
}

#[test]
fn a_token_that_expires_ends_the_session_though_pushes_go_on() {
    let server = Governed::with_lists(&["a"]);
    let until = Instant::now() + TOKEN_LASTS;
    server.token("short", "ana", Some(until));
    let mut ana = server.asked();
    let refreshed = ana.ask(&json!({ "id": 1, "op": "refresh", "token": "short" }));
    assert!(refreshed["expires_at"].is_string(), "{refreshed}");
    ana.next();
    ana.follow("list:a");
    let mut heard = 0;
    let end = (0..).find_map(|number| {
        server.rename("a", &format!("{number}"));
        loop {
            match ana.next_or_end() {
                Ok(push) if push["type"] == "event" => {
                    heard += 1;
                    return None;
                }
                Ok(_) => {}
                Err(end) => return Some(end),
            }
        }
    });
    assert_eq!(end, Some(Some(4004)));
    assert!(Instant::now() >= until, "not before its time");
    assert!(heard > 0, "pushes went on until then");
    let mut late = server.asked();
    late.send(&json!({ "id": 1, "op": "refresh", "token": "short" }));
    assert_eq!(late.end(), Some(4001), "an expired token is a wrong one");
}

#[test]
fn a_new_token_before_the_old_one_expires_prolongs_the_session() {
    let server = Governed::with_lists(&["a"]);
    let until = Instant::now() + TOKEN_LASTS;
    server.token("short", "ana", Some(until));
    server.token("long", "ana", None);
    let open = || {
        let mut wire = server.asked();
        assert_eq!(wire.ask(&json!({ "id": 1, "op": "refresh", "token": "short" }))["type"], "refreshed");
        assert_eq!(wire.next()["type"], "hello");
        wire
    };
    let (mut prolonged, mut ending) = (open(), open());
    prolonged.follow("list:a");
    let refreshed = prolonged.ask(&json!({ "id": 2, "op": "refresh", "token": "long" }));
    assert_eq!((&refreshed["type"], &refreshed["expires_at"]), (&json!("refreshed"), &Value::Null));
    // When the other one is closed, the token has expired.
    assert_eq!(ending.end(), Some(4004));
    server.rename("a", "Still there");
    assert_eq!(next_event(&mut prolonged)["event"]["data"]["name"], "Still there");
}

#[test]
fn a_session_speaks_for_one_principal_only() {
    let server = Governed::with_lists(&["a"]);
    let mut ana = server.session_of("ana");
    ana.follow("list:a");
    server.token("of ben", "ben", None);
    let refused = ana.ask(&json!({ "id": 2, "op": "refresh", "token": "of ben" }));
    assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("forbidden")));
    server.rename("a", "Still Ana's");
    assert_eq!(next_event(&mut ana)["event"]["data"]["name"], "Still Ana's");
    ana.send(&json!({ "id": 3, "op": "refresh", "token": "wrong" }));
    assert_eq!(ana.end(), Some(4001));
}

#[test]
fn nothing_is_told_before_a_token_is_shown() {
    let server = Governed::with_lists(&["a"]);
    let mut nobody = server.asked();
    for request in [
        json!({ "id": 1, "op": "subscribe", "topics": [{ "topic": "list:a" }] }),
        json!({ "id": 2, "op": "unsubscribe", "topics": ["list:a"] }),
        json!({ "id": 3, "op": "command", "entity": "list", "entity_id": "a", "command": { "op": "rename", "name": "Mine" } }),
        json!({ "id": 4, "op": "ping" }),
    ] {
        let refused = nobody.ask(&request);
        assert_eq!(
            (&refused["type"], &refused["code"], &refused["temporary"]),
            (&json!("error"), &json!("not_authenticated"), &json!(false))
        );
    }
    server.rename("a", "Unheard");
    server.token("good", "ana", None);
    nobody.send(&json!({ "id": 5, "op": "refresh", "token": "good" }));
    assert_eq!(nobody.next()["type"], "refreshed", "nothing came before");
    assert_eq!(nobody.next()["type"], "hello");
    assert_eq!(nobody.follow("list:a")["snapshot"]["name"], "Unheard");
}
