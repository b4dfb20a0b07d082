//! Torn and damaged files of the log: cut where nothing was acknowledged, named and refused everywhere else, and then left untouched.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::{
    items::{ITEMS, app_with_items, assert_items, count_items},
    support::{
        TestApp,
        log_files::{BLOCK_MAGIC, blocks, change, first_position, forget_window, only_journal, written_end},
    },
};

/// The start of every journal frame.
const FRAME_MAGIC: &[u8] = b"aisF";

#[test]
fn half_a_write_behind_the_last_block_is_cut_and_nothing_acknowledged_is_lost() {
    let mut app = app_with_items();
    app.kill();
    change(&only_journal(app.data()), |bytes| {
        let end = written_end(bytes).next_multiple_of(8);
        let torn = [FRAME_MAGIC, &[0x5A; 28], BLOCK_MAGIC, &[0x5A; 300]].concat();
        bytes[end..end + torn.len()].copy_from_slice(&torn);
    });
    app.restart();
    assert_items(&app);
    app.kill();
    assert_eq!(app.run(&["verify"]).code, Some(0));
}

#[test]
fn a_log_that_ends_before_what_was_acknowledged_is_not_taken_for_whole() {
    let mut app = app_with_items();
    // A server that stops writes down to where everything was acknowledged.
    assert_eq!(app.stop(), Some(0));
    assert_damage_is_named(&mut app, |bytes| {
        let end = written_end(bytes);
        bytes[end - 300..].fill(0);
    });
}

#[test]
fn a_journal_that_was_cut_short_is_not_taken_for_whole() {
    let mut app = app_with_items();
    app.kill();
    assert_damage_is_named(&mut app, |bytes| bytes.truncate(written_end(bytes) - 200));
}

#[test]
fn a_flipped_bit_is_found() {
    let mut app = app_with_items();
    app.kill();
    assert_damage_is_named(&mut app, |bytes| flip_in_middle_block(bytes, 100));
}

#[test]
fn a_missing_block_is_found() {
    let mut app = app_with_items();
    app.kill();
    assert_damage_is_named(&mut app, |bytes| {
        let at = middle_block(bytes);
        bytes[at..at + 120].fill(0);
    });
}

#[test]
fn a_start_that_is_refused_leaves_every_file_as_it_was() {
    let mut app = app_with_items();
    app.kill();
    forget_window(app.data());
    change(&only_journal(app.data()), |bytes| flip_in_middle_block(bytes, 68));
    let before = contents(app.data());
    assert_eq!(app.try_restart().expect_err("a log with a hole is not served").code, Some(1));
    assert_eq!(app.run(&["verify"]).code, Some(1));
    assert!(contents(app.data()) == before, "{:?}", contents(app.data()).keys());
}

#[test]
fn a_lost_end_that_is_accepted_is_kept_beside_a_log_that_goes_on_before_it() {
    let mut app = app_with_items();
    app.kill();
    forget_window(app.data());
    let journal = only_journal(app.data());
    let mut lost = 0;
    change(&journal, |bytes| {
        let at = middle_block(bytes);
        lost = first_position(bytes, at);
        bytes[at + 68] ^= 1;
    });
    let (damaged, epoch) = (fs::read(&journal).unwrap(), fs::read(app.data().join("epoch")).unwrap());
    app.restart_with(&["--accept-lost-tail"]);
    let kept = count_items(&app);
    assert!(kept < ITEMS && app.server().stderr().contains(&format!("from position {lost} on")), "{kept}: {}", app.server().stderr());
    assert_eq!(app.stop(), Some(0));
    assert_eq!(app.run(&["verify"]).ok().summary()["last_position"], (lost - 1).to_string());
    assert!(fs::read(app.data().join("log/lost-1").join(journal.file_name().unwrap())).unwrap() == damaged, "nothing is deleted");
    assert_ne!(fs::read(app.data().join("epoch")).unwrap(), epoch, "a new history begins");
    app.restart();
    assert_eq!(count_items(&app), kept);
}

/// Both `verify` and `serve` refuse the log and name the damaged file and the first damaged position.
fn assert_damage_is_named(app: &mut TestApp, damage: impl FnOnce(&mut Vec<u8>)) {
    let journal = only_journal(app.data());
    forget_window(app.data());
    change(&journal, damage);
    let verified = app.run(&["verify"]);
    assert!(verified.code.is_some_and(|code| code != 0), "verify fails: {verified:?}");
    assert!(verified.said().contains("position"), "verify names the position: {verified:?}");
    let refused = app.try_restart().expect_err("the server does not serve what is damaged");
    assert!(refused.code.is_some_and(|code| code != 0), "the exit code says that it failed: {refused:?}");
    for word in ["position", journal.to_str().unwrap(), "--accept-lost-tail"] {
        assert!(refused.stderr.contains(word), "the server names {word:?}: {refused:?}");
    }
}

fn flip_in_middle_block(bytes: &mut [u8], offset: usize) {
    let at = middle_block(bytes) + offset;
    bytes[at] ^= 0x10;
}

fn middle_block(bytes: &[u8]) -> usize {
    let blocks = blocks(bytes);
    blocks[blocks.len() / 2]
}

/// Every file of a folder but the lock, in which each process writes its id.
fn contents(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut found = BTreeMap::new();
    for path in entries.filter(|path| !path.ends_with("lock")) {
        if path.is_dir() {
            found.extend(contents(&path));
        } else {
            let bytes = fs::read(&path).unwrap();
            found.insert(path, bytes);
        }
    }
    found
}
