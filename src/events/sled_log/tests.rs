//! The contract on disk, and everything that can be wrong with files: torn, flipped, missing, shortened, locked.

use std::{
    fs::{self, OpenOptions},
    os::unix::fs::FileExt,
    path::Path,
    sync::Arc,
};

use tempfile::TempDir;

use super::{Durability, OpenError, OpenReport, SledLog, SledOptions, block, folder, recover, store::Store, witness::Witness};
use crate::{
    domain::Moment,
    events::{
        Append, AppendError, Log, LogError, ManualClock, Position,
        contract::{self, append, event, fill, fill_from, put, stream},
        verify::verify_chain,
    },
};

fn fresh() -> (Arc<dyn Log>, TempDir) {
    let dir = TempDir::new().unwrap();
    (Arc::new(open(dir.path())), dir)
}

contract::contract!(super::tests::fresh());

fn try_open(dir: &Path) -> Result<(SledLog, OpenReport), OpenError> {
    SledLog::open(SledOptions { durability: Durability::Flush, ..SledOptions::new(dir.join("log")) })
}

fn open(dir: &Path) -> SledLog {
    try_open(dir).unwrap().0
}

/// A closed log of so many events in two streams, several blocks long.
fn written(events: u64) -> TempDir {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, "a", events / 2);
    fill(&log, "b", events - events / 2);
    log.close().unwrap();
    dir
}

/// Opens the blocks alone, as a test's hand in the log.
fn with_store<T>(dir: &Path, change: impl FnOnce(&Store) -> T) -> T {
    let store = Store::open(&dir.join("log/sled")).unwrap();
    let done = change(&store);
    store.flush().unwrap();
    done
}

fn firsts(store: &Store) -> Vec<Position> {
    store.from(Position::START).map(|entry| entry.unwrap().0).collect()
}

fn forget_heads(dir: &Path) {
    fs::remove_file(dir.join("log/heads")).unwrap();
}

fn set_witness(dir: &Path, position: u64) {
    let (witness, seen) = Witness::open(&dir.join("log")).unwrap();
    witness.see(&super::witness::Seen { position: Position(position), ..seen.unwrap() }).unwrap();
}

fn forget_witness(dir: &Path) {
    fs::remove_file(dir.join("log/witness")).unwrap();
}

fn assert_whole(log: &SledLog, events: u64) {
    assert_eq!(log.head(), Position(events));
    let mut seen = 0;
    let report = verify_chain(log, &mut |_| seen += 1).unwrap();
    assert_eq!((seen, report.is_well()), (events, true), "{:?}", report.problems);
}

#[test]
fn a_log_comes_back_as_it_was() {
    let dir = written(3_000);
    let (log, report) = try_open(dir.path()).unwrap();
    assert_eq!(report, OpenReport { head: Position(3_000), heads_from_file: true, ..OpenReport::default() });
    assert_whole(&log, 3_000);
    assert_eq!(log.stream_head(&stream("a")).unwrap().version, 1_500);
    assert_eq!(log.read_stream(&stream("a"), 1_490, 99).unwrap().len(), 10);
    assert_eq!(put(&log, "a", 1_500, &["more"]).unwrap()[0].position, Position(3_001));
}

#[test]
fn a_log_that_was_not_closed_comes_back_too() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    fill(&log, "a", 500);
    let copy = TempDir::new().unwrap();
    copy_log(dir.path(), copy.path());
    assert_whole(&open(copy.path()), 500);
}

fn copy_log(from: &Path, to: &Path) {
    for sub in ["log", "log/sled", "log/sled/blobs"] {
        fs::create_dir_all(to.join(sub)).unwrap();
        for entry in fs::read_dir(from.join(sub)).unwrap().map(Result::unwrap).filter(|entry| entry.path().is_file()) {
            fs::copy(entry.path(), to.join(sub).join(entry.file_name())).unwrap();
        }
    }
}

#[test]
fn without_the_saved_heads_everything_is_the_same() {
    let dir = written(3_000);
    forget_heads(dir.path());
    let (log, report) = try_open(dir.path()).unwrap();
    assert_eq!((report.events_read, report.heads_from_file), (3_000, false));
    assert_whole(&log, 3_000);
}

#[test]
fn damaged_saved_heads_are_not_believed() {
    let dir = written(100);
    let path = dir.path().join("log/heads");
    let mut bytes = fs::read(&path).unwrap();
    bytes[40] ^= 1;
    fs::write(&path, bytes).unwrap();
    let (log, report) = try_open(dir.path()).unwrap();
    assert!(!report.heads_from_file);
    assert_whole(&log, 100);
}

#[test]
fn saved_heads_of_another_log_are_not_believed() {
    let dir = written(100);
    let other = written(90);
    fs::copy(other.path().join("log/heads"), dir.path().join("log/heads")).unwrap();
    let (log, report) = try_open(dir.path()).unwrap();
    assert!(!report.heads_from_file);
    assert_whole(&log, 100);
}

#[test]
fn a_torn_end_that_nobody_was_told_of_is_cut() {
    let dir = written(2_000);
    forget_heads(dir.path());
    let last = with_store(dir.path(), |store| *firsts(store).last().unwrap());
    with_store(dir.path(), |store| {
        let half = store.holding(last).unwrap().unwrap().1[..70].to_vec();
        store.write(&[(last, half)]).unwrap();
    });
    set_witness(dir.path(), last.0 - 1);
    forget_witness(dir.path());
    let (log, report) = try_open(dir.path()).unwrap();
    assert!(report.cut_tail.is_some() && report.salvaged.is_none(), "{report:?}");
    assert_whole(&log, last.0 - 1);
}

#[test]
fn a_torn_end_that_was_acknowledged_is_saved_from_the_raw_file() {
    let dir = written(2_000);
    forget_heads(dir.path());
    with_store(dir.path(), |store| store.remove(&[*firsts(store).last().unwrap()]).unwrap());
    let (log, report) = try_open(dir.path()).unwrap();
    assert!(report.salvaged.is_some(), "{report:?}");
    assert_whole(&log, 2_000);
}

#[test]
fn a_log_shorter_than_what_was_acknowledged_refuses_to_open_unless_the_loss_is_accepted() {
    let dir = written(200);
    set_witness(dir.path(), 250);
    for _ in 0..2 {
        let refused = try_open(dir.path()).err();
        assert!(matches!(refused, Some(OpenError::LostTail { found: Position(200), acknowledged: Position(250) })), "{refused:?}");
    }
    let options = SledOptions { accept_lost_tail: true, ..SledOptions::new(dir.path().join("log")) };
    let (log, report) = SledLog::open(options).unwrap();
    assert!(report.lost_tail.is_some());
    assert_whole(&log, 200);
    put(&log, "a", 100, &["goes on"]).unwrap();
    drop(log);
    assert_whole(&open(dir.path()), 201);
}

#[test]
fn a_block_missing_in_the_middle_is_saved_from_the_raw_file() {
    let dir = written(4_000);
    forget_heads(dir.path());
    with_store(dir.path(), |store| store.remove(&[firsts(store)[1]]).unwrap());
    let (log, report) = try_open(dir.path()).unwrap();
    assert!(report.salvaged.is_some_and(|what| what.contains("missing")));
    assert_whole(&log, 4_000);
}

#[test]
fn a_block_damaged_or_missing_before_the_saved_heads_is_saved_from_the_raw_file() {
    for damage in [break_block, remove_block] {
        let dir = written(4_000);
        with_store(dir.path(), |store| damage(store, firsts(store)[1]));
        let (log, report) = try_open(dir.path()).unwrap();
        assert!(report.salvaged.is_some());
        assert_whole(&log, 4_000);
    }
}

fn break_block(store: &Store, first: Position) {
    let mut bytes = store.holding(first).unwrap().unwrap().1.to_vec();
    *bytes.last_mut().unwrap() ^= 0x10;
    store.write(&[(first, bytes)]).unwrap();
}

fn remove_block(store: &Store, first: Position) {
    store.remove(&[first]).unwrap();
}

#[test]
fn a_block_damaged_while_the_log_is_open_is_named_by_reads_and_by_verify() {
    let dir = written(4_000);
    let log = open(dir.path());
    let broken = firsts(&log.shared.store)[1];
    break_block(&log.shared.store, broken);
    let is_named = |error: &LogError| matches!(error, LogError::Damaged { position, .. } if *position == broken);
    assert!(log.read(Position::START, 4_000).is_err_and(|error| is_named(&error)));
    assert!(log.read_stream(&stream("a"), 0, 4_000).is_err_and(|error| is_named(&error)));
    let report = verify_chain(&log, &mut |_| ()).unwrap();
    assert_eq!(report.problems[0].position, broken);
    assert!(report.problems[0].reason.contains("checksum"));
}

#[test]
fn a_block_missing_while_the_log_is_open_is_named_by_reads_and_by_verify() {
    let dir = written(4_000);
    let log = open(dir.path());
    let missing = firsts(&log.shared.store)[2];
    remove_block(&log.shared.store, missing);
    let is_named = |error: &LogError| matches!(error, LogError::Damaged { position, .. } if *position == missing);
    assert!(log.read(Position::START, 4_000).is_err_and(|error| is_named(&error)));
    let report = verify_chain(&log, &mut |_| ()).unwrap();
    assert_eq!(report.problems[0].position, missing);
}

#[test]
fn an_edited_past_breaks_the_chain() {
    let dir = written(4_000);
    let edited = with_store(dir.path(), |store| {
        let edited = firsts(store)[1];
        let (_, bytes) = store.holding(edited).unwrap().unwrap();
        let header = block::check(&bytes).unwrap();
        let mut raw = Vec::new();
        block::unpack(&header, &bytes, &mut raw).unwrap();
        let milk = raw.windows(4).position(|window| window == b"milk").unwrap();
        raw[milk..milk + 4].copy_from_slice(b"beer");
        let forged = block::Sealer::after(block::CHAIN_START).unwrap().seal(&raw, edited, header.events).unwrap();
        store.write(&[(edited, forged)]).unwrap();
        edited
    });
    let report = verify_chain(&open(dir.path()), &mut |_| ()).unwrap();
    assert_eq!(report.problems[0].position, edited);
    assert!(report.problems[0].reason.contains("chain"), "{:?}", report.problems);
}

#[test]
fn a_flipped_bit_anywhere_in_sled_s_file_loses_nothing_silently() {
    let dir = written(20_000);
    let len = fs::metadata(dir.path().join("log/sled/db")).unwrap().len();
    for part in 0..24 {
        let copy = TempDir::new().unwrap();
        copy_log(dir.path(), copy.path());
        flip(&copy.path().join("log/sled/db"), part * len / 24 + 50);
        match try_open(copy.path()) {
            Ok((log, _)) => assert_whole(&log, 20_000),
            Err(OpenError::Damaged { .. } | OpenError::LostTail { .. }) => {}
            Err(other) => panic!("part {part}: {other}"),
        }
    }
}

fn flip(path: &Path, at: u64) {
    let file = OpenOptions::new().read(true).write(true).open(path).unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

#[test]
fn a_shortened_file_of_sled_loses_nothing_silently() {
    let dir = written(20_000);
    let path = |dir: &Path| dir.join("log/sled/db");
    let len = fs::metadata(path(dir.path())).unwrap().len();
    for cut in [1, 100, 5_000, 40_000, len / 2, len - 10] {
        let copy = TempDir::new().unwrap();
        copy_log(dir.path(), copy.path());
        OpenOptions::new().write(true).open(path(copy.path())).unwrap().set_len(len - cut).unwrap();
        match try_open(copy.path()) {
            Ok((log, _)) => assert_whole(&log, 20_000),
            Err(OpenError::Damaged { .. } | OpenError::LostTail { .. }) => {}
            Err(other) => panic!("cut {cut}: {other}"),
        }
    }
}

#[test]
fn a_half_written_snapshot_of_sled_is_removed() {
    let dir = written(100);
    fs::write(dir.path().join("log/sled/snap.00000000000F0000.generating"), b"half").unwrap();
    let (log, report) = try_open(dir.path()).unwrap();
    assert_eq!(report.half_snapshots_removed, 1);
    assert_whole(&log, 100);
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
    let refused = SledLog::open(SledOptions::new(dir.path().join("file/log"))).err();
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
    let options = SledOptions { clock: clock.clone(), ..SledOptions::new(dir.path().join("log")) };
    let (log, _) = SledLog::open(options.clone()).unwrap();
    assert_eq!(put(&log, "a", 0, &["milk"]).unwrap()[0].at, Moment(1_000));
    clock.set(Moment(10));
    assert_eq!(put(&log, "a", 1, &["milk"]).unwrap()[0].at, Moment(1_000));
    drop(log);
    let (log, _) = SledLog::open(options).unwrap();
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
fn a_large_command_that_fits_stays_in_one_block_and_out_of_blobs() {
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let noise: Vec<String> = (0..600_u64).map(|n| blake3::hash(&n.to_le_bytes()).to_hex().to_string()).collect();
    let events = noise.iter().map(|text| event(text)).collect();
    log.append(Append { events, ..append("a", 0, &[]) }).wait().unwrap();
    log.close().unwrap();
    drop(log);
    assert_eq!(with_store(dir.path(), firsts), [Position(1)]);
    assert_eq!(folder::count_blobs(&dir.path().join("log/sled")), 0);
}

#[test]
fn under_every_durability_what_was_acknowledged_is_there_again() {
    for durability in [Durability::Sync, Durability::Flush, Durability::Periodic(std::time::Duration::from_millis(5))] {
        let dir = TempDir::new().unwrap();
        let options = SledOptions { durability, ..SledOptions::new(dir.path().join("log")) };
        let (log, _) = SledLog::open(options.clone()).unwrap();
        fill(&log, "a", 50);
        drop(log);
        let (log, report) = SledLog::open(options).unwrap();
        assert_eq!((report.head, log.durability()), (Position(50), durability));
    }
}

#[test]
fn a_full_queue_refuses_an_append_that_may_not_wait() {
    let queue = super::Queue::new(super::QUEUED_APPENDS_MAX);
    let dir = TempDir::new().unwrap();
    let log = open(dir.path());
    let job = || log.job(append("a", 0, &["milk"])).unwrap().0;
    for _ in 0..super::QUEUED_APPENDS_MAX {
        queue.try_push(job()).unwrap();
    }
    assert_eq!(queue.try_push(job()), Err(super::Refused::Full));
    let mut group = Vec::new();
    queue.take(&mut group, None);
    assert_eq!(queue.try_push(job()), Ok(()));
    queue.close();
    assert_eq!(queue.try_push(job()), Err(super::Refused::Closed));
}

#[test]
fn a_new_folder_holds_no_log_yet() {
    let dir = TempDir::new().unwrap();
    assert!(!recover::exists(&dir.path().join("log")));
    drop(open(dir.path()));
    assert!(recover::exists(&dir.path().join("log")));
}
