//! The log on disk. Journals make a commit durable, segments keep it, sled holds a copy of the newest blocks for quick reads and may vanish at
//! any moment. `docs/durability.md` says what survives what.
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
mod durability;
mod folder;
mod in_flight;
mod index;
pub mod journal;
mod news;
mod queue;
mod reader;
mod recover;
mod sealing;
pub mod segment;
mod storage;
mod streams;
pub mod upgrade;
mod varint;
mod verifier;
pub mod verify;
mod watchdog;
mod window;
mod writer;

#[cfg(test)]
mod tests;

use std::{
    ops::{ControlFlow, Deref},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
use tokio::sync::watch;

pub use durability::Durability;
pub use verifier::Verification;

use self::{
    block::{Chain, Sealer},
    folder::Folder,
    in_flight::InFlight,
    index::Index,
    journal::head::LogId,
    news::News,
    queue::{GROUP_PART_OF_JOURNAL, Job, QUEUED_APPENDS_MAX, Queue, Refused},
    reader::{Remembered, undecodable, visit},
    segment::SegmentFile,
    storage::Storage,
    writer::{Filling, Writer, check_size},
};
use crate::{
    disk::Pace,
    domain::StreamId,
    events::{
        Append, AppendError, Clock, Log, LogError, Pending, Position, Recorded, StreamHead, SystemClock,
        codec::{Author, Decoder, write_body},
        heads::StreamKey,
        sequence::Sequence,
        tail::Tail,
    },
};

/// How long closing waits for each of the log's threads. One that hangs is left behind, and the process ends without it.
const CLOSE_MAX: Duration = Duration::from_secs(3);
/// The environment variable by which tests have small journals, in bytes; debug builds only.
const JOURNAL_BYTES_VARIABLE: &str = "AISLED_TEST_JOURNAL_BYTES";

/// How to open a log.
#[derive(Clone)]
pub struct LogOptions {
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
    /// The size of a journal file.
    pub journal_bytes: u64,
    /// Folders where copies of the log's segments may be: snapshots.
    pub spares: Vec<PathBuf>,
    /// How much of the segments is read a second to find what rots; zero for none.
    pub verify_bytes_per_second: u64,
}

impl LogOptions {
    /// The defaults for a folder: `Durability::Sync`, the system's clock, no loss accepted, no background verification.
    #[must_use]
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            durability: Durability::default(),
            clock: Arc::new(SystemClock),
            accept_lost_tail: false,
            queue_max: QUEUED_APPENDS_MAX,
            journal_bytes: journal_bytes(),
            spares: Vec::new(),
            verify_bytes_per_second: 0,
        }
    }
}

fn journal_bytes() -> u64 {
    let asked = if cfg!(debug_assertions) { std::env::var(JOURNAL_BYTES_VARIABLE).ok() } else { None };
    // In unit tests, which open thousands of logs, just enough for the largest command.
    let usual = if cfg!(test) { 1 << 20 } else { journal::JOURNAL_BYTES };
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} cannot be used as the folder of a log: {reason}", path.display())]
    Folder { path: PathBuf, reason: String },
    #[error("{} is already in use by process {process}", path.display())]
    InUse { path: PathBuf, process: String },
    #[error("the log is damaged at position {position}: {reason}. {WAYS_OUT}")]
    Damaged { position: Position, reason: String },
    #[error("the log ends at position {found}, but everything up to {acknowledged} was acknowledged: {reason}. {WAYS_OUT}")]
    LostTail { found: Position, acknowledged: Position, reason: String },
    #[error("the log's storage cannot be opened: {0}")]
    Storage(String),
}

/// What to do about a log that does not open.
const WAYS_OUT: &str = "Put the named file back from a backup, or restore a snapshot with `aisled restore`, or start once with \
                        `--accept-lost-tail`: the log then ends before the damage, and what is after it is kept in `lost-N` beside it";

/// What opening found; everything but the counts wants a look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The newest position.
    pub head: Position,
    /// Events read to find where the log stands.
    pub events_read: u64,
    /// Bytes of files read for it.
    pub bytes_read: u64,
    /// Whether the saved stream heads could be used.
    pub heads_from_file: bool,
    /// A torn end that was never acknowledged and is gone now.
    pub cut_tail: Option<String>,
    /// What was damaged and is whole again.
    pub mended: Vec<String>,
    /// Acknowledged events that are gone, as accepted in the options.
    pub lost_tail: Option<String>,
    /// The files are copies of those that were written: events may have been recorded elsewhere since.
    pub copied: bool,
    /// An older layout of the folder was brought to this one.
    pub upgraded: bool,
}

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
    /// The newest position: an answer that names it is given after it is here.
    committed: AtomicU64,
    /// The same for those who follow; they are woken a moment later.
    head: watch::Sender<Position>,
    news: News,
    in_flight: InFlight,
    /// The first failed write; it is final.
    fault: OnceLock<String>,
    /// Commands are refused because there is no other journal to go on in; not final.
    is_stuck: AtomicBool,
    groups: AtomicU64,
    events: AtomicU64,
    /// Last, so that the lock goes after everything else.
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

/// A thread that can be waited for with a limit.
struct Worker {
    name: &'static str,
    thread: JoinHandle<()>,
    ended: mpsc::Receiver<()>,
}

impl Worker {
    fn start(name: &'static str, work: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let (end, ended) = mpsc::channel();
        let work = move || {
            // Dropped however the work ends.
            let _end: mpsc::Sender<()> = end;
            work();
        };
        Ok(Self { name, thread: thread::Builder::new().name(name.into()).spawn(work)?, ended })
    }

    /// Waits for its end, but not for ever.
    fn join(self) -> Result<(), String> {
        if self.ended.recv_timeout(CLOSE_MAX) == Err(mpsc::RecvTimeoutError::Timeout) {
            return Err(format!("the thread {} does not end", self.name));
        }
        self.thread.join().map_err(|_| format!("the thread {} ended in a panic", self.name))
    }
}

impl DiskLog {
    /// Opens a log, or makes a new one, and starts its threads.
    ///
    /// # Errors
    /// Says in one sentence what is wrong with the folder or where the log is damaged. Nothing acknowledged is ever left out silently.
    pub fn open(options: LogOptions) -> Result<(Self, OpenReport), OpenError> {
        if let Err(error) = folder::survive_file_size_signal() {
            tracing::warn!(%error, "a file size limit would end the process instead of making the log read-only");
        }
        let folder = Folder::claim(&options.dir)?;
        let mut report = OpenReport { upgraded: upgrade::if_needed(&folder)?, ..OpenReport::default() };
        let wish = recover::Wish {
            folder: &folder,
            journal_bytes: options.journal_bytes.max(journal::JOURNAL_BYTES_MIN),
            accept_lost_tail: options.accept_lost_tail,
            spares: &options.spares,
        };
        let found = recover::open(&wish, &mut report)?;
        report.head = found.index.mark.position;
        if !report.upgraded
            && let Err(error) = upgrade::forget_old(&folder)
        {
            tracing::warn!(%error, "the files of the log's old layout cannot be removed");
        }
        let log = Self::start(folder, found, &options).map_err(|error| OpenError::Storage(error.to_string()))?;
        Ok((log, report))
    }

    fn start(folder: Folder, found: recover::Found, options: &LogOptions) -> std::io::Result<Self> {
        let recover::Found { storage, index, log, active_at, heads_bytes, heads_at } = found;
        let (mark, chain, active) = (index.mark, index.chain, storage.journals.active());
        let shared = Arc::new(Shared {
            storage,
            log,
            index: RwLock::new(index),
            tail: Tail::default(),
            committed: AtomicU64::new(mark.position.0),
            head: watch::Sender::new(mark.position),
            news: News::default(),
            in_flight: InFlight::default(),
            fault: OnceLock::new(),
            is_stuck: AtomicBool::new(false),
            groups: AtomicU64::new(0),
            events: AtomicU64::new(0),
            folder,
        });
        shared.news.tell(mark.position);
        let group_bytes = usize::try_from(options.journal_bytes.max(journal::JOURNAL_BYTES_MIN) / GROUP_PART_OF_JOURNAL);
        let queue = Arc::new(Queue::new(options.queue_max, group_bytes.unwrap_or(usize::MAX)));
        let writer = Writer {
            shared: Arc::clone(&shared),
            queue: Arc::clone(&queue),
            clock: Arc::clone(&options.clock),
            durability: options.durability,
            sequence: Sequence::after(mark),
            sealer: Sealer::after(chain)?,
            filling: Filling::default(),
            active,
            at: active_at,
            durable: mark.position,
            unsynced_since: None,
            is_settled: false,
        };
        let sealing = sealing::Sealing { shared: Arc::clone(&shared), heads_at, heads_bytes, bytes_since: 0 };
        let (keeper, watched, verified) = (Arc::clone(&shared), (Arc::clone(&shared), Arc::clone(&queue)), Arc::clone(&shared));
        let (rate, spares) = (options.verify_bytes_per_second, options.spares.clone());
        let threads = vec![
            Worker::start("log-writer", move || writer.run())?,
            Worker::start("log-sealing", move || sealing.run())?,
            Worker::start("log-window", move || window::keeper::run(&keeper))?,
            Worker::start("log-verifier", move || verifier::run(&verified, rate, &spares))?,
            Worker::start("log-watchdog", move || watchdog::run(&watched.0, &watched.1))?,
        ];
        Ok(Self { shared, queue, remembered: Remembered::default(), threads: Mutex::new(threads), durability: options.durability })
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

    /// How far the background verification has come, and what it has found.
    #[must_use]
    pub fn verification(&self) -> Verification {
        self.shared.storage.suspects.verification()
    }

    /// Makes these files the originals, after a copy was opened: see [`OpenReport::copied`].
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

    /// Every stored block up to the head with the position it is stored under, as it is, for verification.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = Result<(Position, impl Deref<Target = [u8]>), String>> {
        self.blocks_from(Position::START.next())
    }

    /// The stored blocks from the one that holds a position on, up to the head: each by its first position, as it is, unchecked.
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

    /// Waits until nothing is left to seal and sled has caught up.
    #[cfg(test)]
    pub(crate) fn settle(&self) {
        let begin = std::time::Instant::now();
        let storage = &self.shared.storage;
        while storage.journals.full().is_some() || storage.window.range().1 != self.head() {
            assert!(begin.elapsed() < Duration::from_secs(30), "it does not come to rest");
            thread::yield_now();
        }
    }

    /// Why no append will be recorded any more.
    fn fault(&self) -> Option<String> {
        self.shared.fault.get().cloned().or_else(|| self.queue.is_closed().then(|| CLOSED.to_owned()))
    }

    fn job(&self, append: Append) -> Result<(Job, Pending), AppendError> {
        if let Some(reason) = self.fault() {
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

const CLOSED: &str = "the log is closed";

impl Log for DiskLog {
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
        visit(&self.shared.storage, after, self.head(), |position, bytes| {
            events.push(Arc::new(decoder.decode(position, bytes).map_err(|error| undecodable(position, &error))?));
            Ok(if events.len() < events_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(events)
    }

    fn scan(&self, after: Position, see: &mut dyn FnMut(Recorded) -> ControlFlow<()>) -> Result<(), LogError> {
        let mut decoder = Decoder::default();
        visit(&self.shared.storage, after, self.head(), |position, bytes| {
            decoder.decode(position, bytes).map(&mut *see).map_err(|error| undecodable(position, &error))
        })
    }

    fn read_stream(&self, stream: &StreamId, after_version: u64, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let Some(head) = self.stream_head(stream) else { return Ok(Vec::new()) };
        let newest_wanted = after_version.saturating_add(events_max as u64);
        streams::Reading { shared: &self.shared, remembered: &self.remembered, stream }.versions(head, after_version, newest_wanted)
    }

    fn stream_head(&self, stream: &StreamId) -> Option<StreamHead> {
        self.shared.index.read().heads.get(StreamKey::of(stream))
    }

    fn head(&self) -> Position {
        self.shared.head_now()
    }

    fn follow(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    fn read_only(&self) -> Option<String> {
        let stuck = || self.shared.is_stuck.load(Ordering::Relaxed).then(|| self.shared.storage.journals.trouble()).flatten();
        self.fault().or_else(|| stuck().map(|trouble| format!("the log has no room: {}", trouble.reason)))
    }

    fn close(&self) -> Result<(), LogError> {
        let mut threads = self.threads.lock();
        if !threads.is_empty() {
            self.queue.close();
            let mut threads = threads.drain(..);
            let written = threads.next().map_or(Ok(()), Worker::join);
            if let (Err(reason), Some(answers)) = (&written, self.shared.in_flight.take()) {
                tracing::error!(reason, "the log is closed without its writer");
                watchdog::give_up(&self.shared, &self.queue, answers);
            }
            self.shared.storage.journals.close();
            self.shared.news.close();
            for ended in threads.map(Worker::join) {
                if let Err(reason) = ended {
                    tracing::warn!(reason, "closing the log without it");
                }
            }
            written.map_err(LogError::Storage)?;
            if self.shared.fault.get().is_none()
                && let Err(error) = index::save(&self.shared.folder.heads(), &self.shared.log, &self.shared.index, Pace::AtOnce, || Ok(()))
            {
                tracing::warn!(%error, "the stream heads cannot be saved; the next start reads more");
            }
        }
        self.shared.fault.get().map_or(Ok(()), |reason| Err(LogError::Storage(reason.clone())))
    }
}

impl std::fmt::Debug for DiskLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DiskLog").field("dir", &self.dir()).field("head", &self.head()).finish_non_exhaustive()
    }
}

impl Drop for DiskLog {
    fn drop(&mut self) {
        // Whoever wants to know whether it went well calls `close` before.
        let _ = self.close();
    }
}
