//! The embedded log on sled: blocks of events, one writer thread, group commit. A folder holds `sled/` (the blocks, the only truth),
//! `heads` (the stream heads, a cache that may be deleted), `witness` (what was acknowledged) and `lock`.

mod aside;
pub mod block;
pub mod build;
mod durability;
mod folder;
mod index;
mod queue;
mod reader;
mod recover;
pub mod salvage;
mod store;
mod witness;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    ops::{ControlFlow, Deref},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub use durability::Durability;

use self::{
    block::{Chain, Sealer},
    folder::Folder,
    index::Index,
    queue::{Job, QUEUED_APPENDS_MAX, Queue, Refused},
    reader::{Remembered, undecodable, visit},
    store::Store,
    witness::Witness,
    writer::{Filling, Writer, check_size},
};
use super::{
    clock::{Clock, SystemClock},
    codec::{Author, Decoder, write_body},
    envelope::{Position, Recorded},
    heads::StreamKey,
    log::{Append, AppendError, Log, LogError, Pending, StreamHead},
    sequence::Sequence,
    tail::Tail,
};
use crate::domain::StreamId;

/// How to open a log.
#[derive(Clone)]
pub struct SledOptions {
    /// The log's own folder; made if it is not there.
    pub dir: PathBuf,
    /// When an append counts as recorded.
    pub durability: Durability,
    /// Where recorded time comes from.
    pub clock: Arc<dyn Clock>,
    /// Opens a log that ends before what was acknowledged, or is damaged further back, without what is lost.
    pub accept_lost_tail: bool,
    /// Appends that may wait for the writer; beyond it `append` answers `Overloaded` and `append_blocking` waits.
    pub queue_max: usize,
}

impl SledOptions {
    /// The defaults for a folder: `Durability::Sync`, the system's clock, no loss accepted.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            clock: Arc::new(SystemClock),
            accept_lost_tail: false,
            queue_max: QUEUED_APPENDS_MAX,
        }
    }
}

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} cannot be used as the folder of a log: {reason}", path.display())]
    Folder { path: PathBuf, reason: String },
    #[error("{} is already in use by process {process}", path.display())]
    InUse { path: PathBuf, process: String },
    #[error("the log is damaged at position {position}: {reason}")]
    Damaged { position: Position, reason: String },
    #[error("the log ends at position {found}, but everything up to {acknowledged} was acknowledged; a part of it is lost")]
    LostTail { found: Position, acknowledged: Position },
    #[error("the log's storage cannot be opened: {0}")]
    Storage(String),
}

/// What opening found; everything but the first two lines wants a look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The newest position.
    pub head: Position,
    /// Events read to find where the log stands.
    pub events_read: u64,
    /// Whether the saved stream heads could be used.
    pub heads_from_file: bool,
    /// A torn end that was never acknowledged and is gone now.
    pub cut_tail: Option<String>,
    /// The store was rebuilt from its raw file.
    pub salvaged: Option<String>,
    /// Acknowledged events that are gone, as accepted in the options.
    pub lost_tail: Option<String>,
    /// Half-written files of sled, left by a crash.
    pub half_snapshots_removed: usize,
    /// Values that sled put into files it never makes durable: must be zero.
    pub blobs: usize,
}

/// Counters since opening.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogStats {
    /// Groups written: each one flush and, under `Sync`, one fdatasync.
    pub groups: u64,
    pub events: u64,
    /// Appends that wait for the writer now.
    pub queued: usize,
}

/// What the writer, readers and the checkpoint share.
struct Shared {
    store: Store,
    index: RwLock<Index>,
    tail: Tail,
    head: watch::Sender<Position>,
    /// The first failed write; it is final.
    fault: OnceLock<String>,
    groups: AtomicU64,
    events: AtomicU64,
    /// Last, so that the lock goes after the store.
    folder: Folder,
}

impl Shared {
    fn fail(&self, reason: &str) {
        if self.fault.set(reason.to_owned()).is_ok() {
            tracing::error!(reason, "the log is read-only from now on");
        }
    }
}

/// A log in a folder of its own.
pub struct SledLog {
    shared: Arc<Shared>,
    queue: Arc<Queue>,
    remembered: Remembered,
    /// `None` once closed.
    writer: Mutex<Option<JoinHandle<()>>>,
    durability: Durability,
}

impl SledLog {
    /// Opens a log, or makes a new one, and starts its writer.
    ///
    /// # Errors
    /// Says in one sentence what is wrong with the folder or where the log is damaged. Nothing acknowledged is ever left out silently.
    pub fn open(options: SledOptions) -> Result<(Self, OpenReport), OpenError> {
        if let Err(error) = folder::survive_file_size_signal() {
            tracing::warn!(%error, "a file size limit would end the process instead of making the log read-only");
        }
        let SledOptions { dir, durability, clock, accept_lost_tail, queue_max } = options;
        let folder = Folder::claim(&dir)?;
        let storage = |error: std::io::Error| OpenError::Storage(error.to_string());
        let is_new = !recover::exists(folder.path());
        let (witness, seen) = Witness::open(folder.path()).map_err(storage)?;
        let mut report = OpenReport::default();
        let (store, index) = recover::open(&folder, seen.as_ref(), accept_lost_tail, &mut report)?;
        if is_new || report.salvaged.is_some() {
            store.flush().map_err(OpenError::Storage)?;
            folder::sync_entries(folder.path(), &folder.sled()).map_err(storage)?;
        }
        report.head = index.mark.position;
        report.blobs = folder::count_blobs(&folder.sled());
        if report.blobs > 0 {
            tracing::warn!(blobs = report.blobs, "sled keeps values in separate files that it never makes durable");
        }
        metrics::gauge!("aisled_log_blobs").set(u32::try_from(report.blobs).unwrap_or(u32::MAX));
        let queue = Arc::new(Queue::new(queue_max));
        Self::start(folder, store, index, witness, durability, clock, queue).map(|log| (log, report)).map_err(storage)
    }

    fn start(
        folder: Folder,
        store: Store,
        index: Index,
        witness: Witness,
        durability: Durability,
        clock: Arc<dyn Clock>,
        queue: Arc<Queue>,
    ) -> std::io::Result<Self> {
        let (mark, chain) = (index.mark, index.chain);
        let shared = Arc::new(Shared {
            store,
            index: RwLock::new(index),
            tail: Tail::default(),
            head: watch::Sender::new(mark.position),
            fault: OnceLock::new(),
            groups: AtomicU64::new(0),
            events: AtomicU64::new(0),
            folder,
        });
        let writer = Writer {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            clock,
            durability,
            witness,
            sequence: Sequence::after(mark),
            sealer: Sealer::after(chain)?,
            filling: Filling::default(),
            unsynced_since: None,
            checkpoint_at: 0,
            checkpoint: None,
        };
        let writer = thread::Builder::new().name("log-writer".into()).spawn(move || writer.run())?;
        Ok(Self { shared, queue, remembered: Remembered::default(), writer: Mutex::new(Some(writer)), durability })
    }

    /// The durability in force.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability
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

    /// Visits the stored bytes of every event after a position: checked, but not decoded.
    ///
    /// # Errors
    /// As [`Log::scan`].
    pub fn scan_raw(&self, after: Position, see: &mut dyn FnMut(Position, &[u8]) -> ControlFlow<()>) -> Result<(), LogError> {
        visit(&self.shared.store, after, self.head(), |position, bytes| Ok(see(position, bytes)))
    }

    /// Every stored block up to the head with the position it is stored under, as it is, for verification.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Result<(Position, impl Deref<Target = [u8]>), String>> {
        self.stored(Position::START)
    }

    /// The stored blocks from the one that holds a position on, up to the head: each by its first position, as it is, unchecked.
    /// What is appended meanwhile is left out.
    pub fn blocks_from(&self, position: Position) -> impl Iterator<Item = Result<(Position, impl Deref<Target = [u8]>), String>> {
        let holding = self.shared.store.holding(position);
        let start = holding.map(|found| found.map_or(position, |(first, bytes)| start_of(position, first, &bytes)));
        let (start, failed) = start.map_or_else(|error| (Position(u64::MAX), Some(Err(error))), |start| (start, None));
        failed.into_iter().chain(self.stored(start))
    }

    fn stored(&self, from: Position) -> impl Iterator<Item = Result<store::Keyed, String>> {
        let head = self.head();
        self.shared.store.from(from).take_while(move |entry| !matches!(entry, Ok((first, _)) if *first > head))
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
        recover::chain_at(&self.shared.store, position)
    }

    /// The head of every stream as the log remembers it.
    pub(super) fn heads(&self) -> Vec<(StreamKey, StreamHead)> {
        self.shared.index.read().heads.iter().collect()
    }

    fn job(&self, append: Append) -> Result<(Job, Pending), AppendError> {
        if let Some(reason) = self.read_only() {
            return Err(AppendError::ReadOnly(reason));
        }
        let mut bodies = Vec::with_capacity(256 * append.events.len());
        let mut ends = Vec::with_capacity(append.events.len());
        let mut version = append.expected_version;
        let Append { stream, who, command, client, .. } = &append;
        let author = Author { stream, who, command: command.as_ref(), client: client.as_ref() };
        for event in &append.events {
            version += 1;
            write_body(&mut bodies, version, event, &author);
            ends.push(bodies.len());
        }
        check_size(&bodies)?;
        let (answer, pending) = Pending::channel();
        Ok((Job { key: StreamKey::of(&append.stream), append, bodies, ends, answer }, pending))
    }

    fn enqueue(&self, append: Append, push: impl FnOnce(Job) -> Result<(), Refused>) -> Pending {
        let (job, pending) = match self.job(append) {
            Ok(ready) => ready,
            Err(error) => return Pending::ready(Err(error)),
        };
        match push(job) {
            Ok(()) => pending,
            Err(Refused::Full) => Pending::ready(Err(AppendError::Overloaded { queue_max: self.queue.appends_max() })),
            Err(Refused::Closed) => Pending::ready(Err(AppendError::ReadOnly(CLOSED.into()))),
        }
    }
}

/// Where to begin so that a position is among what is read: a block that ends before it is left out.
fn start_of(position: Position, first: Position, block: &[u8]) -> Position {
    if block::peek(block).is_some_and(|header| header.last() < position) { position } else { first }
}

const CLOSED: &str = "the log is closed";

impl Log for SledLog {
    fn append(&self, append: Append) -> Pending {
        self.enqueue(append, |job| self.queue.try_push(job))
    }

    fn append_blocking(&self, append: Append) -> Pending {
        self.enqueue(append, |job| self.queue.push(job))
    }

    fn read(&self, after: Position, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        if let Some(events) = self.shared.tail.read(after, events_max) {
            return Ok(events);
        }
        let mut events = Vec::new();
        let mut decoder = Decoder::default();
        if events_max == 0 {
            return Ok(events);
        }
        visit(&self.shared.store, after, self.head(), |position, bytes| {
            events.push(Arc::new(decoder.decode(position, bytes).map_err(|error| undecodable(position, &error))?));
            Ok(if events.len() < events_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(events)
    }

    fn scan(&self, after: Position, see: &mut dyn FnMut(Recorded) -> ControlFlow<()>) -> Result<(), LogError> {
        let mut decoder = Decoder::default();
        visit(&self.shared.store, after, self.head(), |position, bytes| {
            decoder.decode(position, bytes).map(&mut *see).map_err(|error| undecodable(position, &error))
        })
    }

    fn read_stream(&self, stream: &StreamId, after_version: u64, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let Some(head) = self.stream_head(stream) else { return Ok(Vec::new()) };
        let newest_wanted = after_version.saturating_add(events_max as u64);
        let store = &self.shared.store;
        let mut decoder = Decoder::default();
        let mut events = Vec::new();
        let (mut version, mut next) = (head.version, Some(head.position));
        // Backwards from the newest, by the link that every event has to the one before it in its stream.
        while version > after_version
            && let Some(position) = next
        {
            if version > newest_wanted {
                next = self.remembered.previous(store, position)?;
            } else {
                let event = match self.shared.tail.get(position) {
                    Some(event) => event,
                    None => Arc::new(self.remembered.decode(store, &mut decoder, position)?),
                };
                next = event.previous;
                events.push(event);
            }
            version -= 1;
        }
        events.reverse();
        Ok(events)
    }

    fn stream_head(&self, stream: &StreamId) -> Option<StreamHead> {
        self.shared.index.read().heads.get(StreamKey::of(stream))
    }

    fn head(&self) -> Position {
        *self.shared.head.borrow()
    }

    fn follow(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    fn read_only(&self) -> Option<String> {
        self.shared.fault.get().cloned().or_else(|| self.queue.is_closed().then(|| CLOSED.to_owned()))
    }

    fn close(&self) -> Result<(), LogError> {
        let mut writer = self.writer.lock();
        if let Some(thread) = writer.take() {
            self.queue.close();
            thread.join().map_err(|_| LogError::Storage("the writer ended in a panic".into()))?;
            if self.shared.fault.get().is_none() {
                self.shared.save_heads();
            }
        }
        self.shared.fault.get().map_or(Ok(()), |reason| Err(LogError::Storage(reason.clone())))
    }
}

impl Drop for SledLog {
    fn drop(&mut self) {
        // Whoever wants to know whether it went well calls `close` before.
        let _ = self.close();
    }
}
