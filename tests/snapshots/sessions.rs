//! Followers are notified that another history is served, come back, and start from its state.

use serde_json::{Value, json};

use crate::{
    admin::{add, done, furnished, restore, snapshot},
    stream::Feed,
    support::{Live, TestApp},
    wire::Opening,
};

const HISTORY_CHANGED: u16 = 3004;

/// Follows the list and returns the answer, from a place of an epoch if one is known.
fn follow(live: &mut Live, place: Option<(&Value, &Value)>) -> Value {
    let mut request = json!({ "id": "f", "op": "subscribe", "topics": [{ "topic": "list:weekly" }] });
    if let Some((epoch, since)) = place {
        request["epoch"] = epoch.clone();
        request["topics"][0]["since"] = since.clone();
    }
    live.send(&request);
    live.next_where(|message| message["id"] == "f")["topics"][0].clone()
}

fn connect(app: &TestApp) -> (Live, Value) {
    let mut live = app.live();
    let hello = live.next();
    (live, hello["epoch"].clone())
}

fn end_of(live: &mut Live) -> Option<u16> {
    loop {
        match live.next_or_close() {
            Ok(_) => {}
            Err(close) => return close.map(|frame| frame.code.into()),
        }
    }
}

fn names(answer: &Value) -> Vec<&str> {
    answer["snapshot"]["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn followers_are_sent_away_by_a_restore_and_start_anew_when_they_come_back() {
    let app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let (mut live, epoch) = connect(&app);
    let start = follow(&mut live, None);
    assert_eq!(names(&start), ["milk", "bread"]);
    let mut sse = Feed::events(app.server().url(), "list:weekly", None);
    let cursor = sse.event_where(|message| message["topics"].is_array()).cursor;
    let mut events = Feed::open(app.server().url(), "/api/v1/events?follow=true", Opening::default());
    let first: Value = serde_json::from_str(&events.line().unwrap()).unwrap();
    assert_eq!(first["position"], "1");

    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    assert_eq!(end_of(&mut live), Some(HISTORY_CHANGED));
    while events.line().is_some() {}
    while sse.event().is_some() {}

    // The new history comes to positions that the old one had, with other events.
    for name in ["jam", "tea", "oil"] {
        add(&app, name).ok();
    }
    let (mut live, new) = connect(&app);
    assert_ne!(new, epoch);
    let again = follow(&mut live, Some((&epoch, &start["position"])));
    assert_eq!(again["recovered"], false, "{again}");
    assert_eq!(names(&again), ["milk", "jam", "tea", "oil"]);
    let told = Feed::events(app.server().url(), "list:weekly", Some(&cursor)).event_where(|message| message["topics"].is_array());
    let topic = &told.message["topics"][0];
    assert_eq!((&topic["recovered"], names(topic)), (&json!(false), vec!["milk", "jam", "tea", "oil"]));
    assert!(!told.cursor.starts_with(cursor.split_once('/').unwrap().0), "{}", told.cursor);
    let continued = follow(&mut live, Some((&new, &again["position"])));
    assert_eq!(continued["recovered"], true, "within the new history it goes on: {continued}");
}
