//! The log on disk. Journals make a commit durable, segments keep it, sled holds a copy of the newest blocks for fast reads and may vanish
//! at any moment. `docs/durability.md` says what survives what.
//!
//! ```text
//! log/journal/<n>.journal     preallocated, written in place; an append is acknowledged when it is durable here
//! log/segments/<…>.segment    full journals, sealed: they never change, and histories and snapshots share them by links
//! log/window/                 sled: the newest blocks; may be deleted
//! log/heads                   the newest version of every stream; may be deleted
//! log/lock                    the process that has the log open
//! ```

pub mod block;
pub mod build;
mod contract;
mod durability;
mod folder;
mod heads;
mod in_flight;
mod index;
pub mod journal;
mod news;
mod opening;
mod options;
mod queue;
mod reader;
mod recover;
mod sealing;
pub mod segment;
pub mod steps;
mod storage;
mod streams;
pub mod upgrade;
mod varint;
mod verifier;
pub mod verify;
mod watchdog;
mod window;
mod worker;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    ops::{ControlFlow, Deref},
    path::Path,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub use durability::Durability;
pub use options::{LogOptions, OpenError, OpenReport};
pub use verifier::Verification;

use self::{
    block::Chain,
    folder::Folder,
    in_flight::InFlight,
    index::Index,
    journal::head::LogId,
    news::News,
    queue::Queue,
    reader::{Remembered, visit},
    segment::SegmentFile,
    storage::Storage,
    worker::Worker,
};
use crate::events::{Log, LogError, Position, StreamHead, heads::StreamKey, tail::Tail};

/// Counters since opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Groups written: each one write and, under `Sync`, one fdatasync.
    pub groups: u64,
    pub events: u64,
    /// Appends that wait for the writer now.
    pub queued: usize,
}

/// What the log's threads and its readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    storage: Storage,
    log: LogId,
    index: RwLock<Index>,
    tail: Tail,
    /// The newest position, set before any answer names it.
    committed: AtomicU64,
    /// The same for followers, who are woken a moment later.
    head: watch::Sender<Position>,
    news: News,
    in_flight: InFlight,
    /// Where recorded time steps back.
    steps: RwLock<Vec<Position>>,
    /// The first failed write; it is final.
    fault: OnceLock<String>,
    /// Commands are refused because there is no other journal to continue in; not final.
    is_stuck: AtomicBool,
    groups: AtomicU64,
    events: AtomicU64,
    /// Last, so that the lock is released after everything else.
    folder: Folder,
}

impl Shared {
    fn fail(&self, reason: &str) {
        if self.fault.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the log is read-only from now on");
        }
    }

    fn head_now(&self) -> Position {
        Position(self.committed.load(Ordering::Acquire))
    }
}

/// A log in a folder of its own.
pub struct DiskLog {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    remembered: Remembered,
    /// None of them once closed; the writer first.
    threads: Mutex<Vec<Worker>>,
    durability: Durability,
}

impl DiskLog {
    /// The durability in force.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
    }

    /// Takes over where time steps back in the log that this one begins as a copy of.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn adopt_steps(&self, steps: Vec<Position>) -> std::io::Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        steps::write(self.dir(), &steps)?;
        *self.shared.steps.write() = steps;
        Ok(())
    }

    /// The log's folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.shared.folder.path()
    }

    /// Counters since opening.
    #[must_use]
    pub fn stats(&self) -> LogStats {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        LogStats { groups: load(&self.shared.groups), events: load(&self.shared.events), queued: self.queue.len() }
    }

    /// The progress of background verification, and its findings.
    #[must_use]
    pub fn verification(&self) -> Verification {
        self.shared.storage.suspects.verification()
    }

    /// Makes these files the originals after a copy was opened: see [`OpenReport::copied`].
    ///
    /// # Errors
    /// When the journals cannot be written.
    pub fn sign(&self) -> std::io::Result<()> {
        self.shared.storage.journals.sign()
    }

    /// The segments as they are now: everything but what is still in the journals. Their files never change.
    #[must_use]
    pub fn segments(&self) -> Arc<Vec<SegmentFile>> {
        self.shared.storage.segments()
    }

    /// Visits the stored bytes of every event after a position: checked, but not decoded.
    ///
    /// # Errors
    /// As [`Log::scan`].
    pub fn scan_raw(&self, after: Position, see: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>) -> Result<(), LogError> {
        visit(&self.shared.storage, after, self.head(), |position, bytes| Ok(see(position, bytes)))
    }

    /// Every stored block up to the head with the position it is stored under, unchanged, for verification.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Result<(Position, impl Deref<Target = [u8]>), String>> {
        self.blocks_from(Position::START.next())
    }

    /// The stored blocks from the one that holds a position up to the head: each with its first position, unchanged and unchecked.
    /// What is appended meanwhile is left out.
    pub fn blocks_from(&self, position: Position) -> impl Iterator<Item = Result<(Position, impl Deref<Target = [u8]>), String>> {
        let head = self.head();
        let walk = self.shared.storage.walk(position.max(Position::START.next()));
        walk.take_while(move |entry| !matches!(entry, Ok((first, _)) if *first > head))
    }

    /// The newest committed position, where a block ends, and the chain up to it.
    #[must_use]
    pub fn chain(&self) -> (Position, Chain) {
        let index = self.shared.index.read();
        (index.mark.position, index.chain)
    }

    /// The chain up to a position, if a block ends there.
    ///
    /// # Errors
    /// When the storage cannot be read.
    pub fn chain_at(&self, position: Position) -> Result<Option<Chain>, String> {
        self.shared.storage.chain_at(position)
    }

    /// The head of every stream as the log remembers it.
    pub(crate) fn heads(&self) -> Vec<(StreamKey, StreamHead)> {
        self.shared.index.read().heads.iter().collect()
    }

    /// Waits until everything is sealed and sled has caught up.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        let begin = std::time::Instant::now();
        let storage = &self.shared.storage;
        while storage.journals.full().is_some() || storage.window.range().1 != self.head() {
            assert!(begin.elapsed().as_secs() < 30, "it does not come to rest");
            std::thread::yield_now();
        }
    }
}

impl std::fmt::Debug for DiskLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskLog").field("dir", &self.dir()).field("head", &self.head()).finish_non_exhaustive()
    }
}

impl Drop for DiskLog {
    fn drop(&mut self) {
        // A caller that needs the outcome calls `close` first.
        let _ = self.close();
    }
}
