//! What can be wrong with a snapshot, a restore or their folder.

use std::{io, path::Path};

use crate::{
    disk::is_out_of_space,
    events::{AtError, LogError, Position},
    log::{build::BuildError, segment::SegmentError},
};

/// Why something was not done. The live data is then untouched.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("there is no snapshot {0:?}")]
    NotFound(String),
    #[error("there is no snapshot yet: create one first")]
    NoneYet,
    #[error("{0:?} is not a snapshot name")]
    InvalidName(String),
    #[error("the snapshot folder is in use by another process or operation; try again when that is done")]
    InUse,
    /// Not written by this program at all.
    #[error("{file} does not belong here: {reason}")]
    Foreign { file: String, reason: String },
    #[error("{file} has format {found}; this program knows formats up to {known}: use a newer program")]
    NewerFormat { file: String, found: u64, known: u64 },
    /// Cut off, flipped or edited.
    #[error("{file} is damaged{}: {reason}", .position.map(|position| format!(" at position {position}")).unwrap_or_default())]
    Damaged { file: String, position: Option<Position>, reason: String },
    #[error("{place} has {free_bytes} bytes free; {needed_bytes} are needed")]
    NoSpace { place: String, needed_bytes: u64, free_bytes: u64 },
    /// The disk was full before the restored log was whole.
    #[error("{0}")]
    Full(String),
    #[error("{file}: {error}")]
    Io { file: String, error: io::Error },
    #[error("position {asked} is not in the snapshot, which holds 1 to {end}")]
    BeyondSnapshot { asked: Position, end: Position },
    #[error("nothing was recorded before that: the first event is from {0}")]
    BeforeFirst(crate::domain::Moment),
    /// The result of the replay differs from that at the snapshot's creation.
    #[error("the restored state differs from the saved state in these projections: {}", .0.join(", "))]
    Differs(Vec<String>),
    #[error("the restored log cannot be used: {0}")]
    Staged(String),
    #[error("this server keeps its log in memory: there is nothing to snapshot or restore")]
    NoFolder,
    #[error("give a snapshot, or the moment to go back to")]
    NothingNamed,
    #[error("there is no restore to undo")]
    NothingToUndo,
    /// Only the last restore can be undone, or the record of the history it replaced was changed.
    #[error("the history that the restore replaced no longer exists: {0}")]
    LeftGone(String),
    #[error("the replaced history cannot be opened yet: {0}")]
    LeftInUse(String),
    #[error("the confirmation does not match: request a dry run of this restore and send its `confirm` token")]
    NotConfirmed,
    #[error(transparent)]
    At(#[from] AtError),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl SnapshotError {
    /// A file that cannot be read or written.
    pub fn io(file: &Path, error: io::Error) -> Self {
        Self::Io { file: file.display().to_string(), error }
    }

    /// A file that is not what it was.
    pub fn damaged(file: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged { file: name_of(file), position: None, reason: reason.into() }
    }

    /// A segment that is not what it should be. A missing one that a manifest names makes the snapshot damaged.
    pub fn segment(file: &Path, error: SegmentError) -> Self {
        let name = name_of(file);
        match error {
            SegmentError::Missing => Self::damaged(file, "it is missing"),
            SegmentError::Io(error) => Self::io(file, error),
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
            Self::InUse => "snapshots_in_use",
            Self::Foreign { .. } => "snapshot_foreign",
            Self::NewerFormat { .. } => "snapshot_newer_format",
            Self::Damaged { .. } => "snapshot_damaged",
            Self::NoSpace { .. } | Self::Full(_) => "no_disk_space",
            Self::Io { error, .. } if is_out_of_space(error) => "no_disk_space",
            Self::Io { .. } => "snapshot_io",
            Self::BeyondSnapshot { .. } => "position_beyond_snapshot",
            Self::BeforeFirst(_) | Self::At(AtError::BeforeFirst { .. } | AtError::Zero) => "before_first_event",
            Self::Differs(_) => "digests_differ",
            Self::Staged(_) => "restored_log_unusable",
            Self::NoFolder => "no_data_folder",
            Self::NothingNamed => "nothing_named",
            Self::NothingToUndo | Self::LeftGone(_) => "nothing_to_undo",
            Self::LeftInUse(_) => "left_history_in_use",
            Self::NotConfirmed => "not_confirmed",
            Self::At(AtError::BeyondHead { .. }) => "position_unknown",
            Self::At(AtError::Empty) => "empty_log",
            Self::At(AtError::Log(_)) | Self::Log(_) => "log_unreadable",
        }
    }
}

impl From<BuildError> for SnapshotError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::Refused { position, reason } => Self::Damaged { file: "the snapshot".into(), position: Some(position), reason },
            BuildError::NoRoom(_) => Self::Full(error.to_string()),
            other => Self::Staged(other.to_string()),
        }
    }
}

/// A file's name without its path.
#[must_use]
pub fn name_of(file: &Path) -> String {
    file.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
