//! Every way in which a command can fail; the edges map each to one answer.

use crate::{
    domain::{CommandId, Refusal, StreamId},
    events::{LogError, Position, served::HistoryChanged},
};

/// Why a command was not done. Only `OutcomeUnknown` leaves open whether it was recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// A rule of the domain refuses it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The entity moved on since the client read it (`If-Match`).
    #[error("the entity is at version {actual}, not {expected}")]
    VersionMismatch { expected: u64, actual: u64 },
    /// The version that the client saw is of another history: one that a restore replaced, or that was lost.
    #[error(transparent)]
    HistoryChanged(HistoryChanged),
    /// The same command id came before with different content.
    #[error("the command id {id} was used for a different command")]
    KeyReused { id: CommandId },
    /// A queue is full; nothing was recorded, a retry may succeed.
    #[error("{what} is full")]
    Overloaded { what: &'static str, retry_after_seconds: u32 },
    /// The entity's own history cannot be replayed.
    #[error("the history of {stream} cannot be replayed at position {position}: {reason}")]
    Poisoned { stream: StreamId, position: Position, reason: String },
    /// It is unknown whether it was recorded: repeat it with the same command id.
    #[error("unknown whether the command was recorded: {0}")]
    OutcomeUnknown(String),
    /// Others changed the entity again and again while this was planned; nothing was recorded, a retry may succeed.
    #[error("{0} changed again and again meanwhile")]
    Contended(StreamId),
    /// The log takes no more events.
    #[error("the log is read-only: {0}")]
    ReadOnly(String),
    /// The disk is full; nothing was recorded. Service resumes by itself when there is room.
    #[error("the log has no room: {0}")]
    NoRoom(String),
    /// Events that are needed cannot be read.
    #[error(transparent)]
    Unreadable(#[from] LogError),
    /// A fault of the server itself; the cause goes to the log, never to the client.
    #[error("internal fault: {0}")]
    Internal(String),
}

impl Failure {
    /// Whether the command was refused, as it stands: to send it again changes nothing.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(_) | Self::VersionMismatch { .. } | Self::HistoryChanged(_) | Self::KeyReused { .. } => true,
            Self::Overloaded { .. }
            | Self::Contended(_)
            | Self::Poisoned { .. }
            | Self::OutcomeUnknown(_)
            | Self::ReadOnly(_)
            | Self::NoRoom(_)
            | Self::Unreadable(_)
            | Self::Internal(_) => false,
        }
    }

    /// The stable code; clients may match on it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.code,
            Self::VersionMismatch { .. } => "version_mismatch",
            Self::HistoryChanged(_) => "history_changed",
            Self::KeyReused { .. } => "key_reused",
            Self::Overloaded { .. } | Self::Contended(_) => "overloaded",
            Self::Poisoned { .. } | Self::Unreadable(LogError::Damaged { .. } | LogError::Undecodable { .. }) => "history_unreadable",
            Self::OutcomeUnknown(_) => "outcome_unknown",
            Self::ReadOnly(_) => "read_only",
            Self::NoRoom(_) => "disk_full",
            Self::Unreadable(LogError::Storage(_)) | Self::Internal(_) => "internal",
        }
    }

    /// A sentence that a person can act on. It never tells the cause of a fault inside the server.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.detail.clone(),
            Self::VersionMismatch { expected, actual } => {
                format!("the current version is {actual}, not {expected}: read it again, then decide again")
            }
            Self::HistoryChanged(changed) => changed.to_string(),
            Self::KeyReused { id } => format!("the command id {id} was used for a different command: use a new one for each command"),
            Self::Overloaded { what, .. } => format!("{what} is full; nothing was recorded, try again"),
            Self::Contended(stream) => format!("{stream} changed again and again meanwhile: try again"),
            Self::Poisoned { stream, position, .. } => {
                format!("the history of {stream} cannot be replayed at position {position}; everything else still works")
            }
            Self::OutcomeUnknown(_) => "it is unknown whether the command was recorded: repeat it with the same command id".into(),
            Self::ReadOnly(_) => "the log is read-only until an operator restarts the server; nothing was recorded".into(),
            Self::NoRoom(_) => {
                "the disk is full, or no more files can be created on it; nothing was recorded; writes resume when there is room".into()
            }
            Self::Unreadable(LogError::Damaged { position, .. } | LogError::Undecodable { position, .. }) => {
                format!("the log cannot be read at position {position}; everything that does not need that event still works")
            }
            Self::Unreadable(LogError::Storage(_)) | Self::Internal(_) => "internal server error; it is logged under the request id".into(),
        }
    }
}
