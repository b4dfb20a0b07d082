//! What the log knows of itself in memory: where it stands and the head of every stream. A file of it, written now and then,
//! spares a start most of the reading; without the file the same is read from the blocks.
//!
//! ```text
//! 0 magic "aisHead2"   8 log id, 16 bytes   24 position u64   32 time i64   40 chain, 32 bytes
//! 72 streams by key: 16 bytes, version and position as varints   …   newest position u64, number of streams u64, CRC-32 of all before
//! ```
//! The file is written while the log goes on: a stream may be newer than the file's position, but not than its newest position. Whoever reads
//! the events after the position once more comes to the same.
//!
//! The heads are not kept in a tree of sled: one insert there costs 7–17 µs, more than all the rest of an append.

use std::{fs, io, path::Path};

use parking_lot::RwLock;

use super::{
    block::{self, CHAIN_START, Chain, Events, Header},
    journal::head::LogId,
    varint,
};
use crate::{
    disk::{Pace, PartFile},
    domain::Moment,
    events::{
        Position, StreamHead,
        codec::{Envelope, read_envelope},
        heads::{Heads, StreamKey},
        sequence::Mark,
    },
};

const MAGIC: [u8; 8] = *b"aisHead2";
const START_BYTES: usize = 72;
const END_BYTES: usize = 20;
/// Buckets of heads that are written down under one lock: a few thousand streams of ten million.
const BUCKETS_AT_ONCE: usize = 32;
/// What is handed to the disk at once.
const PIECE_BYTES: usize = 1 << 20;

/// The committed state of the log.
#[derive(Debug, Default, Clone)]
pub struct Index {
    pub heads: Heads,
    pub mark: Mark,
    /// The chain up to the mark.
    pub chain: Chain,
}

impl Index {
    /// Of an empty log.
    #[must_use]
    pub fn empty() -> Self {
        Self { heads: Heads::default(), mark: Mark::default(), chain: CHAIN_START }
    }

    /// Checks the block that must follow and adds its events; `check` may refuse an event, knowing its stream's head before it.
    ///
    /// # Errors
    /// The position of what is wrong, and what. The mark and the chain stay before the block then.
    pub fn add_block(
        &mut self,
        first: Position,
        bytes: &[u8],
        raw: &mut Vec<u8>,
        check: impl Fn(&Envelope<'_>, Option<StreamHead>) -> Result<(), String>,
    ) -> Result<(), (Position, String)> {
        let header = self.check_block(first, bytes, raw).map_err(|reason| (self.mark.position.next(), reason))?;
        let mut mark = self.mark;
        for event in Events(raw) {
            mark.position = mark.position.next();
            let envelope = read_envelope(event).map_err(|error| (mark.position, error.to_string()))?;
            let key = StreamKey::of_name(envelope.stream.as_bytes());
            check(&envelope, self.heads.get(key)).map_err(|reason| (mark.position, reason))?;
            self.heads.set(key, envelope.version, mark.position);
            mark.at = envelope.at;
        }
        if mark.position != header.last() {
            return Err((mark.position, format!("the block header states events up to {}", header.last())));
        }
        self.mark = mark;
        self.chain = header.chain;
        Ok(())
    }

    /// Unpacks a block, if it is the one that follows.
    fn check_block(&self, first: Position, bytes: &[u8], raw: &mut Vec<u8>) -> Result<Header, String> {
        let header = block::check(bytes)?;
        if first != self.mark.position.next() || header.first != first {
            return Err(format!("the events from {} on are missing", self.mark.position.next()));
        }
        if block::chain_of(&self.chain, bytes) != header.chain {
            return Err("its hash does not chain to the previous block".into());
        }
        block::unpack(&header, bytes, raw)?;
        Ok(header)
    }
}

/// What a file of heads says.
#[derive(Debug)]
pub struct Saved {
    pub index: Index,
    pub log: LogId,
    /// No stream's head is after it, and everything up to it was acknowledged.
    pub newest: Position,
    pub file_bytes: u64,
}

/// Reads the file: `None` if there is none or it is damaged. Whether it fits the blocks is for the caller to check.
#[must_use]
pub fn load(file: &Path) -> Option<Saved> {
    let bytes = fs::read(file).ok()?;
    let (content, crc) = bytes.split_last_chunk()?;
    if content.len() < START_BYTES + END_BYTES - 4 || crc32fast::hash(content) != u32::from_le_bytes(*crc) || content[..8] != MAGIC {
        return None;
    }
    let number = |at: usize| content[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
    let end = content.len() - (END_BYTES - 4);
    let heads = read_heads(&content[START_BYTES..end], number(end + 8))?;
    let mark = Mark { position: Position(number(24)), at: Moment(number(32).cast_signed()) };
    let index = Index { heads, mark, chain: content[40..72].try_into().ok()? };
    Some(Saved { index, log: content[8..24].try_into().ok()?, newest: Position(number(end)), file_bytes: bytes.len() as u64 })
}

fn read_heads(mut rest: &[u8], streams: u64) -> Option<Heads> {
    let mut heads = Heads::default();
    while let Some((key, after)) = rest.split_first_chunk() {
        rest = after;
        let version = varint::take(&mut rest)?;
        heads.set(StreamKey(*key), version, Position(varint::take(&mut rest)?));
    }
    (rest.is_empty() && heads.len() as u64 == streams).then_some(heads)
}

/// Replaces the file durably, holding the lock for moments only; gently where others need the disk. Before it has its name, `settle` makes every
/// block durable that it speaks of: it says that they were acknowledged. Gives its size.
///
/// # Errors
/// As any write; there is always a whole file.
pub fn save(file: &Path, log: &LogId, index: &RwLock<Index>, pace: Pace, settle: impl FnOnce() -> io::Result<()>) -> io::Result<u64> {
    let mut writing = Writing { part: PartFile::create(file, pace)?, crc: crc32fast::Hasher::new(), waiting: Vec::new(), bytes: 0 };
    let (mark, chain) = {
        let index = index.read();
        (index.mark, index.chain)
    };
    for part in [&MAGIC[..], log, &mark.position.0.to_le_bytes(), &mark.at.0.to_le_bytes(), &chain] {
        writing.waiting.extend_from_slice(part);
    }
    let mut streams = 0_u64;
    for from in (0..Heads::buckets()).step_by(BUCKETS_AT_ONCE) {
        let index = index.read();
        for (key, head) in index.heads.in_buckets(from..from + BUCKETS_AT_ONCE) {
            writing.waiting.extend_from_slice(&key.0);
            varint::put(&mut writing.waiting, head.version);
            varint::put(&mut writing.waiting, head.position.0);
            streams += 1;
        }
        drop(index);
        writing.hand_over(PIECE_BYTES)?;
    }
    let newest = index.read().mark.position;
    writing.waiting.extend_from_slice(&newest.0.to_le_bytes());
    writing.waiting.extend_from_slice(&streams.to_le_bytes());
    settle()?;
    writing.finish()
}

struct Writing {
    part: PartFile,
    crc: crc32fast::Hasher,
    waiting: Vec<u8>,
    bytes: u64,
}

impl Writing {
    fn hand_over(&mut self, enough: usize) -> io::Result<()> {
        if self.waiting.len() < enough {
            return Ok(());
        }
        self.crc.update(&self.waiting);
        self.bytes += self.waiting.len() as u64;
        self.part.write(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<u64> {
        self.hand_over(0)?;
        let crc = self.crc.clone().finalize().to_le_bytes();
        self.part.write(&crc)?;
        self.part.finish()?;
        Ok(self.bytes + 4)
    }
}
