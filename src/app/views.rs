//! Bringing the views to the head of the log: from their checkpoint if it fits, then the tail.

use std::{fs, io, ops::ControlFlow, path::Path};

use super::DataFolder;
use crate::{
    events::{Log, LogError, Position},
    projections::Views,
};

/// The views at the head of the log, and the position that their checkpoint had come to: zero if there was none.
///
/// # Errors
/// When the log cannot be read.
pub fn load(log: &dyn Log, folder: Option<&DataFolder>) -> Result<(Views, Position), LogError> {
    let mut views = folder.and_then(|folder| from_checkpoint(folder, log)).unwrap_or_default();
    let from = views.position();
    log.scan(from, &mut |recorded| {
        views.apply(&recorded);
        ControlFlow::Continue(())
    })?;
    tracing::info!(checkpoint = from.0, head = views.position().0, "the views are at the head of the log");
    Ok((views, from))
}

/// Writes the views beside the name of the history they belong to; the file changes as a whole or not at all.
///
/// # Errors
/// When the file cannot be written; nothing is lost then but time at the next start.
pub fn save(views: &Views, file: &Path, epoch: &str) -> io::Result<()> {
    let mut bytes = epoch.as_bytes().to_vec();
    bytes.push(b'\n');
    bytes.extend_from_slice(&views.to_checkpoint());
    let fresh = file.with_extension("new");
    fs::write(&fresh, bytes)?;
    fs::rename(fresh, file)
}

fn from_checkpoint(folder: &DataFolder, log: &dyn Log) -> Option<Views> {
    let bytes = fs::read(folder.views_checkpoint()).ok()?;
    let rest = bytes.strip_prefix(folder.epoch().as_bytes())?.strip_prefix(b"\n")?;
    match Views::from_checkpoint(rest) {
        Ok(views) if views.position() <= log.head() => Some(views),
        Ok(views) => {
            tracing::warn!(
                checkpoint = views.position().0,
                head = log.head().0,
                "the views' checkpoint is ahead of the log and was ignored"
            );
            None
        }
        Err(error) => {
            tracing::warn!(%error, "the views' checkpoint cannot be used; they are rebuilt from the log");
            None
        }
    }
}
