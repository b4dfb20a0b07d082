//! What an admin does, over HTTP.

use std::{fs, path::PathBuf};

use serde_json::{Value, json};

use crate::support::{Answer, TestApp, wait_for};

/// Begins long work and waits for its end.
pub fn run(app: &TestApp, path: &str, body: &Value) -> Value {
    let begun = app.post(path, body).expect(202).body;
    ended(app, &begun)
}

/// Waits for the end of work that has begun.
pub fn ended(app: &TestApp, begun: &Value) -> Value {
    let path = format!("/api/v1/admin/operations/{}", begun["id"].as_str().expect("it has an id"));
    wait_for("the operation's end", || Some(app.get(&path).ok().body).filter(|operation| operation["state"] != "running"))
}

/// The result of work that went well.
pub fn done(operation: &Value) -> &Value {
    assert_eq!(operation["state"], "done", "{operation}");
    &operation["result"]
}

/// Makes a snapshot and returns its manifest.
pub fn snapshot(app: &TestApp) -> Value {
    done(&run(app, "/api/v1/admin/snapshots", &json!({}))).clone()
}

/// A dry run, and then the confirmed run.
pub fn restore(app: &TestApp, request: &Value) -> Value {
    let plan = app.post("/api/v1/admin/restore", request).expect(200).body;
    run(app, "/api/v1/admin/restore", &confirmed(request, &plan))
}

pub fn confirmed(request: &Value, plan: &Value) -> Value {
    let mut request = request.clone();
    request["confirm"] = plan["confirm"].clone();
    request
}

pub fn digests(app: &TestApp) -> Value {
    app.get("/api/v1/admin/digests").ok().body
}

/// A server that restores nothing by itself, with a list of one item. It acknowledges before the disk does, which `kill -9` cannot tell.
pub fn furnished() -> TestApp {
    let app = TestApp::start_with(&["--self-restore-every-minutes", "0", "--durability", "flush"]);
    furnish(&app);
    app
}

/// A list with one item.
pub fn furnish(app: &TestApp) {
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    add(app, "milk").ok();
}

pub fn add(app: &TestApp, name: &str) -> Answer {
    let item = json!({ "id": name, "name": name, "quantity": { "amount": "1", "unit": "each" } });
    app.post("/api/v1/lists/weekly/items", &item)
}

/// The names of the list's items.
pub fn items(app: &TestApp) -> Vec<String> {
    let list = app.get("/api/v1/lists/weekly").ok().body;
    list["items"].as_array().expect("items").iter().map(|item| item["name"].as_str().expect("a name").to_owned()).collect()
}

/// Why work failed: its stable code, and the sentence.
pub fn failed(operation: &Value) -> (&str, &str) {
    assert_eq!(operation["state"], "failed", "{operation}");
    (operation["error"]["code"].as_str().expect("a code"), operation["error"]["detail"].as_str().expect("a sentence"))
}

/// All listed names.
pub fn names(app: &TestApp) -> Vec<Value> {
    let listed = app.get("/api/v1/admin/snapshots").ok().body;
    listed["snapshots"].as_array().expect("a list").iter().map(|snapshot| snapshot["name"].clone()).collect()
}

/// The file of a snapshot's segment.
pub fn segment(app: &TestApp, manifest: &Value, number: usize) -> PathBuf {
    app.snapshots().join("segments").join(manifest["segments"][number]["file"].as_str().expect("a file"))
}

/// The file of a snapshot's manifest.
pub fn manifest_file(app: &TestApp, manifest: &Value) -> PathBuf {
    app.snapshots().join(format!("{}.json", manifest["name"].as_str().expect("a name")))
}

/// Histories that came from restores.
pub fn histories(app: &TestApp) -> Vec<PathBuf> {
    fs::read_dir(app.data().join("histories")).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect()
}
