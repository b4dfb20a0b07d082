//! The only file that knows sled: blocks by the position of their first event. sled's guarantees and their limits are contained here: it
//! may lose anything, and none of it is ever made durable.

use std::{
    fs,
    panic::{self, AssertUnwindSafe},
    path::{Path, PathBuf},
};

use crate::{events::Position, log::storage::Keyed};

/// sled's cache; its memory is several times this. Blocks are read once and cached decoded, so more would be wasted.
const CACHE_BYTES: u64 = 4 << 20;

/// Blocks in sled, ordered by the position of their first event.
pub struct Sled {
    db: ::sled::Db,
    folder: PathBuf,
}

impl std::fmt::Debug for Sled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sled").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl Sled {
    /// Opens or creates sled's folder. sled panics on some damaged files; that is an error here like any other.
    ///
    /// # Errors
    /// One sentence.
    pub fn open(folder: &Path) -> Result<Self, String> {
        // Without it sled 0.34 refuses to open after a `kill -9` in the middle of writing one.
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().ends_with(".generating") {
                crate::disk::remove_file(&entry.path()).map_err(|error| error.to_string())?;
            }
        }
        let config = ::sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        Ok(Self { db: contain("open", || config.open())?, folder: folder.to_owned() })
    }

    /// Adds blocks and removes others, atomically.
    ///
    /// # Errors
    /// One sentence.
    pub fn change(&self, add: &[Keyed], remove: &[Position]) -> Result<(), String> {
        let mut batch = ::sled::Batch::default();
        add.iter().for_each(|(first, block)| batch.insert(&key(*first), &block[..]));
        remove.iter().for_each(|first| batch.remove(&key(*first)));
        contain("write", || self.db.apply_batch(batch))
    }

    /// Flushes what is only in memory, as far as sled does.
    ///
    /// # Errors
    /// One sentence.
    pub fn flush(&self) -> Result<(), String> {
        contain("flush", || self.db.flush().map(drop))
    }

    /// The block that would hold a position: the last one that starts at or before it.
    ///
    /// # Errors
    /// One sentence.
    pub fn holding(&self, position: Position) -> Result<Option<Keyed>, String> {
        contain("read", || self.db.get_lt(key(position.next())))?.map(keyed).transpose()
    }

    /// All blocks that start at or after a position, in order.
    pub fn from(&self, position: Position) -> impl Iterator<Item = Result<Keyed, String>> + use<> {
        let mut blocks = self.db.range(key(position)..);
        std::iter::from_fn(move || contain("read", || blocks.next().transpose()).transpose()).map(|entry| entry.and_then(keyed))
    }

    /// The bytes of its files.
    #[must_use]
    pub fn disk_bytes(&self) -> u64 {
        let of = |folder: &Path| -> u64 {
            fs::read_dir(folder).into_iter().flatten().flatten().filter_map(|entry| entry.metadata().ok()).map(|found| found.len()).sum()
        };
        of(&self.folder) + of(&self.folder.join("blobs"))
    }
}

fn key(position: Position) -> [u8; 8] {
    position.0.to_be_bytes()
}

fn keyed((key, value): (::sled::IVec, ::sled::IVec)) -> Result<Keyed, String> {
    let key = <[u8; 8]>::try_from(&*key).map_err(|_| "a key is not a position".to_string())?;
    Ok((Position(u64::from_be_bytes(key)), bytes::Bytes::copy_from_slice(&value)))
}

/// Turns sled's errors and panics into one sentence.
fn contain<T>(what: &str, call: impl FnOnce() -> ::sled::Result<T>) -> Result<T, String> {
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("sled cannot {what}: {error}")),
        Err(_) => Err(format!("sled panicked at {what}")),
    }
}
