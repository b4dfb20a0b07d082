//! Every way in which a command can fail; the edges map each to one answer.

use crate::{
    domain::{CommandId, Refusal, StreamId},
    events::Position,
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
    /// The log accepts no more events.
    #[error("the log is read-only: {0}")]
    ReadOnly(String),
    /// The disk is full; nothing was recorded. Service resumes by itself when there is room.
    #[error("the log has no room: {0}")]
    NoRoom(String),
    /// A fault of the server itself; the cause goes to the log, never to the client.
    #[error("internal fault: {0}")]
    Internal(String),
}
