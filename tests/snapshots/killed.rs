//! The failpoint matrix: killed at every place of the table, the server comes back with either the old or the new state, and everything
//! continues.

use std::{fs, path::Path};

use aisled::failpoint::{PLACES, VARIABLE};
use serde_json::{Value, json};

use crate::{
    admin::{add, confirmed, digests, done, furnish, furnished, histories, items, names, restore, run, snapshot},
    support::{TestApp, log_files::SMALL_JOURNALS},
};

const SIGKILL: i32 = 9;

/// What leads to a place.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    Snapshot,
    Delete,
    Restore,
    Undo,
    Seal,
    /// Walked in `accounts.rs`.
    Accounts,
    /// Walked in `tests/upgrade.rs`.
    Upgrade,
}

/// What is to be found after a crash.
#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    /// As if nothing had happened.
    Old,
    /// As if it had been answered.
    New,
}

/// Every place of the program must be here.
fn case(place: &str) -> (Way, State) {
    match place {
        "snapshot.proved" | "snapshot.reused" | "snapshot.segment" | "snapshot.segments" | "snapshot.accounts" => {
            (Way::Snapshot, State::Old)
        }
        "snapshot.manifest" | "snapshot.recorded" => (Way::Snapshot, State::New),
        "snapshot.unlisted" | "snapshot.deleted" => (Way::Delete, State::New),
        "restore.begun" | "restore.built" | "restore.verified" | "restore.paused" | "restore.sealed" | "restore.unstaged" => {
            (Way::Restore, State::Old)
        }
        "restore.switched" | "restore.serving" => (Way::Restore, State::New),
        "accounts.staged" => (Way::Accounts, State::Old),
        "accounts.switched" => (Way::Accounts, State::New),
        "undo.paused" | "undo.recorded" => (Way::Undo, State::Old),
        "undo.switched" => (Way::Undo, State::New),
        "seal.read" | "seal.written" | "seal.recycled" => (Way::Seal, State::New),
        "upgrade.built" | "upgrade.segments" | "upgrade.journal" => (Way::Upgrade, State::New),
        other => panic!("what a crash at {other} leaves is not proved: add it to this table"),
    }
}

fn places(way: Way) -> impl Iterator<Item = (&'static str, State)> {
    PLACES.iter().map(|place| (*place, case(place))).filter(move |(_, (own, _))| *own == way).map(|(place, (_, state))| (place, state))
}

#[test]
fn a_crash_at_any_stage_of_a_snapshot_leaves_all_of_it_or_nothing() {
    let mut app = furnished();
    app.kill();
    for (place, expected) in places(Way::Snapshot) {
        start_armed(&mut app, place);
        let (before, kept) = (acknowledged(&app, place), names(&app));
        see_it_die(&mut app, place, |app| begin(app, "/api/v1/admin/snapshots", &json!({})));
        assert_eq!(digests(&app)["digests"], before, "{place}");
        let found = if names(&app).len() == kept.len() { State::Old } else { State::New };
        assert_eq!(found, expected, "{place}: {:?}", names(&app));
        assert_goes_on(&mut app, place);
    }
}

#[test]
fn a_crash_behind_a_deletion_leaves_the_other_snapshots_whole() {
    let mut app = furnished();
    app.kill();
    for (place, _) in places(Way::Delete) {
        start_armed(&mut app, place);
        let (others, deleted) = (names(&app), snapshot(&app));
        let (before, kept) = (acknowledged(&app, place), snapshot(&app)["name"].clone());
        see_it_die(&mut app, place, |app| {
            let path = format!("/api/v1/admin/snapshots/{}", deleted["name"].as_str().unwrap());
            assert!(app.client().send("DELETE", &path, &[], None).is_err(), "nobody is there to answer");
        });
        assert_eq!(digests(&app)["digests"], before, "{place}");
        assert_eq!(names(&app), [&others[..], &[kept]].concat(), "{place}");
        for other in names(&app) {
            let verified = run(&app, &format!("/api/v1/admin/snapshots/{}/verify", other.as_str().unwrap()), &json!({}));
            assert_eq!(done(&verified)["problems"], json!([]), "{place}");
        }
        assert_goes_on(&mut app, place);
    }
}

#[test]
fn a_crash_at_any_stage_of_a_restore_leaves_the_old_or_the_new_state() {
    let mut app = furnished();
    let request = json!({ "snapshot": snapshot(&app)["name"] });
    let saved = digests(&app)["digests"].clone();
    app.kill();
    for (place, expected) in places(Way::Restore) {
        start_armed(&mut app, place);
        let before = acknowledged(&app, place);
        see_it_die(&mut app, place, |app| {
            let plan = app.post("/api/v1/admin/restore", &request).expect(200).body;
            begin(app, "/api/v1/admin/restore", &confirmed(&request, &plan));
        });
        assert_eq!(digests(&app)["digests"], *if expected == State::Old { &before } else { &saved }, "{place}");
        if expected == State::New {
            done(&run(&app, "/api/v1/admin/restore/undo", &json!({})));
            assert_eq!(digests(&app)["digests"], before, "{place}: undone");
        }
        done(&restore(&app, &request));
        assert_eq!(digests(&app)["digests"], saved, "{place}: restored once more");
        assert!(histories(&app).len() <= 2, "{place}: {:?}", histories(&app));
        done(&run(&app, "/api/v1/admin/restore/undo", &json!({})));
        assert_eq!(digests(&app)["digests"], before, "{place}: undone once more");
        assert_goes_on(&mut app, place);
    }
}

#[test]
fn a_crash_at_any_stage_of_undoing_a_restore_leaves_the_one_or_the_other_history() {
    let mut app = furnished();
    let request = json!({ "snapshot": snapshot(&app)["name"] });
    app.kill();
    for (place, expected) in places(Way::Undo) {
        start_armed(&mut app, place);
        let left = acknowledged(&app, &format!("{place}.left"));
        done(&restore(&app, &request));
        let before = acknowledged(&app, place);
        see_it_die(&mut app, place, |app| begin(app, "/api/v1/admin/restore/undo", &json!({})));
        assert_eq!(digests(&app)["digests"], *if expected == State::Old { &before } else { &left }, "{place}");
        if expected == State::Old {
            done(&run(&app, "/api/v1/admin/restore/undo", &json!({})));
            assert_eq!(digests(&app)["digests"], left, "{place}: undone");
        }
        assert_goes_on(&mut app, place);
    }
}

#[test]
fn a_crash_while_the_newest_snapshot_is_tried_out_leaves_nothing_of_the_trial() {
    let mut app = furnished();
    snapshot(&app);
    app.kill();
    for place in ["restore.built", "restore.verified"] {
        start_armed(&mut app, place);
        let before = acknowledged(&app, place);
        see_it_die(&mut app, place, |app| begin(app, "/api/v1/admin/self-restore", &json!({})));
        assert_eq!(digests(&app)["digests"], before, "{place}");
        assert_goes_on(&mut app, place);
        let left: Vec<_> = files_of(&app.snapshots()).into_iter().filter(|file| file.starts_with(".scratch")).collect();
        assert!(left.is_empty(), "{place}: {left:?}");
    }
}

#[test]
fn a_crash_while_a_journal_is_sealed_loses_nothing() {
    for (place, _) in places(Way::Seal) {
        let arguments = ["--self-restore-every-minutes", "0", "--snapshot-every-minutes", "0"];
        let mut app = TestApp::start_in(&arguments, &[SMALL_JOURNALS, (VARIABLE, place)]);
        furnish(&app);
        let mut added = vec!["milk".to_owned()];
        for number in 0.. {
            let item = json!({ "id": format!("item-{number}"), "name": format!("item-{number}") });
            match app.client().send("POST", "/api/v1/lists/weekly/items", &[], Some(item.to_string())) {
                Ok(answer) => {
                    answer.ok();
                    added.push(format!("item-{number}"));
                }
                Err(_) => break,
            }
        }
        assert_eq!(app.wait().signal, Some(SIGKILL), "{place} is reached");
        app.restart_in(&[SMALL_JOURNALS]);
        let found = items(&app);
        // The last one was on its way.
        assert_eq!(found[..added.len()], added, "{place}");
        assert!(found.len() <= added.len() + 1, "{place}");
        assert_goes_on(&mut app, place);
    }
}

/// One more command, and the digests with it.
fn acknowledged(app: &TestApp, name: &str) -> Value {
    add(app, name).ok();
    digests(app)["digests"].clone()
}

/// Begins work that may never be answered.
fn begin(app: &TestApp, path: &str, body: &Value) {
    let _ = app.client().send("POST", path, &[], Some(body.to_string()));
}

/// Starts the server so that it dies at a place.
fn start_armed(app: &mut TestApp, place: &str) {
    app.restart_in(&[(VARIABLE, place)]);
}

/// Brings the server to its place, sees it die, and starts it again.
fn see_it_die(app: &mut TestApp, place: &str, way: impl FnOnce(&TestApp)) {
    way(app);
    assert_eq!(app.wait().signal, Some(SIGKILL), "{place} is reached");
    app.restart();
    let staged: Vec<_> = histories(app).into_iter().filter(|history| history.join("staged").exists()).collect();
    assert!(staged.is_empty(), "{place}: {staged:?}");
}

/// Commands, snapshots and their restore work, nothing half written is left, and the log is whole. The server is ended then.
fn assert_goes_on(app: &mut TestApp, place: &str) {
    let saved = acknowledged(app, &format!("{place}.then"));
    let manifest = snapshot(app);
    let parts: Vec<_> = files_of(&app.snapshots()).into_iter().filter(|file| file.ends_with(".part")).collect();
    assert!(parts.is_empty(), "{place}: {parts:?}");
    acknowledged(app, &format!("{place}.later"));
    let restored = restore(app, &json!({ "snapshot": manifest["name"] }));
    assert_eq!(done(&restored)["proof"]["compared"], "with_snapshot", "{place}");
    assert_eq!(digests(app)["digests"], saved, "{place}");
    done(&run(app, "/api/v1/admin/restore/undo", &json!({})));
    app.kill();
    let verified = app.run(&["verify"]);
    assert_eq!(verified.code, Some(0), "{place}: {verified:?}");
}

fn files_of(folder: &Path) -> Vec<String> {
    let folders = [folder.to_owned(), folder.join("segments")];
    folders.iter().flat_map(fs::read_dir).flatten().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}
