//! One thing at a time: what is refused while a restore or a snapshot runs, and what still works.

use std::fs;

use serde_json::json;

use crate::{
    admin::{add, confirmed, digests, done, ended, failed, furnished, items, names, restore, run, segment, snapshot},
    held::HeldFile,
    support::{Client, Server, wait_for},
};

#[test]
fn while_a_restore_is_built_nothing_else_begins_and_commands_go_on() {
    let app = furnished();
    let manifest = snapshot(&app);
    add(&app, "bread").ok();
    let request = json!({ "snapshot": manifest["name"] });
    let plan = app.post("/api/v1/admin/restore", &request).expect(200).body;
    let held = HeldFile::hold(&segment(&app, &manifest, 0));
    let begun = app.post("/api/v1/admin/restore", &confirmed(&request, &plan)).expect(202).body;
    let reached = held.reached();
    for (path, body) in [
        ("/api/v1/admin/restore", confirmed(&request, &plan)),
        ("/api/v1/admin/restore/undo", json!({})),
        ("/api/v1/admin/snapshots", json!({})),
        ("/api/v1/admin/self-restore", json!({})),
        ("/api/v1/admin/views/rebuild", json!({})),
    ] {
        let refused = app.post(path, &body).expect(409);
        assert_eq!(refused.code(), "operation_running", "{path}");
        assert!(refused.text.contains(begun["id"].as_str().unwrap()), "what runs is named: {}", refused.text);
    }
    let name = manifest["name"].as_str().unwrap();
    assert_eq!(app.delete(&format!("/api/v1/admin/snapshots/{name}")).expect(409).code(), "snapshots_in_use");
    assert_eq!(app.post("/api/v1/admin/snapshots/prune", &json!({ "dry_run": true })).ok().body["removed"], json!([]));
    assert_another_server_may_read_the_folder_but_not_change_it(&app, name);
    let running = app.get(&format!("/api/v1/admin/operations/{}", begun["id"].as_str().unwrap())).ok().body;
    assert_eq!((&running["state"], &running["stage"]), (&json!("running"), &json!("building the log")));
    add(&app, "jam").ok();
    reached.let_go();
    done(&ended(&app, &begun));
    assert_eq!(items(&app), ["milk"]);
    let again = app.post("/api/v1/admin/restore", &confirmed(&request, &plan)).expect(409);
    assert_eq!(again.code(), "not_confirmed", "what was confirmed for one history does not go for another");
    done(&run(&app, "/api/v1/admin/restore/undo", &json!({})));
    assert_eq!(items(&app), ["milk", "bread", "jam"], "what came while it was built is not lost");
}

fn assert_another_server_may_read_the_folder_but_not_change_it(app: &crate::support::TestApp, name: &str) {
    let folder = tempfile::tempdir().unwrap();
    let snapshots = app.snapshots().display().to_string();
    let arguments = ["--snapshots", &snapshots, "--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0"].map(str::to_owned);
    let server = Server::start(folder.path(), &arguments).unwrap();
    let other = Client::new(server.url());
    let shown = other.get(&format!("/api/v1/admin/snapshots/{name}")).ok();
    assert_eq!(shown.body["name"], name);
    let begun = other.post("/api/v1/admin/snapshots", &json!({})).expect(202).body;
    let path = format!("/api/v1/admin/operations/{}", begun["id"].as_str().unwrap());
    let ended = wait_for("the other's end", || Some(other.get(&path).ok().body).filter(|operation| operation["state"] != "running"));
    assert_eq!(failed(&ended).0, "snapshots_in_use", "{ended}");
}

#[test]
fn while_a_snapshot_is_written_commands_go_on_and_no_other_begins() {
    let (mut app, held) = (furnished(), tempfile::NamedTempFile::new().unwrap());
    assert_eq!(app.stop(), Some(0));
    app.restart_in(&[("AISLED_TEST_FAULT", &format!("write@snapshots/segments:1:WHILE={}", held.path().display()))]);
    let before = digests(&app);
    let begun = app.post("/api/v1/admin/snapshots", &json!({})).expect(202).body;
    let path = format!("/api/v1/admin/operations/{}", begun["id"].as_str().unwrap());
    wait_for("its segment", || Some(app.get(&path).ok().body).filter(|operation| operation["stage"] == "linking segments"));
    for number in 0..20 {
        add(&app, &format!("meanwhile-{number}")).ok();
    }
    assert_eq!(items(&app).len(), 21);
    assert_eq!(app.post("/api/v1/admin/snapshots", &json!({})).expect(409).code(), "operation_running");
    assert_eq!(app.get(&path).ok().body["state"], "running", "it stood still all the time");
    assert!(names(&app).is_empty(), "it is listed when it is whole");
    held.close().unwrap();
    let manifest = done(&ended(&app, &begun)).clone();
    done(&restore(&app, &json!({ "snapshot": manifest["name"], "at": before["position"] })));
    assert_eq!(digests(&app)["digests"], before["digests"]);
    assert!(fs::read_dir(app.snapshots().join("segments")).unwrap().count() >= 1);
}
