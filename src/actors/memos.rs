//! Memos: an entity's state as of a version, kept in a file so that waking a long-lived entity replays only its tail.
//! They are caches: versioned, checked against the log on use, and deleting them all changes no answer.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::recent::RecentCommands;
use crate::{
    disk,
    domain::{Moment, StreamId},
    events::Position,
};

/// Raised when the stored shape of any entity's state changes; older memos are then ignored.
pub const MEMO_FORMAT: u32 = 3;
/// Compression of a memo; memos are written rarely, so a smaller size is worth it.
const ZSTD_LEVEL: i32 = 3;
/// A memo that unpacks to more than this is ignored: no entity within its limits is that large.
const MEMO_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An entity's state as of one of its versions.
#[derive(Debug, Clone, Serialize, serde::Deserialize)]
pub struct Memo<S> {
    format: u32,
    stream: StreamId,
    pub version: u64,
    pub position: Position,
    /// When the event at that version was recorded: a log that lost its end may have another one there.
    pub at: Moment,
    pub state: S,
    pub recent: RecentCommands,
}

impl<S> Memo<S> {
    /// A memo of the present format.
    pub fn new(stream: StreamId, version: u64, position: Position, at: Moment, state: S, recent: RecentCommands) -> Self {
        Self { format: MEMO_FORMAT, stream, version, position, at, state, recent }
    }
}

/// The folder of memos.
#[derive(Debug)]
pub struct Memos {
    folder: Option<PathBuf>,
}

impl Memos {
    /// Memos in a folder that is created when first needed.
    #[must_use]
    pub fn at(folder: &Path) -> Self {
        Self { folder: Some(folder.to_owned()) }
    }

    /// No memos: every entity is replayed from its first event.
    #[must_use]
    pub fn none() -> Self {
        Self { folder: None }
    }

    /// The memo of a stream, `None` if there is no usable one.
    #[must_use]
    pub fn load<S: DeserializeOwned>(&self, stream: &StreamId) -> Option<Memo<S>> {
        let bytes = fs::read(self.file(stream)?).ok()?;
        let (sum, packed) = bytes.split_first_chunk::<4>()?;
        if crc32fast::hash(packed).to_le_bytes() != *sum {
            tracing::warn!(%stream, "a memo is damaged and was ignored");
            return None;
        }
        let plain = zstd::bulk::decompress(packed, MEMO_BYTES_MAX).ok()?;
        let memo: Memo<S> = rmp_serde::from_slice(&plain).ok()?;
        (memo.format == MEMO_FORMAT && memo.stream == *stream).then_some(memo)
    }

    /// Writes a memo. A failure only costs time later, so it is just logged.
    pub fn save<S: Serialize>(&self, memo: &Memo<S>) {
        let Some(file) = self.file(&memo.stream) else { return };
        if let Err(error) = write(&file, memo) {
            tracing::warn!(stream = %memo.stream, %error, "a memo could not be written");
        }
    }

    /// Names are hashed: ids of other systems may differ only in case.
    fn file(&self, stream: &StreamId) -> Option<PathBuf> {
        let name = blake3::hash(stream.to_string().as_bytes()).to_hex();
        let folder = self.folder.as_ref()?;
        Some(folder.join(&name[..2]).join(&name[2..34]))
    }
}

fn write<S: Serialize>(file: &Path, memo: &Memo<S>) -> io::Result<()> {
    let plain = rmp_serde::to_vec_named(memo).map_err(io::Error::other)?;
    let packed = zstd::bulk::compress(&plain, ZSTD_LEVEL)?;
    let mut bytes = crc32fast::hash(&packed).to_le_bytes().to_vec();
    bytes.extend_from_slice(&packed);
    if let Some(folder) = file.parent() {
        disk::create_folder(folder)?;
    }
    disk::replace_cache(file, &bytes)
}
