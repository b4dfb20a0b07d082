//! How to open a log, and what opening it reports.

use std::{path::PathBuf, sync::Arc};

use super::{Durability, journal, queue::QUEUED_APPENDS_MAX};
use crate::events::{Clock, Position, SystemClock};

/// How to open a log.
#[derive(Clone)]
pub struct LogOptions {
    /// The log's own folder; created if missing.
    pub dir: PathBuf,
    /// When an append counts as recorded.
    pub durability: Durability,
    /// Where recorded time comes from.
    pub clock: Arc<dyn Clock>,
    /// Everything up to here is known from elsewhere to have been acknowledged: a log that ends before is refused.
    pub acknowledged: Position,
    /// Opens a log without what is lost, though it ends before what was acknowledged or is damaged further back.
    pub accept_lost_tail: bool,
    /// Appends that may wait for the writer; beyond it `append` answers `Overloaded` and `append_blocking` waits.
    pub queue_max: usize,
    /// The size of a journal file.
    pub journal_bytes: u64,
    /// Folders where copies of the log's segments may be: snapshots.
    pub spares: Vec<PathBuf>,
    /// How much of the segments is read per second to find bit rot; zero for none.
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
            acknowledged: Position::START,
            accept_lost_tail: false,
            queue_max: QUEUED_APPENDS_MAX,
            journal_bytes: journal_bytes(),
            spares: Vec::new(),
            verify_bytes_per_second: 0,
        }
    }
}

pub(super) fn journal_bytes() -> u64 {
    let asked = if cfg!(debug_assertions) { std::env::var(JOURNAL_BYTES_VARIABLE).ok() } else { None };
    // In unit tests, which open thousands of logs, just enough for the largest command.
    let usual = if cfg!(test) { 1 << 20 } else { journal::JOURNAL_BYTES };
    asked.and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// The environment variable that gives tests small journals, in bytes; debug builds only.
const JOURNAL_BYTES_VARIABLE: &str = "AISLED_TEST_JOURNAL_BYTES";

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
    #[error(
        "the log of the old layout cannot be upgraded: it is damaged at position {position}: {reason}. Put the named file back from a backup, \
         restore a snapshot with `aisled restore`, or salvage it with the program of version 0.1 that wrote it"
    )]
    Old { position: Position, reason: String },
    #[error("the log's storage cannot be opened: {0}. {STORAGE_WAYS_OUT}")]
    Storage(String),
}

/// What to do about a log that does not open.
const WAYS_OUT: &str = "Put the named file back from a backup, or restore a snapshot with `aisled restore`, or start once with \
                        `--accept-lost-tail`: the log then ends before the damage, and what follows it is kept in `lost-N` next to the log";

/// What to do when the system refused something: the files may be whole.
const STORAGE_WAYS_OUT: &str = "This does not count as damage: start again once the system allows it. Put a file that the disk cannot read any more \
                                back from a backup, or give it up with `--accept-lost-tail`";

/// What opening found; everything but the counts deserves a look.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenReport {
    /// The newest position.
    pub head: Position,
    /// Events read to find the log's newest position.
    pub events_read: u64,
    /// Bytes of files read for it.
    pub bytes_read: u64,
    /// Whether the saved stream heads could be used.
    pub heads_from_file: bool,
    /// A torn end that was never acknowledged and has been cut.
    pub cut_tail: Option<String>,
    /// What was damaged and has been repaired.
    pub mended: Vec<String>,
    /// Acknowledged events that are gone, as accepted in the options.
    pub lost_tail: Option<String>,
    /// The files are copies: events may have been recorded elsewhere since.
    pub copied: bool,
    /// The folder had an older layout and was upgraded.
    pub upgraded: bool,
}
