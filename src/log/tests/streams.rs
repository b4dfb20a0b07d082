//! One stream among many, however far back its events are.

use super::*;

/// Interleaves a long stream with others, so that its events are in many segments.
fn log_with_streams(dir: &Path) -> DiskLog {
    let log = open(dir);
    for round in 0..20 {
        fill_from(&log, "long", round * 30, 30);
        fill(&log, &format!("short-{round}"), 120);
    }
    log.settle();
    log
}

#[test]
fn any_range_of_versions_is_the_one_that_a_scan_finds() {
    let dir = TempDir::new().unwrap();
    let log = log_with_streams(dir.path());
    let all: Vec<_> = log.read(Position::START, 9_999).unwrap().into_iter().filter(|event| event.stream == stream("long")).collect();
    assert!(log.segments().len() > 5 && all.len() == 600);
    for after in [0, 1, 29, 30, 31, 299, 598, 599, 600] {
        for max in [1, 2, 30, 31, 1_000] {
            let read = log.read_stream(&stream("long"), after, max).unwrap();
            let expected: Vec<_> = all.iter().filter(|event| event.version > after).take(max).cloned().collect();
            assert_eq!(read, expected, "{max} after version {after}");
        }
    }
}

#[test]
fn the_first_versions_of_a_long_stream_are_reached_without_reading_all_later_ones() {
    let dir = TempDir::new().unwrap();
    drop(log_with_streams(dir.path()));
    let log = open(dir.path());
    assert_eq!(log.read_stream(&stream("long"), 0, 5).unwrap().len(), 5);
    let (blocks, segments) = (log.remembered.len(), log.segments().len());
    assert!(blocks <= 2 * segments + 4, "{blocks} blocks were read in {segments} segments");
}

#[test]
fn a_damaged_index_makes_a_stream_slower_and_not_different() {
    let dir = TempDir::new().unwrap();
    drop(log_with_streams(dir.path()));
    let expected = open(dir.path()).read_stream(&stream("long"), 10, 50).unwrap();
    let log = open(dir.path());
    for segment in log.segments().iter() {
        let records = usize::try_from(segment.head.file_bytes()).unwrap() - 1;
        change(&segment.path, |bytes| bytes[records] ^= 1);
    }
    assert_eq!(log.read_stream(&stream("long"), 10, 50).unwrap(), expected);
}
