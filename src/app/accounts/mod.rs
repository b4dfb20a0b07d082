//! The accounts of a data folder: opened, sealed for snapshots, and restored with the first history of a new machine.
//!
//! They are beside the histories, because no restore brings back a session or an account that was disabled. A restore into an empty folder
//! brings them too: they wait in the folder of the new history until that is served, so a crash leaves both or none.

mod restore;

use std::{io, path::Path};

pub use restore::Accounts;

use super::histories;
use crate::{
    config::{Config, Secret},
    disk,
    people::{BackupError, Cost, FOLDER, Options, People, PeopleError, StoreError},
    snapshots::{PeopleKept, Snapshot, SnapshotError},
};

/// Where restored accounts wait, in the folder of their history.
const WAITING: &str = "accounts";

/// Opens the accounts of a data folder; both are made if missing. Blocks.
///
/// # Errors
/// `Locked` while another process has them open, or why they cannot be used.
pub fn open(data: &Path) -> Result<People, PeopleError> {
    settle(data).map_err(|error| {
        let file = data.join(FOLDER).display().to_string().into();
        PeopleError::Store(StoreError::Failed { file, detail: error.to_string() })
    })?;
    People::open(&data.join(FOLDER))
}

/// The accounts, sealed with the configured key; `None` without one. Blocks.
///
/// # Errors
/// They cannot be read, or too many passwords are being checked.
pub(super) fn sealed(people: &People, config: &Config) -> Result<Option<Vec<u8>>, SnapshotError> {
    key(config).map(|key| people.backup(key).map_err(told)).transpose()
}

/// As [`sealed`], of a folder that no server has open. Blocks.
pub(super) fn sealed_of_folder(config: &Config) -> Result<Option<Vec<u8>>, SnapshotError> {
    let Some(key) = key(config) else { return Ok(None) };
    let opened = if config.data.join(FOLDER).exists() { open(&config.data) } else { People::in_memory(Options::default()) };
    opened.map_err(BackupError::from).and_then(|people| people.backup(key)).map(Some).map_err(told)
}

/// Says in the log that a snapshot is without accounts.
pub(super) fn tell_left_out(kept: Option<&PeopleKept>) {
    if let Some(PeopleKept::LeftOut(notice)) = kept {
        tracing::warn!("{notice}");
    }
}

/// Opens a snapshot's accounts in memory, if it has them and the key is configured. Blocks.
///
/// # Errors
/// The file is damaged, or the key is another one.
pub(super) fn prove(snapshot: &Snapshot, config: &Config) -> Result<(), SnapshotError> {
    match (snapshot.people()?, key(config)) {
        (Some(sealed), Some(key)) => opened(&sealed, key).map(drop),
        (Some(_), None) | (None, _) => Ok(()),
    }
}

/// Restores a backup into a data folder without accounts, and returns how many there are. Blocks.
///
/// # Errors
/// There is no key, it is another one, a server has the folder open, or there are accounts.
pub fn restore_sealed(config: &Config, sealed: &[u8]) -> Result<usize, SnapshotError> {
    let Some(key) = key(config) else {
        let detail = "set backup_key (AISLED_BACKUP_KEY): it opens the backup".into();
        return Err(SnapshotError::Accounts { code: "backup_key_missing", detail });
    };
    // Before a folder is made: a wrong key changes nothing.
    opened(sealed, key)?;
    let people = open(&config.data).map_err(|error| told(error.into()))?;
    people.restore_backup(sealed, key).map_err(told)?;
    Ok(people.accounts().len())
}

/// Moves accounts that wait in the served history to their place. Everybody who opens them comes through here first.
fn settle(data: &Path) -> io::Result<()> {
    if !data.is_dir() {
        return Ok(());
    }
    let root = histories::current(data)?;
    let waiting = root.join(WAITING);
    if !waiting.is_dir() {
        return Ok(());
    }
    let lock = disk::lock_file(&root.join("accounts.lock"))?;
    lock.lock()?;
    // Another process may have been here first.
    if waiting.is_dir() {
        // It was found empty, and held until here.
        disk::remove_folder(&data.join(FOLDER))?;
        disk::rename(&waiting, &data.join(FOLDER))?;
    }
    Ok(())
}

fn opened(sealed: &[u8], key: &str) -> Result<People, SnapshotError> {
    let people = People::in_memory(Options { cost: Cost::LEAST, ..Options::default() }).map_err(|error| told(error.into()))?;
    people.restore_backup(sealed, key).map_err(told)?;
    Ok(people)
}

fn key(config: &Config) -> Option<&str> {
    config.backup_key.as_ref().map(Secret::expose)
}

fn told(error: BackupError) -> SnapshotError {
    let detail = match &error {
        BackupError::Sealed => {
            "the accounts cannot be opened: backup_key is not the one that sealed them, or the file is damaged".to_owned()
        }
        BackupError::People(PeopleError::Locked { file }) => format!("{file} is open in another process: stop the server first"),
        BackupError::Foreign | BackupError::Newer | BackupError::NotEmpty | BackupError::People(_) => error.to_string(),
    };
    SnapshotError::Accounts { code: error.code(), detail }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn accounts_that_wait_in_the_served_history_take_their_place_once() {
        let home = tempfile::tempdir().expect("a folder");
        let data = home.path();
        drop(People::open(&data.join(WAITING)).expect("a store"));
        fs::write(data.join(WAITING).join("mark"), "here").expect("a file");
        drop(open(data).expect("it opens"));
        assert!(data.join(FOLDER).join("mark").is_file() && !data.join(WAITING).exists());
        drop(open(data).expect("it opens again"));
        assert!(data.join(FOLDER).join("mark").is_file());
    }
}
