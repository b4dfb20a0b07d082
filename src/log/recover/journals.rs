//! The journals of a folder as one line of blocks, and whether its end can be trusted.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{Damage, Failure, Files, Wish, entries, segments::read_often};
use crate::{
    disk::{self, DiskFile},
    events::Position,
    log::{
        OpenReport,
        block::Chain,
        journal::{
            JournalFile, generation_of,
            head::{Head, LogId},
            path_of,
            scan::{Scanned, scan},
        },
    },
};

/// A journal as read.
struct Read {
    path: PathBuf,
    head: Head,
    /// Its content, if it has begun.
    scanned: Scanned,
}

/// The journals that have begun, in order, and the one that has not.
pub struct Line {
    begun: Vec<Read>,
    spare: Option<Read>,
    /// Files whose blocks are all in segments: a crash prevented their reuse.
    sealed: Vec<PathBuf>,
    /// Files from before an accepted loss, and copies under other names.
    given_up: Vec<PathBuf>,
    /// Unreadable files before the first that has begun, and why: they do not matter where the segments lead up to it.
    early: Vec<(PathBuf, String)>,
}

/// Reads the journals of a folder.
pub fn read(wish: &Wish<'_>, report: &mut OpenReport) -> Result<Line, Failure> {
    let mut reading = Reading::default();
    for path in entries(&wish.folder.journal())? {
        let Some(generation) = generation_of(&path) else {
            tracing::warn!(file = %path.display(), "this file does not belong to the log: ignored");
            continue;
        };
        match read_often(|| Ok(fs::read(&path)?)) {
            Ok(bytes) => reading.add(wish, path, generation, &bytes, report)?,
            Err(error) if wish.accept_lost_tail => reading.add_unreadable(path, &error.to_string())?,
            Err(error) => return Err(Failure::Storage(format!("{}: {error}", path.display()))),
        }
    }
    reading.end()
}

/// The journals while they are read, in the order of their names.
#[derive(Default)]
struct Reading {
    found: Vec<Read>,
    /// Second files of journals that already exist.
    twins: Vec<PathBuf>,
    /// Unreadable ones before all others, possibly sealed already, and why.
    early: Vec<(PathBuf, String)>,
}

impl Reading {
    fn add(&mut self, wish: &Wish<'_>, path: PathBuf, generation: u64, bytes: &[u8], report: &mut OpenReport) -> Result<(), Failure> {
        report.bytes_read += bytes.len() as u64;
        let head = match Head::from_bytes(bytes) {
            Ok(head) if head.generation != generation && is_there(wish, head.generation) => {
                tracing::warn!(file = %path.display(), says = head.generation, "a second file of an existing journal is set aside");
                self.twins.push(path);
                return Ok(());
            }
            Ok(head) if head.generation != generation => Err(format!("it says that it is journal {}", head.generation)),
            Ok(head) if (bytes.len() as u64) < head.bytes => {
                Err(format!("it has {} bytes and not the {} it was made with", bytes.len(), head.bytes))
            }
            Ok(head) => Ok(head),
            Err(reason) => Err(reason.to_owned()),
        };
        match head {
            Ok(head) => self.found.push(Read { scanned: scan(bytes, &head), head, path }),
            Err(reason) if self.has_not_begun(generation) => {
                let reason = format!("{}: {reason}", path.display());
                tracing::warn!(reason, "an unused journal is created again");
                report.mended.push(format!("{reason}: it was empty and is created again"));
                disk::set_aside(&path)?;
            }
            Err(reason) => self.add_unreadable(path, &reason)?,
        }
        Ok(())
    }

    /// Before the mark that a journal ends, the next one has not begun: there is nothing in it.
    fn has_not_begun(&self, generation: u64) -> bool {
        self.found.last().is_some_and(|before| before.head.generation + 1 == generation && !before.scanned.has_end_mark)
    }

    fn add_unreadable(&mut self, path: PathBuf, reason: &str) -> Result<(), Failure> {
        let reason = format!("{}: {reason}", path.display());
        match self.found.last() {
            Some(before) => Err(Failure::damage(before.scanned.end.next(), reason)),
            None => {
                self.early.push((path, reason));
                Ok(())
            }
        }
    }

    fn end(self) -> Result<Line, Failure> {
        let has_begun = self.found.iter().any(|read| read.head.begun);
        match self.early.first() {
            Some((_, reason)) if !has_begun => Err(Failure::damage(Position::START.next(), reason.clone())),
            _ => Line::of(self.found, self.twins, self.early),
        }
    }
}

/// Whether a journal is under its own name.
fn is_there(wish: &Wish<'_>, generation: u64) -> bool {
    let own = fs::read(path_of(&wish.folder.journal(), generation));
    own.is_ok_and(|bytes| Head::from_bytes(&bytes).is_ok_and(|head| head.generation == generation))
}

impl Line {
    fn of(found: Vec<Read>, twins: Vec<PathBuf>, early: Vec<(PathBuf, String)>) -> Result<Self, Failure> {
        let oldest = found.iter().map(|read| read.head.oldest).max().unwrap_or_default();
        let (found, given_up): (Vec<_>, Vec<_>) = found.into_iter().partition(|read| read.head.generation >= oldest);
        let given_up = given_up.into_iter().map(|read| read.path).chain(twins).collect();
        let mut line = Self { begun: Vec::new(), spare: None, sealed: Vec::new(), given_up, early };
        for read in found {
            line.check_log(&read)?;
            // The first may be any: those before it are in segments, and a missing segment is reported as such.
            let expected = line.begun.last().map_or(read.head.generation, |before| before.head.generation + 1);
            if read.head.generation != expected || line.spare.is_some() {
                return Err(line.missing(expected));
            }
            if read.head.begun { line.begun.push(read) } else { line.spare = Some(read) }
        }
        match (line.begun.last(), &line.spare) {
            (None, Some(spare)) => Err(line.missing(spare.head.generation.saturating_sub(1))),
            (Some(last), None) if last.scanned.has_end_mark => Err(line.missing(last.head.generation + 1)),
            _ => Ok(line),
        }
    }

    fn missing(&self, generation: u64) -> Failure {
        let end = self.begun.last().map_or(Position::START, |before| before.scanned.end);
        Failure::damage(end.next(), format!("journal {generation:08} is missing"))
    }

    fn check_log(&self, read: &Read) -> Result<(), Failure> {
        match self.begun.first() {
            Some(first) if first.head.log != read.head.log => {
                let reason = format!("{} and {} are of different logs", first.path.display(), read.path.display());
                Err(Failure::damage(first.scanned.end.next(), reason))
            }
            _ => Ok(()),
        }
    }

    /// What the segments lack may be in a journal that cannot be read: then the journal is what is damaged.
    pub fn blame(&self, failure: Failure, wish: &Wish<'_>) -> Failure {
        match (failure, self.early.first()) {
            (Failure::Damage(damage), Some((_, reason))) => {
                Failure::Damage(Damage { reason: format!("{reason}; {}", damage.reason), ..damage }).at_whole_end(wish)
            }
            (failure, _) => failure,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.begun.is_empty()
    }

    /// The start of each.
    pub fn bases(&self) -> Vec<(Position, Chain)> {
        self.begun.iter().map(|read| (read.head.base, read.head.chain)).collect()
    }

    pub fn log(&self) -> LogId {
        self.begun.first().map_or([0; 16], |read| read.head.log)
    }

    /// The last position, and the chain up to it.
    pub fn end(&self) -> (Position, Chain) {
        self.begun.last().map_or_else(Default::default, |read| (read.scanned.end, read.scanned.chain))
    }

    /// Whether the journals follow from the segments and from each other, and nothing shows that a frame is lost.
    pub fn check(&mut self, sealed: (Position, Chain)) -> Result<(), Failure> {
        // Faults of a journal whose blocks are all in segments do not matter.
        let needed = self.begun.iter().rposition(|read| read.head.base <= sealed.0).unwrap_or(0);
        self.sealed.extend(self.begun.drain(..needed).map(|read| read.path));
        let Some(first) = self.begun.first() else { return Ok(()) };
        if (first.head.base, first.head.chain) != sealed && first.head.base >= sealed.0 {
            return Err(Failure::damage(sealed.0.next(), format!("{}: it does not follow from the segments", first.path.display())));
        }
        for pair in self.begun.windows(2) {
            let (read, next) = (&pair[0], &pair[1]);
            if (read.scanned.end, read.scanned.chain) != (next.head.base, next.head.chain) {
                return Err(read.broken(Some(next.head.base)));
            }
        }
        match self.begun.last() {
            Some(last) if last.scanned.lost.is_some() => Err(last.broken(last.scanned.lost)),
            _ => Ok(()),
        }
    }

    /// Everything known to have been acknowledged must be present.
    pub fn check_acknowledged(&self, known: Position) -> Result<(), Failure> {
        let Some(last) = self.begun.last().filter(|_| known > self.end().0) else { return Ok(()) };
        match last.broken(Some(known)) {
            Failure::Damage(damage) => Err(Failure::Damage(Damage { acknowledged: Some(known), ..damage })),
            failure @ Failure::Storage(_) => Err(failure),
        }
    }

    /// Whether the last frame states that everything before it was acknowledged, and nothing follows it.
    pub fn is_settled(&self) -> bool {
        self.begun.last().is_some_and(|last| last.scanned.is_settled && last.scanned.after.is_empty())
    }

    /// What sled has was acknowledged, so the log must have it.
    pub fn check_window(&self, window_end: Option<Position>) -> Result<(), Failure> {
        match (window_end, self.begun.last()) {
            (Some(known), Some(last)) if known > self.end().0 => Err(last.broken(Some(known))),
            _ => Ok(()),
        }
    }

    /// Removes what a power loss left of an unacknowledged write, and makes the rest durable.
    pub fn cut_torn_end(&self, report: &mut OpenReport) -> Result<(), Failure> {
        let Some(last) = self.begun.last() else { return Ok(()) };
        if self.is_settled() {
            return Ok(());
        }
        let (scanned, file) = (&last.scanned, DiskFile::open(&last.path)?);
        if !scanned.after.is_empty() {
            let what = format!("{} frames after position {} in {}", scanned.after.len(), scanned.end, last.path.display());
            tracing::warn!(what, "cutting off a torn end of the log that was never acknowledged");
            report.cut_tail = Some(what);
            // Without their first bytes they are no longer frames, and cannot be mistaken for the continuation of something else.
            scanned.after.iter().try_for_each(|at| file.write_at(&[0; 8], *at as u64))?;
        }
        // What a killed process wrote is visible, but may not be durable yet.
        Ok(file.sync()?)
    }

    /// Removes the files that no longer count. Left there, they would make a gap once later ones are reused.
    pub fn tidy(&self, folder: &Path) -> Result<(), Failure> {
        let early = self.early.iter().map(|(path, _)| path);
        self.given_up.iter().chain(early).try_for_each(|path| disk::set_aside(path).map(drop))?;
        Ok(disk::remove_files(folder, &self.sealed)?)
    }

    /// Where the next frame belongs; beyond the file's room if it has ended.
    pub fn next_at(&self) -> u64 {
        self.begun.last().map_or(0, |read| if read.scanned.has_end_mark { read.head.bytes } else { read.scanned.end_at as u64 })
    }

    /// The files, open, with their blocks.
    pub fn into_files(self) -> Result<Files, Failure> {
        let begun = self.begun.into_iter().map(|read| read.open().map(Arc::new)).collect::<Result<_, _>>()?;
        Ok((begun, self.spare.map(Read::open).transpose()?))
    }
}

impl Read {
    fn open(self) -> std::io::Result<JournalFile> {
        let file = JournalFile::new(DiskFile::open(&self.path)?, self.head);
        self.scanned.blocks.iter().for_each(|(range, at, bytes)| file.add(*range, *at as u64, *bytes));
        Ok(file)
    }

    /// The frame after the last whole one is broken, though something after it was acknowledged.
    fn broken(&self, acknowledged: Option<Position>) -> Failure {
        let (position, file) = (self.scanned.end.next(), self.path.display());
        let known = acknowledged.map_or(String::new(), |known| format!(", though everything up to {known} was acknowledged"));
        let reason = format!("{file}: the frame at byte {} is broken{known}", self.scanned.end_at);
        Failure::Damage(Damage { position, reason, acknowledged: None, frame: Some((self.path.clone(), self.scanned.end_at)) })
    }
}
