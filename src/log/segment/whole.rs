//! A segment read as a whole and checked against its own hashes: for verification, restores and repair.

use std::{fs, io, path::Path};

use super::head::{HEAD_BYTES, NoHead, SegmentHead};
use crate::{
    events::Position,
    log::block::{self, HEADER_BYTES},
};

/// Why a file is not the segment it should be.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    #[error("it is missing")]
    Missing,
    #[error("{0}")]
    Io(io::Error),
    #[error("it is not a segment: {0}")]
    Foreign(String),
    #[error("it has format {0}, which this program does not know")]
    Newer(u64),
    #[error("it is damaged{}: {reason}", .position.map(|position| format!(" at position {position}")).unwrap_or_default())]
    Damaged { position: Option<Position>, reason: String },
}

impl SegmentError {
    /// Damage that is not at a position of its own.
    pub fn damaged(reason: impl Into<String>) -> Self {
        Self::Damaged { position: None, reason: reason.into() }
    }
}

impl From<io::Error> for SegmentError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::NotFound { Self::Missing } else { Self::Io(error) }
    }
}

impl From<NoHead> for SegmentError {
    fn from(no: NoHead) -> Self {
        match no {
            NoHead::Foreign(reason) => Self::Foreign(reason.into()),
            NoHead::Newer(found) => Self::Newer(found),
            NoHead::Damaged(reason) => Self::damaged(reason),
        }
    }
}

/// A segment that was read and whose hashes match.
pub struct Segment {
    pub head: SegmentHead,
    bytes: Vec<u8>,
}

impl Segment {
    /// Reads a file and checks all of it but the blocks themselves.
    ///
    /// # Errors
    /// States what is wrong with it.
    pub fn read(path: &Path) -> Result<Self, SegmentError> {
        let bytes = fs::read(path)?;
        let head = SegmentHead::from_bytes(&bytes)?;
        if bytes.len() as u64 != head.file_bytes() {
            return Err(SegmentError::damaged(format!("{} bytes where {} are announced", bytes.len(), head.file_bytes())));
        }
        let segment = Self { head, bytes };
        if *blake3::hash(segment.payload()).as_bytes() != head.payload_hash {
            let position = segment.blocks().find_map(Result::err).map(|(position, _)| position);
            return Err(SegmentError::Damaged { position, reason: "the hash of its blocks is wrong".into() });
        }
        if head.format > 1 && *blake3::hash(&segment.bytes[segment.index_at()..]).as_bytes() != head.index_hash {
            return Err(SegmentError::damaged("the hash of its index is wrong"));
        }
        Ok(segment)
    }

    fn index_at(&self) -> usize {
        self.bytes.len() - usize::try_from(self.head.index_bytes).unwrap_or(0)
    }

    fn payload(&self) -> &[u8] {
        &self.bytes[self.head.payload_at()..self.index_at()]
    }

    /// The hash that a manifest states: that of the head, or of the whole file in format 1.
    #[must_use]
    pub fn hash(&self) -> String {
        if self.head.format == 1 { blake3::hash(&self.bytes).to_hex().to_string() } else { self.head.hash() }
    }

    /// Its blocks, in order: each checked for its frame and checksum; the last one may be an error.
    pub fn blocks(&self) -> impl Iterator<Item = Result<(block::Header, &[u8]), (Position, String)>> {
        let (mut rest, mut next) = (self.payload(), self.head.first);
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let found = next_block(rest).map_err(|reason| (next, reason));
            match &found {
                Ok((header, bytes)) => (rest, next) = (&rest[bytes.len()..], header.last().next()),
                Err(_) => rest = &[],
            }
            Some(found)
        })
    }

    /// Checks every block and the hash chain from before the first to after the last.
    ///
    /// # Errors
    /// Names the position of what is wrong.
    pub fn check_chain(&self) -> Result<(), SegmentError> {
        let mut filling = super::Filling::after(Position(self.head.first.0.saturating_sub(1)), self.head.chain_before);
        for found in self.blocks() {
            let damaged = |position, reason| SegmentError::Damaged { position: Some(position), reason };
            let (header, bytes) = found.map_err(|(position, reason)| damaged(position, reason))?;
            filling.add(bytes).map_err(|reason| damaged(header.first, reason))?;
        }
        if filling.reached() != (self.head.last, self.head.chain) {
            return Err(SegmentError::damaged("its blocks do not end where its header says"));
        }
        Ok(())
    }
}

/// The whole blocks at the beginning of a file whose index or end is damaged; `None` unless they are all that its head announces, by
/// their hash: then the file can be rewritten from them.
#[must_use]
pub fn blocks_despite_index(path: &Path) -> Option<(SegmentHead, Vec<Vec<u8>>)> {
    let bytes = fs::read(path).ok()?;
    let head = SegmentHead::from_bytes(&bytes).ok()?;
    let end = head.payload_at().checked_add(usize::try_from(head.payload_bytes).ok()?)?;
    let payload = bytes.get(head.payload_at()..end)?;
    if *blake3::hash(payload).as_bytes() != head.payload_hash {
        return None;
    }
    let blocks = whole_blocks(payload);
    (blocks.iter().map(Vec::len).sum::<usize>() == payload.len()).then_some((head, blocks))
}

/// Every whole block that a file begins with, however damaged the rest of it is; none if its head is another segment's.
///
/// # Errors
/// When the file cannot be read at all.
pub fn readable_blocks(path: &Path) -> io::Result<Vec<Vec<u8>>> {
    let bytes = fs::read(path)?;
    let is_other = SegmentHead::from_bytes(&bytes).is_ok_and(|head| path.file_name().is_none_or(|name| name != head.file_name().as_str()));
    Ok(if is_other { Vec::new() } else { whole_blocks(bytes.get(HEAD_BYTES..).unwrap_or_default()) })
}

/// The blocks up to the first that is damaged.
fn whole_blocks(mut rest: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    while let Ok((_, block)) = next_block(rest) {
        rest = &rest[block.len()..];
        blocks.push(block.to_vec());
    }
    blocks
}

fn next_block(rest: &[u8]) -> Result<(block::Header, &[u8]), String> {
    let header = block::peek(rest).ok_or("a block is missing where one should start")?;
    let bytes = rest.get(..HEADER_BYTES + header.payload_bytes as usize).ok_or("the block is cut short")?;
    block::check(bytes).map(|header| (header, bytes))
}
