//! Brings the views to the head of the log: from their checkpoint if it fits, then the tail.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, Read},
    ops::ControlFlow,
    path::Path,
};

use super::DataFolder;
use crate::{
    disk,
    events::{Log, LogError, Position, Recorded, codec},
    projections::Views,
};

/// More than the first line of a checkpoint needs.
const LINE_BYTES_MAX: u64 = 512;

/// The views at the head of the log, and the position of their checkpoint: zero if there was none.
///
/// # Errors
/// When the log cannot be read.
pub fn load(log: &dyn Log, folder: Option<&DataFolder>) -> Result<(Views, Position), LogError> {
    let mut views = folder.and_then(|folder| newest_checkpoint(folder, log)).unwrap_or_default();
    let from = views.position();
    log.scan(from, &mut |recorded| {
        views.absorb(&recorded);
        ControlFlow::Continue(())
    })?;
    tracing::info!(checkpoint = from.0, head = views.position().0, "the views are at the head of the log");
    Ok((views, from))
}

/// Writes the views after a line that identifies them; the file changes as a whole or not at all.
///
/// # Errors
/// When the file cannot be written; that only costs time at the next start.
pub fn save(views: &Views, file: &Path, epoch: &str, log: &dyn Log) -> io::Result<()> {
    let event = event_at(log, views.position()).ok_or_else(|| io::Error::other("the log does not contain the views' newest event"))?;
    write(views, file, epoch, &event)
}

/// Writes views that were prepared from a snapshot of a history, whose newest event is given.
///
/// # Errors
/// When the file cannot be written.
pub fn save_prepared(views: &Views, folder: &DataFolder, epoch: &str, newest: Option<&Recorded>) -> io::Result<()> {
    write(views, &folder.prepared_views(), epoch, &newest.map_or_else(|| "none".into(), mark_of))
}

fn write(views: &Views, file: &Path, epoch: &str, event: &str) -> io::Result<()> {
    let line = format!("{epoch} {event} {}", views.position());
    let mut bytes = format!("{line} {:08x}\n", crc32fast::hash(line.as_bytes())).into_bytes();
    bytes.extend_from_slice(&views.to_checkpoint());
    disk::replace_cache(file, &bytes)
}

/// The position the log had certainly reached when the views were saved: they only apply what is committed. `START` if the folder has no
/// views of this history.
#[must_use]
pub fn known_position(folder: &DataFolder) -> Position {
    let line = || {
        let mut line = String::new();
        BufReader::new(File::open(folder.views_checkpoint()).ok()?.take(LINE_BYTES_MAX)).read_line(&mut line).ok()?;
        let (line, checksum) = line.trim_end().rsplit_once(' ')?;
        let position = line.strip_prefix(folder.epoch())?.rsplit_once(' ')?.1.parse().ok()?;
        (checksum == format!("{:08x}", crc32fast::hash(line.as_bytes()))).then_some(Position(position))
    };
    line().unwrap_or(Position::START)
}

/// The views as the server last saved them, without later events; `None` if it never did.
///
/// # Errors
/// States why the checkpoint is not of this log.
pub fn saved(folder: &DataFolder, log: &dyn Log) -> Result<Option<Views>, String> {
    read(&folder.views_checkpoint(), folder, log)
}

fn read(file: &Path, folder: &DataFolder, log: &dyn Log) -> Result<Option<Views>, String> {
    match fs::read(file) {
        Ok(bytes) => usable(&bytes, folder.epoch(), log).map(Some),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// The views' own checkpoint, or the one that a newer program prepared while the older one served.
fn newest_checkpoint(folder: &DataFolder, log: &dyn Log) -> Option<Views> {
    from_checkpoint(&folder.views_checkpoint(), folder, log).or_else(|| from_checkpoint(&folder.prepared_views(), folder, log))
}

fn from_checkpoint(file: &Path, folder: &DataFolder, log: &dyn Log) -> Option<Views> {
    match read(file, folder, log) {
        Ok(views) => views,
        Err(reason) => {
            tracing::warn!(%reason, file = %file.display(), "a checkpoint of the views cannot be used");
            None
        }
    }
}

/// The views of a file, if they are of exactly this log: one that lost its end in a loss of power may have grown past the
/// checkpoint's position again, with other events.
fn usable(bytes: &[u8], epoch: &str, log: &dyn Log) -> Result<Views, String> {
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or("it has no first line")?;
    let (line, rest) = bytes.split_at(end);
    let line = std::str::from_utf8(line).map_err(|error| error.to_string())?;
    let event = line.strip_prefix(epoch).ok_or("it belongs to another history")?.split_whitespace().next().unwrap_or_default();
    let views = Views::from_checkpoint(&rest[1..]).map_err(|error| error.to_string())?;
    match event_at(log, views.position()) {
        None => Err(format!("it is for position {}, but the log ends at {}", views.position(), log.head())),
        Some(found) if found == event => Ok(views),
        Some(_) => Err(format!("the log has a different event at position {}", views.position())),
    }
}

/// Distinguishes the event at a position from any other that might be there; `None` if the log has none.
fn event_at(log: &dyn Log, position: Position) -> Option<String> {
    let Some(before) = position.0.checked_sub(1) else { return Some("none".into()) };
    let events = log.read(Position(before), 1).ok()?;
    events.first().map(|event| mark_of(event))
}

fn mark_of(event: &Recorded) -> String {
    blake3::hash(codec::event_json(event).to_string().as_bytes()).to_hex().to_string()
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
