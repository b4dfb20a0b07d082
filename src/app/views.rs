//! Bringing the views to the head of the log: from their checkpoint if it fits, then the tail.

use std::{fs, io, ops::ControlFlow, path::Path};

use super::DataFolder;
use crate::{
    events::{Log, LogError, Position, codec},
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
        views.absorb(&recorded);
        ControlFlow::Continue(())
    })?;
    tracing::info!(checkpoint = from.0, head = views.position().0, "the views are at the head of the log");
    Ok((views, from))
}

/// Writes the views behind a line that says what they are of; the file changes as a whole or not at all.
///
/// # Errors
/// When the file cannot be written; nothing is lost then but time at the next start.
pub fn save(views: &Views, file: &Path, epoch: &str, log: &dyn Log) -> io::Result<()> {
    let event = event_at(log, views.position()).ok_or_else(|| io::Error::other("the log does not show the views' newest event"))?;
    let mut bytes = format!("{epoch} {event}\n").into_bytes();
    bytes.extend_from_slice(&views.to_checkpoint());
    let fresh = file.with_extension("new");
    fs::write(&fresh, bytes)?;
    fs::rename(fresh, file)
}

fn from_checkpoint(folder: &DataFolder, log: &dyn Log) -> Option<Views> {
    let bytes = fs::read(folder.views_checkpoint()).ok()?;
    match usable(&bytes, folder.epoch(), log) {
        Ok(views) => Some(views),
        Err(reason) => {
            tracing::warn!(%reason, "the views' checkpoint cannot be used; they are rebuilt from the log");
            None
        }
    }
}

/// The views of a file, if they are of just this log: one that lost its end in a loss of power may have grown past the
/// checkpoint's position again, with other events.
fn usable(bytes: &[u8], epoch: &str, log: &dyn Log) -> Result<Views, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (line, rest) = bytes.split_at(end);
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let event = line.strip_prefix(epoch).ok_or("it is of another history")?.trim_start();
    let views = Views::from_checkpoint(&rest[1..]).map_err(|error| error.to_string())?;
    match event_at(log, views.position()) {
        None => Err(format!("it is of position {}, the log ends at {}", views.position(), log.head())),
        Some(found) if found == event => Ok(views),
        Some(_) => Err(format!("at position {} the log has another event", views.position())),
    }
}

/// Tells the event at a position from any other that might be there; `None` if the log shows none.
fn event_at(log: &dyn Log, position: Position) -> Option<String> {
    let Some(before) = position.0.checked_sub(1) else { return Some("none".into()) };
    let events = log.read(Position(before), 1).ok()?;
    Some(blake3::hash(codec::event_json(events.first()?).to_string().as_bytes()).to_hex().to_string())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::events::{clock::SystemClock, contract, memory::MemoryLog};

    fn log_of(names: &[&str]) -> MemoryLog {
        let log = MemoryLog::new(Arc::new(SystemClock));
        for (version, name) in names.iter().enumerate() {
            contract::put(&log, "a", version as u64, &[name]).unwrap();
        }
        log
    }

    #[test]
    fn a_checkpoint_serves_only_the_log_it_was_made_of() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::open(dir.path()).unwrap();
        let log = log_of(&["milk", "bread"]);
        let (views, from) = load(&log, Some(&folder)).unwrap();
        assert_eq!((views.position(), from), (Position(2), Position(0)));
        save(&views, &folder.views_checkpoint(), folder.epoch(), &log).unwrap();
        assert_eq!(load(&log, Some(&folder)).unwrap().1, Position(2));
        let shorter = log_of(&["milk"]);
        assert_eq!(load(&shorter, Some(&folder)).unwrap().1, Position(0), "it is ahead of the log");
        let other = log_of(&["milk", "jam", "tea"]);
        assert_eq!(load(&other, Some(&folder)).unwrap().1, Position(0), "the log lost its end and grew again");
        fs::write(dir.path().join("epoch"), "").unwrap();
        let renamed = DataFolder::open(dir.path()).unwrap();
        assert_eq!(load(&log, Some(&renamed)).unwrap().1, Position(0), "another history");
    }
}
