//! What can be wrong with a snapshot or with what is asked of it.

use std::path::Path;

use super::failed::WorkError;
use crate::{
    events::{AtError, LogError, Position},
    log::{build::BuildError, segment::SegmentError},
};

/// Why something was not done: what an admin can act on, or that the work itself failed. The live data is then untouched.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("there is no snapshot {0:?}")]
    NotFound(String),
    #[error("there is no snapshot yet: create one first")]
    NoneYet,
    #[error("{0:?} is not a snapshot name")]
    InvalidName(String),
    /// Not written by this program at all.
    #[error("{file} does not belong here: {reason}")]
    Foreign { file: String, reason: String },
    #[error("{file} has format {found}; this program knows formats up to {known}: use a newer program")]
    NewerFormat { file: String, found: u64, known: u64 },
    /// Cut off, flipped or edited.
    #[error("{file} is damaged{}: {reason}", .position.map(|position| format!(" at position {position}")).unwrap_or_default())]
    Damaged { file: String, position: Option<Position>, reason: String },
    #[error("position {asked} is not in the snapshot, which holds 1 to {end}")]
    BeyondSnapshot { asked: Position, end: Position },
    #[error("nothing was recorded before that: the first event is from {0}")]
    BeforeFirst(crate::domain::Moment),
    /// The result of the replay differs from that at the snapshot's creation.
    #[error("the restored state differs from the saved state in these projections: {}", .0.join(", "))]
    Differs(Vec<String>),
    #[error("this server keeps its log in memory: there is nothing to snapshot or restore")]
    NoFolder,
    #[error("give a snapshot, or the moment to go back to")]
    NothingNamed,
    #[error("there is no restore to undo")]
    NothingToUndo,
    /// Only the last restore can be undone, or the record of the history it replaced was changed.
    #[error("the history that the restore replaced no longer exists: {0}")]
    LeftGone(String),
    #[error("the confirmation does not match: request a dry run of this restore and send its `confirm` token")]
    NotConfirmed,
    /// The accounts in it, which are sealed.
    #[error("{detail}")]
    Accounts { code: &'static str, detail: String },
    #[error(transparent)]
    At(#[from] AtError),
    /// Nothing is wrong with the snapshot or the request.
    #[error(transparent)]
    Work(#[from] WorkError),
}

impl SnapshotError {
    /// A file that is not what it was.
    pub fn damaged(file: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { file: name_of(file), position: None, reason: reason.into() }
    }

    /// A segment that is not what it should be. A missing one that a manifest names makes the snapshot damaged.
    pub fn segment(file: &Path, error: SegmentError) -> Self {
        let name = name_of(file);
        match error {
            SegmentError::Missing => Self::damaged(file, "it is missing"),
            SegmentError::Io(error) => WorkError::io(file, error).into(),
            SegmentError::Foreign(reason) => Self::Foreign { file: name, reason },
            SegmentError::Newer(found) => Self::NewerFormat { file: name, found, known: u64::from(crate::log::segment::head::FORMAT) },
            SegmentError::Damaged { position, reason } => Self::Damaged { file: name, position, reason },
        }
    }

    /// The stable code that clients see.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) | Self::NoneYet => "snapshot_not_found",
            Self::InvalidName(_) => "invalid_snapshot_name",
            Self::Foreign { .. } => "snapshot_foreign",
            Self::NewerFormat { .. } => "snapshot_newer_format",
            Self::Damaged { .. } => "snapshot_damaged",
            Self::BeyondSnapshot { .. } => "position_beyond_snapshot",
            Self::BeforeFirst(_) | Self::At(AtError::BeforeFirst { .. } | AtError::Zero) => "before_first_event",
            Self::Differs(_) => "digests_differ",
            Self::NoFolder => "no_data_folder",
            Self::NothingNamed => "nothing_named",
            Self::NothingToUndo | Self::LeftGone(_) => "nothing_to_undo",
            Self::NotConfirmed => "not_confirmed",
            Self::Accounts { code, .. } => code,
            Self::At(AtError::BeyondHead { .. }) => "position_unknown",
            Self::At(AtError::Empty) => "empty_log",
            Self::At(AtError::Log(_)) => "log_unreadable",
            Self::Work(error) => error.code(),
        }
    }
}

impl From<BuildError> for SnapshotError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Refused { position, reason } => Self::Damaged { file: "the snapshot".into(), position: Some(position), reason },
            BuildError::NoRoom(_) => WorkError::Full(error.to_string()).into(),
            other @ (BuildError::NotEmpty(_) | BuildError::Storage(_)) => WorkError::Staged(other.to_string()).into(),
        }
    }
}

impl From<LogError> for SnapshotError {
    fn from(error: LogError) -> Self {
        Self::Work(error.into())
    }
}

/// A file's name without its path.
#[must_use]
pub fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
