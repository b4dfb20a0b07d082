//! The normal course: create, inspect, restore, undo.

use serde_json::json;

use crate::admin::{add, digests, done, furnished, items, restore, run, snapshot};

#[test]
fn a_restored_snapshot_is_served_without_a_restart_and_can_be_undone() {
    let mut app = furnished();
    let before = digests(&app);
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let epoch = app.get("/api/v1/admin/snapshots").ok().body["snapshots"][0]["epoch"].clone();
    let restored = restore(&app, &json!({ "snapshot": manifest["name"] }));
    let result = done(&restored);
    assert_eq!((&result["left_epoch"], &result["proof"]["compared"]), (&epoch, &json!("with_snapshot")), "{result}");
    assert_eq!(items(&app), ["milk"]);
    assert_eq!(digests(&app)["digests"], before["digests"]);
    add(&app, "jam").ok();
    assert_eq!(app.stop(), Some(0));
    app.restart();
    assert_eq!(items(&app), ["milk", "jam"], "a restart serves the restored history");
    done(&run(&app, "/api/v1/admin/restore/undo", &json!({})));
    assert_eq!(items(&app), ["milk", "bread"]);
    app.restart_after_kill();
    assert_eq!(items(&app), ["milk", "bread"]);
    assert_eq!(app.run(&["verify"]).code, Some(1), "the folder is in use");
    assert_eq!(app.stop(), Some(0));
    assert_eq!(app.run(&["verify"]).code, Some(0));
}
