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
    let last = std::iter::from_fn(|| events.line()).filter(|line| !line.trim().is_empty()).last().unwrap();
    let last: Value = serde_json::from_str(&last).unwrap();
    let served = app.get("/readyz").header("x-aisled-epoch").unwrap().to_owned();
    assert_eq!((&last["error"], &last["epoch"]), (&json!("history_changed"), &json!(served)), "a follower of the log is told: {last}");
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

#[test]
fn what_was_seen_before_a_restore_is_refused_after_it_and_again_after_its_undo() {
    let app = furnished();
    let manifest = snapshot(&app);
    let before = app.get("/api/v1/lists/weekly").ok();
    add(&app, "bread").ok();
    let seen = app.get("/api/v1/lists/weekly").ok();
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    // The new history comes to the very versions and positions of the old one, with other content.
    let new = add(&app, "jam").ok();
    let shown = app.get("/api/v1/lists/weekly").ok();
    let number = |answer: &crate::support::Answer| answer.body["version"].as_u64();
    assert_eq!((number(&shown), number(&seen)), (Some(3), Some(3)));
    let rename = |tag: &str| {
        app.client().send("PATCH", "/api/v1/lists/weekly", &[("if-match", tag)], Some(json!({"name": "N"}).to_string())).unwrap()
    };
    let refused = rename(seen.header("etag").unwrap()).expect(412);
    assert_eq!((refused.code(), &refused.body["epoch"]), ("history_changed", &json!(shown.header("x-aisled-epoch").unwrap())));
    assert_eq!(app.client().get_with("/api/v1/lists/weekly", &[("if-none-match", seen.header("etag").unwrap())]).status, 200);
    let after = |answer: &crate::support::Answer| format!("/api/v1/events?after={}", answer.body["position"].as_str().unwrap());
    assert_eq!(app.get(&after(&seen)).expect(409).code(), "history_changed");
    app.get(&after(&before)).expect(200);
    app.get(&after(&new)).expect(200);
    rename(shown.header("etag").unwrap()).expect(200);
    let of_new = app.get("/api/v1/lists/weekly").ok();

    done(&crate::admin::run(&app, "/api/v1/admin/restore/undo", &json!({})));
    assert_eq!(rename(of_new.header("etag").unwrap()).expect(412).code(), "history_changed");
    assert_eq!(app.get(&after(&new)).expect(409).code(), "history_changed");
    app.get(&after(&seen)).expect(200);
    rename(seen.header("etag").unwrap()).expect(200);
}

#[test]
fn events_on_the_command_line_say_that_history_changed_and_fail() {
    let app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let arguments: Vec<String> = ["events", "--follow", "--url", app.server().url()].map(str::to_owned).into();
    let following = std::thread::spawn(move || crate::support::process::run(&arguments));
    // It holds a place among the live sessions as soon as it follows.
    crate::support::wait_for("the follower", || app.get("/metrics").text.contains("aisled_live_sessions 1").then_some(()));
    done(&restore(&app, &json!({ "snapshot": manifest["name"] })));
    let exited = following.join().unwrap();
    assert_eq!(exited.code, Some(1), "{exited:?}");
    assert!(exited.stderr.contains("history_changed") && exited.stdout.contains("list.item_added"), "{exited:?}");
}
