//! Files of a log that are damaged in every way: a start finds everything that was acknowledged or names the file and refuses, and never makes
//! it worse. Whoever accepts the loss gets what is before the damage, and the rest stays in `lost-N`.

use super::{
    harm::{End, Original, original, put_in, try_damaged, try_file, try_places},
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
            Err(error) => assert!(at < last && error.to_string().contains("00000001.journal"), "byte {at}: {error}"),
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
