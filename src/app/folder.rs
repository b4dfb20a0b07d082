//! The data folder: where each part of a server keeps its files, and the name of its history.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use uuid::Uuid;

use super::{AppError, histories, sealed, views};
use crate::{
    config::{Config, Durability},
    disk,
    events::{Break, Log, Mark, Position},
    log::{DiskLog, LogOptions, OpenReport},
};

/// How older versions recognised a copy of the folder.
const OLD_IDENTITY: &str = "identity";

/// Where positions were assigned again, besides restores: `position~mark`, separated by commas.
const BREAKS: &str = "breaks";

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the data folder {}: {error}", .folder.display())]
pub struct FolderError {
    folder: PathBuf,
    error: io::Error,
}

/// The part of a data folder that holds one history, named. The first history is in the data folder itself.
#[derive(Debug, Clone)]
pub struct DataFolder {
    /// The data folder.
    home: PathBuf,
    /// The folder of this history.
    root: PathBuf,
    epoch: String,
}

impl DataFolder {
    /// Creates the folder if missing, finds the history served from it, and names it once.
    ///
    /// # Errors
    /// When it cannot be created, read or written.
    pub fn open(home: &Path) -> Result<Self, FolderError> {
        let failed = |error| FolderError { folder: home.to_owned(), error };
        disk::create_folder(home).map_err(failed)?;
        let root = histories::current(home).map_err(failed)?;
        Self::at(home, root).map_err(failed)
    }

    /// A history in a folder of its own.
    pub(super) fn at(home: &Path, root: PathBuf) -> io::Result<Self> {
        disk::create_folder(&root.join("checkpoints"))?;
        let epoch = epoch_of(&root.join("epoch"))?;
        Ok(Self { home: home.to_owned(), root, epoch })
    }

    /// The data folder.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of this history.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The folder of the event log: the only one that cannot be rebuilt.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// Opens the log. If acknowledged events are gone, as accepted, or the folder is a restored copy, a new history begins:
    /// positions are assigned again, and nobody may continue from an old one.
    ///
    /// # Errors
    /// When it is in use, damaged, or cannot be used.
    pub fn open_log(&mut self, config: &Config) -> Result<(DiskLog, OpenReport), AppError> {
        let folder = self.root.clone();
        let failed = |error| FolderError { folder: folder.clone(), error };
        let known = views::known_position(self);
        // Without a sync per commit the kernel may have written the views before the events.
        let acknowledged = if config.durability == Durability::Sync { known } else { Position::START };
        let (log, report) = DiskLog::open(LogOptions { acknowledged, ..config.log_options(self.log()) })?;
        let is_shorter = log.head() < known;
        let copied = report.copied || (report.upgraded && self.was_copied_before_upgrade());
        if is_shorter || report.lost_tail.is_some() || (copied && log.head() > Position::START) {
            self.note_break(log.head()).map_err(failed)?;
            self.epoch = name_history(&self.root.join("epoch")).map_err(failed)?;
            tracing::info!(
                copied,
                is_shorter,
                lost_tail = report.lost_tail.is_some(),
                "a new history begins: live sessions start from snapshots"
            );
        }
        if copied {
            log.sign().map_err(failed)?;
        }
        disk::remove_file(&self.root.join(OLD_IDENTITY)).map_err(failed)?;
        histories::remove_staged(&self.home, &self.root).map_err(failed)?;
        Ok((log, report))
    }

    /// Notes that positions after this one are assigned again. Before the new name is written: noted in vain, clients only read again.
    fn note_break(&self, after: Position) -> io::Result<()> {
        let mut words: Vec<_> = self.breaks()?.iter().map(|one| format!("{}~{}", one.after, one.mark)).collect();
        words.push(format!("{after}~{}", Mark::of(&Uuid::now_v7().to_string())));
        sealed::write(&self.root.join(BREAKS), &words.join(","))
    }

    /// Where positions were assigned again after a loss, or in a copy. Restores are recorded in the log itself.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn breaks(&self) -> io::Result<Vec<Break>> {
        let text = match sealed::read(&self.root.join(BREAKS)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            text => text?,
        };
        let parse = |word: &str| {
            let (after, mark) = word.split_once('~')?;
            Some(Break { after: after.parse().ok()?, mark: mark.parse().ok()? })
        };
        let all = text.split(',').map(parse).collect::<Option<Vec<_>>>();
        all.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a break of the history cannot be read"))
    }

    /// Takes over what a history noted that this one begins as a copy of.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub(super) fn inherit_breaks(&self, from: &Self) -> io::Result<()> {
        let words: Vec<_> = from.breaks()?.iter().map(|one| format!("{}~{}", one.after, one.mark)).collect();
        if words.is_empty() { Ok(()) } else { sealed::write(&self.root.join(BREAKS), &words.join(",")) }
    }

    /// Whether the folder is a copy, by the notes of older versions: the inodes of its files, and when the epoch was last written.
    fn was_copied_before_upgrade(&self) -> bool {
        let identity = || {
            let (epoch, log) = (fs::metadata(self.root.join("epoch")).ok()?, fs::metadata(self.log()).ok()?);
            let now = format!("{} {}.{:09} {} 0", epoch.ino(), epoch.ctime(), epoch.ctime_nsec(), log.ino());
            Some(fs::read_to_string(self.root.join(OLD_IDENTITY)).ok()? == now)
        };
        identity() != Some(true)
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

    /// Names this history; a restored or other log has a different one.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }
}

/// The name in the file. If damaged, the history gets a new one: clients then start from snapshots, and nothing is lost.
fn epoch_of(file: &Path) -> io::Result<String> {
    match sealed::read(file) {
        Ok(word) if Uuid::parse_str(&word).is_ok() => Ok(word),
        Err(error) if error.kind() == io::ErrorKind::NotFound => name_history(file),
        Ok(_) | Err(_) if file.is_file() => {
            let kept = disk::set_aside(file)?;
            tracing::warn!(file = %file.display(), kept = %kept.display(), "the id of this history is damaged: it gets a new one");
            name_history(file)
        }
        Ok(_) => name_history(file),
        Err(error) => Err(error),
    }
}

fn name_history(file: &Path) -> io::Result<String> {
    let epoch = Uuid::now_v7().to_string();
    sealed::write(file, &epoch)?;
    Ok(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::contract;

    fn config(dir: &Path) -> Config {
        Config { data: dir.to_owned(), ..Config::default() }
    }

    fn written(dir: &Path) -> String {
        let mut folder = DataFolder::open(dir).unwrap();
        let (log, _) = folder.open_log(&config(dir)).unwrap();
        for version in 0..3 {
            contract::put(&log, "a", version, &["milk"]).unwrap();
        }
        folder.epoch().to_owned()
    }

    #[test]
    fn a_log_that_lost_its_end_begins_a_new_history() {
        let dir = tempfile::tempdir().unwrap();
        let before = written(dir.path());
        let journal = dir.path().join("log/journal/00000001.journal");
        let mut bytes = fs::read(&journal).unwrap();
        // The second of the three blocks.
        let block = bytes.windows(4).enumerate().filter(|(_, word)| *word == b"aisB").nth(1).unwrap().0;
        bytes[block + 70] ^= 1;
        fs::write(&journal, bytes).unwrap();
        fs::remove_dir_all(dir.path().join("log/window")).unwrap();
        let mut folder = DataFolder::open(dir.path()).unwrap();
        assert!(matches!(folder.open_log(&config(dir.path())), Err(AppError::Open(_))));
        assert_eq!(folder.epoch(), before);
        let (log, _) = folder.open_log(&Config { accept_lost_tail: true, ..config(dir.path()) }).unwrap();
        assert_eq!(log.head(), Position(1));
        assert_ne!(folder.epoch(), before);
        assert_eq!(folder.epoch(), DataFolder::open(dir.path()).unwrap().epoch());
    }

    #[test]
    fn a_copy_that_is_put_back_begins_a_new_history_once_and_a_moved_folder_does_not() {
        let home = tempfile::tempdir().unwrap();
        let (first, copy, moved) = (home.path().join("first"), home.path().join("copy"), home.path().join("moved"));
        let before = written(&first);
        crate::disk::copy_folder(&first, &copy).unwrap();
        fs::rename(&first, &moved).unwrap();
        let open = |dir: &Path| {
            let mut folder = DataFolder::open(dir).unwrap();
            drop(folder.open_log(&config(dir)).unwrap());
            folder.epoch().to_owned()
        };
        assert_eq!(open(&moved), before);
        let after = open(&copy);
        assert_ne!(after, before);
        assert_eq!(open(&copy), after, "it is an original now");
    }

    #[test]
    fn a_damaged_name_of_a_history_is_kept_aside_and_it_gets_a_new_one() {
        let dir = tempfile::tempdir().unwrap();
        let before = written(dir.path());
        let mut text = fs::read(dir.path().join("epoch")).unwrap();
        text[3] = if text[3] == b'0' { b'1' } else { b'0' };
        fs::write(dir.path().join("epoch"), text).unwrap();
        assert_ne!(DataFolder::open(dir.path()).unwrap().epoch(), before);
        assert!(dir.path().join("epoch.damaged-1").is_file());
    }
}
