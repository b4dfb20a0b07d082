//! Snapshots and restores on a folder that no server has open: for upgrades, for another machine, and for a log that does not open.

use std::path::Path;

use super::{
    AppError, DataFolder,
    accounts::{self, Accounts},
    histories,
    restore::{Ready, build},
    snapshot::proof_of,
    views,
};
use crate::{
    config::Config,
    disk::Pace,
    domain::{Principal, system::SystemEvent},
    events::{Clock, Log, Position, SystemClock},
    log::{DiskLog, OpenError},
    snapshots::{About, Manifest, Progress, Proof, Snapshot, SnapshotError, SnapshotFolder, Target, WorkError, create},
};

/// A claimed data folder.
pub struct Offline {
    config: Config,
    folder: DataFolder,
    log: Result<DiskLog, String>,
}

impl Offline {
    /// Opens a folder. Its log may be damaged: that is one reason to restore.
    ///
    /// # Errors
    /// When a server has it open, or the folder cannot be used.
    pub fn open(config: Config) -> Result<Self, AppError> {
        let mut folder = DataFolder::open(&config.data)?;
        let log = match folder.open_log(&config) {
            Ok((log, _)) => Ok(log),
            Err(AppError::Open(error @ (OpenError::InUse { .. } | OpenError::Folder { .. }))) => return Err(error.into()),
            Err(error) => Err(error.to_string()),
        };
        Ok(Self { config, folder, log })
    }

    /// The history's name.
    #[must_use]
    pub fn epoch(&self) -> &str {
        self.folder.epoch()
    }

    /// The log, if it could be opened.
    #[must_use]
    pub fn log(&self) -> Option<&DiskLog> {
        self.log.as_ref().ok()
    }

    /// Why the log could not be opened.
    #[must_use]
    pub fn damage(&self) -> Option<&str> {
        self.log.as_ref().err().map(String::as_str)
    }

    /// The newest position; zero if the log cannot be opened.
    #[must_use]
    pub fn head(&self) -> Position {
        self.log().map_or(Position::START, Log::head)
    }

    /// Writes a snapshot of everything; a `scheduled` one stays only as long as retention keeps it.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub fn snapshot(&self, by: &Principal, scheduled: bool, progress: &Progress) -> Result<Manifest, SnapshotError> {
        let log = self.log.as_ref().map_err(|error| WorkError::Source(error.clone()))?;
        let folder = SnapshotFolder::new(&self.config.snapshots);
        let claim = folder.claim()?;
        progress.begin("proving the views", 0);
        let (views, _) = views::load(log, Some(&self.folder))?;
        let epoch = self.epoch().to_owned();
        let views = Some(proof_of(&views));
        let people = accounts::sealed_of_folder(&self.config)?;
        let about = About { at: SystemClock.now(), by: by.to_string(), scheduled, epoch, views, people, pace: Pace::AtOnce };
        let manifest = create(log, log.chain(), &folder, &claim, about, progress)?;
        let event = SystemEvent::SnapshotCreated { snapshot: manifest.name.clone(), position: manifest.position.0, scheduled };
        super::restore::append_admin(log, &by.clone().into(), event)?;
        Ok(manifest)
    }

    /// Removes snapshots and the segments only they need. Each is recorded, unless the log is too damaged.
    ///
    /// # Errors
    /// `NotFound`, `InUse`, or the file that cannot be removed; those before it are gone.
    pub fn delete_snapshots(&self, names: &[String], by: &Principal, scheduled: bool) -> Result<(), SnapshotError> {
        let folder = SnapshotFolder::new(&self.config.snapshots);
        let claim = folder.claim()?;
        for name in names {
            folder.delete(name, &claim)?;
            if let Some(log) = self.log() {
                super::restore::append_admin(log, &by.clone().into(), SystemEvent::SnapshotDeleted { snapshot: name.clone(), scheduled })?;
            }
        }
        Ok(())
    }

    /// What a restore of a snapshot does with the accounts: only a folder without events and accounts gets them.
    ///
    /// # Errors
    /// They cannot be opened.
    pub fn accounts(&self, snapshot: &Snapshot) -> Result<Accounts, SnapshotError> {
        let is_new = self.log().is_some_and(|log| log.head() == Position::START);
        Accounts::of(&self.config, snapshot, is_new)
    }

    /// Replaces the folder's history with a snapshot. A folder without events and accounts gets those of the snapshot, too. Returns what
    /// became of them as well.
    ///
    /// # Errors
    /// See [`SnapshotError`]; the folder is then unchanged.
    pub fn restore(&self, target: Target, by: &Principal, progress: &Progress) -> Result<(Proof, &'static str), SnapshotError> {
        let name = match target.snapshot {
            Some(manifest) => manifest.name,
            // It was not requested by name, so retention may remove it.
            None => self.snapshot(by, true, progress)?.name,
        };
        let folder = SnapshotFolder::new(&self.config.snapshots);
        let _hold = folder.hold()?;
        let snapshot = folder.open(&name)?;
        let accounts = self.accounts(&snapshot)?;
        let note = accounts.note();
        let (mut ready, proof) = build(&snapshot, Some(target.position), &self.folder, &self.config, progress)?;
        let (left_epoch, left_position) = (self.epoch().to_owned(), self.head().0);
        let event = SystemEvent::Restored { snapshot: Some(name), position: proof.position.0, left_epoch, left_position };
        let staged = accounts.stage(&self.config, ready.folder.root());
        let served = staged.and_then(|()| Ok(ready.record(&by.clone().into(), event).and_then(|()| self.switch(&ready))?));
        if let Err(error) = served {
            histories::abandon(&ready.folder);
            return Err(error);
        }
        accounts.arrive(&self.config.data)?;
        histories::forget_others(&ready.folder).map_err(|error| WorkError::io(self.folder.home(), error))?;
        ready.log.close()?;
        Ok((proof, note))
    }

    fn switch(&self, ready: &Ready) -> Result<(), WorkError> {
        let failed = |error| WorkError::io(self.folder.home(), error);
        histories::switch(&ready.folder, &self.folder).map_err(failed)
    }

    /// Goes back to the history that the last restore replaced. Returns its newest position.
    ///
    /// # Errors
    /// `NothingToUndo`, or why that history cannot be opened.
    pub fn undo_restore(&self, by: &Principal) -> Result<Position, SnapshotError> {
        let failed = |error| WorkError::io(self.folder.home(), error);
        let left = histories::left_by(&self.folder).map_err(failed)?.ok_or(SnapshotError::NothingToUndo)?;
        let (log, _) = DiskLog::open(self.config.log_options(left.log())).map_err(|error| WorkError::Staged(error.to_string()))?;
        let (left_epoch, left_position) = (self.epoch().to_owned(), self.head().0);
        super::restore::append_admin(&log, &by.clone().into(), SystemEvent::RestoreUndone { left_epoch, left_position })?;
        histories::switch_back(&left, &self.folder).map_err(failed)?;
        let head = log.head();
        log.close()?;
        Ok(head)
    }
}

/// Whether there is a log in a data folder, whichever history is served from it.
///
/// # Errors
/// When the folder does not name it.
pub fn has_log(data: &Path) -> std::io::Result<bool> {
    Ok(data.is_dir() && histories::current(data)?.join("log").is_dir())
}
