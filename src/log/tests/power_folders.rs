//! Losses of power while a log is built, upgraded or restored, or a snapshot of it made: afterwards there is all of it, or what was before.

use std::{collections::BTreeSet, process::Command};

use super::{
    model::Disk,
    power::{go_on, try_states},
    recorder::Recorder,
    session::{Session, power_options, record},
    states::quick_folder,
    *,
};
use crate::{
    app::{DataFolder, histories},
    disk::Pace,
    log::{block::hex, build::Builder},
    snapshots::{About, Manifest, Progress, SnapshotFolder, create, stage, verify},
};

/// A closed log of a few segments in a folder.
pub fn closed_log(dir: &Path) -> Session {
    record("a session before", dir, 0, &BTreeSet::default(), 40, true)
}

/// Records what `act` does in a folder.
fn record_act(name: &'static str, dir: &Path, head: u64, act: impl FnOnce()) -> Session {
    let before = Disk::with(dir);
    let (done, changes) = Recorder::record(dir, |recorder| {
        act();
        recorder.steps()
    });
    Session::new(name, before, changes, vec![(done, head)], Vec::new())
}

fn build(target: &Path, blocks: &[(Position, Vec<u8>)]) {
    let mut builder = Builder::create(target).unwrap();
    blocks.iter().for_each(|(first, block)| builder.add(*first, block).unwrap());
    builder.finish().unwrap();
}

#[test]
fn a_log_that_was_being_built_when_the_power_went_is_whole_or_not_there() {
    let (source, dir) = (quick_folder(), quick_folder());
    let mut known = closed_log(source.path());
    let blocks: Vec<_> =
        open(source.path()).blocks_from(Position::START).map(|entry| entry.map(|(at, bytes)| (at, bytes.to_vec()))).collect();
    let blocks: Vec<_> = blocks.into_iter().map(Result::unwrap).collect();
    let head = known.events.len() as u64;
    known.acknowledged = vec![(0, head)];
    let session = record_act("a build", dir.path(), head, || build(&dir.path().join("log"), &blocks));
    try_states(&[session], 5, |session, step, dir| {
        if !dir.join("log").exists() {
            if session.acknowledged_at(step) > 0 {
                return Err("it is not there".into());
            }
            build(&dir.join("log"), &blocks);
        }
        let (log, _) = DiskLog::open(power_options(dir)).map_err(|error| error.to_string())?;
        known.check(&log, 0)?;
        go_on(log, dir)
    });
}

fn about() -> About {
    let (at, people) = (Moment(1_795_000_000_000_000), Some(b"sealed accounts".to_vec()));
    About { at, by: "ann".into(), scheduled: false, epoch: "e".into(), views: None, people, pace: Pace::AtOnce }
}

pub fn try_snapshot(log: &DiskLog, dir: &Path) -> Result<Manifest, String> {
    let folder = SnapshotFolder::new(&dir.join("snapshots"));
    let claim = folder.claim().map_err(|error| error.to_string())?;
    create(log, log.chain(), &folder, &claim, about(), &Progress::default()).map_err(|error| error.to_string())
}

/// Every listed snapshot is whole; returns their number.
pub fn whole_snapshots(dir: &Path) -> Result<usize, String> {
    let folder = SnapshotFolder::new(&dir.join("snapshots"));
    for listed in folder.list() {
        let snapshot = folder.open(listed.name()).map_err(|error| error.to_string())?;
        let verified = verify(&snapshot, &Progress::default());
        if !verified.is_well() {
            return Err(format!("{}: {:?}", listed.name(), verified.problems));
        }
    }
    Ok(folder.list().len())
}

#[test]
fn a_snapshot_that_was_being_made_when_the_power_went_is_whole_or_not_listed() {
    let dir = quick_folder();
    let mut known = closed_log(dir.path());
    let head = known.events.len() as u64;
    known.acknowledged = vec![(0, head)];
    let log = open(dir.path());
    // What is sealed between the look at the disk and the first step that is recorded would be missing in every state.
    log.settle();
    let session = record_act("a snapshot", dir.path(), head, || drop(try_snapshot(&log, dir.path()).unwrap()));
    drop(log);
    try_states(&[session], 5, |session, step, dir| {
        if whole_snapshots(dir)? < usize::from(session.acknowledged_at(step) > 0) {
            return Err("the snapshot is not there".into());
        }
        let (log, _) = DiskLog::open(power_options(dir)).map_err(|error| error.to_string())?;
        known.check(&log, 0)?;
        try_snapshot(&log, dir)?;
        whole_snapshots(dir)?;
        go_on(log, dir)
    });
}

/// Restores the only snapshot next to what is in a data folder, records one event in it, and serves it.
pub fn try_restore(dir: &Path) -> Result<PathBuf, String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let snapshots = SnapshotFolder::new(&dir.join("snapshots"));
    let from = DataFolder::open(dir).map_err(|error| text(&error))?;
    let to = histories::stage(dir).map_err(|error| text(&error))?;
    let snapshot = snapshots.open(snapshots.list()[0].name()).map_err(|error| text(&error))?;
    let staged = stage(&snapshot, None, LogOptions { dir: to.log(), ..power_options(dir) }, &Progress::default());
    let staged = staged.map_err(|error| text(&error))?;
    put(&staged.log, "restored", 0, &["from a snapshot"]).map_err(|error| text(&error))?;
    histories::switch(&to, &from).map_err(|error| text(&error))?;
    Ok(to.root().to_owned())
}

#[test]
fn a_restore_during_which_the_power_went_leaves_the_old_history_served_or_the_new_one() {
    let dir = quick_folder();
    let mut known = closed_log(dir.path());
    let head = known.events.len() as u64;
    known.acknowledged = vec![(0, head)];
    let log = open(dir.path());
    try_snapshot(&log, dir.path()).unwrap();
    drop(log);
    let session = record_act("a restore", dir.path(), head, || drop(try_restore(dir.path()).unwrap()));
    try_states(&[session], 7, |session, step, dir| {
        let served = DataFolder::open(dir).map_err(|error| error.to_string())?;
        let is_new = served.root() != served.home();
        if !is_new && session.acknowledged_at(step) > 0 {
            return Err("the old history is served".into());
        }
        let (log, report) = DiskLog::open(LogOptions { dir: served.log(), ..power_options(dir) }).map_err(|error| error.to_string())?;
        let expected = head + u64::from(is_new);
        let well = verify_chain(&log, &mut |_| ()).map_err(|error| error.to_string())?;
        if log.head().0 != expected || !well.is_well() || report.lost_tail.is_some() {
            return Err(format!("{} ends at {} and not at {expected}: {:?}", served.root().display(), log.head(), well.problems));
        }
        histories::remove_staged(dir, served.root()).map_err(|error| error.to_string())?;
        whole_snapshots(dir)?;
        drop(log);
        try_restore(dir).map(drop)
    });
}

/// A data folder as the program kept it before journals; returns where its log ends, with the chain up to there.
pub fn old_folder(dir: &Path) -> (u64, String) {
    let fixture = |kind: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/folders/v1-restored.{kind}"));
    let unpacked = Command::new("tar").arg("-xzf").arg(fixture("tar.gz")).arg("-C").arg(dir).status().unwrap();
    assert!(unpacked.success());
    // The history that was left is the data folder's own.
    fs::rename(dir.join("data/log"), dir.join("log")).unwrap();
    fs::remove_dir_all(dir.join("data")).unwrap();
    fs::remove_dir_all(dir.join("snapshots")).unwrap();
    let known: serde_json::Value = serde_json::from_slice(&fs::read(fixture("json")).unwrap()).unwrap();
    let text = |name: &str| known["left"][name].as_str().unwrap().to_owned();
    (text("head").parse().unwrap(), text("chain"))
}

/// Whether a log is what the old folder held.
pub fn is_upgraded(log: &DiskLog, (head, chain): &(u64, String)) -> Result<(), String> {
    let found = (log.chain().0.0, hex(&log.chain().1));
    let well = verify_chain(log, &mut |_| ()).map_err(|error| error.to_string())?;
    if found == (*head, chain.clone()) && well.is_well() { Ok(()) } else { Err(format!("it ends at {}: {:?}", found.0, well.problems)) }
}

#[test]
fn an_upgrade_during_which_the_power_went_is_done_again_or_is_done() {
    let dir = quick_folder();
    let known = old_folder(dir.path());
    let session = record_act("an upgrade", dir.path(), known.0, || {
        (0..2).for_each(|_| DiskLog::open(power_options(dir.path())).unwrap().0.close().unwrap());
    });
    try_states(&[session], 3, |_, _, dir| {
        let (log, _) = DiskLog::open(power_options(dir)).map_err(|error| error.to_string())?;
        is_upgraded(&log, &known)?;
        go_on(log, dir)
    });
}
