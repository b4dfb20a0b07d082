//! The first sector of a journal: which file it is, of which log, and what must precede it.
//!
//! ```text
//!  0 magic "aisJrnl1"   8 generation u64   16 log id, 16 bytes   32 base position u64   40 base chain, 32 bytes   72 begun u64
//! 80 oldest generation u64   88 inode u64   96 born u64   104 journal bytes u64   112 CRC-32 of bytes 0..112
//! ```
//! All numbers are little-endian. It fits one sector, so that a loss of power leaves the old one or the new.

use crate::{events::Position, log::block::Chain};

const MAGIC: [u8; 8] = *b"aisJrnl1";
const CONTENT_BYTES: usize = 112;
/// The frames begin after this many bytes: one sector.
pub const HEAD_BYTES: usize = 512;

/// Distinguishes the files of one log from those of another.
pub type LogId = [u8; 16];

/// What a journal's header states.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Journals are ordered by this number; the file is named after it.
    pub generation: u64,
    pub log: LogId,
    /// Whether frames may be in it. One that is prepared ahead has not begun, and its base means nothing.
    pub begun: bool,
    /// Everything up to here, with this chain, was acknowledged before the first frame.
    pub base: Position,
    pub chain: Chain,
    /// Journals before this generation do not count: their loss was accepted.
    pub oldest: u64,
    /// The file's inode and creation time: a copy has others.
    pub inode: u64,
    pub born: u64,
    /// The size it was created with.
    pub bytes: u64,
}

impl Head {
    /// The sector.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEAD_BYTES] {
        let mut bytes = [0; HEAD_BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[16..32].copy_from_slice(&self.log);
        bytes[40..72].copy_from_slice(&self.chain);
        let Self { generation, base, begun, oldest, inode, born, bytes: size, .. } = self;
        let numbers = [(8, *generation), (32, base.0), (72, u64::from(*begun)), (80, *oldest), (88, *inode), (96, *born), (104, *size)];
        for (at, number) in numbers {
            bytes[at..at + 8].copy_from_slice(&number.to_le_bytes());
        }
        let crc = crc32fast::hash(&bytes[..CONTENT_BYTES]);
        bytes[CONTENT_BYTES..CONTENT_BYTES + 4].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the sector at the start of `bytes`.
    ///
    /// # Errors
    /// States what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, &'static str> {
        let bytes: &[u8; HEAD_BYTES] = bytes.first_chunk().ok_or("it is too short for a journal")?;
        if bytes[..8] != MAGIC {
            return Err("it does not start with a journal header");
        }
        if crc32fast::hash(&bytes[..CONTENT_BYTES]).to_le_bytes() != bytes[CONTENT_BYTES..CONTENT_BYTES + 4] {
            return Err("the checksum of its first sector is wrong");
        }
        let number = |at: usize| bytes[at..at + 8].try_into().map(u64::from_le_bytes).unwrap_or_default();
        Ok(Self {
            generation: number(8),
            log: bytes[16..32].try_into().unwrap_or_default(),
            begun: number(72) == 1,
            base: Position(number(32)),
            chain: bytes[40..72].try_into().unwrap_or_default(),
            oldest: number(80),
            inode: number(88),
            born: number(96),
            bytes: number(104),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_comes_back_and_any_flipped_byte_is_noticed() {
        let head = Head {
            generation: 7,
            log: [3; 16],
            begun: true,
            base: Position(9),
            chain: [5; 32],
            oldest: 6,
            inode: 11,
            born: 12,
            bytes: 4_096,
        };
        let bytes = head.to_bytes();
        assert_eq!(Head::from_bytes(&bytes), Ok(head));
        for at in 0..CONTENT_BYTES + 4 {
            let mut flipped = bytes;
            flipped[at] ^= 0x40;
            assert!(Head::from_bytes(&flipped).is_err(), "byte {at}");
        }
        assert!(Head::from_bytes(&bytes[..100]).is_err());
    }
}
