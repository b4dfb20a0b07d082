//! The only file that knows sled: blocks by the position of their first event. What sled promises, and what not, is contained here.
//!
//! `flush` of sled 0.34 hands the bytes to the kernel; it does not make them durable. `sync` does, through a handle of its own on sled's file.

use std::{
    fs::File,
    io,
    ops::Deref,
    panic::{self, AssertUnwindSafe},
    path::Path,
    thread,
    time::{Duration, Instant},
};

use crate::events::Position;

/// sled's cache; its memory is several times this. Blocks are read once and remembered decoded, so more would be wasted.
const CACHE_BYTES: u64 = 8 << 20;

/// How long opening waits for the threads of a sled of this process that gave up; they end by themselves.
const LOCK_WAIT_MAX: Duration = Duration::from_secs(5);
/// How often it looks meanwhile.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// Blocks on disk, ordered by the position of their first event.
pub struct Store {
    db: sled::Db,
    /// sled's own file, opened once more: an fdatasync concerns the file, whoever wrote.
    file: File,
}

/// One stored block's bytes.
pub struct StoredBlock(sled::IVec);

impl Deref for StoredBlock {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

/// A block and the position it is stored under.
pub type Keyed = (Position, StoredBlock);

impl Store {
    /// Opens or creates sled's folder. sled panics on some damaged files; that is an error here like any other.
    pub fn open(folder: &Path) -> Result<Self, String> {
        let config = sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None);
        let db = open_when_unlocked(&config)?;
        let file = File::open(folder.join("db")).map_err(|error| error.to_string())?;
        Ok(Self { db, file })
    }

    /// Writes blocks: all of them or none. Not yet durable.
    pub fn write(&self, blocks: &[(Position, Vec<u8>)]) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        for (first, block) in blocks {
            batch.insert(&key(*first), block.as_slice());
        }
        contain("write", || self.db.apply_batch(batch))
    }

    /// Hands everything written to the kernel: it survives the end of this process.
    pub fn flush(&self) -> Result<(), String> {
        contain("flush", || self.db.flush()).map(|_| ())
    }

    /// Makes everything flushed durable: it survives the end of power.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The block that would hold a position: the last one that starts at or before it.
    pub fn holding(&self, position: Position) -> Result<Option<Keyed>, String> {
        let found = contain("read", || self.db.get_lt(key(position.next())))?;
        found.map(keyed).transpose()
    }

    /// All blocks that start at or after a position, in order.
    pub fn from(&self, position: Position) -> impl Iterator<Item = Result<Keyed, String>> {
        let mut blocks = self.db.range(key(position)..);
        std::iter::from_fn(move || contain("read", || blocks.next().transpose()).transpose()).map(|entry| entry.and_then(keyed))
    }

    /// Takes blocks out, for a tail that was never acknowledged.
    pub fn remove(&self, firsts: &[Position]) -> Result<(), String> {
        let mut batch = sled::Batch::default();
        for first in firsts {
            batch.remove(&key(*first));
        }
        contain("write", || self.db.apply_batch(batch))?;
        self.flush()
    }
}

/// Opens as soon as an earlier try of this process has let go: threads of a sled that gave up hold its file a little longer.
/// No other process can be it, because the folder is claimed before.
fn open_when_unlocked(config: &sled::Config) -> Result<sled::Db, String> {
    let deadline = Instant::now() + LOCK_WAIT_MAX;
    loop {
        let mut locked = false;
        let opened = contain("open", || config.open().inspect_err(|error| locked = is_locked(error)));
        if !locked || Instant::now() >= deadline {
            return opened;
        }
        thread::park_timeout(LOCK_POLL);
    }
}

/// Whether somebody else has sled's file; sled keeps of the cause only its text.
fn is_locked(error: &sled::Error) -> bool {
    matches!(error, sled::Error::Io(cause) if cause.to_string().contains("could not acquire lock"))
}

fn key(position: Position) -> [u8; 8] {
    position.0.to_be_bytes()
}

fn keyed((key, value): (sled::IVec, sled::IVec)) -> Result<Keyed, String> {
    let key = <[u8; 8]>::try_from(&*key).map_err(|_| "a key is not a position".to_string())?;
    Ok((Position(u64::from_be_bytes(key)), StoredBlock(value)))
}

/// Turns sled's errors and panics into one sentence.
fn contain<T>(what: &str, call: impl FnOnce() -> sled::Result<T>) -> Result<T, String> {
    match panic::catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(format!("sled cannot {what}: {error}")),
        Err(_) => Err(format!("sled gave up (panicked) at {what}")),
    }
}
