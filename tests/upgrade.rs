//! A folder of the first format, in which sled was the only place of the events, is upgraded once: whole, or not at all.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod support;

use std::{fs, path::Path};

use aisled::failpoint::{PLACES, VARIABLE};
use serde_json::{Value, json};
use support::{
    TestApp,
    log_files::{blocks, change, journals},
    old_folder::{OldFolder, check_answers, check_export},
    run_on, wait_for,
};

const FOLDERS: [&str; 3] = ["v1-clean", "v1-restored", "v1-killed"];
const ARGUMENTS: [&str; 4] = ["--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0"];
const SIGKILL: i32 = 9;
/// The offset of a witness's acknowledged position.
const WITNESS_POSITION_AT: usize = 8;
const WITNESS_CONTENT_BYTES: usize = 48;

#[test]
fn an_old_folder_is_upgraded_once_and_its_files_go_with_the_second_start() {
    for name in FOLDERS {
        let old = OldFolder::unpack(name);
        let mut app = start(&old);
        check_answers(&app, &old.expected);
        assert!(old.log().join("sled/db").is_file(), "{name}: the new log is not proved yet");
        assert_eq!(app.stop(), Some(0));
        assert_eq!(old_files(&old.log()), ["sled", "witness"], "{name}");
        app.restart();
        assert!(old_files(&old.log()).is_empty(), "{name}: {:?}", old_files(&old.log()));
        check_answers(&app, &old.expected);
        app.post("/api/v1/lists", &json!({ "id": "new", "name": "New" })).ok();
        app.kill();
        check(&old);
        app.restart();
        check_answers(&app, &old.expected);
        assert_eq!(app.get("/api/v1/lists/new").expect(200).body["name"], "New");
    }
}

#[test]
fn the_snapshots_of_an_old_folder_restore() {
    for name in FOLDERS {
        let old = OldFolder::unpack(name);
        let app = start(&old);
        for snapshot in old.expected["snapshots"].as_array().unwrap() {
            let verified = run(&app, &format!("/api/v1/admin/snapshots/{}/verify", snapshot.as_str().unwrap()), &json!({}));
            assert_eq!(verified["problems"], json!([]), "{name}");
            let request = json!({ "snapshot": snapshot });
            let plan = app.post("/api/v1/admin/restore", &request).expect(200).body;
            run(&app, "/api/v1/admin/restore", &json!({ "snapshot": snapshot, "confirm": plan["confirm"] }));
            run(&app, "/api/v1/admin/restore/undo", &json!({}));
        }
        check_answers(&app, &old.expected);
    }
}

#[test]
fn undoing_the_restore_of_an_old_folder_upgrades_the_history_that_was_left() {
    let old = OldFolder::unpack("v1-restored");
    let mut app = start(&old);
    run(&app, "/api/v1/admin/restore/undo", &json!({}));
    check_answers(&app, &old.expected["left"]);
    assert_eq!(app.stop(), Some(0));
    check_export(&old.data(), &old.expected["left"]);
    app.restart();
    check_answers(&app, &old.expected["left"]);
    app.kill();
    assert!(old_files(&old.data().join("log")).is_empty());
    assert_eq!(run_on(&old.data(), &["verify"]).ok().summary()["ok"], true);
}

#[test]
fn an_upgrade_that_is_killed_at_any_stage_is_done_by_the_next_start() {
    for place in PLACES.iter().filter(|place| place.starts_with("upgrade.")) {
        for name in FOLDERS {
            let old = OldFolder::unpack(name);
            let killed = TestApp::start_on(old.path(), &ARGUMENTS, &[(VARIABLE, place)]).err().expect("it dies");
            assert_eq!(killed.signal, Some(SIGKILL), "{place} is reached: {killed:?}");
            let mut app = start(&old);
            check_answers(&app, &old.expected);
            app.kill();
            check(&old);
            assert!(old_files(&old.log()).is_empty() && !old.log().join("upgrade").exists(), "{place}, {name}");
        }
    }
}

#[test]
fn a_damaged_old_folder_is_refused_and_not_changed() {
    let old = OldFolder::unpack("v1-killed");
    change(&old.log().join("sled/db"), |bytes| {
        let blocks = blocks(bytes);
        let middle = blocks[blocks.len() / 2];
        let same: Vec<_> = blocks.into_iter().filter(|at| bytes[*at..*at + 32] == bytes[middle..middle + 32]).collect();
        same.iter().for_each(|at| bytes[at + 68] ^= 1);
    });
    assert_refused(&old, &["position"]);
}

#[test]
fn an_old_folder_that_ends_before_what_was_acknowledged_is_refused() {
    let old = OldFolder::unpack("v1-clean");
    change(&old.log().join("witness"), |bytes| {
        bytes[WITNESS_POSITION_AT..WITNESS_POSITION_AT + 8].copy_from_slice(&300_u64.to_le_bytes());
        let crc = crc32fast::hash(&bytes[..WITNESS_CONTENT_BYTES]).to_le_bytes();
        bytes[WITNESS_CONTENT_BYTES..].copy_from_slice(&crc);
    });
    assert_refused(&old, &["position 278", "everything up to 300 was acknowledged"]);
}

#[test]
fn an_old_folder_without_its_store_or_with_a_damaged_witness_is_refused() {
    let removed = OldFolder::unpack("v1-clean");
    fs::remove_file(removed.log().join("sled/db")).unwrap();
    assert_refused(&removed, &["sled/db", "missing"]);
    let flipped = OldFolder::unpack("v1-clean");
    change(&flipped.log().join("witness"), |bytes| bytes[WITNESS_POSITION_AT] ^= 1);
    assert_refused(&flipped, &["witness", "checksum"]);
}

#[test]
fn an_old_folder_without_its_witness_is_upgraded_only_where_a_loss_is_accepted() {
    let old = OldFolder::unpack("v1-clean");
    fs::remove_file(old.log().join("witness")).unwrap();
    let refused = TestApp::start_on(old.path(), &ARGUMENTS, &[]).err().expect("it does not start");
    assert!(refused.stderr.contains("witness") && refused.stderr.contains("--accept-lost-tail"), "{refused:?}");
    let accepting = [&ARGUMENTS[..], &["--accept-lost-tail"]].concat();
    let app = TestApp::start_on(old.path(), &accepting, &[]).unwrap_or_else(|exited| panic!("{exited:?}"));
    check_answers(&app, &old.expected);
}

#[test]
fn the_old_files_stay_while_a_segment_of_the_new_log_is_damaged() {
    let old = OldFolder::unpack("v1-clean");
    let mut app = start(&old);
    assert_eq!(app.stop(), Some(0));
    for segment in files_in(&old.log().join("segments")) {
        change(&segment, |bytes| bytes[300] ^= 1);
    }
    drop(TestApp::start_on(old.path(), &ARGUMENTS, &[]));
    assert_eq!(old_files(&old.log()), ["sled", "witness"]);
}

#[test]
fn what_is_left_of_the_old_files_does_not_matter_once_the_new_log_is_there() {
    let old = OldFolder::unpack("v1-clean");
    let mut app = start(&old);
    assert_eq!(app.stop(), Some(0));
    change(&old.log().join("witness"), |bytes| bytes[WITNESS_POSITION_AT] ^= 1);
    app.restart();
    check_answers(&app, &old.expected);
}

#[test]
fn an_upgraded_folder_that_loses_its_journal_is_refused_and_not_upgraded_again() {
    let old = OldFolder::unpack("v1-clean");
    let mut app = start(&old);
    app.post("/api/v1/lists", &json!({ "id": "new", "name": "New" })).ok();
    assert_eq!(app.stop(), Some(0));
    let segments = files_in(&old.log().join("segments"));
    fs::remove_dir_all(old.log().join("journal")).unwrap();
    let refused = TestApp::start_on(old.path(), &ARGUMENTS, &[]).err().expect("it does not start");
    assert!(refused.stderr.contains("the journal is missing"), "{refused:?}");
    assert_eq!(files_in(&old.log().join("segments")), segments);
    assert_eq!(old_files(&old.log()), ["sled", "witness"]);
}

fn files_in(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

/// The start reports what is wrong and what to do; the old files are unchanged, and the attempt leaves nothing.
fn assert_refused(old: &OldFolder, words: &[&str]) {
    let before = ["sled/db", "witness", "heads"].map(|file| fs::read(old.log().join(file)).ok());
    for _ in 0..2 {
        let refused = TestApp::start_on(old.path(), &ARGUMENTS, &[]).err().expect("it does not start");
        assert_eq!(refused.code, Some(1), "{refused:?}");
        for word in words.iter().chain(&["cannot be upgraded", "version 0.1", "aisled restore"]) {
            assert!(refused.stderr.contains(word), "{word}: {refused:?}");
        }
        assert!(before == ["sled/db", "witness", "heads"].map(|file| fs::read(old.log().join(file)).ok()));
        assert!(journals(&old.data()).is_empty());
    }
}

fn start(old: &OldFolder) -> TestApp {
    TestApp::start_on(old.path(), &ARGUMENTS, &[]).unwrap_or_else(|exited| panic!("{exited:?}"))
}

/// What `verify` and `export` find in a folder that no process has open.
fn check(old: &OldFolder) {
    assert_eq!(run_on(&old.data(), &["verify"]).ok().summary()["ok"], true);
    check_export(&old.data(), &old.expected);
}

/// What exists of the old layout.
fn old_files(log: &Path) -> Vec<&'static str> {
    ["sled", "sled.before-open", "witness"].into_iter().filter(|name| log.join(name).exists()).collect()
}

/// Begins admin work and returns its result.
fn run(app: &TestApp, path: &str, body: &Value) -> Value {
    let begun = app.post(path, body).expect(202).body;
    let path = format!("/api/v1/admin/operations/{}", begun["id"].as_str().unwrap());
    let ended = wait_for("the work to end", || Some(app.get(&path).ok().body).filter(|operation| operation["state"] != "running"));
    assert_eq!(ended["state"], "done", "{ended}");
    ended["result"].clone()
}
