//! The first bytes of a segment: its content and the hashes of all that follows.
//!
//! ```text
//!   0 magic "aisSegm2"   8 first position u64   16 last position u64   24 blocks u64   32 payload bytes u64   40 chain before, 32 bytes
//!  72 chain after, 32 bytes   104 BLAKE3 of the payload, 32 bytes   136 index bytes u64   144 BLAKE3 of the index, 32 bytes
//! 176 CRC-32 of bytes 0..176   180 zeros   192 payload, then index
//! ```
//! All numbers are little-endian. Since the head holds the hashes of the rest, its own hash identifies the whole file. Snapshots of format
//! 1 and 2 hold segments "aisSegm1": without an index, and the checksum at 136; the payload begins at 140.

use std::path::Path;

use crate::{
    events::Position,
    log::block::{Chain, hex},
};

const MAGIC: [u8; 7] = *b"aisSegm";
/// The format that is written.
pub const FORMAT: u8 = 2;
/// The bytes before the payload.
pub const HEAD_BYTES: usize = 192;
/// The same of format 1.
const HEAD_BYTES_1: usize = 140;
/// Digits of the chain in a file's name.
pub const CHAIN_DIGITS: usize = 16;

/// What a segment's head states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHead {
    pub format: u8,
    pub first: Position,
    pub last: Position,
    pub blocks: u64,
    pub payload_bytes: u64,
    pub chain_before: Chain,
    pub chain: Chain,
    pub payload_hash: [u8; 32],
    pub index_bytes: u64,
    pub index_hash: [u8; 32],
}

/// Why bytes are not a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoHead {
    /// Not written by this program.
    Foreign(&'static str),
    /// Written by a newer program.
    Newer(u64),
    Damaged(&'static str),
}

impl SegmentHead {
    /// The file's name: its start and end, and the history it belongs to.
    #[must_use]
    pub fn file_name(&self) -> String {
        format!("{:012}-{:012}-{}.segment", self.first.0, self.last.0, &hex(&self.chain)[..CHAIN_DIGITS])
    }

    /// Where the payload begins.
    #[must_use]
    pub fn payload_at(&self) -> usize {
        if self.format == 1 { HEAD_BYTES_1 } else { HEAD_BYTES }
    }

    /// The size of the file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.payload_bytes.saturating_add(self.index_bytes).saturating_add(self.payload_at() as u64)
    }

    /// The hash that identifies the file: of the head, which holds the hashes of the rest. Format 1 has none.
    #[must_use]
    pub fn hash(&self) -> String {
        blake3::hash(&self.to_bytes()).to_hex().to_string()
    }

    /// The bytes in format 2.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..7].copy_from_slice(&MAGIC);
        bytes[7] = b'0' + FORMAT;
        let numbers = [(8, self.first.0), (16, self.last.0), (24, self.blocks), (32, self.payload_bytes), (136, self.index_bytes)];
        for (at, number) in numbers {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        for (at, hash) in [(40, self.chain_before), (72, self.chain), (104, self.payload_hash), (144, self.index_hash)] {
            bytes[at..at + 32].copy_from_slice(&hash);
        }
        let crc = crc32fast::hash(&bytes[..176]);
        bytes[176..180].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the head at the start of `bytes`.
    ///
    /// # Errors
    /// States why it is not one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NoHead> {
        let magic: &[u8; 8] = bytes.first_chunk().ok_or(NoHead::Damaged("it is too short for a segment"))?;
        if magic[..7] != MAGIC {
            return Err(NoHead::Foreign("it does not start with a segment header"));
        }
        let crc_at = match magic[7] {
            b'1' => 136,
            b'2' => 176,
            newer @ b'3'..=b'9' => return Err(NoHead::Newer(u64::from(newer - b'0'))),
            _ => return Err(NoHead::Damaged("it does not start with a segment header")),
        };
        let crc = bytes.get(crc_at..crc_at + 4).ok_or(NoHead::Damaged("it is too short for a segment"))?;
        if crc32fast::hash(&bytes[..crc_at]).to_le_bytes() != crc {
            return Err(NoHead::Damaged("the checksum of its head is wrong"));
        }
        let number = |at: usize| bytes[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
        let hash = |at: usize| bytes[at..at + 32].try_into().unwrap_or_default();
        let format = magic[7] - b'0';
        let (index_bytes, index_hash) = if format == 1 { (0, [0; 32]) } else { (number(136), hash(144)) };
        let head = Self {
            format,
            first: Position(number(8)),
            last: Position(number(16)),
            blocks: number(24),
            payload_bytes: number(32),
            chain_before: hash(40),
            chain: hash(72),
            payload_hash: hash(104),
            index_bytes,
            index_hash,
        };
        // The last bytes of a head of format 2 are not under its checksum.
        if format == 2 && bytes.get(180..HEAD_BYTES).is_none_or(|rest| rest.iter().any(|byte| *byte != 0)) {
            return Err(NoHead::Damaged("the last bytes of its head are not zeros"));
        }
        if head.first == Position::START || head.last < head.first {
            return Err(NoHead::Damaged("its positions are impossible"));
        }
        Ok(head)
    }
}

/// The first and last position and the chain prefix in a file's name; `None` for any other file.
#[must_use]
pub fn named(path: &Path) -> Option<(Position, Position, String)> {
    let name = path.file_name()?.to_str()?.strip_suffix(".segment")?;
    let mut parts = name.split('-');
    let (first, last, chain) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?, parts.next()?);
    (parts.next().is_none() && chain.len() == CHAIN_DIGITS).then(|| (Position(first), Position(last), chain.to_owned()))
}
