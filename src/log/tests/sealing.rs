//! Journals that become segments while the log continues.

use std::fs;

use super::*;
use crate::{
    disk,
    log::segment::{Segment, SegmentFile},
};

#[test]
fn every_full_journal_becomes_a_segment_and_its_file_is_used_again() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    for version in 0..40 {
        fill_from(&log, "a", version * 100, 100);
        assert!(files(dir.path(), "journal").len() <= 2, "{:?}", files(dir.path(), "journal"));
    }
    log.settle();
    let segments = log.segments();
    assert!(segments.len() > 3);
    for pair in segments.windows(2) {
        assert_eq!((pair[0].head.last.next(), pair[0].head.chain), (pair[1].head.first, pair[1].head.chain_before));
    }
    assert!(segments.iter().all(|segment| Segment::read(&segment.path).unwrap().check_chain().is_ok()));
    assert_whole(&log, 4_000);
}

#[test]
fn a_log_opens_at_every_moment_while_journals_are_sealed() {
    let dir = TempDir::new().unwrap();
    let kills = kill::Kills::watch(dir.path());
    let log = open(dir.path());
    for round in 0..30 {
        fill_from(&log, "a", round * 150, 150);
        let copy = kills.copy();
        let (copied, report) = try_open(copy.path()).unwrap();
        assert!(report.mended.is_empty() && report.lost_tail.is_none(), "{report:?}");
        assert!(copied.head() >= Position((round + 1) * 150));
    }
}

#[test]
fn sled_holds_the_newest_blocks_and_may_vanish() {
    let dir = written(3_000);
    for damage in ["nothing", "removed", "garbage", "another log's"] {
        let copy = copy(dir.path());
        let window = copy.path().join("log/window");
        match damage {
            "removed" => fs::remove_dir_all(&window).unwrap(),
            "garbage" => change(&window.join("db"), |bytes| bytes.iter_mut().for_each(|byte| *byte ^= 0x5a)),
            "another log's" => {
                let other = written(3_100);
                fs::remove_dir_all(&window).unwrap();
                disk::copy_folder(&other.path().join("log/window"), &window).unwrap();
            }
            _ => {}
        }
        let log = open(copy.path());
        assert_whole(&log, 3_000);
        log.settle();
        let (from, to) = log.shared.storage.window.range();
        assert_eq!(to, Position(3_000), "{damage}");
        let found = log.shared.storage.window.block(to).map(|(first, _)| first);
        assert!(found.is_none_or(|first| first >= from && first <= to), "{damage}");
        fill_from(&log, "a", 1_500, 10);
        log.settle();
        assert!(log.shared.storage.window.block(Position(3_010)).is_some(), "{damage}: new blocks are in it");
    }
}

#[test]
fn a_damaged_segment_is_named_by_reads_and_by_verify_and_the_rest_is_read() {
    let dir = written(4_000);
    let log = open(dir.path());
    let segment = log.segments()[1].clone();
    change(&segment.path, |bytes| bytes[segment.head.payload_at() + 100] ^= 4);
    let refused = log.read(Position(segment.head.first.0 - 1), 10).unwrap_err();
    assert!(refused.to_string().contains(&segment.head.first.to_string()), "{refused}");
    assert_eq!(log.read(Position(segment.head.last.0), 10).unwrap().len(), 10);
    let report = verify_chain(&log, &mut |_| ()).unwrap();
    assert_eq!(report.problems[0].position, segment.head.first);
    assert!(report.problems[0].reason.contains("segment"), "{:?}", report.problems);
}

#[test]
fn a_segment_that_rots_is_mended_from_a_copy_or_named() {
    let dir = written(4_000);
    let spares = TempDir::new().unwrap();
    let log = DiskLog::open(LogOptions { spares: vec![spares.path().to_owned()], ..options(dir.path()) }).unwrap().0;
    let (good, bad) = (log.segments()[0].clone(), log.segments()[1].clone());
    fs::copy(&good.path, spares.path().join(good.path.file_name().unwrap())).unwrap();
    for segment in [&good, &bad] {
        change(&segment.path, |bytes| bytes[segment.head.payload_at() + 100] ^= 4);
        super::super::verifier::check(&log.shared.storage, segment);
    }
    let damaged = log.verification().damaged;
    assert!(damaged.len() == 1 && damaged[0].contains(bad.path.to_str().unwrap()), "{damaged:?}");
    assert!(SegmentFile::find(&good.path).is_ok());
    assert_eq!(log.read(Position::START, 10).unwrap().len(), 10);
}

#[test]
fn an_index_that_rots_is_made_anew_from_the_blocks() {
    let dir = written(4_000);
    let log = open(dir.path());
    let segment = log.segments()[0].clone();
    let index = usize::try_from(segment.head.file_bytes() - segment.head.index_bytes).unwrap();
    for at in [0, 8, 40, usize::try_from(segment.head.index_bytes).unwrap() - 1] {
        change(&segment.path, |bytes| bytes[index + at] ^= 4);
        super::super::verifier::check(&log.shared.storage, &segment);
        assert!(Segment::read(&segment.path).is_ok_and(|read| read.head == segment.head), "byte {at} of the index");
    }
    assert!(log.verification().damaged.is_empty());
    assert_whole(&log, 4_000);
}

#[test]
fn the_verifier_finds_by_itself_what_rots() {
    let dir = written(4_000);
    let segment = open(dir.path()).segments()[1].clone();
    change(&segment.path, |bytes| bytes[segment.head.payload_at() + 100] ^= 4);
    let log = DiskLog::open(LogOptions { verify_bytes_per_second: 1 << 30, ..options(dir.path()) }).unwrap().0;
    wait_until(|| log.verification().last_pass.is_some());
    assert_eq!(log.verification().damaged.len(), 1);
}
