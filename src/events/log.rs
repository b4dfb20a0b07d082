//! The log as everything else sees it: append at an expected version, read, follow. No backend detail leaks through.

use std::{
    future::Future,
    ops::ControlFlow,
    pin::Pin,
    sync::Arc,
    task::{self, Poll},
};

use tokio::sync::{oneshot, watch};

use super::envelope::{CommandMark, Position, Recorded};
use crate::domain::{ClientId, Event, Principal, StreamId};

/// The events of one command for one stream: all are recorded side by side, or none is.
#[derive(Debug, Clone)]
pub struct Append {
    pub stream: StreamId,
    /// The version the stream must have; 0 means it must not exist yet.
    pub expected_version: u64,
    pub who: Principal,
    /// Who really sent it, acting for `who`.
    pub by: Option<Principal>,
    pub command: Option<CommandMark>,
    pub client: Option<ClientId>,
    /// At least one.
    pub events: Vec<Event>,
}

/// Why an append was not acknowledged.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// Another append was first: load, decide again.
    #[error("stream {stream} is at version {actual}, not at {expected}")]
    Conflict { stream: StreamId, expected: u64, actual: u64 },
    /// It is unknown whether it was recorded: read the stream again before continuing.
    #[error("unknown whether the events were recorded: {0}")]
    Unknown(String),
    /// The queue is full; nothing was recorded. Try again later.
    #[error("the append queue of {queue_max} is full")]
    Overloaded { queue_max: usize },
    /// One command's events exceed what one block may hold; nothing was recorded.
    #[error("the events of one command take {bytes} bytes, more than {bytes_max}")]
    TooLarge { bytes: usize, bytes_max: usize },
    /// There is no room on the disk, or a new file cannot be made for another reason; nothing was recorded. Service resumes by itself.
    #[error("the log has no room: {0}")]
    NoRoom(String),
    /// The log stopped accepting events after a failed write; nothing was recorded by this append.
    #[error("the log is read-only: {0}")]
    ReadOnly(String),
}

/// Why a read failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    #[error("the log is damaged at position {position}: {reason}; docs/durability.md says what to do")]
    Damaged { position: Position, reason: String },
    #[error("the event at position {position} cannot be decoded: {reason}")]
    Undecodable { position: Position, reason: String },
    #[error("the log's storage failed: {0}")]
    Storage(String),
}

/// The newest event of one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StreamHead {
    pub version: u64,
    pub position: Position,
}

/// The recorded events of one append, in order.
pub type Appended = Vec<Arc<Recorded>>;

/// An append under way. Await it, or wait for it on a thread that may block.
#[derive(Debug)]
pub struct Pending(oneshot::Receiver<Result<Appended, AppendError>>);

impl Pending {
    /// The two ends of the answer.
    #[must_use]
    pub fn channel() -> (oneshot::Sender<Result<Appended, AppendError>>, Self) {
        let (sender, receiver) = oneshot::channel();
        (sender, Self(receiver))
    }

    /// An append that was answered at once.
    #[must_use]
    pub fn ready(answer: Result<Appended, AppendError>) -> Self {
        let (sender, pending) = Self::channel();
        let _ = sender.send(answer);
        pending
    }

    /// Waits on a thread that may block.
    ///
    /// # Errors
    /// Those of the append.
    pub fn wait(self) -> Result<Appended, AppendError> {
        self.0.blocking_recv().unwrap_or_else(|_| Err(writer_gone()))
    }
}

impl Future for Pending {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or_else(|_| Err(writer_gone())))
    }
}

fn writer_gone() -> AppendError {
    AppendError::Unknown("the log's writer ended before it answered".into())
}

/// An append-only, totally ordered, gapless log of events. Every backend passes the same contract suite.
pub trait Log: Send + Sync + 'static {
    /// Hands one command's events to the writer. Never blocks: a full queue answers `Overloaded`.
    /// The answer comes once the events are durable under the policy in force.
    fn append(&self, append: Append) -> Pending;

    /// As `append`, but waits for room in the queue: for imports and tools on threads that may block.
    fn append_blocking(&self, append: Append) -> Pending;

    /// Up to `events_max` events after a position, in order. Empty at the head. What is whole before damage is given; the next read names the damage.
    ///
    /// # Errors
    /// Names the position that is damaged or cannot be decoded.
    fn read(&self, after: Position, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError>;

    /// Visits every event after a position, in order, until the visitor breaks: the fast path of a replay.
    ///
    /// # Errors
    /// See `read`.
    fn scan(&self, after: Position, visit: &mut dyn FnMut(Recorded) -> ControlFlow<()>) -> Result<(), LogError>;

    /// The events of one stream with versions above `after_version`, in order, at most `events_max`.
    ///
    /// # Errors
    /// See `read`.
    fn read_stream(&self, stream: &StreamId, after_version: u64, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError>;

    /// The newest event of a stream, `None` if it has none.
    fn stream_head(&self, stream: &StreamId) -> Option<StreamHead>;

    /// The newest position, zero if empty.
    fn head(&self) -> Position;

    /// Wakes when the head moves: read after it to follow live.
    fn follow(&self) -> watch::Receiver<Position>;

    /// The first events after each step back of recorded time, in order: between two of them it never decreases.
    fn steps_back(&self) -> Vec<Position>;

    /// Why the log accepts no more events, `None` while it does.
    fn read_only(&self) -> Option<String>;

    /// Finishes what is queued, writes its checkpoint and stops accepting events. Blocks; idempotent.
    ///
    /// # Errors
    /// When the last write failed.
    fn close(&self) -> Result<(), LogError>;
}
