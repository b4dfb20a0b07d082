//! Stopping in order: the exit code shows it, the next start is fast, and what makes it fast may be deleted.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::fs;

use serde_json::json;
use support::TestApp;

#[test]
fn a_server_told_to_stop_as_soon_as_it_listens_stops_in_order() {
    let mut app = TestApp::start();
    for _ in 0..5 {
        assert_eq!(app.stop(), Some(0));
        app.restart();
    }
}

#[test]
fn deleting_every_checkpoint_changes_no_answer() {
    let mut app = TestApp::start();
    app.post("/api/v1/stores", &json!({"id": "corner", "name": "Corner shop", "currency": "EUR"})).ok();
    app.post("/api/v1/products", &json!({"id": "milk", "name": "Milk"})).ok();
    app.post("/api/v1/products/milk/prices", &json!({"store": "corner", "price": {"amount": "1.29", "currency": "EUR"}})).ok();
    app.post("/api/v1/lists", &json!({"id": "weekly", "name": "Weekly", "store": "corner"})).ok();
    app.post(
        "/api/v1/lists/weekly/items",
        &json!({"id": "a", "name": "Milk", "product": "milk", "quantity": {"amount": "3", "unit": "each"}}),
    )
    .ok();
    let paths = ["/api/v1/lists/weekly", "/api/v1/products/milk/prices", "/api/v1/lists/weekly/events"];
    let before = paths.map(|path| app.get(path).expect(200).text);
    assert_eq!(app.stop(), Some(0));
    let checkpoints = app.data().join("checkpoints");
    assert!(checkpoints.join("views").is_file(), "a clean stop writes the views down");
    app.restart();
    assert_eq!(paths.map(|path| app.get(path).expect(200).text), before, "with the checkpoint");
    app.kill();
    fs::remove_dir_all(&checkpoints).unwrap();
    app.restart();
    assert_eq!(paths.map(|path| app.get(path).expect(200).text), before, "without it");
    // What the first start had to replay is written down by the stop after it, though nothing new happened.
    assert_eq!(app.stop(), Some(0));
    assert!(checkpoints.join("views").is_file(), "a start that had to catch up leaves a checkpoint too");
}
