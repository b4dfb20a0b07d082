//! What the bytes of a journal hold: the frames from its start to the first that does not follow, and what comes after.

use super::{
    frame::{self, Frame},
    head::{HEAD_BYTES, Head},
};
use crate::{
    events::Position,
    log::block::{self, Chain},
};

/// The frames of a journal that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// First and last position of each block, its offset and its bytes.
    pub blocks: Vec<((Position, Position), usize, usize)>,
    /// The last position and the chain up to it.
    pub end: Position,
    pub chain: Chain,
    /// Where the next frame belongs.
    pub end_at: usize,
    /// Whether the last frame states that the next journal begins.
    pub has_end_mark: bool,
    /// Whether the last frame is a mark that everything before it is durable.
    pub is_settled: bool,
    /// The offsets of whole frames of this generation after the end: their content was never acknowledged, or the journal is damaged.
    pub after: Vec<usize>,
    /// A position that a later frame calls durable, though the journal ends before it.
    pub lost: Option<Position>,
}

/// Follows the frames of a journal that has begun.
#[must_use]
pub fn scan(bytes: &[u8], head: &Head) -> Scanned {
    let mut scanned = Scanned {
        blocks: Vec::new(),
        end: head.base,
        chain: head.chain,
        end_at: HEAD_BYTES,
        has_end_mark: false,
        is_settled: false,
        after: Vec::new(),
        lost: None,
    };
    while let Some(frame) = bytes.get(scanned.end_at..).and_then(|rest| frame::read(rest, head.generation)) {
        let at = scanned.end_at + frame::HEAD_BYTES;
        if scanned.has_end_mark || !scanned.take(&frame, &bytes[at..at + frame.block_bytes]) {
            break;
        }
        scanned.end_at += frame.bytes();
    }
    scanned.look_after(bytes, head.generation);
    scanned
}

impl Scanned {
    /// Adds a frame, if it is the one that follows.
    fn take(&mut self, frame: &Frame, block: &[u8]) -> bool {
        if frame.durable > self.end {
            return false;
        }
        self.is_settled = frame.block_bytes == 0 && frame.durable == self.end;
        if block.is_empty() {
            self.has_end_mark = frame.is_end;
            return true;
        }
        let Ok(header) = block::check(block) else { return false };
        if header.first != self.end.next() || block::chain_of(&self.chain, block) != header.chain {
            return false;
        }
        self.blocks.push(((header.first, header.last()), self.end_at + frame::HEAD_BYTES, block.len()));
        (self.end, self.chain) = (header.last(), header.chain);
        true
    }

    fn look_after(&mut self, bytes: &[u8], generation: u64) {
        let rest = bytes.get(self.end_at..).unwrap_or_default();
        for (at, frame) in frame::search(rest, generation) {
            self.after.push(self.end_at + at);
            if frame.durable > self.end {
                self.lost = self.lost.max(Some(frame.durable));
            }
        }
    }
}
