//! A small file that remembers what was acknowledged, so that a log which comes back shorter is noticed instead of believed.
//! It is written after every group without a sync: a page of the kernel's cache outlives this process, and a loss of power can only make it forget.

use std::{
    fs::{File, OpenOptions},
    io,
    os::unix::fs::FileExt,
    path::Path,
};

use super::block::{CHAIN_START, Chain};
use crate::events::Position;

/// Its name in the log's folder.
pub const FILE: &str = "witness";
const MAGIC: [u8; 8] = *b"aisWit01";
const BYTES: usize = 52;

/// The newest acknowledged position, and the chain up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    pub position: Position,
    pub chain: Chain,
}

/// The open file.
#[derive(Debug)]
pub struct Witness(File);

impl Witness {
    /// Opens or creates the witness of a folder, with what it saw last: `None` if it is new or unreadable.
    pub fn open(folder: &Path) -> io::Result<(Self, Option<Seen>)> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(folder.join(FILE))?;
        let mut bytes = [0; BYTES];
        let seen = file.read_exact_at(&mut bytes, 0).ok().and_then(|()| parse(&bytes));
        Ok((Self(file), seen))
    }

    /// Remembers that everything up to here was acknowledged.
    pub fn see(&self, seen: &Seen) -> io::Result<()> {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..16].copy_from_slice(&seen.position.0.to_le_bytes());
        bytes[16..48].copy_from_slice(&seen.chain);
        let crc = crc32fast::hash(&bytes[..48]);
        bytes[48..].copy_from_slice(&crc.to_le_bytes());
        self.0.write_all_at(&bytes, 0)
    }
}

/// What the witness of a folder saw last; nothing is made or changed.
pub fn read(folder: &Path) -> Option<Seen> {
    let mut bytes = [0; BYTES];
    File::open(folder.join(FILE)).and_then(|file| file.read_exact_at(&mut bytes, 0)).ok()?;
    parse(&bytes)
}

fn parse(bytes: &[u8; BYTES]) -> Option<Seen> {
    let crc = crc32fast::hash(&bytes[..48]).to_le_bytes();
    if bytes[..8] != MAGIC || bytes[48..] != crc {
        return None;
    }
    let position = bytes[8..16].try_into().map(u64::from_le_bytes).ok()?;
    let mut chain = CHAIN_START;
    chain.copy_from_slice(&bytes[16..48]);
    Some(Seen { position: Position(position), chain })
}
