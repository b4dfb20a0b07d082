//! One system call fails, of any kind and at any time: nothing acknowledged is missing afterwards, every request is answered, the
//! server ends on request, and a failing start names the file it could not use.

use std::{collections::BTreeSet, env, path::Path};

use serde_json::{Value, json};

use crate::{
    session::{Session, assert_clear, assert_nothing_is_lost, faults_met},
    support::{
        Random,
        old_folder::{OldFolder, check_answers, check_export},
    },
};

/// Of all tests together, which share them.
const ROUNDS_DEFAULT: u64 = 26;
/// At least this part of the faults must be met; the others are after the last step of a session.
const MET_PART: u64 = 3;
/// With fewer rounds it may be chance.
const ROUNDS_THAT_TELL: u64 = 12;
/// The steps of `aisled::disk`, each with how many of them a short session does.
const KINDS: [(&str, u64); 11] = [
    ("create", 12),
    ("open", 8),
    ("allocate", 3),
    ("write", 24),
    ("sync", 24),
    ("sync_folder", 24),
    ("rename", 12),
    ("link", 3),
    ("remove", 8),
    ("create_folder", 6),
    ("remove_folder", 3),
];

/// Works with another fault in each round; the same in every run.
fn rounds(share: u64, seed: u64, mut work: impl FnMut(&str, &mut Random)) {
    let rounds = env::var("AISLED_FAULT_ROUNDS").map_or(ROUNDS_DEFAULT, |rounds| rounds.parse().unwrap());
    let rounds = (rounds * share).div_ceil(ROUNDS_DEFAULT);
    for round in 0..rounds {
        let mut random = Random(seed * 1_000_003 + round);
        let (kind, most) = KINDS[usize::try_from(random.below(KINDS.len() as u64)).unwrap()];
        let later = if random.below(3) == 0 { "+" } else { "" };
        let error = if random.below(2) == 0 { "EIO" } else { "ENOSPC" };
        let fault = format!("{kind}:{}{later}:{error}", 1 + random.below(most));
        println!("{fault}");
        work(&fault, &mut random);
    }
    println!("{} of {rounds} faults were met", faults_met());
    let few = rounds < ROUNDS_THAT_TELL;
    assert!(few || faults_met() * MET_PART >= rounds, "{} of {rounds} faults were met: the rest proves nothing", faults_met());
}

#[test]
fn a_call_that_fails_at_the_first_start_leaves_a_folder_that_works() {
    rounds(6, 1, |fault, _| {
        let (folder, fault) = (tempfile::tempdir().unwrap(), &sooner(fault, 6));
        let acknowledged = match Session::start(folder.path(), fault) {
            Ok(mut session) => {
                if session.make_list().status == 201 {
                    session.add_until_refused("first", 3);
                }
                session.stop()
            }
            Err(exited) => refused(&exited, folder.path(), fault),
        };
        assert_nothing_is_lost(folder.path(), &acknowledged, fault);
    });
}

#[test]
fn a_call_that_fails_at_a_start_after_a_crash_loses_nothing() {
    rounds(6, 2, |fault, random| {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::start_whole(folder.path());
        session.make_list();
        session.add_until_refused("before", 1 + usize::try_from(random.below(200)).unwrap());
        session.app.kill();
        let mut acknowledged = session.acknowledged;
        // Such a start does little.
        let fault = &sooner(fault, 3);
        match Session::start(folder.path(), fault) {
            Ok(mut session) => {
                assert!(acknowledged.is_subset(&session.items()), "{fault}: it serves less than was acknowledged");
                session.add_until_refused("after", 3);
                acknowledged.extend(session.stop());
            }
            Err(exited) => drop(refused(&exited, folder.path(), fault)),
        }
        assert_nothing_is_lost(folder.path(), &acknowledged, fault);
    });
}

#[test]
fn a_call_that_fails_while_commands_fill_journals_loses_nothing() {
    rounds(6, 3, |fault, random| {
        let folder = tempfile::tempdir().unwrap();
        // After the steps of the start: one of the commands, or of the journals that are sealed.
        let is_of_commands = fault.starts_with("write") || fault.starts_with("sync:");
        let fault = if is_of_commands { shifted(fault, random.below(250)) } else { shifted(&sooner(fault, 5), 2) };
        let Ok(mut session) = Session::start(folder.path(), &fault) else { return };
        if session.make_list().status == 201 {
            session.add_until_refused("load", 320);
        }
        session.client.get("/readyz");
        let acknowledged = session.stop();
        assert_nothing_is_lost(folder.path(), &acknowledged, &fault);
    });
}

#[test]
fn a_call_that_fails_in_a_snapshot_or_a_restore_leaves_the_one_or_the_other_history() {
    rounds(4, 4, |fault, random| {
        let folder = tempfile::tempdir().unwrap();
        let mut session = Session::start_whole(folder.path());
        session.make_list();
        session.add_until_refused("shared", 100);
        let shared = session.acknowledged.clone();
        let first = session.work("/api/v1/admin/snapshots", &json!({})).unwrap()["result"]["name"].clone();
        session.add("left");
        let before = session.stop();
        let fault = among(fault, ["snapshots", "histories", "current"][usize::try_from(random.below(3)).unwrap()]);
        let Ok(mut session) = Session::start(folder.path(), &fault) else { return };
        session.work("/api/v1/admin/snapshots", &json!({}));
        let restored = session.restore(&first).is_some_and(|operation| operation["state"] == "done");
        session.add("fresh");
        let base = if restored { &shared } else { &before };
        let expected = base | &session.acknowledged;
        assert_eq!(session.items(), expected, "{fault}");
        session.stop();
        assert_nothing_is_lost(folder.path(), &expected, &fault);
        assert_snapshots_are_whole(folder.path(), &fault);
    });
}

#[test]
fn a_call_that_fails_in_an_upgrade_leaves_the_old_log_or_the_new_one() {
    rounds(4, 5, |fault, random| {
        let name = ["v1-clean", "v1-restored", "v1-killed"][usize::try_from(random.below(3)).unwrap()];
        let old = OldFolder::unpack(name);
        match Session::start(old.path(), fault) {
            Ok(session) => {
                check_answers(&session.app, &old.expected);
                session.stop();
            }
            Err(exited) => drop(refused(&exited, old.path(), fault)),
        }
        let session = Session::start_whole(old.path());
        check_answers(&session.app, &old.expected);
        session.stop();
        check_export(&old.data(), &old.expected);
    });
}

/// Nobody was served, so nothing was acknowledged.
fn refused(exited: &crate::support::Exited, folder: &Path, fault: &str) -> BTreeSet<String> {
    assert_clear(exited, folder, fault);
    BTreeSet::new()
}

/// The same fault this many steps later.
fn shifted(fault: &str, by: u64) -> String {
    numbered(fault, |number| number + by)
}

/// The same fault among the first steps.
fn sooner(fault: &str, most: u64) -> String {
    numbered(fault, |number| 1 + number % most)
}

/// The same fault, soon, counted among steps at paths with a text.
fn among(fault: &str, word: &str) -> String {
    sooner(fault, 3).replacen(':', &format!("@{word}:"), 1)
}

fn numbered(fault: &str, change: impl FnOnce(u64) -> u64) -> String {
    let parts: Vec<_> = fault.split(':').collect();
    let later = if parts[1].ends_with('+') { "+" } else { "" };
    let number = parts[1].trim_end_matches('+').parse().unwrap();
    format!("{}:{}{later}:{}", parts[0], change(number), parts[2])
}

/// Every snapshot that is listed can be restored.
fn assert_snapshots_are_whole(folder: &Path, fault: &str) {
    let session = Session::start_whole(folder);
    let listed = session.client.get("/api/v1/admin/snapshots").ok().body["snapshots"].take();
    for snapshot in listed.as_array().unwrap() {
        let name = snapshot["name"].as_str().unwrap();
        let verified = session.work(&format!("/api/v1/admin/snapshots/{name}/verify"), &json!({})).unwrap_or(Value::Null);
        assert_eq!(verified["result"]["problems"], json!([]), "{fault}: {name}");
    }
    assert!(session.work("/api/v1/admin/snapshots", &json!({})).is_some_and(|made| made["state"] == "done"), "{fault}");
}
