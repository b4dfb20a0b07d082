//! The schedule of a server that starts late: it makes what is due, follows retention, and never touches manual snapshots.

use std::fs;

use aisled::{domain::Moment, snapshots::Manifest};
use serde_json::{Value, json};

use crate::{
    admin::{add, furnish, manifest_file, names, snapshot},
    support::{TestApp, wait_for},
};

const DAY_MICROS: i64 = 86_400_000_000;

/// Makes a snapshot look as if it had been made some days before.
fn age(app: &TestApp, manifest: &Value, days: i64, scheduled: bool) {
    let file = manifest_file(app, manifest);
    let made: Manifest = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let created_at = Moment(made.created_at.0 - days * DAY_MICROS);
    fs::write(&file, Manifest { created_at, scheduled, ..made }.sealed().to_json()).unwrap();
}

#[test]
fn a_start_makes_the_snapshot_that_is_due_and_prunes_only_scheduled_ones() {
    let mut app = TestApp::start_with(&["--snapshot-keep-daily", "2", "--snapshot-keep-weekly", "0"]);
    furnish(&app);
    let made: Vec<_> = ["bread", "jam", "tea"]
        .map(|name| {
            add(&app, name).ok();
            snapshot(&app)
        })
        .to_vec();
    assert_eq!(app.stop(), Some(0));
    age(&app, &made[0], 5, false);
    age(&app, &made[1], 4, true);
    age(&app, &made[2], 3, true);
    app.restart();
    let kept = wait_for("the schedule", || Some(names(&app)).filter(|names| names.len() == 3 && !names.contains(&made[1]["name"])));
    assert!(kept.contains(&made[0]["name"]), "what somebody made by hand stays");
    assert!(kept.contains(&made[2]["name"]), "retention keeps two days");
    let newest = app.get(&format!("/api/v1/admin/snapshots/{}", kept[2].as_str().unwrap())).ok().body;
    assert_eq!((&newest["scheduled"], &newest["created_by"]), (&json!(true), &json!("schedule")));
    let created = json!(["system.snapshot_created", "schedule", kept[2]]);
    let deleted = json!(["system.snapshot_deleted", "schedule", made[1]["name"]]);
    wait_for("the records of it", || (last_actions(&app, 2) == [created.clone(), deleted.clone()]).then_some(()));
}

/// The last admin actions: what, who, which snapshot.
fn last_actions(app: &TestApp, number: usize) -> Vec<Value> {
    let recorded = app.get("/api/v1/events?stream=system/admin").ok().lines();
    recorded[recorded.len() - number..].iter().map(|event| json!([event["type"], event["who"], event["data"]["snapshot"]])).collect()
}

#[test]
fn a_start_tries_whether_the_newest_snapshot_restores_when_nobody_did() {
    let mut app = TestApp::start_with(&["--snapshot-every-minutes", "0"]);
    furnish(&app);
    let manifest = snapshot(&app);
    assert_eq!(app.stop(), Some(0));
    let _ = fs::remove_file(app.snapshots().join(".self-restore.json"));
    app.restart();
    let tried = wait_for("the self-restore", || Some(app.get("/readyz").expect(200).body["self_restore"].clone()).filter(Value::is_object));
    assert_eq!((&tried["ok"], &tried["snapshot"]), (&json!(true), &manifest["name"]));
    let recorded = json!(["system.self_restored", "schedule", manifest["name"]]);
    wait_for("the record of it", || (last_actions(&app, 1) == [recorded.clone()]).then_some(()));
}
