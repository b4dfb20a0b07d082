//! A server with every kind of file next to the log: it was restored, has snapshots, checkpoints, and a result of a self-restore.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use crate::support::{TestApp, wait_for};

const ARGUMENTS: [&str; 6] = ["--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0", "--durability", "flush"];
/// More than a list needs for a memo.
const ITEMS: usize = 130;

/// A stopped server whose history came from a restore.
pub struct Place {
    pub app: TestApp,
    /// The newest snapshot.
    snapshot: Value,
    pub answers: [String; 2],
}

impl Place {
    pub fn prepare(fruit: &str) -> Self {
        let app = TestApp::start_with(&ARGUMENTS);
        app.post("/api/v1/lists", &json!({ "id": "weekly", "name": fruit })).ok();
        (0..ITEMS).for_each(|number| add(&app, &format!("{fruit}-{number}")));
        let first = done(&app, "/api/v1/admin/snapshots", &json!({}));
        add(&app, "left");
        // Twice: the history that the first one replaced is kept elsewhere.
        for _ in 0..2 {
            let plan = app.post("/api/v1/admin/restore", &json!({ "snapshot": first["name"] })).expect(200).body;
            done(&app, "/api/v1/admin/restore", &json!({ "snapshot": first["name"], "confirm": plan["confirm"] }));
        }
        add(&app, "kept");
        let snapshot = done(&app, "/api/v1/admin/snapshots", &json!({}));
        done(&app, "/api/v1/admin/self-restore", &json!({}));
        let mut place = Self { answers: answers(&app), app, snapshot };
        assert_eq!(place.app.stop(), Some(0));
        place
    }

    /// Starts the server, which serves what it served before.
    #[track_caller]
    pub fn serve(&mut self, damage: &str) {
        self.app.restart();
        assert_eq!(answers(&self.app), self.answers, "{damage}");
    }

    /// Ends the server, which must have named the file, if there was one.
    #[track_caller]
    pub fn end(&mut self, file: &Path, damage: &str) {
        let exited = self.app.stop_and_tell();
        assert_eq!(exited.code, Some(0), "{damage}: {exited:?}");
        let can_be_named = !["removed", "another server's"].contains(&damage);
        assert!(!can_be_named || exited.stderr.contains(file.to_str().unwrap()), "{damage}: {} is named: {exited:?}", file.display());
    }

    /// The folder of the history that is served.
    pub fn history(&self) -> PathBuf {
        let current = fs::read_to_string(self.app.data().join("current")).unwrap();
        self.app.data().join("histories").join(current.split_whitespace().next().unwrap())
    }

    pub fn manifest(&self) -> PathBuf {
        self.app.snapshots().join(format!("{}.json", self.name()))
    }

    /// The segment that only this snapshot has.
    pub fn segment(&self) -> PathBuf {
        let file = self.snapshot["segments"].as_array().unwrap().last().unwrap()["file"].as_str().unwrap().to_owned();
        self.app.snapshots().join("segments").join(file)
    }

    pub fn name(&self) -> &str {
        self.snapshot["name"].as_str().unwrap()
    }
}

fn add(app: &TestApp, name: &str) {
    app.post("/api/v1/lists/weekly/items", &json!({ "id": name, "name": name })).ok();
}

/// What people see.
pub fn answers(app: &TestApp) -> [String; 2] {
    ["/api/v1/lists/weekly", "/api/v1/lists/weekly/events"].map(|path| app.get(path).expect(200).text)
}

fn done(app: &TestApp, path: &str, body: &Value) -> Value {
    let operation = ended(app, path, body);
    assert_eq!(operation["state"], "done", "{operation}");
    operation["result"].clone()
}

/// Begins admin work and waits for its end.
pub fn ended(app: &TestApp, path: &str, body: &Value) -> Value {
    let begun = app.post(path, body).expect(202).body;
    let path = format!("/api/v1/admin/operations/{}", begun["id"].as_str().unwrap());
    wait_for("the work to end", || Some(app.get(&path).ok().body).filter(|operation| operation["state"] != "running"))
}
