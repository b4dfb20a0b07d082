//! The contract on disk, and everything that can fail: files, power and the system below.

mod damage;
mod fault;
mod faults;
mod harm;
mod kill;
mod model;
mod power;
mod power_folders;
mod recorder;
mod sealing;
mod session;
mod states;
mod streams;

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use tempfile::TempDir;

use super::{DiskLog, Durability, LogOptions, OpenError, OpenReport, block, verify::verify_chain};
use crate::{
    domain::Moment,
    events::{
        Append, AppendError, Log, ManualClock, Position,
        contract::{self, append, event, fill, fill_from, put, stream},
    },
};

fn fresh() -> (Arc<dyn Log>, TempDir) {
    let dir = TempDir::new().unwrap();
    (Arc::new(open(dir.path())), dir)
}

contract::contract!(super::tests::fresh());

mod with_small_journals {
    //! The same suite where nearly everything is sealed at once.

    use std::sync::Arc;

    use super::{LogOptions, TempDir};
    use crate::{
        events::{Log, contract},
        log::DiskLog,
    };

    fn fresh() -> (Arc<dyn Log>, TempDir) {
        let dir = TempDir::new().unwrap();
        let options = LogOptions { journal_bytes: 16 << 10, ..LogOptions::new(dir.path().join("log")) };
        (Arc::new(DiskLog::open(options).unwrap().0), dir)
    }

    contract::contract!(super::with_small_journals::fresh());
}

/// Small journals, so that a few thousand events fill several.
const SMALL: u64 = 16 << 10;

fn options(dir: &Path) -> LogOptions {
    LogOptions { durability: Durability::Flush, journal_bytes: SMALL, ..LogOptions::new(dir.join("log")) }
}

fn try_open(dir: &Path) -> Result<(DiskLog, OpenReport), OpenError> {
    DiskLog::open(options(dir))
}

fn open(dir: &Path) -> DiskLog {
    try_open(dir).unwrap().0
}

/// A closed log of this many events in two streams.
fn written(events: u64) -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, "a", events / 2);
    fill(&log, "b", events - events / 2);
    log.settle();
    log.close().unwrap();
    dir
}

fn wait_until(mut is_so: impl FnMut() -> bool) {
    let begin = std::time::Instant::now();
    while !is_so() {
        assert!(begin.elapsed() < Duration::from_secs(30), "it does not come to that");
        std::thread::yield_now();
    }
}

/// A copy of a closed log's folder.
fn copy(dir: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    crate::disk::copy_folder(&dir.join("log"), &copy.path().join("log")).unwrap();
    copy
}

fn files(dir: &Path, part: &str) -> Vec<PathBuf> {
    let mut files: Vec<_> = fs::read_dir(dir.join("log").join(part)).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort_unstable();
    files
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn assert_whole(log: &DiskLog, events: u64) {
    assert_eq!(log.head(), Position(events));
    let mut seen = 0;
    let report = verify_chain(log, &mut |_| seen += 1).unwrap();
    assert_eq!((seen, report.is_well()), (events, true), "{:?}", report.problems);
}

#[test]
fn a_log_comes_back_as_it_was() {
    let dir = written(3_000);
    let (log, report) = try_open(dir.path()).unwrap();
    let expected = OpenReport { head: Position(3_000), heads_from_file: true, bytes_read: report.bytes_read, ..OpenReport::default() };
    assert_eq!(report, expected);
    assert!(log.segments().len() > 1, "several journals were sealed");
    assert_whole(&log, 3_000);
    assert_eq!(log.stream_head(&stream("a")).unwrap().version, 1_500);
    assert_eq!(log.read_stream(&stream("a"), 1_490, 99).unwrap().len(), 10);
    assert_eq!(put(&log, "a", 1_500, &["more"]).unwrap()[0].position, Position(3_001));
}

#[test]
fn a_log_that_was_not_closed_comes_back_too() {
    let dir = TempDir::new().unwrap();
    let kills = kill::Kills::watch(dir.path());
    let log = open(dir.path());
    fill(&log, "a", 2_500);
    let copy = kills.copy();
    let (log, report) = try_open(copy.path()).unwrap();
    assert!(report.copied && report.cut_tail.is_none() && report.mended.is_empty(), "{report:?}");
    assert_whole(&log, 2_500);
}

#[test]
fn what_a_start_reads_does_not_grow_with_the_log() {
    let read = |events| try_open(written(events).path()).unwrap().1.bytes_read;
    let (little, much) = (read(2_000), read(20_000));
    assert!(much < little + 64 * 1_024, "{little} bytes for 2,000 events, {much} for 20,000");
}

#[test]
fn a_second_opening_of_the_same_folder_names_the_first_process() {
    let dir = TempDir::new().unwrap();
    let _log = open(dir.path());
    let refused = try_open(dir.path()).err().unwrap().to_string();
    assert!(refused.ends_with(&format!("is already in use by process {}", std::process::id())), "{refused}");
}

#[test]
fn a_folder_that_cannot_be_written_is_a_clear_error() {
    let dir = TempDir::new().unwrap();
    fs::write(dir.path().join("file"), b"").unwrap();
    let refused = DiskLog::open(LogOptions::new(dir.path().join("file/log"))).err();
    assert!(matches!(refused, Some(OpenError::Folder { .. })), "{refused:?}");
}

#[test]
fn old_events_are_read_from_storage_and_new_ones_from_the_tail_without_a_seam() {
    let dir = written(2_000);
    let log = open(dir.path());
    fill_from(&log, "a", 1_000, 500);
    let positions: Vec<u64> = log.read(Position(1_500), 1_000).unwrap().iter().map(|event| event.position.0).collect();
    assert_eq!(positions, (1_501..=2_500).collect::<Vec<_>>());
    let versions: Vec<u64> = log.read_stream(&stream("a"), 0, 9_999).unwrap().iter().map(|event| event.version).collect();
    assert_eq!(versions, (1..=1_500).collect::<Vec<_>>());
}

#[test]
fn recorded_time_stands_still_when_the_clock_steps_back_also_across_a_restart() {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::at(Moment(1_000)));
    let options = LogOptions { clock: clock.clone(), ..LogOptions::new(dir.path().join("log")) };
    let (log, _) = DiskLog::open(options.clone()).unwrap();
    assert_eq!(put(&log, "a", 0, &["milk"]).unwrap()[0].at, Moment(1_000));
    clock.set(Moment(10));
    assert_eq!(put(&log, "a", 1, &["milk"]).unwrap()[0].at, Moment(1_000));
    drop(log);
    let (log, _) = DiskLog::open(options).unwrap();
    assert_eq!(put(&log, "a", 2, &["milk"]).unwrap()[0].at, Moment(1_000));
}

#[test]
fn a_command_too_large_for_a_block_is_refused_and_records_nothing() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let long = "x".repeat(block::RAW_BYTES_MAX);
    let answer = log.append(Append { events: vec![event(&long)], ..append("a", 0, &[]) }).wait();
    assert!(matches!(answer, Err(AppendError::TooLarge { .. })), "{answer:?}");
    assert_eq!(log.head(), Position::START);
}

#[test]
fn the_largest_command_fits_a_journal_and_stays_in_one_block() {
    let dir = TempDir::new().unwrap();
    let (log, _) = DiskLog::open(LogOptions::new(dir.path().join("log"))).unwrap();
    let noise: Vec<String> = (0..14_000_u64).map(|n| blake3::hash(&n.to_le_bytes()).to_hex().to_string()).collect();
    let answer = log.append(Append { events: noise.iter().map(|text| event(text)).collect(), ..append("a", 0, &[]) }).wait();
    assert!(matches!(answer, Err(AppendError::TooLarge { .. })), "beyond a mebibyte: {}", answer.is_ok());
    let events = noise[..6_500].iter().map(|text| event(text)).collect();
    log.append(Append { events, ..append("a", 0, &[]) }).wait().unwrap();
    assert_eq!(log.blocks().count(), 1);
    drop(log);
    assert_eq!(DiskLog::open(LogOptions::new(dir.path().join("log"))).unwrap().1.head, Position(6_500));
}

#[test]
fn under_every_durability_what_was_acknowledged_is_there_again() {
    for durability in [Durability::Sync, Durability::Flush, Durability::Periodic(Duration::from_millis(5))] {
        let dir = TempDir::new().unwrap();
        let options = LogOptions { durability, ..options(dir.path()) };
        let (log, _) = DiskLog::open(options.clone()).unwrap();
        fill(&log, "a", 50);
        drop(log);
        let (log, report) = DiskLog::open(options).unwrap();
        assert_eq!((report.head, log.durability()), (Position(50), durability));
    }
}

#[test]
fn a_full_queue_refuses_an_append_that_may_not_wait() {
    let queue = super::Queue::new(super::queue::QUEUED_APPENDS_MAX, usize::MAX);
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let job = || log.job(append("a", 0, &["milk"])).unwrap().0;
    for _ in 0..super::queue::QUEUED_APPENDS_MAX {
        queue.try_push(job()).unwrap();
    }
    assert_eq!(queue.try_push(job()), Err(super::queue::Refused::Full));
    let mut group = Vec::new();
    queue.take(&mut group, None);
    assert_eq!(queue.try_push(job()), Ok(()));
    queue.close();
    assert_eq!(queue.try_push(job()), Err(super::queue::Refused::Closed));
}

#[test]
fn a_log_that_rests_says_in_its_journal_that_everything_was_acknowledged() {
    let dir = TempDir::new().unwrap();
    let (log, _) = DiskLog::open(LogOptions::new(dir.path().join("log"))).unwrap();
    put(&log, "a", 0, &["milk"]).unwrap();
    let journal = files(dir.path(), "journal").remove(0);
    let settled = || {
        let bytes = fs::read(&journal).unwrap();
        super::journal::scan::scan(&bytes, &super::journal::head::Head::from_bytes(&bytes).unwrap()).is_settled
    };
    wait_until(settled);
}
