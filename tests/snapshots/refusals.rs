//! Requests that cannot be done: each is refused with a code and a sentence, and changes nothing.

use serde_json::{Value, json};

use crate::{
    admin::{add, digests, failed, furnished, histories, run, snapshot},
    support::TestApp,
};

#[test]
fn a_restore_that_cannot_be_is_refused_with_a_reason() {
    let app = furnished();
    let manifest = snapshot(&app);
    let (name, end) = (&manifest["name"], manifest["position"].as_str().unwrap().parse::<u64>().unwrap());
    add(&app, "bread").ok();
    let before = digests(&app);
    let asked: [(Value, u16, &str); 13] = [
        (json!({}), 400, "nothing_named"),
        (json!({ "confirm": "000000000000" }), 400, "nothing_named"),
        (json!({ "snapshot": "../data" }), 400, "invalid_snapshot_name"),
        (json!({ "snapshot": "" }), 400, "invalid_snapshot_name"),
        (json!({ "snapshot": "20000101T000000Z-1" }), 404, "snapshot_not_found"),
        (json!({ "snapshot": name, "at": (end + 1).to_string() }), 400, "position_beyond_snapshot"),
        (json!({ "snapshot": name, "at": "0" }), 400, "position_beyond_snapshot"),
        (json!({ "snapshot": name, "at": "1999-01-01T00:00:00Z" }), 404, "before_first_event"),
        (json!({ "at": "99999" }), 400, "position_unknown"),
        (json!({ "at": "0" }), 404, "before_first_event"),
        (json!({ "at": "1999-01-01T00:00:00Z" }), 404, "before_first_event"),
        (json!({ "snapshot": name, "confirm": "000000000000" }), 409, "not_confirmed"),
        (json!({ "snapshot": name, "confirm": "" }), 409, "not_confirmed"),
    ];
    for (request, status, code) in asked {
        let refused = app.post("/api/v1/admin/restore", &request);
        assert_eq!((refused.status, refused.code()), (status, code), "{request}: {}", refused.text);
        assert!(refused.body["detail"].as_str().is_some_and(|detail| detail.len() > 20), "{}", refused.text);
    }
    for malformed in [json!({ "snapshot": name, "at": "yesterday" }), json!({ "snapshot": 7 }), json!({ "snapshots": name }), json!([])] {
        assert!((400..500).contains(&app.post("/api/v1/admin/restore", &malformed).status), "{malformed}");
    }
    assert_eq!(failed(&run(&app, "/api/v1/admin/restore/undo", &json!({}))).0, "nothing_to_undo");
    assert_names_lead_nowhere(&app);
    let after = digests(&app);
    assert_eq!(after["digests"], before["digests"]);
    assert_eq!(after["position"], before["position"], "what is refused is not recorded");
    assert!(histories(&app).is_empty());
    add(&app, "jam").ok();
}

/// No path of the API leads out of the folder.
fn assert_names_lead_nowhere(app: &TestApp) {
    for name in ["..%2Fdata%2Fepoch", "%2e%2e%2fdata", "a%00b", "%C3%A4", "x%20y", ".."] {
        let path = format!("/api/v1/admin/snapshots/{name}");
        for answer in [app.get(&path), app.delete(&path), app.post(&format!("{path}/verify"), &json!({}))] {
            assert!((400..500).contains(&answer.status), "{name}: {}", answer.text);
        }
    }
}

#[test]
fn a_folder_that_is_named_like_a_snapshot_is_none() {
    let app = furnished();
    snapshot(&app);
    let name = "20990101T000000Z-9";
    std::fs::create_dir(app.snapshots().join(format!("{name}.json"))).unwrap();
    let path = format!("/api/v1/admin/snapshots/{name}");
    let restore = app.post("/api/v1/admin/restore", &json!({ "snapshot": name }));
    for answer in [app.get(&path), app.post(&format!("{path}/verify"), &json!({})), app.delete(&path), restore] {
        assert_eq!((answer.status, answer.code()), (404, "snapshot_not_found"), "{}", answer.text);
    }
}

#[test]
fn an_empty_server_and_one_without_snapshots_say_so() {
    let app = TestApp::start_with(&["--self-restore-every-minutes", "0"]);
    assert_eq!(app.get("/api/v1/admin/snapshots").ok().body["snapshots"], json!([]));
    let none = run(&app, "/api/v1/admin/self-restore", &json!({}));
    let (code, sentence) = failed(&none);
    assert_eq!(code, "snapshot_not_found");
    assert!(sentence.contains("no snapshot yet"), "{sentence}");
    assert_eq!(app.post("/api/v1/admin/restore", &json!({ "at": "1" })).expect(404).code(), "empty_log");
    let manifest = snapshot(&app);
    assert_eq!((&manifest["position"], &manifest["segments"]), (&json!("0"), &json!([])));
    let refused = app.post("/api/v1/admin/restore", &json!({ "snapshot": manifest["name"] }));
    assert_eq!((refused.status, refused.code()), (404, "empty_log"), "{}", refused.text);
}
