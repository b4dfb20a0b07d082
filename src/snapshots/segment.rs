//! A segment: consecutive blocks of the log in one file, as they are. The blocks are compressed in themselves, and only as they are does the
//! log's hash chain run through them, so they are not compressed again.
//!
//! ```text
//!   0 magic "aisSegm1"   8 first position u64   16 last position u64   24 blocks u64   32 payload bytes u64
//!  40 chain before, 32 bytes   72 chain after, 32 bytes   104 BLAKE3 of the payload, 32 bytes   136 CRC-32 of bytes 0..136   140 payload
//! ```
//! All numbers are little-endian.

use std::{
    fs::{self, File},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::error::SnapshotError;
use crate::events::{
    Position,
    sled_log::block::{self, Chain, HEADER_BYTES},
};

const MAGIC: [u8; 8] = *b"aisSegm1";
const HEAD_BYTES: usize = 140;
/// A segment is full once its blocks take this many bytes; full ones are never written again. About 130,000 price events.
/// In unit tests so few that a small log fills several.
pub const SEGMENT_BYTES: usize = if cfg!(test) { 1 << 10 } else { 8 << 20 };

/// What a segment says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHead {
    pub first: Position,
    pub last: Position,
    pub blocks: u64,
    pub payload_bytes: u64,
    pub chain_before: Chain,
    pub chain: Chain,
    pub payload_hash: [u8; 32],
}

impl SegmentHead {
    /// Whether no later snapshot needs to write these blocks again.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.payload_bytes >= SEGMENT_BYTES as u64
    }

    /// The file's name: where it begins and ends, and which history it is of.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{:012}-{:012}-{}.segment", self.first.0, self.last.0, &hex(&self.chain)[..16])
    }

    /// The size of the file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.payload_bytes.saturating_add(HEAD_BYTES as u64)
    }

    fn to_bytes(self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        for (at, number) in [(8, self.first.0), (16, self.last.0), (24, self.blocks), (32, self.payload_bytes)] {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        for (at, hash) in [(40, self.chain_before), (72, self.chain), (104, self.payload_hash)] {
            bytes[at..at + 32].copy_from_slice(&hash);
        }
        let crc = crc32fast::hash(&bytes[..136]);
        bytes[136..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let head: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or("it is too short for a segment")?;
        if head[..8] != MAGIC {
            return Err("it does not begin like a segment");
        }
        if crc32fast::hash(&head[..136]).to_le_bytes() != head[136..] {
            return Err("the checksum of its head is wrong");
        }
        let number = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
        let hash = |at: usize| head[at..at + 32].try_into().unwrap_or_default();
        Ok(Self {
            first: Position(number(8)),
            last: Position(number(16)),
            blocks: number(24),
            payload_bytes: number(32),
            chain_before: hash(40),
            chain: hash(72),
            payload_hash: hash(104),
        })
    }
}

/// Blocks on their way into a segment.
#[derive(Debug)]
pub struct Filling {
    payload: Vec<u8>,
    first: Position,
    last: Position,
    blocks: u64,
    chain_before: Chain,
    chain: Chain,
}

impl Filling {
    /// An empty one behind a position.
    #[must_use]
    pub fn behind(position: Position, chain: Chain) -> Self {
        Self { payload: Vec::new(), first: position.next(), last: position, blocks: 0, chain_before: chain, chain }
    }

    /// Adds the block that follows, after checking that it does.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), String> {
        let header = block::check(bytes)?;
        if header.first != self.last.next() {
            return Err(format!("the block that starts at {} is missing", self.last.next()));
        }
        if block::chain_of(&self.chain, bytes) != header.chain {
            return Err("its chain does not follow from the block before".into());
        }
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

    /// Writes the file as a whole and durably, and gives its head and the hash of all of it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(self, folder: &Path, pace: Pace) -> Result<(SegmentHead, String), SnapshotError> {
        let head = SegmentHead {
            first: self.first,
            last: self.last,
            blocks: self.blocks,
            payload_bytes: self.payload.len() as u64,
            chain_before: self.chain_before,
            chain: self.chain,
            payload_hash: *blake3::hash(&self.payload).as_bytes(),
        };
        let path = folder.join(head.file_name());
        let bytes = head.to_bytes();
        write_paced(&path, &[&bytes, &self.payload], pace).map_err(|error| SnapshotError::io(&path, error))?;
        Ok((head, hash_of(&[&bytes, &self.payload])))
    }
}

/// A segment that was read and is whole.
pub struct Segment {
    pub head: SegmentHead,
    bytes: Vec<u8>,
}

impl Segment {
    /// Reads a file and checks all of it but the blocks themselves.
    ///
    /// # Errors
    /// `Foreign`, `Damaged` or `Io`, naming the file.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let bytes = fs::read(path).map_err(|error| missing_or_io(path, error))?;
        let head = SegmentHead::from_bytes(&bytes).map_err(|reason| refusal(path, &bytes, reason))?;
        if bytes.len() as u64 != head.file_bytes() {
            return Err(SnapshotError::damaged(path, format!("{} bytes where {} are announced", bytes.len(), head.file_bytes())));
        }
        if *blake3::hash(&bytes[HEAD_BYTES..]).as_bytes() != head.payload_hash {
            return Err(SnapshotError::damaged(path, "the hash of its blocks is wrong"));
        }
        Ok(Self { head, bytes })
    }

    /// The hash of the whole file, as a manifest states it.
    #[must_use]
    pub fn file_hash(&self) -> String {
        hash_of(&[&self.bytes])
    }

    /// Its blocks, in order: each checked for its frame and checksum; the last one may be an error.
    pub fn blocks(&self) -> impl Iterator<Item = Result<(block::Header, &[u8]), (Position, String)>> {
        let (mut rest, mut next) = (&self.bytes[HEAD_BYTES..], self.head.first);
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
}

/// Every whole block that a file begins with, each with its last position, however damaged the file is: for a salvage, which checks each again.
///
/// # Errors
/// When the file cannot be read at all.
pub fn readable_blocks(path: &Path) -> io::Result<Vec<(Position, Vec<u8>)>> {
    let bytes = fs::read(path)?;
    let (mut rest, mut blocks) = (bytes.get(HEAD_BYTES..).unwrap_or_default(), Vec::new());
    while let Ok((header, block)) = next_block(rest) {
        rest = &rest[block.len()..];
        blocks.push((header.last(), block.to_vec()));
    }
    Ok(blocks)
}

/// Reads only the head of a file: enough to know whether it can be used again.
#[must_use]
pub fn peek(path: &Path) -> Option<SegmentHead> {
    let mut bytes = [0; HEAD_BYTES];
    let mut file = File::open(path).ok()?;
    file.read_exact(&mut bytes).ok()?;
    let head = SegmentHead::from_bytes(&bytes).ok()?;
    (file.metadata().ok()?.len() == head.file_bytes()).then_some(head)
}

fn next_block(rest: &[u8]) -> Result<(block::Header, &[u8]), String> {
    let header = block::peek(rest).ok_or("no block starts where one should")?;
    let bytes = rest.get(..HEADER_BYTES + header.payload_bytes as usize).ok_or("the block is cut short")?;
    block::check(bytes).map(|header| (header, bytes))
}

fn refusal(path: &Path, bytes: &[u8], reason: &str) -> SnapshotError {
    let foreign = bytes.len() >= 8 && bytes[..7] != MAGIC[..7];
    match bytes.get(7) {
        Some(version) if !foreign && version.is_ascii_digit() && *version > MAGIC[7] => {
            SnapshotError::NewerFormat { file: super::error::name_of(path), found: u64::from(version - b'0'), known: 1 }
        }
        _ if foreign => SnapshotError::Foreign { file: super::error::name_of(path), reason: reason.to_owned() },
        _ => SnapshotError::damaged(path, reason),
    }
}

/// A file that a manifest names and that is not there makes the snapshot damaged.
fn missing_or_io(path: &Path, error: io::Error) -> SnapshotError {
    if error.kind() == io::ErrorKind::NotFound { SnapshotError::damaged(path, "it is missing") } else { SnapshotError::io(path, error) }
}

/// Writes a file so that it is there as a whole and durable, or not at all.
///
/// # Errors
/// As any write; what was written by then is removed.
pub fn write_whole(path: &Path, parts: &[&[u8]]) -> io::Result<()> {
    write_paced(path, parts, Pace::AtOnce)
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it goes.
    AtOnce,
    /// In pieces that the kernel begins to write at once, with a rest in between: so little is left for the sync at the end, which the log's
    /// own syncs have to wait for. A sync after each piece would be a commit of the file system's journal each, and they would wait for all.
    Gently,
}

/// A piece that is written at once where others need the disk too.
const PIECE_BYTES: usize = 256 << 10;
/// The rest after it: with it a gigabyte takes a minute and a half.
const PIECE_REST: Duration = Duration::from_millis(10);

fn write_paced(path: &Path, parts: &[&[u8]], pace: Pace) -> io::Result<()> {
    let part = part_of(path);
    let written = write_part(&part, parts, pace).and_then(|()| fs::rename(&part, path)).and_then(|()| sync_folder_of(path));
    if written.is_err() {
        let _ = fs::remove_file(&part);
    }
    written
}

fn write_part(part: &Path, parts: &[&[u8]], pace: Pace) -> io::Result<()> {
    let mut file = File::create(part)?;
    for piece in parts.iter().flat_map(|bytes| bytes.chunks(PIECE_BYTES)) {
        file.write_all(piece)?;
        if pace == Pace::Gently {
            // Nothing is wrong where the advice is not taken: then the sync at the end writes more.
            let _ = rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed);
            thread::park_timeout(PIECE_REST);
        }
    }
    file.sync_data()
}

fn sync_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
}

/// The name a file has until it is whole.
#[must_use]
pub fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}

fn hash_of(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    parts.iter().for_each(|part| _ = hasher.update(part));
    hasher.finalize().to_hex().to_string()
}

/// A hash as text.
#[must_use]
pub fn hex(hash: &[u8; 32]) -> String {
    blake3::Hash::from_bytes(*hash).to_hex().to_string()
}
