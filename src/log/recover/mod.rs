//! Opening a log. What is read is bounded: the journals (two files), the file of heads, and the heads of the segments. Nothing is trusted
//! that is not secured by a checksum and the hash chain; anything else is repaired from what is whole, or named and refused.
//!
//! A journal's end is trusted only where nothing shows that there was more: a frame after it, the mark that the next journal begins, the
//! base of that next journal, or the file of heads. A broken, never acknowledged frame is a write interrupted by a power cut; it is cut off
//! and logged.

mod cut;
mod journals;
mod mend;
mod segments;

use std::{path::PathBuf, sync::Arc};

pub use self::segments::copies;
use self::segments::read_often;
use super::{
    OpenError, OpenReport,
    block::{CHAIN_START, Chain},
    folder::Folder,
    heads::{self, Saved},
    index::Index,
    journal::{self, JournalFile, Journals, head::LogId},
    segment::{Segment, SegmentError},
    storage::Storage,
    verifier,
};
use crate::{disk, events::Position};

/// A log whose files can be trusted.
pub struct Found {
    pub storage: Storage,
    pub index: Index,
    pub log: LogId,
    /// Where the next frame belongs in the current journal.
    pub active_at: u64,
    /// Where the heads were saved last, and the size of their file.
    pub heads_at: Position,
    pub heads_bytes: u64,
}

/// Damage that was found.
#[derive(Debug, Clone)]
pub struct Damage {
    /// Whole up to here, exclusively.
    pub position: Position,
    pub reason: String,
    /// Everything up to here was acknowledged; none if only the position's own damage is known.
    pub acknowledged: Option<Position>,
    /// The journal and offset of the broken frame, if that is the damage.
    pub frame: Option<(PathBuf, usize)>,
}

/// Why an attempt did not succeed.
pub enum Failure {
    Damage(Damage),
    /// The system refused something; the files are not the cause.
    Storage(String),
}

impl Failure {
    fn damage(position: Position, reason: impl Into<String>) -> Self {
        Self::Damage(Damage { position, reason: reason.into(), acknowledged: None, frame: None })
    }

    fn reason(&self) -> &str {
        match self {
            Self::Damage(damage) => &damage.reason,
            Self::Storage(reason) => reason,
        }
    }

    /// Where files do not make a line, the whole part ends where segments and journals still lead.
    fn at_whole_end(self, wish: &Wish<'_>) -> Self {
        match (self, cut::whole_end(wish)) {
            (Self::Damage(damage), Ok(end)) => Self::Damage(Damage { position: damage.position.max(end.next()), ..damage }),
            (failure, _) => failure,
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

/// How to open a log.
pub struct Wish<'a> {
    pub folder: &'a Folder,
    pub journal_bytes: u64,
    /// What the caller knows to have been acknowledged.
    pub acknowledged: Position,
    pub accept_lost_tail: bool,
    /// Folders where copies of its segments may be.
    pub spares: &'a [PathBuf],
}

/// Opens the log of a folder, or creates one.
///
/// # Errors
/// What is wrong, and where. No file is changed then, unless a part of the damage could be repaired.
pub fn open(wish: &Wish<'_>, report: &mut OpenReport) -> Result<Found, OpenError> {
    let (mut tried, mut cut_before) = (None, None);
    loop {
        let damage = match attempt(wish, report) {
            Ok(found) => match rotten(wish, &found, report) {
                None => return Ok(found),
                Some(damage) => damage,
            },
            Err(Failure::Storage(reason)) => return Err(OpenError::Storage(reason)),
            Err(Failure::Damage(damage)) => damage,
        };
        // Once at each position: a repaired log continues after it.
        if tried != Some(damage.position) {
            tried = Some(damage.position);
            if let Some(how) = mend::from_window(wish.folder, &damage) {
                tracing::warn!(position = %damage.position, reason = damage.reason, how, "repaired the log");
                report.mended.push(format!("{}: {how}", damage.reason));
                continue;
            }
        }
        // What is before a cut may be damaged further back: it is cut again, but only ever shorter.
        if !wish.accept_lost_tail || cut_before.is_some_and(|before| damage.position >= before) {
            return Err(refusal(damage));
        }
        tracing::warn!(position = %damage.position, reason = damage.reason, "opening the log without its lost end, as requested");
        if let Err(failure) = cut::off(wish, &damage) {
            return Err(OpenError::Storage(format!("{}; the end cannot be cut: {}", damage.reason, failure.reason())));
        }
        cut_before = Some(damage.position);
        report.lost_tail = Some(format!("from position {} on: {}", damage.position, damage.reason));
    }
}

/// Accepting a loss reads every segment: the log then ends before the first that is damaged and cannot be repaired.
fn rotten(wish: &Wish<'_>, found: &Found, report: &mut OpenReport) -> Option<Damage> {
    if !wish.accept_lost_tail || report.lost_tail.is_some() {
        return None;
    }
    found.storage.segments().iter().find_map(|segment| {
        let error = read_often(|| Segment::read(&segment.path).and_then(|segment| segment.check_chain())).err()?;
        if let Some(how) = verifier::mend(&found.storage, segment) {
            report.mended.push(format!("{}: {error}: {how}", segment.path.display()));
            return None;
        }
        let position = if let SegmentError::Damaged { position: Some(position), .. } = error { position } else { segment.head.first };
        Some(Damage { position, reason: format!("{}: {error}", segment.path.display()), acknowledged: None, frame: None })
    })
}

fn refusal(damage: Damage) -> OpenError {
    match damage.acknowledged {
        Some(acknowledged) => OpenError::LostTail { found: Position(damage.position.0 - 1), acknowledged, reason: damage.reason },
        None => OpenError::Damaged { position: damage.position, reason: damage.reason },
    }
}

fn attempt(wish: &Wish<'_>, report: &mut OpenReport) -> Result<Found, Failure> {
    tidy(wish.folder)?;
    let mut line = journals::read(wish, report).map_err(|failure| failure.at_whole_end(wish))?;
    let saved = heads::load(&wish.folder.heads()).inspect(|saved| report.bytes_read += saved.file_bytes);
    if line.is_empty() {
        return begin(wish, saved.as_ref(), report);
    }
    let segments = segments::list(wish, &line.bases(), report).map_err(|failure| line.blame(failure, wish))?;
    let sealed = segments.last().map_or((Position::START, CHAIN_START), |segment| (segment.head.last, segment.head.chain));
    line.check(sealed)?;
    let saved_newest = saved.as_ref().filter(|saved| saved.log == line.log()).map_or(Position::START, |saved| saved.newest);
    // After a cut the caller still knows of what was just lost.
    let known = if report.lost_tail.is_some() { Position::START } else { wish.acknowledged };
    line.check_acknowledged(saved_newest.max(known))?;
    let (log, end) = (line.log(), line.end());
    // Only a clean close saves the heads at the very end. Otherwise sled may know of more, even where the journal ends as if idle.
    let was_closed = saved_newest == end.0;
    if !was_closed {
        line.check_window(mend::window_end(wish.folder, end))?;
    }
    line.cut_torn_end(report)?;
    line.tidy(&wish.folder.journal())?;
    let active_at = line.next_at();
    let (live, spare) = line.into_files()?;
    report.copied = live.iter().map(|file| file.is_original()).collect::<Result<Vec<_>, _>>()?.contains(&false);
    let journals = Journals::new(wish.folder.journal(), log, wish.journal_bytes, live, spare);
    let storage = Storage::new(wish.folder.segments(), wish.spares.to_vec(), segments, journals);
    let (index, heads_at, heads_bytes) = replay(wish, &storage, saved.filter(|saved| saved.log == log && saved.newest <= end.0), report)?;
    if (index.mark.position, index.chain) != end {
        return Err(Failure::damage(index.mark.position.next(), "the blocks do not lead to the journal's end"));
    }
    Ok(Found { storage, index, log, active_at, heads_at, heads_bytes })
}

/// Removes what a crash left half written, none of it under a name that counts.
fn tidy(folder: &Folder) -> std::io::Result<()> {
    folder.lay_out()?;
    for place in [folder.journal(), folder.segments(), folder.path().to_owned()] {
        let parts: Vec<_> = entries(&place)?.into_iter().filter(|path| path.extension().is_some_and(|kind| kind == "part")).collect();
        disk::remove_files(&place, &parts)?;
    }
    Ok(())
}

fn entries(folder: &std::path::Path) -> std::io::Result<Vec<PathBuf>> {
    let mut entries = std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    entries.sort_unstable();
    Ok(entries)
}

/// A folder without a journal: a new log, unless something shows that there was one.
fn begin(wish: &Wish<'_>, saved: Option<&Saved>, report: &mut OpenReport) -> Result<Found, Failure> {
    let segments = segments::list(wish, &[], report)?;
    let (sealed, chain) = segments.last().map_or((Position::START, CHAIN_START), |segment| (segment.head.last, segment.head.chain));
    let had_events = sealed > Position::START || saved.is_some() || wish.folder.window().exists() || wish.acknowledged > Position::START;
    if report.lost_tail.is_none() && had_events {
        return Err(Failure::damage(sealed.next(), format!("{}: the journal is missing", wish.folder.journal().display())));
    }
    let log = LogId::from(uuid::Uuid::now_v7().into_bytes());
    make_first_journal(wish, log, (sealed, chain), 1)?;
    attempt(wish, report)
}

/// Creates an empty journal that begins after a position.
fn make_first_journal(wish: &Wish<'_>, log: LogId, (base, chain): (Position, Chain), generation: u64) -> std::io::Result<()> {
    let blank = journal::blank(log, wish.journal_bytes);
    let head = journal::head::Head { generation, oldest: generation, begun: true, base, chain, ..blank };
    JournalFile::prepare(&wish.folder.journal(), head, &[]).map(drop)
}

/// The index at the end of the log: from the saved one if it fits the blocks, otherwise from the first block on.
fn replay(wish: &Wish<'_>, storage: &Storage, saved: Option<Saved>, report: &mut OpenReport) -> Result<(Index, Position, u64), Failure> {
    let fits = |saved: &Saved| storage.chain_at(saved.index.mark.position).is_ok_and(|chain| chain == Some(saved.index.chain));
    let saved = saved.filter(fits);
    report.heads_from_file = saved.is_some();
    let (mut index, bytes) = saved.map_or((Index::empty(), 0), |saved| (saved.index, saved.file_bytes));
    let (from, mut raw) = (index.mark.position, Vec::new());
    for entry in storage.walk(from.next()) {
        let (first, bytes) = entry.map_err(|reason| unreadable(wish, storage, index.mark.position.next(), reason))?;
        let damaged = |(position, reason)| Failure::damage(position, storage.name(first, reason));
        index.add_block(first, &bytes, &mut raw, |_, _| Ok(())).map_err(damaged)?;
        report.bytes_read += bytes.len() as u64;
    }
    report.events_read = index.mark.position.0 - from.0;
    Ok((index, from, bytes))
}

/// A segment that may be whole was not read because the system refused it; one that it always refuses can be given up.
fn unreadable(wish: &Wish<'_>, storage: &Storage, position: Position, reason: String) -> Failure {
    match storage.segment_of(position).map(|segment| read_often(|| Segment::read(&segment.path))) {
        Some(Ok(_)) => Failure::Storage(reason),
        Some(Err(SegmentError::Io(_))) if !wish.accept_lost_tail => Failure::Storage(reason),
        Some(Err(_)) | None => Failure::damage(position, reason),
    }
}

/// The journals that have begun, and the one that has not.
type Files = (Vec<Arc<JournalFile>>, Option<JournalFile>);
