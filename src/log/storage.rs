//! Where a block is read from: sled's window for the newest, the journals for those not in a segment yet, the segments for all others.

use std::{collections::VecDeque, path::PathBuf, sync::Arc};

use parking_lot::RwLock;

use super::{
    block::{self, CHAIN_START, Chain, StoredBlock},
    journal::Journals,
    segment::{OpenSegments, SegmentFile},
    verifier::{self, Suspects},
    window::Window,
};
use crate::events::{Position, heads::StreamKey};

/// Bytes that a walk reads at once.
const WALK_BYTES: usize = 256 << 10;

/// A block and the position of its first event.
pub type Keyed = (Position, StoredBlock);

/// All blocks of a log.
#[derive(Debug)]
pub struct Storage {
    /// Where the segments are.
    folder: PathBuf,
    /// Folders where copies of them may be.
    spares: Vec<PathBuf>,
    /// In order and without a gap from the first position on.
    segments: RwLock<Arc<Vec<SegmentFile>>>,
    open: OpenSegments,
    pub journals: Journals,
    pub window: Window,
    pub suspects: Suspects,
}

impl Storage {
    /// Wraps what recovery found.
    pub fn new(folder: PathBuf, spares: Vec<PathBuf>, segments: Vec<SegmentFile>, journals: Journals) -> Self {
        Self {
            folder,
            spares,
            segments: RwLock::new(Arc::new(segments)),
            open: OpenSegments::default(),
            journals,
            window: Window::default(),
            suspects: Suspects::default(),
        }
    }

    /// Where the segments are.
    #[must_use]
    pub fn folder(&self) -> &PathBuf {
        &self.folder
    }

    /// Folders where copies of segments may be.
    #[must_use]
    pub fn spares(&self) -> &[PathBuf] {
        &self.spares
    }

    /// The current segments.
    #[must_use]
    pub fn segments(&self) -> Arc<Vec<SegmentFile>> {
        Arc::clone(&self.segments.read())
    }

    /// Where the segments end, with the chain up to there.
    #[must_use]
    pub fn sealed(&self) -> (Position, Chain) {
        self.segments.read().last().map_or((Position::START, CHAIN_START), |segment| (segment.head.last, segment.head.chain))
    }

    /// Adds the segment that follows.
    pub fn add_segment(&self, segment: SegmentFile) {
        Arc::make_mut(&mut self.segments.write()).push(segment);
    }

    /// Drops what was read of a segment whose file was replaced by a whole one.
    pub fn reopen(&self, segment: &SegmentFile) {
        self.open.forget(segment.head.first);
    }

    /// The block that holds a position, checked; `None` after the end.
    ///
    /// # Errors
    /// When it cannot be read or is not what it should be.
    pub fn holding(&self, position: Position) -> Result<Option<Keyed>, String> {
        if let Some(found) = self.window.block(position) {
            return Ok(Some(found));
        }
        let found = self.blocks(position, 1)?.into_iter().next();
        Ok(found.filter(|(_, bytes)| block::peek(bytes).is_none_or(|header| header.last() >= position)))
    }

    /// Blocks from the one that holds a position, at most this many bytes but at least one; empty after the end. Those of a damaged segment
    /// come from a whole copy if there is one; otherwise they are returned unchanged.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn blocks(&self, position: Position, bytes_max: usize) -> Result<Vec<Keyed>, String> {
        // A segment enters its list before its journal leaves the other, so in this order every block is found.
        let found = self.journals.blocks(position, bytes_max).map_err(|error| format!("the journal cannot be read: {error}"))?;
        if !found.is_empty() {
            return Ok(found);
        }
        let Some(segment) = self.segment_of(position) else { return Ok(Vec::new()) };
        let found = self.open.blocks(&segment, position, bytes_max);
        let is_whole = |(first, bytes): &Keyed| block::check(bytes).is_ok_and(|header| header.first == *first);
        if found.as_ref().is_ok_and(|blocks| blocks.iter().all(is_whole)) || !verifier::check_for_reader(self, &segment) {
            return found;
        }
        self.open.blocks(&segment, position, bytes_max)
    }

    /// Prefixes a fault with the file that holds the position.
    #[must_use]
    pub fn name(&self, position: Position, reason: String) -> String {
        match self.segment_of(position) {
            Some(segment) if !reason.contains(".segment") => format!("{}: {reason}", segment.path.display()),
            _ => reason,
        }
    }

    /// The segment that holds a position.
    #[must_use]
    pub fn segment_of(&self, position: Position) -> Option<SegmentFile> {
        let segments = self.segments();
        let at = segments.partition_point(|segment| segment.head.last < position);
        segments.get(at).filter(|segment| segment.holds(position)).cloned()
    }

    /// The positions of a stream's events that the index of a segment gives.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub fn positions(&self, segment: &SegmentFile, key: StreamKey) -> Result<Vec<Position>, String> {
        let found = self.open.positions(segment, key);
        if found.is_ok() || !verifier::check_for_reader(self, segment) {
            return found;
        }
        self.open.positions(segment, key)
    }

    /// All blocks from the one that holds a position, in order, unchecked. An unreadable segment is one error, and the walk continues
    /// after it.
    pub fn walk(&self, position: Position) -> impl Iterator<Item = Result<Keyed, String>> {
        let (mut next, mut ready) = (position, VecDeque::new());
        std::iter::from_fn(move || {
            if ready.is_empty() {
                match self.blocks(next, WALK_BYTES) {
                    Ok(found) => ready.extend(found),
                    Err(reason) => {
                        next = self.segment_of(next).map_or(Position(u64::MAX), |segment| segment.head.last.next());
                        return Some(Err(reason));
                    }
                }
            }
            let (first, bytes): Keyed = ready.pop_front()?;
            // An unreadable header does not lead to the next block: the offsets do.
            next = match ready.front() {
                Some((after, _)) => *after,
                None => block::peek(&bytes).map_or_else(|| self.after(first), |header| header.last().next()),
            };
            Some(Ok((first, bytes)))
        })
    }

    /// The end of the segment or of the log, where a block does not state its end.
    fn after(&self, first: Position) -> Position {
        self.segment_of(first).map_or(Position(u64::MAX), |segment| segment.head.last.next())
    }

    /// The chain up to a position, if a block ends there.
    ///
    /// # Errors
    /// When the block cannot be read.
    pub fn chain_at(&self, position: Position) -> Result<Option<Chain>, String> {
        if position == Position::START {
            return Ok(Some(CHAIN_START));
        }
        if let Some(segment) = self.segment_of(position).filter(|segment| segment.head.last == position) {
            return Ok(Some(segment.head.chain));
        }
        let found = self.holding(position)?.and_then(|(_, bytes)| block::check(&bytes).ok());
        Ok(found.filter(|header| header.last() == position).map(|header| header.chain))
    }
}
