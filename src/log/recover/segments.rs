//! Which of the files in the segments' folder make the log, from the first position on: each must follow from the one before by its chain.
//! What is missing or damaged is taken from copies, where there are any.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{Failure, Wish, entries};
use crate::{
    disk,
    events::Position,
    log::{
        OpenReport,
        block::{CHAIN_START, Chain},
        segment::{Segment, SegmentError, SegmentFile, SegmentHead, range_of},
    },
};

/// The segments in order. `bases` is where journals say that everything before them ends.
pub fn list(wish: &Wish<'_>, bases: &[(Position, Chain)], report: &mut OpenReport) -> Result<Vec<SegmentFile>, Failure> {
    let mut found: BTreeMap<Position, Vec<SegmentFile>> = BTreeMap::new();
    let mut damaged = BTreeMap::new();
    for path in entries(&wish.folder.segments())? {
        let Some((first, _)) = range_of(&path) else {
            tracing::warn!(file = %path.display(), "this file is not a part of the log: it is left alone");
            continue;
        };
        report.bytes_read += crate::log::segment::head::HEAD_BYTES as u64;
        match SegmentFile::find(&path) {
            Ok(segment) => found.entry(first).or_default().push(segment),
            // What cannot be read now may be whole: it is not taken for damage, unless somebody gives it up.
            Err(SegmentError::Io(error)) if !wish.accept_lost_tail => return Err(Failure::Storage(format!("{}: {error}", path.display()))),
            Err(error) => drop(damaged.insert(first, (path.clone(), format!("{}: {error}", path.display())))),
        }
    }
    let needed = bases.first().map_or(Position::START, |(base, _)| *base);
    // What is after the newest journal's base is in that journal; a file that goes on there was put there by somebody.
    let limit = bases.last().map_or(Position(u64::MAX), |(base, _)| *base);
    for segments in found.values_mut() {
        segments.retain(|segment| ends_where_a_journal_begins(&segment.head, bases));
    }
    damaged.retain(|first, _| *first <= limit);
    let mut line = Line { wish, bases, found, damaged, spares: OnceCell::new(), report };
    line.follow(needed)
}

/// Between the first and the last base only whole journals become segments; anything else is in them already.
fn ends_where_a_journal_begins(head: &SegmentHead, bases: &[(Position, Chain)]) -> bool {
    bases.first().is_none_or(|(first, _)| head.last <= *first) || bases.contains(&(head.last, head.chain))
}

struct Line<'a> {
    wish: &'a Wish<'a>,
    bases: &'a [(Position, Chain)],
    found: BTreeMap<Position, Vec<SegmentFile>>,
    damaged: BTreeMap<Position, (PathBuf, String)>,
    /// What is in the folders of copies; read once one is needed.
    spares: OnceCell<Vec<SegmentFile>>,
    report: &'a mut OpenReport,
}

impl Line<'_> {
    fn follow(&mut self, needed: Position) -> Result<Vec<SegmentFile>, Failure> {
        let (mut segments, mut last, mut chain) = (Vec::new(), Position::START, CHAIN_START);
        loop {
            let next = match self.next(last, chain) {
                Some(segment) => segment,
                None if self.is_complete(last, needed) => return Ok(segments),
                None => self.mend(last, chain)?,
            };
            (last, chain) = (next.head.last, next.head.chain);
            segments.push(next);
        }
    }

    /// Whether nothing says that there are more segments: the journals begin here or before, and nothing is there after it.
    fn is_complete(&self, last: Position, needed: Position) -> bool {
        last >= needed && !self.damaged.keys().any(|first| *first == last.next())
    }

    /// The segment that follows; of several, the one that leads on.
    fn next(&self, last: Position, chain: Chain) -> Option<SegmentFile> {
        let follows: Vec<_> = self.found.get(&last.next())?.iter().filter(|segment| segment.head.chain_before == chain).collect();
        let leads_on = |segment: &&&SegmentFile| {
            let after = (segment.head.last, segment.head.chain);
            let next = self.found.get(&segment.head.last.next());
            self.bases.contains(&after) || next.is_some_and(|next| next.iter().any(|one| one.head.chain_before == after.1))
        };
        follows.iter().find(leads_on).or(follows.first()).map(|segment| (*segment).clone())
    }

    /// Takes the segment after a position from a copy.
    fn mend(&mut self, last: Position, chain: Chain) -> Result<SegmentFile, Failure> {
        let position = last.next();
        let damaged = self.damaged.remove(&position);
        let reason = damaged.as_ref().map_or_else(
            || format!("the segment that begins at position {position} is missing in {}", self.wish.folder.segments().display()),
            |(_, reason)| reason.clone(),
        );
        let Some(copy) = self.copy(position, chain) else {
            return Err(Failure::damage(position, reason));
        };
        if let Some((path, _)) = damaged {
            disk::set_aside(&path)?;
        }
        disk::link_all([copy.path.as_path()], &self.wish.folder.segments())?;
        tracing::warn!(reason, copy = %copy.path.display(), "mended the log from a copy");
        self.report.mended.push(format!("{reason}: taken from {}", copy.path.display()));
        let path = self.wish.folder.segments().join(copy.head.file_name());
        Ok(SegmentFile { path, ..copy })
    }

    /// A whole copy of the segment that follows, and not of another history: that one leads elsewhere.
    fn copy(&self, first: Position, chain: Chain) -> Option<SegmentFile> {
        self.spares_after(first, chain).find(|spare| self.leads_on(spare) && is_whole(&spare.path)).cloned()
    }

    /// Whether what comes after a segment is there: a journal, a segment of the log, or copies that lead to one.
    fn leads_on(&self, segment: &SegmentFile) -> bool {
        let (last, chain) = (segment.head.last, segment.head.chain);
        let follows = |segments: &Vec<SegmentFile>| segments.iter().any(|next| next.head.chain_before == chain);
        self.bases.contains(&(last, chain))
            || self.found.get(&last.next()).is_some_and(follows)
            || self.spares_after(last.next(), chain).any(|next| next.head.last > last && self.leads_on(next))
    }

    fn spares_after(&self, first: Position, chain: Chain) -> impl Iterator<Item = &SegmentFile> {
        let spares = self.spares.get_or_init(|| heads_in(self.wish.spares));
        spares.iter().filter(move |spare| spare.head.first == first && spare.head.chain_before == chain)
    }
}

/// Whole copies in other folders, checked to the last byte.
pub fn copies(spares: &[PathBuf], fits: impl Fn(&SegmentFile) -> bool) -> impl Iterator<Item = SegmentFile> {
    heads_in(spares).into_iter().filter(move |segment| fits(segment)).filter(|segment| is_whole(&segment.path))
}

fn heads_in(folders: &[PathBuf]) -> Vec<SegmentFile> {
    let files = folders.iter().flat_map(|folder| entries(folder).unwrap_or_default());
    files.filter_map(|path| SegmentFile::find(&path).ok()).collect()
}

fn is_whole(path: &Path) -> bool {
    Segment::read(path).is_ok_and(|segment| segment.head.format > 1 && segment.check_chain().is_ok())
}
