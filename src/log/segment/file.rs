//! A segment in its place, read by block and by stream. Only its head is kept in memory; the block offsets of the segments
//! read last are kept with their open files.

use std::{
    collections::VecDeque,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    head::{HEAD_BYTES, SegmentHead},
    index::{self, Places},
    whole::SegmentError,
};
use crate::{
    disk::DiskFile,
    events::{Position, heads::StreamKey},
    log::block::StoredBlock,
};

/// The memory for block offsets: those of about thirty segments of large blocks, or of five full of single commands.
const PLACES_BYTES_MAX: usize = 2 << 20;
/// At most this many files are kept open.
const OPEN_MAX: usize = 32;

/// A segment of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentFile {
    pub path: PathBuf,
    pub head: SegmentHead,
}

impl SegmentFile {
    /// Reads the head of a file and checks it against the file's length and name.
    ///
    /// # Errors
    /// States what is wrong with it.
    pub fn find(path: &Path) -> Result<Self, SegmentError> {
        let file = DiskFile::open_to_read(path)?;
        let length = file.length()?;
        let mut bytes = vec![0; HEAD_BYTES.min(usize::try_from(length).unwrap_or(HEAD_BYTES))];
        file.read_at(&mut bytes, 0)?;
        let head = SegmentHead::from_bytes(&bytes)?;
        if length != head.file_bytes() {
            return Err(SegmentError::damaged(format!("{length} bytes where {} are announced", head.file_bytes())));
        }
        if path.file_name().is_none_or(|name| name != head.file_name().as_str()) {
            return Err(SegmentError::damaged(format!("its header says that it is {}", head.file_name())));
        }
        Ok(Self { path: path.to_owned(), head })
    }

    /// Whether a position is in it.
    #[must_use]
    pub fn holds(&self, position: Position) -> bool {
        (self.head.first..=self.head.last).contains(&position)
    }
}

/// An open segment, with the block offsets of its index.
#[derive(Debug)]
struct Open {
    file: DiskFile,
    places: Places,
}

/// The segments that were read last, the most recent at the end.
#[derive(Debug, Default)]
pub struct OpenSegments(Mutex<VecDeque<(Position, Arc<Open>)>>);

impl OpenSegments {
    /// Blocks from the one that holds a position on, at most this many bytes but at least one block.
    ///
    /// # Errors
    /// When the file cannot be read or its index is damaged.
    pub fn blocks(&self, segment: &SegmentFile, position: Position, bytes_max: usize) -> Result<Vec<(Position, StoredBlock)>, String> {
        let first = segment.head.first;
        let open = self.open(segment)?;
        let Some((from, blocks)) = open.places.range(position.0 - first.0, bytes_max) else { return Ok(Vec::new()) };
        let length = blocks.last().map_or(0, |(_, range)| range.end);
        let mut bytes = vec![0; length];
        open.file.read_at(&mut bytes, segment.head.payload_at() as u64 + u64::from(from)).map_err(|error| naming(segment, &error))?;
        let bytes = Bytes::from(bytes);
        Ok(blocks.into_iter().map(|(distance, range)| (Position(first.0 + u64::from(distance)), bytes.slice(range))).collect())
    }

    /// The positions that the index lists for a stream, in order. Another stream's may be among them.
    ///
    /// # Errors
    /// When the file cannot be read or that part of its index is damaged.
    pub fn positions(&self, segment: &SegmentFile, key: StreamKey) -> Result<Vec<Position>, String> {
        let open = self.open(segment)?;
        let index_at = segment.head.payload_at() as u64 + segment.head.payload_bytes;
        let read = |at: usize, length: usize| {
            let mut bytes = vec![0; length];
            open.file.read_at(&mut bytes, index_at + at as u64).map(|()| bytes).map_err(|error| naming(segment, &error))
        };
        let (at, is_last) = open.places.directory_entry(key);
        let entry = read(at, if is_last { 8 } else { 12 })?;
        let number = |at: usize| entry[at..at + 4].try_into().map_or(0, u32::from_le_bytes);
        let records_at = open.places.records_at();
        let records_bytes = usize::try_from(segment.head.index_bytes).unwrap_or(0).saturating_sub(records_at);
        let (start, end) = (number(0) as usize, if is_last { records_bytes } else { number(8) as usize });
        if start > end || end > records_bytes {
            return Err(format!("{}: a part of its index leads elsewhere", segment.path.display()));
        }
        let found = index::find(&read(records_at + start, end - start)?, number(4), key);
        let found = found.map_err(|reason| format!("{}: {reason}", segment.path.display()))?;
        Ok(found.into_iter().map(|distance| Position(segment.head.first.0 + distance)).collect())
    }

    /// Drops a segment whose file was replaced.
    pub fn forget(&self, first: Position) {
        self.0.lock().retain(|(kept, _)| *kept != first);
    }

    fn open(&self, segment: &SegmentFile) -> Result<Arc<Open>, String> {
        let first = segment.head.first;
        {
            let mut open = self.0.lock();
            if let Some(at) = open.iter().position(|(kept, _)| *kept == first)
                && let Some((_, found)) = open.remove(at)
            {
                open.push_back((first, Arc::clone(&found)));
                return Ok(found);
            }
        }
        let opened = Arc::new(read_places(segment)?);
        let mut open = self.0.lock();
        open.push_back((first, Arc::clone(&opened)));
        while open.len() > OPEN_MAX || (open.len() > 1 && open.iter().map(|(_, one)| one.places.bytes()).sum::<usize>() > PLACES_BYTES_MAX)
        {
            open.pop_front();
        }
        Ok(opened)
    }
}

fn read_places(segment: &SegmentFile) -> Result<Open, String> {
    let file = DiskFile::open_to_read(&segment.path).map_err(|error| naming(segment, &error))?;
    let head = &segment.head;
    let mut index = vec![0; index::places_bytes(head.blocks).min(usize::try_from(head.index_bytes).unwrap_or(0))];
    file.read_at(&mut index, head.payload_at() as u64 + head.payload_bytes).map_err(|error| naming(segment, &error))?;
    let places = Places::read(&index, head.payload_bytes).map_err(|reason| format!("{}: {reason}", segment.path.display()))?;
    Ok(Open { file, places })
}

fn naming(segment: &SegmentFile, error: &io::Error) -> String {
    format!("{}: {error}", segment.path.display())
}
