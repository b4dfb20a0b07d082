//! Undo, timelines and bringing a list back, on the real binary: what a family does when somebody deleted the wrong thing.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use serde_json::{Value, json};
use support::{Answer, TestApp};

/// A list with bread and milk, made by ben.
fn kitchen() -> TestApp {
    let app = TestApp::start_with(&["--durability", "flush"]);
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    for member in ["ann", "ben"] {
        app.post("/api/v1/lists/weekly/members", &json!({ "member": member, "role": "owner" })).ok();
    }
    for (id, name) in [("bread", "Bread"), ("milk", "Milk")] {
        told(&app, "ben", "POST", "/api/v1/lists/weekly/items", json!({ "id": id, "name": name }));
    }
    app
}

/// A command of a family member.
fn told(app: &TestApp, who: &str, method: &str, path: &str, body: Value) -> Value {
    let headers = [("x-aisled-as", who), ("x-aisled-client", "kitchen-tablet")];
    app.client().send(method, path, &headers, Some(body.to_string())).unwrap().ok().body
}

fn undo(app: &TestApp, body: Value) -> Answer {
    app.post("/api/v1/undo", &body)
}

fn items(app: &TestApp) -> Vec<String> {
    let list = app.get("/api/v1/lists/weekly").ok().body;
    let line = |item: &Value| format!("{} {}", item["quantity"]["amount"].as_str().unwrap(), item["name"].as_str().unwrap());
    list["items"].as_array().unwrap().iter().map(line).collect()
}

#[test]
fn an_undo_survives_a_kill_and_is_not_done_twice() {
    let mut app = kitchen();
    let removed = told(&app, "ann", "DELETE", "/api/v1/lists/weekly/items/bread", json!({}))["position"].clone();
    let undone = undo(&app, json!({ "position": removed })).ok().body;
    app.kill();
    app.restart();
    assert_eq!(items(&app), ["1 Bread", "1 Milk"], "the removed item is back in its place");
    let again = undo(&app, json!({ "position": removed })).expect(409);
    assert_eq!(again.code(), "already_undone");
    let where_undone = undone["commands"][0]["undo"].as_str().unwrap();
    assert!(again.body["detail"].as_str().unwrap().contains(&format!("at position {where_undone};")), "{}", again.text);
    let redone = undo(&app, json!({ "position": where_undone })).ok();
    assert_eq!((items(&app), redone.body["totals"]["undone"].as_u64()), (vec!["1 Milk".to_owned()], Some(1)));
    app.kill();
    assert_eq!(app.run(&["verify"]).code, Some(0));
}

#[test]
fn a_persons_last_hour_is_previewed_and_then_undone() {
    let app = kitchen();
    let since = json!({ "who": "ann", "since": "2020-01-01T00:00:00Z" });
    told(&app, "ann", "PATCH", "/api/v1/lists/weekly/items/milk", json!({ "change_by": { "amount": "5", "unit": "each" } }));
    told(&app, "ann", "POST", "/api/v1/lists/weekly/items", json!({ "id": "sweets", "name": "Sweets" }));
    told(&app, "ben", "PATCH", "/api/v1/lists/weekly/items/milk", json!({ "change_by": { "amount": "1", "unit": "each" } }));
    told(&app, "ann", "DELETE", "/api/v1/lists/weekly/items/bread", json!({}));
    let mut preview = since.clone();
    preview["preview"] = json!(true);
    let previewed = undo(&app, preview).ok().body;
    assert_eq!(items(&app), ["7 Milk", "1 Sweets"], "a preview changes nothing");
    let done = undo(&app, since).ok().body;
    assert_eq!(items(&app), ["1 Bread", "2 Milk"], "what ben added stays");
    assert_eq!((&done["totals"], done["totals"]["undone"].as_u64()), (&previewed["totals"], Some(3)));
    let changes = |answer: &Value| -> Vec<_> { answer["commands"].as_array().unwrap().iter().map(|one| one["changes"].clone()).collect() };
    assert_eq!(changes(&done), changes(&previewed));
}

#[test]
fn who_follows_the_list_hears_of_an_undo() {
    let app = kitchen();
    let mut live = app.live();
    live.next();
    live.send(&json!({ "id": 1, "op": "subscribe", "topics": [{ "topic": "list:weekly" }] }));
    live.next_where(|message| message["id"] == 1);
    let renamed = told(&app, "ann", "PATCH", "/api/v1/lists/weekly", json!({ "name": "Party" }))["position"].clone();
    let undone = undo(&app, json!({ "position": renamed })).ok().body;
    let pushed = live.next_where(|message| message["position"] == undone["commands"][0]["undo"] && message["event"].is_object());
    assert_eq!(pushed["event"]["data"]["name"], "Weekly", "{pushed}");
}

#[test]
fn a_list_that_somebody_emptied_is_brought_back_and_its_history_tells_all() {
    let app = kitchen();
    let good = app.get("/api/v1/lists/weekly").ok().body["position"].clone();
    for item in ["bread", "milk"] {
        told(&app, "ann", "DELETE", &format!("/api/v1/lists/weekly/items/{item}"), json!({}));
    }
    told(&app, "ann", "PATCH", "/api/v1/lists/weekly", json!({ "archived": true }));
    let diff = app.get(&format!("/api/v1/lists/weekly/diff?from={}", good.as_str().unwrap())).ok().body;
    assert_eq!((diff["removed"].as_array().unwrap().len(), diff["removed"][0]["changes"][0]["last"]["who"].as_str()), (2, Some("ann")));
    let restored = app.post("/api/v1/lists/weekly/restore", &json!({ "at": good })).ok().body;
    assert_eq!(items(&app), ["1 Bread", "1 Milk"], "{restored}");
    let timeline = app.get("/api/v1/lists/weekly/items/bread/timeline").ok().body;
    let newest = &timeline["entries"][0];
    assert_eq!((newest["who"].as_str(), newest["client"].as_str()), (Some("ann"), Some("kitchen-tablet")));
    let actions = app.get("/api/v1/events?stream=system/admin").ok().lines();
    assert_eq!(actions.last().unwrap()["type"], "system.stream_restored");
    undo(&app, json!({ "position": restored["position"] })).ok();
    assert_eq!(app.get("/api/v1/lists/weekly").ok().body["archived"], true, "bringing back can be undone too");
}

#[test]
fn what_cannot_be_undone_is_refused_and_changes_nothing() {
    let app = kitchen();
    let head = app.get("/api/v1/events").ok().lines().len();
    assert_eq!(undo(&app, json!({ "position": "999999" })).expect(400).code(), "position_unknown");
    assert_eq!(undo(&app, json!({ "position": "1" })).expect(409).code(), "creation_stays");
    assert_eq!(undo(&app, json!({ "command_id": "nobodys" })).expect(404).code(), "command_not_found");
    let future = app.post("/api/v1/lists/weekly/restore", &json!({ "at": "999999" })).expect(400);
    assert_eq!(future.code(), "position_unknown");
    let past = app.post("/api/v1/lists/weekly/restore", &json!({ "at": "1999-01-01" })).expect(404);
    assert_eq!(past.code(), "before_first_event");
    assert_eq!(app.get("/api/v1/events").ok().lines().len(), head);
}
