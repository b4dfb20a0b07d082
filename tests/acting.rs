//! Somebody acts for somebody else: the log says both names, wherever it is read.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use serde_json::{Value, json};
use support::{Answer, TestApp, run_on};

const AS_MIA: [(&str, &str); 1] = [("x-aisled-as", "mia")];
const EVENTS: &str = "/api/v1/lists/weekly/events";

/// A list of `local`, to which an item was added for mia.
fn kitchen() -> TestApp {
    let app = TestApp::start_with(&["--durability", "flush"]);
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    app.post("/api/v1/lists/weekly/members", &json!({ "member": "mia", "role": "owner" })).ok();
    as_mia(&app, "/api/v1/lists/weekly/items", &json!({ "id": "milk", "name": "Milk" }));
    app
}

fn as_mia(app: &TestApp, path: &str, body: &Value) -> Answer {
    app.client().post_with(path, &AS_MIA, body).ok()
}

#[track_caller]
fn assert_mia_by_local(entry: &Value) {
    assert_eq!((entry["who"].as_str(), entry["by"].as_str()), (Some("mia"), Some("local")), "{entry}");
}

#[track_caller]
fn assert_local_alone(entry: &Value) {
    assert_eq!((entry["who"].as_str(), entry.get("by")), (Some("local"), None), "{entry}");
}

#[test]
fn an_event_names_who_sent_it_only_where_somebody_acted_for_another() {
    let app = kitchen();
    let as_local = [("x-aisled-as", "local")];
    app.client().post_with("/api/v1/lists/weekly/items", &as_local, &json!({ "id": "bread", "name": "Bread" })).ok();
    let events = app.get(EVENTS).ok().lines();
    assert_local_alone(&events[1]);
    assert_mia_by_local(&events[2]);
    assert_local_alone(&events[3]);
}

#[test]
fn timelines_show_both_names() {
    let app = kitchen();
    as_mia(&app, "/api/v1/households", &json!({ "id": "home", "name": "Home" }));
    for path in ["lists/weekly", "lists/weekly/items/milk", "households/home"] {
        let timeline = app.get(&format!("/api/v1/{path}/timeline")).ok().body;
        assert_mia_by_local(&timeline["entries"][0]);
    }
    let list = app.get("/api/v1/lists/weekly/timeline").ok().body;
    assert_local_alone(&list["entries"][1]);
}

#[test]
fn an_undo_and_a_restore_for_somebody_show_both_names() {
    let app = kitchen();
    let removed = app.client().send("DELETE", "/api/v1/lists/weekly/items/milk", &AS_MIA, None).unwrap().ok().body;
    let undone = as_mia(&app, "/api/v1/undo", &json!({ "position": removed["position"] })).body;
    assert_mia_by_local(&undone["commands"][0]);
    assert_mia_by_local(app.get(EVENTS).ok().lines().last().unwrap());
    as_mia(&app, "/api/v1/lists/weekly/restore", &json!({ "at": removed["position"] }));
    assert_mia_by_local(app.get(EVENTS).ok().lines().last().unwrap());
    assert_mia_by_local(app.get("/api/v1/events?stream=system/admin").ok().lines().last().unwrap());
}

#[test]
fn whoever_acts_for_somebody_has_that_persons_rights_and_no_more() {
    let app = kitchen();
    let snapshot = app.client().post_with("/api/v1/admin/snapshots", &AS_MIA, &json!({}));
    assert_eq!((snapshot.status, snapshot.code()), (403, "not_permitted"), "{}", snapshot.text);
    let stranger = app.client().post_with("/api/v1/lists/weekly/items", &[("x-aisled-as", "eve")], &json!({ "name": "Bread" }));
    assert_eq!((stranger.status, stranger.code()), (404, "list_not_found"), "{}", stranger.text);
}

#[test]
fn an_export_and_its_import_keep_both_names_and_every_hash() {
    let mut app = kitchen();
    let before = app.get(EVENTS).ok().lines();
    app.stop();
    let folder = tempfile::tempdir().unwrap();
    for (format, field) in [("ndjson", "by"), ("cloudevents", "aisledby")] {
        let (file, copy) = (folder.path().join(format), folder.path().join(format!("{format}-copy")));
        let path = file.display().to_string();
        let exported = app.run(&["export", "--format", format, "--out", &path]).ok().summary();
        let lines: Vec<Value> = std::fs::read_to_string(&file).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((lines[1].get(field), &lines[2][field]), (None, &json!("local")));
        let imported = run_on(&copy.join("data"), &["import-log", &path]).ok().summary();
        assert_eq!(imported["chain"], exported["chain"]);
        let copied = TestApp::start_on(&copy, &[], &[]).unwrap();
        assert_eq!(copied.get(EVENTS).ok().lines(), before);
    }
}
