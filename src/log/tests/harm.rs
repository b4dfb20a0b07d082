//! Damage to the files of a log, and what a start must do about it.

use std::collections::BTreeMap;

use super::{
    kill::Kills,
    session::power_options,
    states::{Dice, quick_copy, quick_folder},
    *,
};
use crate::{
    disk::watch::{Observer, Step, observe},
    events::Recorded,
};

/// A log in a folder, and what was acknowledged.
pub struct Original {
    pub dir: TempDir,
    pub events: Vec<Arc<Recorded>>,
}

/// How the process ended that wrote it.
#[derive(Clone, Copy, PartialEq)]
pub enum End {
    /// It was closed.
    Closed,
    /// It was killed after a second of idling: its journal states that everything before was acknowledged.
    Rested,
    /// It was closed while the full journal could not be sealed.
    Unsealed,
}

/// Segments cannot be made.
struct NoSegments;

impl Observer for NoSegments {
    fn before(&self, step: &Step<'_>) -> std::io::Result<()> {
        let is_segment = matches!(step, Step::Create(path) if path.to_string_lossy().ends_with(".segment.part"));
        if is_segment { Err(rustix::io::Errno::NOSPC.into()) } else { Ok(()) }
    }
}

pub fn original(end: End, seed: usize) -> Original {
    let (dir, mut dice) = (quick_folder(), Dice(seed as u64));
    let kills = (end == End::Rested).then(|| Kills::watch(dir.path()));
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    let mut some = |from: u64, to: u64| {
        for version in from..to {
            let text: String = (0..900).map(|_| char::from(b'0' + u8::try_from(dice.roll(75)).unwrap())).collect();
            put(&log, "a", version, &[&text]).unwrap();
        }
    };
    some(0, 65);
    log.settle();
    let observation = (end == End::Unsealed).then(|| observe(dir.path(), Arc::new(NoSegments)));
    some(65, if end == End::Unsealed { 85 } else { 71 });
    assert_eq!(log.shared.storage.journals.full().is_some(), end == End::Unsealed);
    let events = log.read(Position::START, usize::MAX).unwrap();
    let dir = if let Some(kills) = kills {
        wait_until(|| files(dir.path(), "journal").iter().any(|path| is_settled(path)));
        kills.copy()
    } else {
        log.close().unwrap();
        dir
    };
    drop((log, observation));
    assert!(files(dir.path(), "segments").len() >= 3 && files(dir.path(), "journal").len() == 2);
    Original { dir, events }
}

pub fn is_settled(journal: &Path) -> bool {
    let bytes = fs::read(journal).unwrap();
    let head = crate::log::journal::head::Head::from_bytes(&bytes).unwrap();
    let scanned = crate::log::journal::scan::scan(&bytes, &head);
    head.begun && scanned.is_settled && !scanned.has_end_mark
}

/// What is done to a file.
type Damage = (String, Box<dyn Fn(&mut Vec<u8>)>);

/// Flips, cuts and zeros of a file: every byte of its first `head`, and places in all the rest.
fn damages(length: usize, head: usize) -> Vec<Damage> {
    let mut damages: Vec<Damage> = Vec::new();
    let places = (0..length.min(head)).chain((head..length).step_by((length / 40).max(1))).chain([length - 1]);
    for at in places {
        damages.push((format!("byte {at} flipped"), Box::new(move |bytes| bytes[at] ^= 1 << (at % 8))));
    }
    for to in [0, 1, 100, 511, 512, 600, length / 2, length.saturating_sub(512), length - 1].into_iter().filter(|to| *to < length) {
        damages.push((format!("cut to {to}"), Box::new(move |bytes| bytes.truncate(to))));
    }
    let sectors = [0, 512, length / 2 / 512 * 512, length.saturating_sub(512)];
    let zeros = sectors.map(|at| (at, at + 512)).into_iter().chain([(0, length), (length / 2, length)]);
    for (from, to) in zeros.filter(|(from, _)| *from < length) {
        damages.push((format!("{from}..{to} zeroed"), Box::new(move |bytes| bytes[from..to.min(length)].fill(0))));
    }
    damages
}

/// The journals and segments with their bytes.
fn truth(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    ["journal", "segments"].iter().flat_map(|part| files(dir, part)).map(|path| (path.clone(), fs::read(&path).unwrap())).collect()
}

/// Opens a damaged folder. Returns what went wrong.
pub fn try_damaged(original: &Original, dir: &Path, file: &str) -> Result<(), String> {
    let before = truth(dir);
    match DiskLog::open(power_options(dir)) {
        Ok((log, report)) => is_complete_or_named(original, &log, file).map_err(|reason| format!("{reason}, {report:?}")),
        Err(error @ (OpenError::Damaged { .. } | OpenError::LostTail { .. })) => {
            if truth(dir) != before {
                return Err(format!("files were changed by a start that was refused: {error}"));
            }
            let names = |what: &str| error.to_string().contains(what);
            if !(names(".journal") || names(".segment") || names("journal 0") || names("log/segments") || names("log/journal")) {
                return Err(format!("no file is named: {error}"));
            }
            accept(original, dir, file).map_err(|reason| format!("{reason}, after {error}"))
        }
        Err(other) => Err(other.to_string()),
    }
}

/// Everything is there, or verification names what is not, and reads of it are errors.
fn is_complete_or_named(original: &Original, log: &DiskLog, file: &str) -> Result<(), String> {
    if log.head().0 != original.events.len() as u64 {
        return Err(format!("silently ends at {}", log.head()));
    }
    let report = verify_chain(log, &mut |_| ()).map_err(|error| error.to_string())?;
    if !report.is_well() && !report.problems.iter().any(|problem| problem.reason.contains(file)) {
        return Err(format!("verification does not name the file: {:?}", report.problems));
    }
    let read = log.read(Position::START, usize::MAX);
    if report.is_well() && read.as_ref().ok() != Some(&original.events) {
        return Err(format!("verification says that all is well, but reads do not: {:?}", read.err()));
    }
    put(log, "afterwards", 0, &["milk"]).map(drop).map_err(|error| error.to_string())
}

/// Where the certainly whole part ends, if only this file is damaged: before a segment, or with the segments for a journal.
fn whole_before(original: &Original, file: &str) -> u64 {
    let named = |path: &Path| crate::log::segment::named(path);
    match named(Path::new(file)) {
        Some((first, ..)) => first.0 - 1,
        None => files(original.dir.path(), "segments").iter().filter_map(|path| named(path)).map(|(_, last, _)| last.0).max().unwrap(),
    }
}

/// With the loss accepted, everything before the damage is there.
fn accept(original: &Original, dir: &Path, file: &str) -> Result<(), String> {
    let options = LogOptions { accept_lost_tail: true, ..power_options(dir) };
    let (log, report) = DiskLog::open(options).map_err(|error| format!("the loss cannot be accepted: {error}"))?;
    let (found, well) = (log.read(Position::START, usize::MAX), verify_chain(&log, &mut |_| ()));
    let is_prefix = found.as_ref().is_ok_and(|found| original.events.starts_with(found));
    if log.head().0 < whole_before(original, file) {
        return Err(format!("the loss goes back to {}, further than the damage", log.head()));
    }
    if !is_prefix || !well.is_ok_and(|well| well.is_well()) {
        return Err(format!("what is left after the loss is not what was before: {:?}", found.err()));
    }
    if report.lost_tail.is_none() || !dir.join("log/lost-1").is_dir() {
        return Err(format!("nothing is kept of what is lost: {report:?}"));
    }
    put(&log, "afterwards", 0, &["milk"]).map(drop).map_err(|error| error.to_string())
}

/// Tries all damages of one file; returns what went wrong.
pub fn try_file(original: &Original, file: &Path, head: usize) -> Vec<String> {
    let path = file.strip_prefix(original.dir.path()).unwrap();
    let length = usize::try_from(fs::metadata(file).unwrap().len()).unwrap();
    let mut wrong = Vec::new();
    for (what, damage) in damages(length, head) {
        let dir = quick_copy(original.dir.path());
        change(&dir.path().join(path), |bytes| damage(bytes));
        let name = path.file_name().unwrap().to_string_lossy();
        wrong.extend(try_damaged(original, dir.path(), &name).err().map(|reason| format!("{}: {what}: {reason}", path.display())));
    }
    wrong
}

/// Files that are gone, doubled, or in the place of others.
pub fn try_places(original: &Original, other: &Original, part: &str) -> Vec<String> {
    let (own, foreign) = (files(original.dir.path(), part), files(other.dir.path(), part));
    let mut wrong = Vec::new();
    let mut attempt = |what: String, file: &Path, act: &dyn Fn(&Path)| {
        let (dir, name) = (quick_copy(original.dir.path()), file.file_name().unwrap().to_string_lossy());
        act(dir.path());
        wrong.extend(try_damaged(original, dir.path(), &name).err().map(|reason| format!("{name}: {what}: {reason}")));
    };
    for (number, file) in own.iter().enumerate() {
        let at = |dir: &Path, file: &Path| dir.join("log").join(part).join(file.file_name().unwrap());
        let next = &own[(number + 1) % own.len()];
        attempt("removed".into(), file, &|dir| fs::remove_file(at(dir, file)).unwrap());
        attempt(format!("{} swapped with {}", file.display(), next.display()), file.min(next), &|dir| {
            put_in(file, &at(dir, next));
            put_in(next, &at(dir, file));
        });
        attempt("in the place of the next".into(), next, &|dir| put_in(file, &at(dir, next)));
        for double in ["00000099.journal", "copy.journal", "000000000001-000000000009-0123456789abcdef.segment", "copy.segment"] {
            attempt(format!("doubled as {double}"), Path::new(double), &|dir| put_in(file, &at(dir, Path::new(double))));
        }
        for theirs in &foreign {
            attempt(format!("replaced by another log's {}", theirs.display()), file, &|dir| put_in(theirs, &at(dir, file)));
            attempt(format!("another log's {} beside it", theirs.display()), theirs, &|dir| put_in(theirs, &at(dir, theirs)));
        }
    }
    wrong
}

pub fn put_in(from: &Path, to: &Path) {
    fs::write(to, fs::read(from).unwrap()).unwrap();
}
