//! Long admin work that may never end.

use serde_json::{Value, json};

use crate::{
    machine::Machine,
    support::{Answer, Client, TestApp},
};

/// Where a restore is undone.
pub const UNDO: &str = "/api/v1/admin/restore/undo";

/// Begins work and waits for its end. Returns its result, if it is reported before the power is cut.
pub fn work(client: &Client, path: &str, body: &Value) -> Option<Value> {
    let begun = asked(client.send("POST", path, &[], Some(body.to_string())))?;
    let path = format!("/api/v1/admin/operations/{}", begun["id"].as_str().expect("it has an id"));
    loop {
        let operation = asked(client.send("GET", &path, &[], None))?;
        match operation["state"].as_str() {
            Some("running") => std::thread::yield_now(),
            Some("done") => return Some(operation["result"].clone()),
            // The disk was gone before the work was done.
            _ => return None,
        }
    }
}

/// The result of work that nothing disturbs.
pub fn answered(client: &Client, path: &str, body: &Value) -> Value {
    let operation = work(client, path, body);
    operation.unwrap_or_else(|| panic!("{path} failed: {}", client.get("/api/v1/admin/operations").text))
}

/// Makes a snapshot that must be there from now on, and returns its manifest.
pub fn snapshot(machine: &mut Machine) -> Value {
    let manifest = answered(machine.app().client(), "/api/v1/admin/snapshots", &json!({}));
    machine.known.snapshots.extend(manifest["name"].as_str().map(str::to_owned));
    manifest
}

/// Every snapshot that is listed is whole.
pub fn verify_snapshots(app: &TestApp) {
    let listed = app.get("/api/v1/admin/snapshots").ok().body;
    for snapshot in listed["snapshots"].as_array().expect("a list") {
        let name = snapshot["name"].as_str().expect("it has a name");
        let verified = answered(app.client(), &format!("/api/v1/admin/snapshots/{name}/verify"), &json!({}));
        assert_eq!(verified["problems"], json!([]), "{name}");
    }
}

fn asked(answer: Result<Answer, ureq::Error>) -> Option<Value> {
    answer.ok().filter(|answer| answer.status < 500).map(|answer| answer.ok().body)
}
