//! Blocks on their way into a segment.

use std::{io, path::Path};

use super::{
    head::{FORMAT, SegmentHead},
    index::IndexBuilder,
};
use crate::{
    disk::{Pace, PartFile},
    events::Position,
    log::block::{self, Chain},
};

/// A segment is full once its blocks take this many bytes: as much as a journal holds. In unit tests so few that a small log fills several.
pub const SEGMENT_BYTES: usize = if cfg!(test) { 1 << 10 } else { 16 << 20 };

/// Consecutive blocks, each checked as it comes.
#[derive(Debug)]
pub struct Filling {
    payload: Vec<u8>,
    index: IndexBuilder,
    first: Position,
    last: Position,
    blocks: u64,
    chain_before: Chain,
    chain: Chain,
    raw: Vec<u8>,
}

impl Filling {
    /// Starts an empty one after a position.
    #[must_use]
    pub fn after(position: Position, chain: Chain) -> Self {
        Self {
            payload: Vec::new(),
            index: IndexBuilder::default(),
            first: position.next(),
            last: position,
            blocks: 0,
            chain_before: chain,
            chain,
            raw: Vec::new(),
        }
    }

    /// Adds the block that follows, after checking that it does.
    ///
    /// # Errors
    /// States what is wrong with it.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let header = block::check(bytes)?;
        if header.first != self.last.next() {
            return Err(format!("the block that starts at {} is missing", self.last.next()));
        }
        if block::chain_of(&self.chain, bytes) != header.chain {
            return Err("its hash does not chain to the previous block".into());
        }
        block::unpack(&header, bytes, &mut self.raw)?;
        self.index.add(self.first, header.first, self.payload.len(), &self.raw)?;
        self.payload.extend_from_slice(bytes);
        (self.last, self.chain, self.blocks) = (header.last(), header.chain, self.blocks + 1);
        Ok(())
    }

    #[must_use]
    pub fn is_full(&self) -> bool {
        self.payload.len() >= SEGMENT_BYTES
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks == 0
    }

    /// How far it has come.
    #[must_use]
    pub fn reached(&self) -> (Position, Chain) {
        (self.last, self.chain)
    }

    /// Writes the file as a whole and durably, and returns its head.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(self, folder: &Path, pace: Pace) -> io::Result<SegmentHead> {
        let (payload, index) = (self.payload, self.index.finish());
        let head = SegmentHead {
            format: FORMAT,
            first: self.first,
            last: self.last,
            blocks: self.blocks,
            payload_bytes: payload.len() as u64,
            chain_before: self.chain_before,
            chain: self.chain,
            payload_hash: *blake3::hash(&payload).as_bytes(),
            index_bytes: index.len() as u64,
            index_hash: *blake3::hash(&index).as_bytes(),
        };
        let mut part = PartFile::create(&folder.join(head.file_name()), pace)?;
        [&head.to_bytes()[..], &payload, &index].iter().try_for_each(|bytes| part.write(bytes))?;
        part.finish()?;
        Ok(head)
    }
}
