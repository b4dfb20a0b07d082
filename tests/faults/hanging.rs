//! A system call never returns: every request is still answered, and the server ends on request.

use std::{
    collections::BTreeSet,
    process::{Command, Stdio},
    thread,
    time::Instant,
};

use serde_json::json;

use crate::{
    session::{STOP_MAX, Session, VARIABLE, assert_nothing_is_lost},
    support::{process, wait_for},
};

/// More than what fills the journals that there is room for next to a sealing that hangs.
const ITEMS_MAX: usize = 400;

#[test]
fn while_the_disk_of_the_log_hangs_every_request_is_answered_and_the_server_ends_in_time() {
    at_once(
        &["sync@journal:40:HANG", "write@journal:40:HANG", "sync@segments:1:HANG", "rename@journal:3:HANG", "sync_folder@segments:3:HANG"],
        |fault| {
            let folder = tempfile::tempdir().unwrap();
            let mut session = Session::start(folder.path(), fault).unwrap();
            session.make_list().expect(201);
            let refused = session.add_until_refused("item", ITEMS_MAX).unwrap_or_else(|| panic!("{fault} is never reached"));
            assert_eq!(refused.code(), "outcome_unknown", "{fault}: {}", refused.text);
            assert_eq!(session.add("later").code(), "read_only", "{fault}");
            let ready = session.client.get("/readyz");
            assert_eq!((ready.status, &ready.body["log"]["writable"]), (503, &json!(false)), "{fault}: {}", ready.text);
            assert_eq!(session.items(), session.acknowledged, "{fault}");
            let acknowledged = session.stop();
            assert_nothing_is_lost(folder.path(), &acknowledged, fault);
        },
    );
}

#[test]
fn while_admin_work_hangs_every_request_is_answered_and_the_server_ends_in_time() {
    let (snapshot, restore) = ("write@snapshots/segments:1:HANG", ["sync_folder@histories:4:HANG", "rename@current:2:HANG"]);
    at_once(&[snapshot, restore[0], restore[1], "write@checkpoints:1:HANG"], |fault| {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::start_whole(folder.path());
        session.make_list().expect(201);
        session.add("saved").expect(201);
        let made = session.work("/api/v1/admin/snapshots", &json!({})).unwrap();
        session.add("live").expect(201);
        let before = session.stop();
        let mut session = Session::start(folder.path(), fault).unwrap();
        if fault == snapshot {
            session.client.post("/api/v1/admin/snapshots", &json!({})).expect(202);
        } else if restore.contains(&fault) {
            let request = json!({ "snapshot": made["result"]["name"] });
            let plan = session.client.post("/api/v1/admin/restore", &request).expect(200).body;
            session
                .client
                .post("/api/v1/admin/restore", &json!({ "snapshot": request["snapshot"], "confirm": plan["confirm"] }))
                .expect(202);
        }
        (0..5).for_each(|number| drop(session.add(&format!("meanwhile-{number}"))));
        session.client.get("/readyz");
        let expected = &before | &session.acknowledged;
        assert_eq!(session.items(), expected, "{fault}");
        session.stop();
        assert_nothing_is_lost(folder.path(), &expected, fault);
    });
}

#[test]
fn a_start_that_hangs_ends_when_it_is_told_to() {
    let (folder, fault) = (tempfile::tempdir().unwrap(), "sync@journal:1:HANG");
    let mut command = process::binary();
    command.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(folder.path().join("data")).env(VARIABLE, fault);
    let mut starting = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let part = folder.path().join("data/log/journal/next.part");
    wait_for("the file that hangs", || part.exists().then_some(()));
    let told = Instant::now();
    assert!(Command::new("kill").args(["-TERM", &starting.id().to_string()]).status().unwrap().success());
    wait_for("the end of the process", || starting.try_wait().unwrap());
    assert!(told.elapsed() < STOP_MAX, "{:?}", told.elapsed());
    assert_nothing_is_lost(folder.path(), &BTreeSet::new(), fault);
}

/// Does the same with every fault, all at once: most of the time they wait.
fn at_once(faults: &[&str], work: impl Fn(&str) + Sync) {
    thread::scope(|scope| {
        for fault in faults {
            scope.spawn(|| work(fault));
        }
    });
}
