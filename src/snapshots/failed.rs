//! Why work on snapshots and histories did not get done, although nothing was wrong with what was asked for.

use std::{io, path::Path};

use crate::{disk::is_out_of_space, events::LogError};

/// Another operation is under way.
#[derive(Debug, thiserror::Error)]
#[error("a {kind} is in progress (operation {id}): wait until it is done")]
pub struct Busy {
    pub kind: &'static str,
    pub id: String,
}

/// What stopped the work: the disk, the log, other work, or the program itself.
#[derive(Debug, thiserror::Error)]
pub enum WorkError {
    #[error("the snapshot folder is in use by another process or operation; try again when that is done")]
    InUse,
    #[error("the replaced history cannot be opened yet: {0}")]
    LeftInUse(String),
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("{place} has {free_bytes} bytes free; {needed_bytes} are needed")]
    NoSpace { place: String, needed_bytes: u64, free_bytes: u64 },
    /// The disk was full before everything was written.
    #[error("{0}")]
    Full(String),
    #[error("{file}: {error}")]
    Io { file: String, error: io::Error },
    #[error(transparent)]
    Log(#[from] LogError),
    /// A log that was built or left by a restore.
    #[error("the restored log cannot be used: {0}")]
    Staged(String),
    /// The log that a snapshot is made of.
    #[error("the log cannot be used: {0}")]
    Source(String),
    #[error("it could not be recorded: {0}")]
    NotRecorded(String),
    #[error("{0}; see the server's log output for the cause")]
    Views(&'static str),
    #[error("the work was cut short: {0}")]
    CutShort(String),
    #[error("the result cannot be shown: {0}")]
    Result(serde_json::Error),
}

impl WorkError {
    /// A file that cannot be read or written.
    pub fn io(file: &Path, error: io::Error) -> Self {
        Self::Io { file: file.display().to_string(), error }
    }

    /// The stable code that clients see.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InUse => "snapshots_in_use",
            Self::LeftInUse(_) => "left_history_in_use",
            Self::Busy(_) => "operation_running",
            Self::NoSpace { .. } | Self::Full(_) => "no_disk_space",
            Self::Io { error, .. } if is_out_of_space(error) => "no_disk_space",
            Self::Io { .. } => "snapshot_io",
            Self::Log(_) => "log_unreadable",
            // One code for all of these: clients have always met it.
            Self::Staged(_) | Self::Source(_) | Self::NotRecorded(_) | Self::Views(_) | Self::CutShort(_) | Self::Result(_) => {
                "restored_log_unusable"
            }
        }
    }
}
