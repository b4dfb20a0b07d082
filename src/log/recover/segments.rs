//! Which files in the segments' folder make up the log: each must follow from the one before by its chain, and the last one leads to the
//! journals. What is missing or damaged is taken from copies, where there are any.

use std::{
    cell::{OnceCell, RefCell},
    collections::HashMap,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{Failure, Wish, entries};
use crate::{
    disk,
    events::Position,
    log::{
        OpenReport,
        block::{CHAIN_START, Chain, hex},
        segment::{
            Segment, SegmentError, SegmentFile, SegmentHead,
            head::{CHAIN_DIGITS, HEAD_BYTES},
            named,
        },
    },
};

/// How often a file that the system refuses is read before it is given up: a transient error is no loss.
const READS_MAX: u32 = 3;
/// The pause between two of them.
const READ_AGAIN: Duration = Duration::from_millis(50);

/// The segments in order, found from their end: `bases` is where journals state that everything before them ends, and each segment names
/// the chain that it continues. So a file of another log is never a part of it, whatever its name.
pub fn list(wish: &Wish<'_>, bases: &[(Position, Chain)], report: &mut OpenReport) -> Result<Vec<SegmentFile>, Failure> {
    let mut files = Files::find(wish)?;
    report.bytes_read += files.heads * HEAD_BYTES as u64;
    let Some((first, later)) = bases.split_first() else { return Ok(files.longest()) };
    let mut segments = files.up_to(*first, report)?;
    // A full journal may be in a segment already; a damaged segment is rewritten from the journal.
    let mut end = *first;
    for base in later {
        match files.whole.get(base) {
            Some(next) if before(&next.head) == end => segments.push(next.clone()),
            _ => break,
        }
        end = *base;
    }
    Ok(segments)
}

/// The end of the whole segments that lead on from the first position, where no journal states which they are.
///
/// # Errors
/// When a file cannot be read, or when two logs are in the folder.
pub fn whole_segments(wish: &Wish<'_>) -> Result<Vec<SegmentFile>, Failure> {
    let files = Files::find(wish)?;
    files.only_one_log()?;
    Ok(files.longest())
}

/// The content of the segments' folder, and copies elsewhere.
struct Files<'a> {
    wish: &'a Wish<'a>,
    /// By where each ends, with the chain there.
    whole: HashMap<(Position, Chain), SegmentFile>,
    /// By the last position and the chain prefix in the name.
    damaged: HashMap<(Position, String), (PathBuf, String)>,
    heads: u64,
    /// The heads of copies by where each ends; read when one is first needed.
    spares: OnceCell<HashMap<(Position, Chain), Vec<SegmentFile>>>,
    /// The whole copies looked for so far: reading one is slow, and there may be none.
    copies: RefCell<HashMap<(Position, Chain), Option<SegmentFile>>>,
}

impl<'a> Files<'a> {
    fn find(wish: &'a Wish<'a>) -> Result<Self, Failure> {
        let (whole, damaged, spares, copies) = (HashMap::new(), HashMap::new(), OnceCell::new(), RefCell::default());
        let mut files = Self { wish, whole, damaged, heads: 0, spares, copies };
        for path in entries(&wish.folder.segments())? {
            let Some((_, last, chain)) = named(&path) else {
                tracing::warn!(file = %path.display(), "this file does not belong to the log: ignored");
                continue;
            };
            files.heads += 1;
            match read_often(|| SegmentFile::find(&path)) {
                Ok(segment) => drop(files.whole.insert((segment.head.last, segment.head.chain), segment)),
                // What cannot be read now may be whole: it does not count as damage unless it is given up on request.
                Err(SegmentError::Io(error)) if !wish.accept_lost_tail => return Err(Failure::Storage(error.to_string())),
                Err(error) => drop(files.damaged.insert((last, chain), (path.clone(), format!("{}: {error}", path.display())))),
            }
        }
        Ok(files)
    }

    /// The longest line from the first position.
    fn longest(&self) -> Vec<SegmentFile> {
        let mut ends: Vec<_> = self.whole.keys().copied().collect();
        ends.sort_unstable_by(|one, other| other.cmp(one));
        ends.into_iter().find_map(|end| self.line_to(end)).unwrap_or_default()
    }

    /// The segments up to an end, if all of them are there or can be taken from copies.
    fn line_to(&self, mut end: (Position, Chain)) -> Option<Vec<SegmentFile>> {
        let mut line = Vec::new();
        while end != (Position::START, CHAIN_START) {
            let segment = self.whole.get(&end).cloned().or_else(|| self.copy(end))?;
            end = before(&segment.head);
            line.push(segment);
        }
        line.reverse();
        Some(line)
    }

    /// Only journals distinguish two logs.
    fn only_one_log(&self) -> Result<(), Failure> {
        let mut begins: HashMap<_, Vec<_>> = HashMap::new();
        for segment in self.whole.values() {
            begins.entry(before(&segment.head)).or_default().push(segment);
        }
        let Some(twins) = begins.values().find(|segments| segments.len() > 1) else { return Ok(()) };
        let names: Vec<_> = twins.iter().map(|segment| segment.path.display().to_string()).collect();
        Err(Failure::Storage(format!("{} begin at the same position; move those away that are not of this log", names.join(" and "))))
    }

    /// All segments up to where a journal begins; what is missing or damaged is taken from copies.
    fn up_to(&mut self, base: (Position, Chain), report: &mut OpenReport) -> Result<Vec<SegmentFile>, Failure> {
        let (mut segments, mut end) = (Vec::new(), base);
        while end != (Position::START, CHAIN_START) {
            if end.0 == Position::START {
                return Err(Failure::damage(end.0.next(), "the segments do not lead to the journals: they belong to another log"));
            }
            let segment = match self.whole.get(&end) {
                Some(segment) => segment.clone(),
                None => self.mend(end, report)?,
            };
            end = before(&segment.head);
            segments.push(segment);
        }
        segments.reverse();
        Ok(segments)
    }

    /// Takes the segment that ends there from a copy.
    fn mend(&mut self, end: (Position, Chain), report: &mut OpenReport) -> Result<SegmentFile, Failure> {
        let (damaged, folder) = (self.damaged.remove(&(end.0, digits(&end.1))), self.wish.folder.segments());
        let missing = || format!("the segment …-{:012}-{}.segment is missing in {}", end.0.0, digits(&end.1), folder.display());
        let reason = damaged.as_ref().map_or_else(missing, |(_, reason)| reason.clone());
        let Some(copy) = self.copy(end) else {
            let whole = self.whole_before(end.0);
            let first = damaged.and_then(|(path, _)| named(&path)).map(|(first, ..)| first).filter(|first| *first > whole.next());
            let gap = first.map(|first| format!("; what is after position {whole} and before {first} is missing"));
            return Err(Failure::damage(whole.next(), reason + &gap.unwrap_or_default()));
        };
        let path = folder.join(copy.head.file_name());
        disk::put_in_place(&copy.path, &path)?;
        tracing::warn!(reason, copy = %copy.path.display(), "repaired the log from a copy");
        report.mended.push(format!("{reason}: replaced with {}", copy.path.display()));
        Ok(SegmentFile { path, ..copy })
    }

    /// The end of the whole part before a position.
    fn whole_before(&self, position: Position) -> Position {
        let ends = self.whole.keys().filter(|(last, _)| *last < position);
        ends.filter(|end| self.line_to(**end).is_some()).map(|(last, _)| *last).max().unwrap_or(Position::START)
    }

    /// A whole copy of the segment that ends there.
    fn copy(&self, end: (Position, Chain)) -> Option<SegmentFile> {
        if let Some(known) = self.copies.borrow().get(&end) {
            return known.clone();
        }
        let found = self.spares().get(&end).and_then(|spares| spares.iter().find(|spare| is_whole(&spare.path)).cloned());
        self.copies.borrow_mut().insert(end, found.clone());
        found
    }

    fn spares(&self) -> &HashMap<(Position, Chain), Vec<SegmentFile>> {
        self.spares.get_or_init(|| {
            let mut by_end: HashMap<_, Vec<_>> = HashMap::new();
            for spare in heads_in(self.wish.spares) {
                by_end.entry((spare.head.last, spare.head.chain)).or_default().push(spare);
            }
            by_end
        })
    }
}

/// The chain prefix in a file's name.
fn digits(chain: &Chain) -> String {
    hex(chain)[..CHAIN_DIGITS].to_owned()
}

/// The point a segment continues from.
fn before(head: &SegmentHead) -> (Position, Chain) {
    (Position(head.first.0 - 1), head.chain_before)
}

/// Reads again where the system refuses it, in case the error is transient.
pub fn read_often<T>(read: impl Fn() -> Result<T, SegmentError>) -> Result<T, SegmentError> {
    for _ in 1..READS_MAX {
        match read() {
            Err(SegmentError::Io(error)) => tracing::warn!(%error, "a segment cannot be read; retrying"),
            read => return read,
        }
        thread::park_timeout(READ_AGAIN);
    }
    read()
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
