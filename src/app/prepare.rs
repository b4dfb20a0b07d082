//! Views of a new version of the program, built from a snapshot while the old one still serves: the new one then starts quickly.

use serde::Serialize;

use super::{DataFolder, views};
use crate::{
    config::Config,
    events::{Position, Recorded},
    projections::Views,
    snapshots::{
        Progress, SnapshotError, SnapshotFolder, WorkError,
        stage::{differing_from, replay_files},
    },
};

/// What was prepared.
#[derive(Debug, Serialize)]
pub struct Prepared {
    pub snapshot: String,
    pub position: Position,
    pub version: u32,
    /// The projections that differ from those at the snapshot's creation; absent if that was under another version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub differ: Option<Vec<String>>,
    /// Whether a start will use them: the snapshot is of the history in the folder.
    pub of_this_history: bool,
}

/// Replays a snapshot into views of this program and saves them for its next start. A running server is not disturbed.
///
/// # Errors
/// When the snapshot or the folder cannot be used.
pub fn prepare(config: &Config, name: &str, progress: &Progress) -> Result<Prepared, PrepareError> {
    let folder = SnapshotFolder::new(&config.snapshots);
    let _hold = folder.hold().map_err(SnapshotError::from)?;
    let snapshot = folder.open(name)?;
    let data = DataFolder::open(&config.data)?;
    let (position, mut newest) = (snapshot.manifest.position, None::<Recorded>);
    let views = replay_files(&snapshot, position, progress, &mut |recorded| {
        if recorded.position == position {
            newest = Some(recorded.clone());
        }
    })?;
    progress.begin("writing the views", 0);
    views::save_prepared(&views, &data, &snapshot.manifest.epoch, newest.as_ref())
        .map_err(|error| SnapshotError::from(WorkError::io(&data.prepared_views(), error)))?;
    Ok(Prepared {
        snapshot: name.to_owned(),
        position,
        version: Views::VERSION,
        differ: differing_from(&snapshot, &views.digests()),
        of_this_history: data.epoch() == snapshot.manifest.epoch,
    })
}

/// Why nothing was prepared.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error(transparent)]
    Folder(#[from] super::FolderError),
}
