//! A full disk: commands are refused as long as it is full, nothing acknowledged is lost, and service continues by itself when there is
//! room.

use std::{
    env,
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use rustix::fs::{FallocateFlags, fallocate};
use serde_json::{Value, json};

use crate::{
    disk::Disk,
    session::{Session, assert_clear, assert_nothing_is_lost},
    support::wait_for,
};

/// More than what fills the journals that are there.
const ITEMS_MAX: usize = 400;

#[test]
fn a_disk_that_fills_up_refuses_commands_until_there_is_room_and_loses_nothing() {
    let Some(disk) = small_disk() else { return };
    let mut session = Session::start(&disk.root(), "").unwrap();
    session.make_list().expect(201);
    session.add("before").expect(201);
    let snapshot = session.work("/api/v1/admin/snapshots", &json!({})).unwrap()["result"]["name"].clone();
    let ballast = fill(&disk.root());
    let refused = session.add_until_refused("filling", ITEMS_MAX).expect("the journals are full some time");
    assert_eq!((refused.status, refused.code()), (503, "disk_full"), "{}", refused.text);
    assert_full(&mut session, &snapshot);
    fs::remove_file(ballast).unwrap();
    let mut number = 0;
    wait_for("room", || {
        number += 1;
        (session.add(&format!("tried-{number}")).status == 201).then_some(())
    });
    assert_eq!(session.client.get("/readyz").status, 200);
    assert_eq!(session.add_until_refused("with-room", ITEMS_MAX).map(|refused| refused.text), None);
    assert_eq!(session.items(), session.acknowledged);
    assert_eq!(session.work("/api/v1/admin/snapshots", &json!({})).unwrap()["state"], "done");
    let acknowledged = session.stop();
    assert_nothing_is_lost(&disk.root(), &acknowledged, "a full disk");
}

/// What a server on a full disk answers.
fn assert_full(session: &mut Session, snapshot: &Value) {
    assert_eq!(session.add("refused").code(), "disk_full");
    let ready = session.client.get("/readyz");
    assert_eq!((ready.status, &ready.body["log"]["writable"]), (503, &json!(false)), "{}", ready.text);
    assert_eq!(session.items(), session.acknowledged);
    let work = [session.work("/api/v1/admin/snapshots", &json!({})), session.restore(snapshot)];
    for failed in work.into_iter().flatten() {
        assert_eq!((&failed["state"], &failed["error"]["code"]), (&json!("failed"), &json!("no_disk_space")), "{failed}");
    }
    assert_eq!(session.items(), session.acknowledged, "what failed has changed nothing");
}

#[test]
fn a_stop_and_a_start_on_a_full_disk_lose_nothing() {
    let Some(disk) = small_disk() else { return };
    let mut session = Session::start(&disk.root(), "").unwrap();
    session.make_list().expect(201);
    let ballast = fill(&disk.root());
    session.add_until_refused("filling", ITEMS_MAX).expect("the journals are full some time");
    let acknowledged = session.stop();
    match Session::start(&disk.root(), "") {
        Ok(mut session) => {
            assert_eq!(session.items(), acknowledged);
            assert_eq!(session.add("refused").code(), "disk_full");
            session.stop();
        }
        Err(exited) => assert_clear(&exited, &disk.root(), "a full disk"),
    }
    fs::remove_file(ballast).unwrap();
    assert_nothing_is_lost(&disk.root(), &acknowledged, "a full disk");
}

#[test]
fn journals_that_find_no_room_refuse_commands_and_lose_nothing() {
    let (folder, fault) = (tempfile::tempdir().unwrap(), "write@segments:1+:ENOSPC");
    let mut session = Session::start(folder.path(), fault).unwrap();
    session.make_list().expect(201);
    let refused = session.add_until_refused("filling", ITEMS_MAX).expect("the journals are full some time");
    assert_eq!((refused.status, refused.code()), (503, "disk_full"), "{}", refused.text);
    let ready = session.client.get("/readyz");
    assert_eq!((ready.status, &ready.body["log"]["writable"]), (503, &json!(false)), "{}", ready.text);
    let acknowledged = session.stop();
    assert_nothing_is_lost(folder.path(), &acknowledged, fault);
}

#[test]
fn checkpoints_that_find_no_room_are_a_warning() {
    let (folder, fault) = (tempfile::tempdir().unwrap(), "write@checkpoints:1+:ENOSPC");
    let mut session = Session::start(folder.path(), fault).unwrap();
    session.make_list().expect(201);
    session.add_until_refused("item", 150);
    let exited = session.app.stop_and_tell();
    assert_eq!(exited.code, Some(0), "{exited:?}");
    for file in ["checkpoints/views", "checkpoints/entities"] {
        assert!(exited.stderr.contains(file), "{file} is named: {exited:?}");
    }
    assert_nothing_is_lost(folder.path(), &session.acknowledged, fault);
}

/// A file system of its own. Needs root and loop devices; without them the test says so and does nothing.
fn small_disk() -> Option<Disk> {
    let disk = Disk::new().inspect_err(|missing| {
        // Past the capture of the test harness: a reader of "ok" must know what it means.
        let _ = writeln!(io::stderr(), "full disk: not run: needs a loop device with ext4 ({missing})");
    });
    let is_required = env::var_os("AISLED_POWERCUTS_REQUIRED").is_some_and(|set| set == "1");
    assert!(disk.is_ok() || !is_required, "a full disk must be tried here");
    disk.ok()
}

/// Takes all the room that is left with one file.
fn fill(folder: &Path) -> std::path::PathBuf {
    let path = folder.join("ballast");
    let (file, mut bytes, mut piece) = (File::create(&path).unwrap(), 0, 1_u64 << 28);
    while piece >= 1 << 10 {
        match fallocate(&file, FallocateFlags::empty(), bytes, piece) {
            Ok(()) => bytes += piece,
            Err(rustix::io::Errno::NOSPC) => piece /= 2,
            Err(error) => panic!("{error}"),
        }
    }
    path
}
