//! The test restore of the newest snapshot: its result is shown to people, probes and metrics, and outlives the process.

use std::fs;

use serde_json::{Value, json};

use crate::{
    admin::{done, furnished, manifest_file, run, segment, snapshot},
    support::TestApp,
};

fn seen(app: &TestApp) -> Value {
    app.get("/readyz").expect(200).body["self_restore"].clone()
}

fn metric(app: &TestApp, name: &str) -> f64 {
    let text = app.get("/metrics").ok().text;
    let line = text.lines().find(|line| line.split(' ').next() == Some(name)).unwrap_or_else(|| panic!("no {name} in {text}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

fn tried(app: &TestApp) -> Value {
    done(&run(app, "/api/v1/admin/self-restore", &json!({}))).clone()
}

/// The last admin action: what, and its data.
fn recorded(app: &TestApp) -> Value {
    let actions = app.get("/api/v1/events?stream=system/admin").ok().lines();
    let last = actions.last().unwrap();
    json!([last["type"], last["data"]])
}

#[test]
fn the_result_is_shown_to_people_and_metrics_and_survives_a_restart() {
    let mut app = furnished();
    assert_eq!(seen(&app), Value::Null, "nothing was tried yet");
    let manifest = snapshot(&app);
    let well = tried(&app);
    assert_eq!((&well["ok"], &well["snapshot"], &well["position"]), (&json!(true), &manifest["name"], &manifest["position"]));
    assert_eq!(seen(&app), well);
    assert_eq!(recorded(&app), json!(["system.self_restored", { "snapshot": manifest["name"], "ok": true, "scheduled": false }]));
    assert!((metric(&app, "aisled_self_restore_ok") - 1.0).abs() < 1e-9);
    assert!(metric(&app, "aisled_self_restore_seconds") > 0.0 && metric(&app, "aisled_self_restore_timestamp_seconds") > 1e9);

    let file = segment(&app, &manifest, 0);
    let whole = fs::read(&file).unwrap();
    let mut broken = whole.clone();
    broken[200] ^= 1;
    fs::write(&file, broken).unwrap();
    let bad = tried(&app);
    assert_eq!(bad["ok"], false);
    assert_eq!(recorded(&app), json!(["system.self_restored", { "snapshot": manifest["name"], "ok": false, "scheduled": false }]));
    let verified = done(&run(&app, &format!("/api/v1/admin/snapshots/{}/verify", manifest["name"].as_str().unwrap()), &json!({}))).clone();
    let problems = verified["problems"].as_array().unwrap().len();
    assert_eq!(recorded(&app), json!(["system.snapshot_verified", { "snapshot": manifest["name"], "problems": problems }]));
    assert!(bad["reason"].as_str().unwrap().contains(file.file_name().unwrap().to_str().unwrap()), "{bad}");
    assert!(metric(&app, "aisled_self_restore_ok").abs() < 1e-9);
    assert_eq!(app.stop(), Some(0));
    app.restart();
    assert_eq!(seen(&app), bad, "a restart does not forget it");
    assert!(metric(&app, "aisled_self_restore_ok").abs() < 1e-9);
    fs::write(&file, whole).unwrap();
    assert_eq!(tried(&app)["ok"], true);
    let scratch: Vec<_> = fs::read_dir(app.snapshots()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!scratch.iter().any(|name| name.to_string_lossy().starts_with(".scratch")), "{scratch:?}");

    assert_a_damaged_result_does_not_count(&mut app);
    assert_a_broken_newest_manifest_is_not_passed_over(&app);
}

fn assert_a_damaged_result_does_not_count(app: &mut TestApp) {
    let file = app.snapshots().join(".self-restore.json");
    let text = fs::read_to_string(&file).unwrap();
    assert_eq!(app.stop(), Some(0));
    fs::write(&file, text.replace("\"ok\":true", "\"ok\":null")).unwrap();
    app.restart();
    assert_eq!(seen(app), Value::Null);
    assert!(app.server().stderr().contains(".self-restore.json"), "it is named: {}", app.server().stderr());
}

fn assert_a_broken_newest_manifest_is_not_passed_over(app: &TestApp) {
    let newest = snapshot(app);
    let file = manifest_file(app, &newest);
    fs::write(&file, fs::read_to_string(&file).unwrap().replace("\"scheduled\"", "\"schedulex\"")).unwrap();
    let bad = tried(app);
    assert_eq!((&bad["ok"], &bad["snapshot"]), (&json!(false), &newest["name"]), "an older one does not stand for it");
    assert!(bad["reason"].as_str().unwrap().contains(file.file_name().unwrap().to_str().unwrap()), "{bad}");
}
