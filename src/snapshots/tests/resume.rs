//! Existing files are not written again: neither by the next snapshot nor by one that resumes an interrupted one.

use std::{collections::BTreeMap, fs, os::unix::fs::MetadataExt};

use super::Scene;
use crate::snapshots::{Manifest, Progress, error::name_of, verify};

/// Each segment of the folder with its file's inode, which a rewrite would change.
fn segments(place: &Scene) -> BTreeMap<String, u64> {
    let entries = fs::read_dir(place.folder.segments()).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|file| (name_of(&file), fs::metadata(&file).unwrap().ino())).collect()
}

fn assert_well(place: &Scene, manifest: &Manifest) {
    let verified = verify(&place.open(manifest), &Progress::default());
    assert!(verified.is_well(), "{verified:?}");
}

#[test]
fn an_interrupted_snapshot_is_gone_on_with_and_only_its_last_segment_is_written_anew() {
    let place = Scene::filled(200);
    let whole = place.snapshot();
    // As a kill between two segments leaves it: some segments, half of the next, no manifest.
    fs::remove_file(place.folder.manifest_file(&whole.name).unwrap()).unwrap();
    let (kept, lost) = whole.segments.split_at(2);
    lost.iter().for_each(|segment| fs::remove_file(place.folder.segments().join(&segment.file)).unwrap());
    fs::write(place.folder.segments().join(format!("{}.part", lost[0].file)), "half").unwrap();
    let before = segments(&place);
    let again = place.snapshot();
    assert_eq!(again, whole);
    let after = segments(&place);
    kept.iter().for_each(|segment| assert_eq!(after[&segment.file], before[&segment.file], "{} is not written again", segment.file));
    assert!(after.keys().all(|name| name.ends_with(".segment")), "{after:?}");
    assert_well(&place, &again);
}

#[test]
fn a_later_snapshot_shares_the_full_segments_and_a_deletion_keeps_what_others_need() {
    // Full segments, and a few events more: a journal that the next command would end is a whole segment in the next snapshot.
    let mut events = 200;
    let place = Scene::filled(events);
    let sealed = place.log.segments().len();
    while place.log.segments().len() == sealed {
        place.fill(events, 5);
        events += 5;
    }
    let (first, before) = (place.snapshot(), segments(&place));
    place.fill(events, 100);
    let second = place.snapshot();
    let (full, rest) = first.segments.split_at(first.segments.len() - 1);
    assert_eq!(second.segments[..full.len()], *full);
    assert!(!second.segments.contains(&rest[0]), "what was not full is written once more, with what came since");
    let after = segments(&place);
    full.iter().for_each(|segment| assert_eq!(after[&segment.file], before[&segment.file]));
    let claim = place.folder.claim().unwrap();
    place.folder.delete(&first.name, &claim).unwrap();
    assert_well(&place, &second);
    assert!(!segments(&place).contains_key(&rest[0].file), "nobody needs it any more");
}

#[test]
fn a_copy_of_a_segment_that_is_not_whole_any_more_is_replaced() {
    let place = Scene::filled(200);
    let first = place.snapshot();
    let file = place.folder.segments().join(&first.segments[0].file);
    let mut bytes = fs::read(&file).unwrap();
    bytes[500] ^= 1;
    // Not the log's own file, as where links do not reach.
    fs::remove_file(&file).unwrap();
    fs::write(&file, bytes).unwrap();
    place.fill(200, 1);
    let second = place.snapshot();
    assert_well(&place, &second);
    assert_well(&place, &first);
}

#[test]
fn two_snapshots_of_one_second_and_position_have_names_of_their_own() {
    let (place, other) = (Scene::filled(3), Scene::filled(4));
    let first = place.snapshot();
    let other = Scene { folder: place.folder.clone(), ..other };
    place.fill(3, 1);
    let (second, third) = (place.snapshot(), other.snapshot());
    assert_eq!(second.position, third.position);
    assert_ne!(second.name, third.name);
    [first, second, third].iter().for_each(|manifest| assert_well(&place, manifest));
}

#[test]
fn while_one_changes_the_folder_nobody_else_may_and_readers_may_share_it() {
    let place = Scene::filled(1);
    let claim = place.folder.claim().unwrap();
    assert_eq!(place.folder.claim().map(drop).unwrap_err().code(), "snapshots_in_use");
    assert_eq!(place.folder.hold().map(drop).unwrap_err().code(), "snapshots_in_use");
    drop(claim);
    let holds = [place.folder.hold().unwrap(), place.folder.hold().unwrap()];
    assert_eq!(place.folder.claim().map(drop).unwrap_err().code(), "snapshots_in_use");
    drop(holds);
    place.folder.claim().unwrap();
}
