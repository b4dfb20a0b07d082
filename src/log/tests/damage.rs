//! Files of a log that are damaged in every way: a start finds everything that was acknowledged, or names the file and refuses, and never
//! makes it worse. Accepting the loss keeps what is before the damage, and moves the rest to `lost-N`.

use super::{
    harm::{End, Original, is_settled, original, put_in, try_damaged, try_file, try_places},
    kill::Kills,
    session::power_options,
    states::{quick_copy, quick_folder},
    *,
};
use crate::disk::watch::{Observer, Step, observe};

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
                fs::remove_dir_all(&place).unwrap();
            } else {
                fs::remove_file(&place).unwrap();
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
    let kills = Kills::watch(dir.path());
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    (0..8).for_each(|command| drop(put(&log, "a", 2 * command, &["milk", "bread"]).unwrap()));
    let (events, dir) = (log.read(Position::START, 99).unwrap(), kills.copy());
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
            // On a slow machine it may have been idle meanwhile, and its journal states so.
            Err(error) => {
                assert!((at < last || scanned.is_settled) && error.to_string().contains("00000001.journal"), "byte {at}: {error}");
            }
        }
    }
}

/// A disk that has lost a file's sectors.
struct Unreadable(PathBuf);

impl Observer for Unreadable {
    fn before(&self, step: &Step<'_>) -> std::io::Result<()> {
        if matches!(step, Step::Open(path) if *path == self.0) { Err(rustix::io::Errno::IO.into()) } else { Ok(()) }
    }
}

#[test]
fn a_segment_that_the_disk_cannot_read_is_named_and_can_be_given_up() {
    let original = original(End::Closed, 1);
    let bad = files(original.dir.path(), "segments").swap_remove(1);
    let _observation = observe(original.dir.path(), Arc::new(Unreadable(bad.clone())));
    let refused = DiskLog::open(power_options(original.dir.path())).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::Storage(_)), "{refused}");
    let said = refused.to_string();
    assert!(said.contains(&bad.display().to_string()) && said.contains("--accept-lost-tail"), "{said}");
    let options = LogOptions { accept_lost_tail: true, ..power_options(original.dir.path()) };
    let (log, report) = DiskLog::open(options).unwrap();
    let found = log.read(Position::START, usize::MAX).unwrap();
    assert!(!found.is_empty() && original.events.starts_with(&found), "{} events", found.len());
    assert!(report.lost_tail.is_some_and(|lost| lost.contains(&bad.display().to_string())));
    assert!(original.dir.path().join("log/lost-1").join(bad.file_name().unwrap()).is_file());
}

/// Fails one step of a kind once.
struct Once(&'static str, std::sync::atomic::AtomicU64);

impl Observer for Once {
    fn before(&self, step: &Step<'_>) -> std::io::Result<()> {
        let is_due = step.kind() == self.0 && self.1.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) == 1;
        if is_due { Err(rustix::io::Errno::IO.into()) } else { Ok(()) }
    }
}

#[test]
fn an_error_that_passes_makes_an_accepted_loss_no_larger() {
    let original = original(End::Closed, 1);
    let journal = files(original.dir.path(), "journal").swap_remove(0);
    let damaged = quick_copy(original.dir.path());
    change(&damaged.path().join("log/journal").join(journal.file_name().unwrap()), |bytes| bytes[20] ^= 1);
    for number in 1..40 {
        let dir = quick_copy(damaged.path());
        let _observation = observe(dir.path(), Arc::new(Once("open", number.into())));
        let options = LogOptions { accept_lost_tail: true, ..power_options(dir.path()) };
        if let Ok((log, _)) = DiskLog::open(options) {
            let sealed = log.segments().last().unwrap().head.last;
            assert!(log.head() >= sealed && sealed.0 >= 60, "open {number}: it ends at {}", log.head());
        }
    }
}

#[test]
fn all_files_of_another_log_beside_the_own_ones_change_nothing() {
    let (original, other) = (original(End::Closed, 1), original(End::Closed, 2));
    let put_all = |log: &DiskLog, from: u64| (from..from + 30).for_each(|version| drop(put(log, "b", version, &["milk"]).unwrap()));
    let log = DiskLog::open(power_options(other.dir.path())).unwrap().0;
    put_all(&log, 0);
    drop(log);
    for theirs in files(other.dir.path(), "segments") {
        put_in(&theirs, &original.dir.path().join("log/segments").join(theirs.file_name().unwrap()));
    }
    for without_heads in [false, true] {
        if without_heads {
            fs::remove_file(original.dir.path().join("log/heads")).unwrap();
        }
        let (log, _) = DiskLog::open(power_options(original.dir.path())).unwrap();
        assert_eq!(log.read(Position::START, usize::MAX).unwrap(), original.events);
    }
}

#[test]
fn a_rotten_segment_is_taken_from_a_copy_whoever_finds_it() {
    let original = original(End::Closed, 1);
    let spares = TempDir::new().unwrap();
    let rotten = files(original.dir.path(), "segments").swap_remove(1);
    put_in(&rotten, &spares.path().join(rotten.file_name().unwrap()));
    for (accept_lost_tail, without_heads, has_copy) in
        [(false, true, true), (true, false, true), (false, false, true), (false, true, false)]
    {
        let dir = quick_copy(original.dir.path());
        let damaged = dir.path().join("log/segments").join(rotten.file_name().unwrap());
        change(&damaged, |bytes| bytes[400] ^= 4);
        if without_heads {
            fs::remove_file(dir.path().join("log/heads")).unwrap();
        }
        let folders = if has_copy { vec![spares.path().to_owned()] } else { Vec::new() };
        match DiskLog::open(LogOptions { accept_lost_tail, spares: folders, ..power_options(dir.path()) }) {
            Ok((log, _)) => assert_eq!(log.read(Position::START, usize::MAX).unwrap(), original.events),
            Err(error) => {
                assert!(!has_copy, "{error}");
                assert!(error.to_string().contains(&damaged.display().to_string()), "{error}");
            }
        }
    }
}

#[test]
fn a_log_that_ends_before_what_is_known_elsewhere_is_refused() {
    let original = original(End::Closed, 1);
    let known = Position(original.events.len() as u64);
    let options = |acknowledged| LogOptions { acknowledged, ..power_options(original.dir.path()) };
    drop(DiskLog::open(options(known)).unwrap());
    let refused = DiskLog::open(options(known.next())).map(drop).unwrap_err();
    assert!(matches!(refused, OpenError::LostTail { .. }), "{refused}");
    fs::remove_dir_all(original.dir.path().join("log")).unwrap();
    let refused = DiskLog::open(options(known)).map(drop).unwrap_err();
    assert!(refused.to_string().contains("the journal is missing"), "{refused}");
}

#[test]
fn a_journal_that_lost_what_came_after_a_rest_is_mended_from_sled() {
    let dir = quick_folder();
    let kills = Kills::watch(dir.path());
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    let journal = files(dir.path(), "journal").swap_remove(0);
    let rest = |at_least: usize| {
        let marks = || {
            let bytes = fs::read(&journal).unwrap();
            let scanned = crate::log::journal::scan::scan(&bytes, &crate::log::journal::head::Head::from_bytes(&bytes).unwrap());
            (scanned.is_settled && scanned.end_at > at_least).then_some(scanned.end_at)
        };
        wait_until(|| marks().is_some());
        marks().unwrap()
    };
    put(&log, "a", 0, &["milk"]).unwrap();
    let first_rest = rest(0);
    (1..4).for_each(|version| drop(put(&log, "a", version, &["bread"]).unwrap()));
    rest(first_rest);
    log.settle();
    // sled flushes after an idle time of its own.
    let copy = wait_for_sled(&kills, 4);
    let journal = copy.path().join("log/journal").join(journal.file_name().unwrap());
    change(&journal, |bytes| bytes[first_rest + 16..].fill(0));
    let (log, report) = DiskLog::open(power_options(copy.path())).unwrap();
    assert_eq!(log.head(), Position(4), "{report:?}");
    assert!(!report.mended.is_empty());
}

/// A copy as a kill leaves it, once sled's files have the blocks up to a position.
fn wait_for_sled(kills: &Kills, position: u64) -> TempDir {
    let begin = std::time::Instant::now();
    loop {
        let copy = kills.copy();
        let window = quick_copy(copy.path());
        let sled = crate::log::window::sled::Sled::open(&window.path().join("log/window")).unwrap();
        if sled.holding(Position(position)).unwrap().is_some_and(|(first, _)| first == Position(position)) {
            return copy;
        }
        assert!(begin.elapsed() < Duration::from_secs(30), "sled does not write it down");
    }
}

#[test]
fn accepting_a_loss_neither_skips_what_sled_can_mend_nor_loses_silently() {
    let original = original(End::Rested, 3);
    let journals = files(original.dir.path(), "journal");
    let active = journals.iter().find(|path| is_settled(path)).unwrap();
    for has_window in [true, false] {
        let dir = quick_copy(original.dir.path());
        let journal = dir.path().join("log/journal").join(active.file_name().unwrap());
        change(&journal, |bytes| bytes[2_048..].fill(0));
        if !has_window {
            fs::remove_dir_all(dir.path().join("log/window")).unwrap();
        }
        let known = Position(original.events.len() as u64);
        let options = LogOptions { accept_lost_tail: true, acknowledged: known, ..power_options(dir.path()) };
        let (log, report) = DiskLog::open(options).unwrap();
        assert!(log.head() == known || report.lost_tail.is_some(), "{report:?}");
        assert_eq!(report.lost_tail.is_some(), dir.path().join("log/lost-1").is_dir());
    }
}

/// Opens with the loss accepted; everything must be there.
fn assert_nothing_lost(original: &Original, dir: &Path, spares: Vec<PathBuf>, what: &str) {
    let options = LogOptions { accept_lost_tail: true, spares, ..power_options(dir) };
    let (log, report) = DiskLog::open(options).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(log.read(Position::START, usize::MAX).unwrap(), original.events, "{what}: {report:?}");
    assert!(verify_chain(&log, &mut |_| ()).unwrap().is_well(), "{what}");
}

#[test]
fn a_journal_whose_first_sector_is_damaged_loses_none_of_its_frames() {
    for (end, has_window) in [(End::Closed, true), (End::Closed, false), (End::Unsealed, false)] {
        let original = original(end, 1);
        for journal in files(original.dir.path(), "journal") {
            let dir = quick_copy(original.dir.path());
            change(&dir.path().join("log/journal").join(journal.file_name().unwrap()), |bytes| bytes[20] ^= 1);
            if !has_window {
                fs::remove_dir_all(dir.path().join("log/window")).unwrap();
            }
            assert_nothing_lost(&original, dir.path(), Vec::new(), &format!("{} with sled: {has_window}", journal.display()));
        }
    }
}

#[test]
fn a_journal_that_is_gone_is_made_from_sled_where_a_loss_is_accepted() {
    let original = original(End::Closed, 1);
    let dir = quick_copy(original.dir.path());
    let log = DiskLog::open(power_options(dir.path())).unwrap().0;
    log.settle();
    drop(log);
    fs::remove_file(&files(dir.path(), "journal")[0]).unwrap();
    assert_nothing_lost(&original, dir.path(), Vec::new(), "its blocks are in sled");
}

#[test]
fn a_copy_bridges_a_gap_also_where_something_later_has_none() {
    let original = original(End::Closed, 1);
    let spares = TempDir::new().unwrap();
    let middle = files(original.dir.path(), "segments").swap_remove(1);
    put_in(&middle, &spares.path().join(middle.file_name().unwrap()));
    let dir = quick_copy(original.dir.path());
    fs::remove_file(dir.path().join("log/segments").join(middle.file_name().unwrap())).unwrap();
    change(&files(dir.path(), "journal")[0], |bytes| bytes[20] ^= 1);
    assert_nothing_lost(&original, dir.path(), vec![spares.path().to_owned()], "the gap has a copy");
}

#[test]
fn a_journal_that_is_in_a_segment_by_now_does_not_matter() {
    let original = original(End::Unsealed, 1);
    let sealed = quick_copy(original.dir.path());
    let log = DiskLog::open(power_options(sealed.path())).unwrap().0;
    log.settle();
    drop(log);
    let dir = quick_copy(original.dir.path());
    for segment in files(sealed.path(), "segments") {
        put_in(&segment, &dir.path().join("log/segments").join(segment.file_name().unwrap()));
    }
    let journal = files(dir.path(), "journal").swap_remove(0);
    let whole = fs::read(&journal).unwrap();
    let damages: [fn(&mut Vec<u8>); 3] = [|bytes| bytes[20] ^= 1, |bytes| bytes[..1_024].fill(0), |bytes| bytes.truncate(3_000)];
    for (number, damage) in damages.into_iter().enumerate() {
        fs::write(&journal, &whole).unwrap();
        let dir = quick_copy(dir.path());
        change(&dir.path().join("log/journal").join(journal.file_name().unwrap()), damage);
        let (log, _) = DiskLog::open(power_options(dir.path())).unwrap_or_else(|error| panic!("damage {number}: {error}"));
        assert_eq!(log.read(Position::START, usize::MAX).unwrap(), original.events, "damage {number}");
    }
}

#[test]
fn a_prepared_journal_is_made_anew_however_it_is_damaged() {
    let original = original(End::Closed, 1);
    for length in [0, 100, 512, 3_000] {
        let dir = quick_copy(original.dir.path());
        change(&files(dir.path(), "journal")[1], |bytes| bytes.truncate(length));
        let (log, _) = DiskLog::open(power_options(dir.path())).unwrap_or_else(|error| panic!("cut to {length}: {error}"));
        assert_eq!(log.read(Position::START, usize::MAX).unwrap(), original.events, "cut to {length}");
    }
}

#[test]
fn whatever_step_of_taking_a_copy_fails_the_segment_s_place_is_never_empty() {
    let original = original(End::Closed, 1);
    let spares = TempDir::new().unwrap();
    let rotten = files(original.dir.path(), "segments").swap_remove(1);
    put_in(&rotten, &spares.path().join(rotten.file_name().unwrap()));
    for (kind, number) in ["link", "rename", "sync_folder", "remove"].into_iter().flat_map(|kind| (1..4).map(move |number| (kind, number)))
    {
        let dir = quick_copy(original.dir.path());
        let place = dir.path().join("log/segments").join(rotten.file_name().unwrap());
        change(&place, |bytes| bytes[400] ^= 4);
        let log = DiskLog::open(LogOptions { spares: vec![spares.path().to_owned()], ..power_options(dir.path()) }).unwrap().0;
        let segment = log.segments()[1].clone();
        let observation = observe(&dir.path().join("log/segments"), Arc::new(Once(kind, number.into())));
        crate::log::verifier::check(&log.shared.storage, &segment);
        assert!(place.is_file(), "{kind} {number}");
        drop(observation);
        assert!(crate::log::verifier::check(&log.shared.storage, &segment), "{kind} {number}: the next try mends it");
        assert_eq!(log.read(Position::START, usize::MAX).unwrap(), original.events, "{kind} {number}");
    }
}
