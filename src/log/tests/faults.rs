//! The n-th step of each kind fails, once or from then on, in everything that the log does: nothing missing is acknowledged, nothing
//! hangs, and the log continues or says that it does not.

use std::{thread, time::Instant};

use rustix::io::Errno;

use super::{
    fault::{Fault, Hang, PATIENCE, bounded, try_all},
    power_folders::{closed_log, is_upgraded, old_folder, try_restore, try_snapshot, whole_snapshots},
    session::power_options,
    states::{copy_into, quick_folder},
    *,
};
use crate::{app::DataFolder, disk::watch::observe};

/// The system's refusals do not count as damage.
fn assert_system(error: &OpenError, what: &str) {
    assert!(matches!(error, OpenError::Storage(_) | OpenError::Folder { .. }), "{what}: {error}");
}

/// The texts of a session, large enough that every fourth is in a new journal.
fn text(number: u64) -> String {
    (0..55).map(|part: u64| blake3::hash(&(100 * number + part).to_le_bytes()).to_hex().to_string()).collect()
}

/// Appends until the log accepts no more, and counts what it acknowledged. What had no room is retried once there is room.
fn work(dir: &Path, fault: &Fault) {
    let (mut acknowledged, what) = (0, format!("{} {}", fault.kind, fault.number));
    let begin = |error: OpenError| assert_system(&error, &what);
    if let Ok((log, _)) = DiskLog::open(power_options(dir)).map_err(begin) {
        while acknowledged < 14 {
            match put(&log, "a", acknowledged, &[&text(acknowledged)]) {
                Ok(_) => acknowledged += 1,
                Err(AppendError::NoRoom(_)) => wait_for_room(&log, fault),
                Err(AppendError::Unknown(_) | AppendError::ReadOnly(_)) => break,
                Err(other) => panic!("{what}: {other}"),
            }
        }
        assert!(acknowledged == 14 || log.read_only().is_some(), "{what}");
        // A failing close is reported; it may not hang or lose anything.
        let _ = log.close();
    }
    fault.end();
    fs::write(dir.join("acknowledged"), acknowledged.to_string()).unwrap();
}

/// The log says that it has no room, and continues by itself once it has.
fn wait_for_room(log: &DiskLog, fault: &Fault) {
    fault.end();
    let begin = Instant::now();
    loop {
        // Room may be found in this very moment.
        let said = log.read_only();
        assert!(said.as_ref().is_none_or(|reason| reason.contains("no room")), "{} {}: {said:?}", fault.kind, fault.number);
        let version = log.stream_head(&stream("room")).map_or(0, |head| head.version);
        match put(log, "room", version, &["?"]) {
            Ok(_) => break,
            Err(AppendError::NoRoom(_)) => assert!(begin.elapsed() < PATIENCE, "{} {}", fault.kind, fault.number),
            Err(other) => panic!("{} {}: {other}", fault.kind, fault.number),
        }
        thread::yield_now();
    }
    assert_eq!(log.read_only(), None);
}

fn check_work(dir: &Path, what: &str) {
    let acknowledged: u64 = fs::read_to_string(dir.join("acknowledged")).unwrap().parse().unwrap();
    let (log, _) = DiskLog::open(power_options(dir)).unwrap_or_else(|error| panic!("{what}: {error}"));
    let found = log.read_stream(&stream("a"), 0, usize::MAX).unwrap();
    assert!((acknowledged..=acknowledged + 1).contains(&(found.len() as u64)), "{what}: {} of {acknowledged}", found.len());
    found.iter().zip(0..).for_each(|(recorded, number)| assert_eq!(recorded.event, event(&text(number)), "{what}"));
    assert_whole(&log, log.head().0);
    put(&log, "afterwards", 0, &["milk"]).unwrap_or_else(|error| panic!("{what}: {error}"));
}

#[test]
fn whatever_step_of_a_session_fails_nothing_acknowledged_is_lost_and_nothing_hangs() {
    try_all(1, |_| (), work, check_work);
}

#[test]
fn whatever_step_of_a_restart_fails_nothing_acknowledged_is_lost_and_nothing_hangs() {
    let before = quick_folder();
    work(before.path(), &Fault::new("none", 0, false, Errno::IO));
    let again = |dir: &Path, fault: &Fault| {
        let opened = DiskLog::open(power_options(dir)).map_err(|error| assert_system(&error, fault.kind));
        drop(opened);
        fault.end();
    };
    try_all(1, |dir| copy_into(before.path(), dir), again, check_work);
}

#[test]
fn whatever_step_of_a_snapshot_or_a_restore_fails_the_log_and_the_snapshots_are_whole() {
    let before = quick_folder();
    let head = closed_log(before.path()).events.len() as u64;
    let act = |dir: &Path, fault: &Fault| {
        if let Ok((log, _)) = DiskLog::open(power_options(dir)).map_err(|error| assert_system(&error, fault.kind))
            && try_snapshot(&log, dir).is_ok()
        {
            drop(log);
            let _ = try_restore(dir);
        }
        fault.end();
    };
    let check = |dir: &Path, what: &str| {
        whole_snapshots(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
        let served = DataFolder::open(dir).unwrap();
        let (log, _) =
            DiskLog::open(LogOptions { dir: served.log(), ..power_options(dir) }).unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_whole(&log, head + u64::from(served.root() != dir));
        try_snapshot(&log, dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    };
    try_all(4, |dir| copy_into(before.path(), dir), act, check);
}

#[test]
fn whatever_step_of_an_upgrade_fails_it_is_done_the_next_time() {
    let before = quick_folder();
    let known = old_folder(before.path());
    let act = |dir: &Path, fault: &Fault| {
        for _ in 0..2 {
            drop(DiskLog::open(power_options(dir)).map_err(|error| assert_system(&error, fault.kind)));
        }
        fault.end();
    };
    let check = |dir: &Path, what: &str| {
        let (log, _) = DiskLog::open(power_options(dir)).unwrap_or_else(|error| panic!("{what}: {error}"));
        is_upgraded(&log, &known).unwrap_or_else(|error| panic!("{what}: {error}"));
    };
    try_all(16, |dir| copy_into(before.path(), dir), act, check);
}

#[test]
fn a_sync_that_never_returns_is_answered_and_the_log_closes_without_it() {
    let dir = quick_folder();
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    put(&log, "a", 0, &["safe"]).unwrap();
    let hang = Arc::new(Hang::default());
    hang.set(true);
    let observation = observe(dir.path(), hang.clone());
    bounded("a sync that never returns".into(), move || {
        let answer = put(&log, "a", 1, &["unknown"]);
        assert!(matches!(answer, Err(AppendError::Unknown(_))), "{answer:?}");
        let answer = put(&log, "a", 1, &["too late"]);
        assert!(matches!(answer, Err(AppendError::ReadOnly(_))), "{answer:?}");
        assert!(log.read_only().is_some() && log.read(Position::START, 9).unwrap().len() == 1);
        let begin = Instant::now();
        assert!(log.close().is_err());
        assert!(begin.elapsed() < Duration::from_secs(10), "a process must end within ten seconds");
        hang.set(false);
    });
    drop(observation);
    // Its lock is released once the abandoned writer has ended.
    wait_until(|| !matches!(try_open(dir.path()), Err(OpenError::InUse { .. })));
    let (log, _) = try_open(dir.path()).unwrap();
    assert!((1..=2).contains(&log.head().0));
    assert_whole(&log, log.head().0);
}
