//! What the log knows of itself in memory: where it stands and the head of every stream. A file of it, written now and then,
//! spares a start most of the reading; without the file the same is read from the blocks.
//!
//! The heads are not kept in a tree of sled: one insert there costs 7–17 µs, more than all the rest of an append.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use super::block::{self, CHAIN_START, Chain, Events, Header};
use crate::{
    domain::Moment,
    events::{
        Position, StreamHead,
        codec::{Envelope, read_envelope},
        heads::{Heads, StreamKey},
        sequence::Mark,
    },
};

const FILE: &str = "heads";
const MAGIC: [u8; 8] = *b"aisHead1";

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
            return Err((mark.position, format!("the block announces events up to {}", header.last())));
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
            return Err("its chain does not follow from the block before".into());
        }
        block::unpack(&header, bytes, raw)?;
        Ok(header)
    }

    /// The file's bytes: about 21 a stream.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(80 + 24 * self.heads.len());
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.mark.position.0.to_le_bytes());
        bytes.extend_from_slice(&self.mark.at.0.to_le_bytes());
        bytes.extend_from_slice(&self.chain);
        bytes.extend_from_slice(&(self.heads.len() as u64).to_le_bytes());
        for (key, head) in self.heads.iter() {
            bytes.extend_from_slice(&key.0);
            put_varint(&mut bytes, head.version);
            put_varint(&mut bytes, head.position.0);
        }
        let crc = crc32fast::hash(&bytes);
        bytes.extend_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (content, crc) = bytes.split_last_chunk()?;
        if crc32fast::hash(content) != u32::from_le_bytes(*crc) {
            return None;
        }
        let mut rest = content.strip_prefix(&MAGIC)?;
        let position = Position(u64::from_le_bytes(*take(&mut rest)?));
        let at = Moment(i64::from_le_bytes(*take(&mut rest)?));
        let chain = *take(&mut rest)?;
        let streams = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).ok()?;
        let mut heads = Heads::with_capacity(streams.min(rest.len() / 18));
        for _ in 0..streams {
            let key = StreamKey(*take(&mut rest)?);
            let version = take_varint(&mut rest)?;
            heads.set(key, version, Position(take_varint(&mut rest)?));
        }
        rest.is_empty().then_some(Self { heads, mark: Mark { position, at }, chain })
    }
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(taken)
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

/// Reads the file: `None` if there is none or it is damaged. Whether it fits the blocks is for the caller to check.
#[must_use]
pub fn load(folder: &Path) -> Option<Index> {
    Index::from_bytes(&fs::read(folder.join(FILE)).ok()?)
}

/// Replaces the file: there is always a whole one.
pub fn save(folder: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = folder.join("heads.new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, folder.join(FILE))
}

/// Forgets the file, after blocks were taken away that it counted.
pub fn discard(folder: &Path) {
    // Whatever is left of it will not fit the blocks and be ignored.
    let _ = fs::remove_file(folder.join(FILE));
}
