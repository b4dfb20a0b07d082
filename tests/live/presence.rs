//! Who has a list open.

use std::time::Instant;

use serde_json::{Value, json};

use crate::{
    shop::shop,
    support::TestApp,
    wire::{Opening, Wire},
};

fn open_as(app: &TestApp, who: &str) -> (Wire, Value) {
    app.post("/api/v1/lists/weekly/members", &json!({ "member": who, "role": "viewer" })).ok();
    let headers = [("X-Aisled-As", who)];
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening { headers: &headers, ..Opening::default() });
    let start = wire.follow("list:weekly");
    (wire, start["states"]["presence"].clone())
}

/// Waits until presence has this value; returns how often it was sent until then.
fn until(wire: &mut Wire, expected: &[(&str, u32)]) -> u64 {
    let people: Vec<_> = expected.iter().map(|(who, sessions)| json!({ "who": who, "sessions": sessions })).collect();
    for told in 1.. {
        let push = wire.next_where(|message| message["key"] == "presence");
        assert_eq!((&push["type"], &push["topic"]), (&json!("state"), &json!("list:weekly")));
        if push["value"] == json!({ "present": people, "more": 0 }) {
            return told;
        }
    }
    0
}

#[test]
fn who_opens_and_leaves_a_list_is_told_to_those_who_have_it_open() {
    let app = shop();
    let (mut ana, present) = open_as(&app, "ana");
    assert_eq!(present["present"], json!([{ "who": "ana", "sessions": 1 }]));
    let (mut ben, present) = open_as(&app, "ben");
    assert_eq!(present["present"], json!([{ "who": "ana", "sessions": 1 }, { "who": "ben", "sessions": 1 }]));
    until(&mut ana, &[("ana", 1), ("ben", 1)]);
    let (ana_again, _) = open_as(&app, "ana");
    until(&mut ben, &[("ana", 2), ("ben", 1)]);
    ana_again.reset();
    until(&mut ben, &[("ana", 1), ("ben", 1)]);
    ben.follow("list:weekly");
    let again = ben.follow("list:weekly");
    assert_eq!(again["states"]["presence"]["present"][1], json!({ "who": "ben", "sessions": 1 }), "subscribing again counts once: {again}");
    ben.ask(&json!({ "id": 1, "op": "unsubscribe", "topics": ["list:weekly"] }));
    until(&mut ana, &[("ana", 1)]);
}

#[test]
fn a_crowd_that_comes_and_goes_is_told_at_most_four_times_a_second() {
    let app = shop();
    let (mut ana, _) = open_as(&app, "ana");
    let (mut zoe, _) = open_as(&app, "zoe");
    until(&mut ana, &[("ana", 1), ("zoe", 1)]);
    let began = Instant::now();
    for number in 0..150 {
        let topics = json!([{ "topic": "list:weekly" }]);
        zoe.ask(&json!({ "id": format!("in {number}"), "op": "subscribe", "topics": topics }));
        zoe.ask(&json!({ "id": format!("out {number}"), "op": "unsubscribe", "topics": ["list:weekly"] }));
        if number % 20 == 0 {
            // A session of its own, so that no rate of messages is met.
            zoe = open_as(&app, "zoe").0;
        }
    }
    drop(zoe);
    let (_ben, _) = open_as(&app, "ben");
    let told = until(&mut ana, &[("ana", 1), ("ben", 1)]);
    let most = began.elapsed().as_secs() * 4 + 6;
    assert!(told <= most, "told {told} times where {most} are allowed");
}
