//! The file of stream heads. It is written now and then and saves a start most of its reading; without it the blocks are read instead.
//!
//! ```text
//! 0 magic "aisHead2"   8 log id, 16 bytes   24 position u64   32 time i64   40 chain, 32 bytes
//! 72 streams by key: 16 bytes, version and position as varints   …   newest position u64, number of streams u64, CRC-32 of all before
//! ```
//! The file is written while the log continues: a stream may be newer than the file's position, but not than its newest position. Reading
//! the events after the position again gives the same result.

use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};

use parking_lot::RwLock;

use super::{index::Index, journal::head::LogId, varint};
use crate::{
    disk::{Pace, PartFile},
    domain::Moment,
    events::{
        Position,
        heads::{Heads, StreamKey},
        sequence::Mark,
    },
};

const MAGIC: [u8; 8] = *b"aisHead2";
const START_BYTES: usize = 72;
const END_BYTES: usize = 20;
const CRC_BYTES: usize = 4;
/// A key and two varints.
const ENTRY_BYTES_MAX: usize = 16 + 2 * 10;
/// Buckets of heads that are written down under one lock: a few thousand streams of ten million.
const BUCKETS_AT_ONCE: usize = 32;
/// Bytes written to or read from the disk at once.
const PIECE_BYTES: usize = 1 << 20;

/// The content of a file of heads.
#[derive(Debug)]
pub struct Saved {
    pub index: Index,
    pub log: LogId,
    /// No stream's head is after it, and everything up to it was acknowledged.
    pub newest: Position,
    pub file_bytes: u64,
}

/// Reads the file: `None` if there is none or it is damaged. The caller checks whether it fits the blocks.
#[must_use]
pub fn load(file: &Path) -> Option<Saved> {
    let mut reading = Reading::open(file).ok()?;
    let start: [u8; START_BYTES] = *reading.ahead(START_BYTES).ok()?.first_chunk()?;
    if start[..8] != MAGIC {
        return None;
    }
    reading.pass(START_BYTES);
    let heads = read_heads(&mut reading)?;
    let end: [u8; END_BYTES] = *reading.ahead(END_BYTES).ok()?.first_chunk()?;
    reading.pass(END_BYTES - CRC_BYTES);
    if reading.crc() != end[END_BYTES - CRC_BYTES..] || number(&end[8..]) != heads.len() as u64 {
        return None;
    }
    let mark = Mark { position: Position(number(&start[24..])), at: Moment(number(&start[32..]).cast_signed()) };
    let index = Index { heads, mark, chain: start[40..].try_into().ok()? };
    Some(Saved { index, log: start[8..24].try_into().ok()?, newest: Position(number(&end)), file_bytes: reading.file_bytes })
}

fn read_heads(reading: &mut Reading) -> Option<Heads> {
    let mut heads = Heads::default();
    while reading.left() > END_BYTES as u64 {
        let ahead = reading.ahead(ENTRY_BYTES_MAX).ok()?;
        let (key, mut rest) = ahead.split_first_chunk()?;
        let (key, version) = (StreamKey(*key), varint::take(&mut rest)?);
        let position = Position(varint::take(&mut rest)?);
        let bytes = ahead.len() - rest.len();
        // A damaged file may hold any numbers, and its checksum is known only at its end.
        if version >= 1 << 32 || position.0 >= 1 << 48 {
            return None;
        }
        heads.set(key, version, position);
        reading.pass(bytes);
    }
    (reading.left() == END_BYTES as u64).then_some(heads)
}

fn number(bytes: &[u8]) -> u64 {
    bytes.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// A file that is read in pieces: at ten million streams it is as large as the heads in memory.
struct Reading {
    file: File,
    file_bytes: u64,
    piece: Vec<u8>,
    /// How much of the piece was consumed and is not yet in the checksum.
    passed: usize,
    /// Bytes before the piece.
    before: u64,
    crc: crc32fast::Hasher,
}

impl Reading {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let file_bytes = file.metadata()?.len();
        Ok(Self { file, file_bytes, piece: Vec::new(), passed: 0, before: 0, crc: crc32fast::Hasher::new() })
    }

    /// The next bytes: at least this many, fewer only at the end of the file.
    fn ahead(&mut self, bytes: usize) -> io::Result<&[u8]> {
        if self.piece.len() - self.passed < bytes {
            self.count();
            let wanted = (PIECE_BYTES - self.piece.len()) as u64;
            (&self.file).take(wanted).read_to_end(&mut self.piece)?;
        }
        Ok(&self.piece[self.passed..])
    }

    fn pass(&mut self, bytes: usize) {
        self.passed += bytes;
    }

    /// Bytes not consumed yet.
    fn left(&self) -> u64 {
        self.file_bytes.saturating_sub(self.before + self.passed as u64)
    }

    /// The checksum of what was consumed.
    fn crc(&mut self) -> [u8; CRC_BYTES] {
        self.count();
        self.crc.clone().finalize().to_le_bytes()
    }

    fn count(&mut self) {
        self.crc.update(&self.piece[..self.passed]);
        self.before += self.passed as u64;
        self.piece.drain(..self.passed);
        self.passed = 0;
    }
}

/// Replaces the file durably, holding the lock only briefly; gently where others need the disk. Before it is named, `settle` makes every
/// block that it covers durable, because it states that they were acknowledged. Returns its size.
///
/// # Errors
/// When writing fails; the old file stays whole then.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::StreamHead;

    fn saved(streams: u64) -> (tempfile::TempDir, std::path::PathBuf, Index) {
        let folder = tempfile::tempdir().expect("there is room for a folder");
        let path = folder.path().join("heads");
        let mut index = Index::empty();
        for number in 1..=streams {
            index.heads.set(StreamKey::of_name(&number.to_le_bytes()), number, Position(number * 1_000));
        }
        index.mark = Mark { position: Position(streams * 1_000), at: Moment(7) };
        let lock = RwLock::new(index.clone());
        save(&path, &[3; 16], &lock, Pace::AtOnce, || Ok(())).expect("it is written");
        (folder, path, index)
    }

    #[test]
    fn heads_come_back_from_a_file_of_many_pieces() {
        let (_folder, path, index) = saved(100_000);
        let found = load(&path).expect("the file is whole");
        assert!(found.file_bytes > 2 * PIECE_BYTES as u64);
        assert_eq!((found.index.heads, found.index.mark, found.log), (index.heads, index.mark, [3; 16]));
        assert_eq!((found.newest, found.file_bytes), (Position(100_000_000), std::fs::metadata(&path).expect("it is there").len()));
    }

    #[test]
    fn a_file_that_is_cut_longer_or_changed_anywhere_is_not_believed() {
        let (folder, path, index) = saved(20);
        let bytes = std::fs::read(&path).expect("it is there");
        assert_eq!(index.heads.get(StreamKey::of_name(&3_u64.to_le_bytes())), Some(StreamHead { version: 3, position: Position(3_000) }));
        let harmed = folder.path().join("harmed");
        let refused = |bytes: &[u8]| {
            std::fs::write(&harmed, bytes).expect("it is written");
            load(&harmed).is_none()
        };
        for at in 0..bytes.len() {
            assert!(refused(&bytes[..at]), "cut at {at}");
            let mut changed = bytes.clone();
            changed[at] ^= 0xff;
            assert!(refused(&changed), "changed at {at}");
        }
        assert!(refused(&[&bytes[..], &[0]].concat()));
    }
}
