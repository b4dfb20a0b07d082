//! Files of a log that are damaged in every way: a start finds everything that was acknowledged or names the file and refuses, and never makes
//! it worse. Whoever accepts the loss gets what is before the damage, and the rest stays in `lost-N`.

use std::collections::BTreeMap;

use super::{
    model::{Dice, quick_copy},
    power::{power_options, quick_folder},
    *,
};
use crate::{
    disk::watch::{Observer, Step, observe},
    events::Recorded,
};

/// A log in a folder, and what was acknowledged.
struct Original {
    dir: TempDir,
    events: Vec<Arc<Recorded>>,
}

/// How the process ended that wrote it.
#[derive(Clone, Copy, PartialEq)]
enum End {
    /// It was closed.
    Closed,
    /// It was killed after it had rested for a second: its journal says that everything before was acknowledged.
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

fn original(end: End, seed: usize) -> Original {
    let (dir, mut dice) = (quick_folder(), Dice(seed as u64));
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    let mut some = |from: u64, to: u64| {
        for version in from..to {
            let text: String = (0..900).map(|_| char::from(b'0' + u8::try_from(dice.roll(75)).unwrap())).collect();
            put(&log, "a", version, &[&text]).unwrap();
        }
    };
    some(0, 65);
    settle(&log);
    let observation = (end == End::Unsealed).then(|| observe(dir.path(), Arc::new(NoSegments)));
    some(65, if end == End::Unsealed { 78 } else { 71 });
    let events = log.read(Position::START, usize::MAX).unwrap();
    let dir = match end {
        End::Rested => {
            wait_until(|| files(dir.path(), "journal").iter().any(|path| is_settled(path)));
            copy(dir.path())
        }
        End::Closed | End::Unsealed => {
            log.close().unwrap();
            dir
        }
    };
    drop((log, observation));
    assert!(files(dir.path(), "segments").len() >= 3 && files(dir.path(), "journal").len() == 2);
    Original { dir, events }
}

fn is_settled(journal: &Path) -> bool {
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

/// Opens a damaged folder. Says what is wrong with how that went.
fn try_damaged(original: &Original, dir: &Path, file: &str) -> Result<(), String> {
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
            accept(original, dir).map_err(|reason| format!("{reason}, after {error}"))
        }
        Err(other) => Err(other.to_string()),
    }
}

/// Everything is there, or what is not is named by verification, and reads of it are errors.
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

/// With the loss accepted there is what was before the damage.
fn accept(original: &Original, dir: &Path) -> Result<(), String> {
    let options = LogOptions { accept_lost_tail: true, ..power_options(dir) };
    let (log, report) = DiskLog::open(options).map_err(|error| format!("the loss cannot be accepted: {error}"))?;
    let (found, well) = (log.read(Position::START, usize::MAX), verify_chain(&log, &mut |_| ()));
    let is_prefix = found.as_ref().is_ok_and(|found| original.events.starts_with(found));
    if !is_prefix || !well.is_ok_and(|well| well.is_well()) {
        return Err(format!("what is left after the loss is not what was before: {:?}", found.err()));
    }
    if report.lost_tail.is_none() || !dir.join("log/lost-1").is_dir() {
        return Err(format!("nothing is kept of what is lost: {report:?}"));
    }
    put(&log, "afterwards", 0, &["milk"]).map(drop).map_err(|error| error.to_string())
}

/// Tries all damages of one file; gives what went wrong.
fn try_file(original: &Original, file: &Path, head: usize) -> Vec<String> {
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
fn try_places(original: &Original, other: &Original, part: &str) -> Vec<String> {
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
        attempt(format!("swapped with {}", next.display()), file, &|dir| {
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

fn put_in(from: &Path, to: &Path) {
    fs::write(to, fs::read(from).unwrap()).unwrap();
}

fn assert_none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_damaged_journal_is_mended_or_named_however_the_log_ended() {
    for end in [End::Closed, End::Rested, End::Unsealed] {
        let original = original(end, 1);
        assert_none(files(original.dir.path(), "journal").iter().flat_map(|file| try_file(&original, file, 116)).collect());
    }
}

#[test]
fn a_damaged_journal_without_sled_is_named() {
    for end in [End::Closed, End::Rested, End::Unsealed] {
        let original = original(end, 1);
        fs::remove_dir_all(original.dir.path().join("log/window")).unwrap();
        assert_none(files(original.dir.path(), "journal").iter().flat_map(|file| try_file(&original, file, 116)).collect());
    }
}

#[test]
fn a_damaged_segment_is_named() {
    let original = original(End::Closed, 1);
    let segments = files(original.dir.path(), "segments");
    let some = [&segments[0], &segments[1], &segments[segments.len() - 1]];
    assert_none(some.into_iter().flat_map(|file| try_file(&original, file, 192)).collect());
}

#[test]
fn damaged_heads_cost_time_and_nothing_else() {
    let original = original(End::Closed, 1);
    assert_none(try_file(&original, &original.dir.path().join("log/heads"), 200));
}

#[test]
fn whatever_is_wrong_with_sled_s_files_or_the_lock_nothing_is_lost() {
    for end in [End::Closed, End::Rested] {
        let original = original(end, 1);
        let window = files(original.dir.path(), "window");
        let window = window.iter().filter(|path| path.is_file()).flat_map(|file| try_file(&original, file, 0));
        let lock = try_file(&original, &original.dir.path().join("log/lock"), 9);
        assert_none(window.chain(lock).collect());
    }
}

#[test]
fn journals_that_are_gone_doubled_swapped_or_of_another_log_are_named() {
    for end in [End::Closed, End::Rested, End::Unsealed] {
        assert_none(try_places(&original(end, 1), &original(end, 2), "journal"));
    }
}

#[test]
fn segments_that_are_gone_doubled_swapped_or_of_another_log_are_named() {
    assert_none(try_places(&original(End::Closed, 1), &original(End::Closed, 2), "segments"));
}

#[test]
fn heads_and_a_window_that_are_gone_or_of_another_log_are_left_aside() {
    let (original, other) = (original(End::Closed, 1), original(End::Closed, 2));
    let mut wrong = Vec::new();
    for part in ["heads", "window"] {
        for from in [None, Some(&other)] {
            let dir = quick_copy(original.dir.path());
            let place = dir.path().join("log").join(part);
            if place.is_dir() {
                fs::remove_dir_all(&place).unwrap()
            } else {
                fs::remove_file(&place).unwrap()
            }
            let theirs = from.map(|other| other.dir.path().join("log").join(part));
            match theirs {
                Some(theirs) if theirs.is_dir() => crate::disk::copy_folder(&theirs, &place).unwrap(),
                Some(theirs) => put_in(&theirs, &place),
                None => {}
            }
            wrong.extend(try_damaged(&original, dir.path(), part).err());
        }
    }
    assert_none(wrong);
}

#[test]
fn of_a_log_that_was_killed_at_work_only_its_last_group_can_be_taken_for_a_torn_write() {
    let dir = quick_folder();
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    (0..8).for_each(|command| drop(put(&log, "a", 2 * command, &["milk", "bread"]).unwrap()));
    let (events, dir) = (log.read(Position::START, 99).unwrap(), quick_copy(dir.path()));
    drop(log);
    fs::remove_dir_all(dir.path().join("log/window")).unwrap();
    let original = Original { dir, events };
    let journal = files(original.dir.path(), "journal").remove(0);
    let bytes = fs::read(&journal).unwrap();
    let scanned = crate::log::journal::scan::scan(&bytes, &crate::log::journal::head::Head::from_bytes(&bytes).unwrap());
    let last = scanned.blocks[scanned.blocks.len() - 1].1 - 32;
    for at in (512..scanned.end_at).step_by(3) {
        let dir = quick_copy(original.dir.path());
        change(&files(dir.path(), "journal")[0], |bytes| bytes[at] ^= 1);
        match DiskLog::open(power_options(dir.path())) {
            Ok((log, report)) if at >= last => assert!(log.head().0 >= 14 && (log.head().0 == 16 || report.cut_tail.is_none())),
            Ok((log, _)) => assert_eq!(log.head().0, 16, "byte {at}"),
            Err(error) => assert!(at < last && error.to_string().contains("00000001.journal"), "byte {at}: {error}"),
        }
    }
}
