//! Blue and green: the views are rebuilt while reads continue, compared, and switched only if that is right.

use std::{
    fs,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    thread,
};

use serde_json::{Value, json};

use crate::{
    admin::{add, digests, done, furnished, items, run},
    support::{TestApp, wait_for},
};

#[test]
fn views_are_rebuilt_while_reads_go_on_and_right_ones_stay() {
    let app = furnished();
    let before = digests(&app);
    let (ended, reads) = (AtomicBool::new(false), AtomicUsize::new(0));
    thread::scope(|scope| {
        let client = app.client().clone();
        scope.spawn(|| {
            let client = client;
            while !ended.load(Ordering::Relaxed) {
                assert_eq!(client.get("/api/v1/lists/weekly").ok().body["items"].as_array().map(Vec::len), Some(1));
                reads.fetch_add(1, Ordering::Relaxed);
            }
        });
        for (request, switched) in [
            (json!({}), false),
            (json!({ "switch": "if_different" }), false),
            (json!({ "switch": "never" }), false),
            (json!({ "switch": "always" }), true),
        ] {
            let seen = reads.load(Ordering::Relaxed);
            let rebuilt = run(&app, "/api/v1/admin/views/rebuild", &request);
            assert_eq!((&done(&rebuilt)["differed"], &done(&rebuilt)["switched"]), (&json!([]), &json!(switched)), "{request}");
            wait_for("a read", || (reads.load(Ordering::Relaxed) > seen).then_some(()));
        }
        ended.store(true, Ordering::Relaxed);
    });
    assert_eq!(digests(&app)["digests"], before["digests"]);
    add(&app, "bread").ok();
    assert_eq!(items(&app), ["milk", "bread"], "the views that were put in place go on");
    assert!((400..500).contains(&app.post("/api/v1/admin/views/rebuild", &json!({ "switch": "perhaps" })).status));
}

#[test]
fn wrong_views_are_found_and_replaced() {
    let (mut app, mut other) = (furnished(), TestApp::start_with(&["--self-restore-every-minutes", "0"]));
    let right = digests(&app);
    other.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Another" })).ok();
    other.post("/api/v1/stores", &json!({ "id": "corner", "name": "Corner", "currency": "EUR" })).ok();
    assert_eq!(digests(&other)["position"], right["position"], "the checkpoints must be of the same position");
    assert_eq!((app.stop(), other.stop()), (Some(0), Some(0)));
    let file = |app: &TestApp| app.data().join("checkpoints/views");
    let (own, foreign) = (fs::read(file(&app)).unwrap(), fs::read(file(&other)).unwrap());
    let head = |bytes: &[u8]| bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    fs::write(file(&app), [&own[..head(&own)], &foreign[head(&foreign)..]].concat()).unwrap();
    app.restart();
    assert_ne!(digests(&app)["digests"], right["digests"], "the planted views are in use");
    let rebuilt = run(&app, "/api/v1/admin/views/rebuild", &json!({ "switch": "never" }));
    assert_found(&rebuilt, false);
    assert_ne!(digests(&app)["digests"], right["digests"]);
    let rebuilt = run(&app, "/api/v1/admin/views/rebuild", &json!({}));
    assert_found(&rebuilt, true);
    assert_eq!(digests(&app)["digests"], right["digests"]);
    assert_eq!(app.stop(), Some(0));
    app.restart();
    assert_eq!(digests(&app)["digests"], right["digests"], "the checkpoint is of the right ones now");
}

/// The lists are among what differs: the other server's list has another name.
fn assert_found(rebuilt: &Value, switched: bool) {
    let result = done(rebuilt);
    assert!(result["differed"].as_array().unwrap().contains(&json!("lists")), "{rebuilt}");
    assert_eq!(result["switched"], switched, "{rebuilt}");
}
