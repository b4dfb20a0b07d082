//! Losses of power at every step of a session: each state that the disk may have then is opened, and everything acknowledged must be there.

use std::{
    collections::{BTreeSet, HashSet},
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use super::{
    model::Disk,
    recorder::{Change, Recorder},
    session::{Session, power_options, record, record_with},
    states::{Dice, KEEPS, Keep, Tree, materialise, quick_folder},
    *,
};

/// States in all tests here together, unless the environment says otherwise.
const STATES: usize = 2_000;
const STATES_VARIABLE: &str = "AISLED_POWER_STATES";
/// Repeats a run, as far as the threads of a session allow.
const SEED_VARIABLE: &str = "AISLED_POWER_SEED";

fn states() -> usize {
    usize::try_from(number(STATES_VARIABLE, STATES as u64)).unwrap()
}

fn number(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// Opens a state, checks it, continues with it, and opens it again.
fn try_state(session: &Session, step: usize, dir: &Path) -> Result<(), String> {
    let (log, report) = DiskLog::open(power_options(dir)).map_err(|error| error.to_string())?;
    if !report.mended.is_empty() || report.lost_tail.is_some() {
        return Err(format!("a mere loss of power looks like damage: {report:?}"));
    }
    session.check(&log, step)?;
    go_on(log, dir)
}

/// A log takes events, and has them when it is opened again.
pub fn go_on(log: DiskLog, dir: &Path) -> Result<(), String> {
    let head = log.head().0;
    for (version, texts) in [(0, &["milk"][..]), (1, &["bread", "salt"])] {
        put(&log, "afterwards", version, texts).map_err(|error| error.to_string())?;
    }
    let after = log.chain();
    drop(log);
    let (log, report) = DiskLog::open(power_options(dir)).map_err(|error| format!("the second time: {error}"))?;
    if report.cut_tail.is_some() || !report.mended.is_empty() {
        return Err(format!("the second time: {report:?}"));
    }
    if log.chain() == after && after.0.0 == head + 3 { Ok(()) } else { Err("the second time it is another log".into()) }
}

/// Tries states of sessions, as many in all as belong to a part of a hundred.
pub fn try_states(sessions: &[Session], percent: usize, check: impl Fn(&Session, usize, &Path) -> Result<(), String> + Sync) {
    let (wanted, seed) = ((states() * percent / 100).div_ceil(sessions.len()), number(SEED_VARIABLE, 1));
    let steps: usize = sessions.iter().map(|session| session.changes.len()).sum();
    let tried: usize = sessions.iter().map(|session| try_some(session, wanted, seed, &check)).sum();
    println!("{}: {tried} states of {steps} steps in {} sessions (seed {seed})", sessions[0].name, sessions.len());
}

fn try_some(session: &Session, wanted: usize, seed: u64, check: &(impl Fn(&Session, usize, &Path) -> Result<(), String> + Sync)) -> usize {
    let seeds = AtomicU64::new(seed << 32);
    let seen = parking_lot::Mutex::new(HashSet::new());
    let work = || {
        while seen.lock().len() < wanted {
            let own = seeds.fetch_add(1, Ordering::Relaxed);
            // A short session has few states.
            if own - (seed << 32) > 20 * wanted as u64 {
                break;
            }
            let (step, tree, kept) = state_of(session, own);
            let is_new = seen.lock().insert((hash_of(&tree), session.acknowledged_at(step)));
            if is_new {
                try_one(session, step, &tree, &kept, check);
            }
        }
    };
    thread::scope(|scope| {
        let threads = [scope.spawn(work), scope.spawn(work)];
        // What one of them found fails the test.
        if let Some(found) = threads.into_iter().find_map(|thread| thread.join().err()) {
            std::panic::resume_unwind(found);
        }
    });
    seen.into_inner().len()
}

fn state_of(session: &Session, seed: u64) -> (usize, Tree, String) {
    let mut dice = Dice(seed);
    let step = dice.roll(session.changes.len() + 1);
    let (names, bytes) = (KEEPS[dice.roll(KEEPS.len())], KEEPS[dice.roll(KEEPS.len())]);
    let tree = session.disk_at(step).after_power_loss(names, bytes, &mut dice);
    (step, tree, format!("seed {seed}, names {names:?}, bytes {bytes:?}"))
}

fn hash_of(tree: &Tree) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for (path, content) in tree {
        hasher
            .update(path.as_bytes())
            .update(&[0])
            .update(content.as_deref().map_or(&[][..], |bytes| bytes))
            .update(&[u8::from(content.is_some())]);
    }
    hasher.finalize()
}

fn try_one(session: &Session, step: usize, tree: &Tree, kept: &str, check: &impl Fn(&Session, usize, &Path) -> Result<(), String>) {
    let dir = quick_folder();
    materialise(tree, dir.path());
    let Err(reason) = check(session, step, dir.path()) else { return };
    let again = TempDir::new().unwrap().keep();
    materialise(tree, &again);
    let around: Vec<String> = session.changes[step.saturating_sub(6)..step].iter().map(short).collect();
    panic!(
        "{}: the power went after step {step} of {} ({kept}): {reason}\nthe state is in {}\nlast steps:\n{}",
        session.name,
        session.changes.len(),
        again.display(),
        around.join("\n")
    );
}

fn short(change: &Change) -> String {
    if let Change::Write { file, at, bytes } = change {
        return format!("Write {} at {at}, {} bytes", file.display(), bytes.len());
    }
    format!("{change:?}")
}

fn first_session(dir: &Path, close: bool) -> Session {
    record("a first session", dir, 0, &BTreeSet::new(), 35, close)
}

/// Continues from a state that a loss of power or a kill left, and records what its opening does.
fn record_after(name: &'static str, before: &Session, step: usize, tree: &Tree, appends: usize) -> Session {
    let dir = quick_folder();
    materialise(tree, dir.path());
    record(name, dir.path(), before.acknowledged_at(step), &before.ends, appends, appends > 2)
}

#[test]
fn a_first_session_that_loses_power_keeps_everything_acknowledged() {
    let sessions: Vec<_> = (0..1.max(states() / 1_000)).map(|_| first_session(quick_folder().path(), true)).collect();
    try_states(&sessions, 38, try_state);
}

#[test]
fn a_session_after_a_close_or_a_kill_that_loses_power_keeps_everything_acknowledged() {
    let (dir, mut dice) = (quick_folder(), Dice(number(SEED_VARIABLE, 1)));
    let first = first_session(dir.path(), true);
    let mut steps = vec![first.changes.len()];
    steps.extend((0..8.max(states() / 250)).map(|_| dice.roll(first.changes.len())));
    let after_kill = |step: &usize| {
        // What a killed process wrote is all there.
        let tree = first.disk_at(*step).after_power_loss(Keep::All, Keep::All, &mut Dice(1));
        record_after("a session after a close or a kill", &first, *step, &tree, 15)
    };
    try_states(&steps.iter().map(after_kill).collect::<Vec<_>>(), 18, try_state);
}

#[test]
fn a_second_loss_of_power_while_the_first_is_recovered_from_loses_nothing() {
    let dir = quick_folder();
    let first = first_session(dir.path(), false);
    let after_crash = |number: u64| {
        let (step, tree, _) = state_of(&first, (number << 20) + self::number(SEED_VARIABLE, 1));
        record_after("a second loss of power", &first, step, &tree, 1)
    };
    try_states(&(0..40.max(states() as u64 / 50)).map(after_crash).collect::<Vec<_>>(), 20, try_state);
}

#[test]
fn a_log_that_leaves_its_syncs_to_the_kernel_loses_its_end_with_the_power_and_opens() {
    let sessions = [Durability::Flush, Durability::Periodic(Duration::from_millis(2))].map(|durability| {
        let dir = quick_folder();
        let options = LogOptions { durability, ..power_options(dir.path()) };
        record_with(options, "a session without syncs", dir.path(), 0, &BTreeSet::new(), 60, true)
    });
    try_states(&sessions, 10, try_state);
}

/// A log whose second segment is damaged, opened without what is lost.
fn record_cut(dir: &Path) -> (Session, Vec<Vec<u8>>) {
    drop(record("a session before a cut", dir, 0, &BTreeSet::new(), 40, true));
    fs::remove_dir_all(dir.join("log/window")).unwrap();
    change(&files(dir, "segments")[1], |bytes| bytes[900] ^= 4);
    let (before, originals) = (Disk::with(dir), originals(dir));
    let ((head, done, events), changes) = Recorder::record(dir, |recorder| {
        let (log, report) = DiskLog::open(LogOptions { accept_lost_tail: true, ..power_options(dir) }).unwrap();
        assert!(report.lost_tail.is_some() && log.head() > Position::START);
        (log.head().0, recorder.steps(), log.read(Position::START, usize::MAX).unwrap())
    });
    let acknowledged = vec![(0, head), (done, head)];
    (Session::new("a cut that was accepted", before, changes, acknowledged, events), originals)
}

/// The bytes of every journal and segment, wherever they are now.
fn originals(dir: &Path) -> Vec<Vec<u8>> {
    let log = dir.join("log");
    let folders = fs::read_dir(&log).unwrap().map(|entry| entry.unwrap().path());
    let kept = folders.filter(|path| path.is_dir() && !path.ends_with("window")).flat_map(|path| fs::read_dir(path).unwrap());
    kept.map(|file| fs::read(file.unwrap().path()).unwrap()).collect()
}

#[test]
fn a_loss_of_power_while_an_accepted_loss_is_cut_off_deletes_nothing() {
    let dir = quick_folder();
    let (session, kept) = record_cut(dir.path());
    try_states(&[session], 10, |session, step, dir| {
        let is_done = step >= session.acknowledged[1].0;
        let found = originals(dir);
        if let Some(gone) = kept.iter().position(|original| !found.contains(original)) {
            return Err(format!("file {gone} of those before is gone"));
        }
        let options = LogOptions { accept_lost_tail: !is_done, ..power_options(dir) };
        let (log, _) = DiskLog::open(options).map_err(|error| error.to_string())?;
        session.check(&log, step)?;
        go_on(log, dir)
    });
}
