//! The data folder: where each part of a server keeps its files, and the name of its history.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{AppError, histories};
use crate::{
    config::Config,
    events::{
        Log, Position,
        sled_log::{OpenReport, SledLog},
    },
};

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} cannot be used: {error}", .folder.display())]
pub struct FolderError {
    folder: PathBuf,
    error: io::Error,
}

/// The part of a data folder that one history is kept in, named. The first history is kept in the data folder itself.
#[derive(Debug, Clone)]
pub struct DataFolder {
    /// The data folder.
    home: PathBuf,
    /// Where this history is.
    root: PathBuf,
    epoch: String,
}

impl DataFolder {
    /// Makes the folder if there is none, finds the history that is served from it, and names it once.
    ///
    /// # Errors
    /// When it cannot be made, read or written.
    pub fn open(home: &Path) -> Result<Self, FolderError> {
        let failed = |error| FolderError { folder: home.to_owned(), error };
        fs::create_dir_all(home).map_err(failed)?;
        let root = histories::current(home).map_err(failed)?;
        Self::at(home, root).map_err(failed)
    }

    /// A history that is kept in a folder of its own.
    pub(super) fn at(home: &Path, root: PathBuf) -> io::Result<Self> {
        fs::create_dir_all(root.join("checkpoints"))?;
        let epoch = epoch_of(&root.join("epoch"))?;
        Ok(Self { home: home.to_owned(), root, epoch })
    }

    /// The data folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Where this history is kept.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the event log: the only one that cannot be rebuilt.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Opens the log. Where acknowledged events are gone, as accepted, or the folder is a copy that was put back, a new history begins:
    /// positions are given out once more, and nobody may go on from one of the old.
    ///
    /// # Errors
    /// When it is in use, damaged, or cannot be used.
    pub fn open_log(&mut self, config: &Config) -> Result<(SledLog, OpenReport), AppError> {
        let folder = self.root.clone();
        let failed = |error| FolderError { folder: folder.clone(), error };
        let is_copy = self.is_copy().map_err(failed)?;
        let (log, report) = SledLog::open(config.log_options(self.log()))?;
        if report.lost_tail.is_some() || (is_copy && log.head() > Position::START) {
            self.descend_from(&self.epoch, log.head()).map_err(failed)?;
            self.epoch = name_history(&self.root.join("epoch")).map_err(failed)?;
            tracing::info!(is_copy, lost_tail = report.lost_tail.is_some(), "a new history begins: live sessions start from snapshots");
        }
        histories::remove_staged(&self.home).map_err(failed)?;
        self.know().map_err(failed)?;
        Ok((log, report))
    }

    /// Remembers that these very files are the ones that are served, so that a copy is told from them.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn know(&self) -> io::Result<()> {
        fs::write(self.identity_file(), self.identity()?)
    }

    /// Begins a new history in a folder whose log now ends at a position and no longer holds everything that was told to clients.
    ///
    /// # Errors
    /// When it cannot be named.
    pub fn begin_history(&self, end: Position) -> Result<(), FolderError> {
        let begun = self.descend_from(&self.epoch, end).and_then(|()| name_history(&self.root.join("epoch")).map(drop));
        begun.map_err(|error| FolderError { folder: self.root.clone(), error })
    }

    /// Remembers that everything up to a position is the past of another history too.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn descend_from(&self, epoch: &str, upto: Position) -> io::Result<()> {
        let mut lines = fs::read_to_string(self.lineage_file()).or_else(|error| match error.kind() {
            io::ErrorKind::NotFound => Ok(String::new()),
            _ => Err(error),
        })?;
        lines.extend([epoch, " ", &upto.to_string(), "\n"]);
        fs::write(self.lineage_file(), lines)
    }

    /// The position up to which a history's events are in this one too; `None` where nothing says that it has any of them.
    #[must_use]
    pub fn shares_with(&self, epoch: &str) -> Option<Position> {
        if epoch == self.epoch {
            return Some(Position(u64::MAX));
        }
        self.lineage().into_iter().filter(|(known, _)| known == epoch).map(|(_, upto)| upto).max()
    }

    /// The histories that this one has its past from, each up to a position.
    pub(super) fn lineage(&self) -> Vec<(String, Position)> {
        let lines = fs::read_to_string(self.lineage_file()).unwrap_or_default();
        lines
            .lines()
            .filter_map(|line| line.split_once(' '))
            .filter_map(|(epoch, upto)| Some((epoch.to_owned(), upto.parse().ok()?)))
            .collect()
    }

    fn lineage_file(&self) -> PathBuf {
        self.root.join("lineage")
    }

    /// Whether this is not the folder that was served last, but a copy of it as it was at some time: events may have been recorded since.
    fn is_copy(&self) -> io::Result<bool> {
        match fs::read_to_string(self.identity_file()) {
            Ok(known) => Ok(known != self.identity()?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// What a copy does not have: the places of its files in the file system, and when the epoch was last written. A folder that is
    /// moved keeps them; one that is copied to another machine begins a new history, which costs a snapshot and loses nothing.
    fn identity(&self) -> io::Result<String> {
        let epoch = fs::metadata(self.root.join("epoch"))?;
        let place = |path: PathBuf| fs::metadata(path).map_or(0, |metadata| metadata.ino());
        let (log, storage) = (place(self.log()), place(self.log().join("db")));
        Ok(format!("{} {}.{:09} {log} {storage}", epoch.ino(), epoch.ctime(), epoch.ctime_nsec()))
    }

    fn identity_file(&self) -> PathBuf {
        self.root.join("identity")
    }

    /// The views as of some position: a cache.
    #[must_use]
    pub fn views_checkpoint(&self) -> PathBuf {
        self.root.join("checkpoints").join("views")
    }

    /// The views that another version of the program prepared: a cache.
    #[must_use]
    pub fn prepared_views(&self) -> PathBuf {
        self.root.join("checkpoints").join("views.prepared")
    }

    /// Long-lived entities as of some version: a cache.
    #[must_use]
    pub fn memos(&self) -> PathBuf {
        self.root.join("checkpoints").join("entities")
    }

    /// Names this history; a restored or other log has another.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }
}

fn epoch_of(file: &Path) -> io::Result<String> {
    match fs::read_to_string(file) {
        Ok(text) if Uuid::parse_str(text.trim()).is_ok() => Ok(text.trim().to_owned()),
        Ok(_) => name_history(file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => name_history(file),
        Err(error) => Err(error),
    }
}

fn name_history(file: &Path) -> io::Result<String> {
    let epoch = Uuid::now_v7().to_string();
    fs::write(file, &epoch)?;
    Ok(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::contract;

    #[test]
    fn a_log_that_lost_its_end_begins_a_new_history() {
        let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let write = |dir: &Path, names: &[&str]| {
            let config = Config { data: dir.to_owned(), ..Config::default() };
            let (log, _) = DataFolder::open(dir).unwrap().open_log(&config).unwrap();
            for (version, name) in names.iter().enumerate() {
                contract::put(&log, "a", version as u64, &[name]).unwrap();
            }
        };
        write(dirs[0].path(), &["milk", "bread", "jam"]);
        write(dirs[1].path(), &["milk"]);
        let witness = |dir: &Path| dir.join("log").join("witness");
        fs::copy(witness(dirs[0].path()), witness(dirs[1].path())).unwrap();
        let mut folder = DataFolder::open(dirs[1].path()).unwrap();
        let before = folder.epoch().to_owned();
        let refuses = Config { data: dirs[1].path().to_owned(), ..Config::default() };
        assert!(matches!(folder.open_log(&refuses), Err(AppError::Open(_))));
        assert_eq!(folder.epoch(), before);
        assert!(folder.open_log(&Config { accept_lost_tail: true, ..refuses }).is_ok());
        assert_ne!(folder.epoch(), before);
        assert_eq!(folder.epoch(), DataFolder::open(dirs[1].path()).unwrap().epoch());
    }
}
