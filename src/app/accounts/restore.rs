//! What becomes of the accounts in a restore without a server.

use std::path::Path;

use super::{WAITING, key, open, opened, settle, told};
use crate::{
    config::Config,
    failpoint,
    people::People,
    snapshots::{PeopleKept, Snapshot, SnapshotError, WorkError},
};

/// Why accounts that are there already are not replaced.
const STAY: &str = "the accounts of this folder stay as they are";

/// What a restore does with the accounts.
pub enum Accounts {
    /// They come with the history.
    Come(Box<Coming>),
    /// They stay as they are, or are not there to come.
    Stay(&'static str),
}

/// Accounts that come with a history.
pub struct Coming {
    sealed: Vec<u8>,
    /// The empty store, held so that nobody adds to it meanwhile.
    _held: People,
}

impl Accounts {
    /// Decides it, and opens what would come: then a wrong key is refused before anything is changed. Blocks.
    ///
    /// # Errors
    /// The file is damaged, or the key is another one.
    pub(in crate::app) fn of(config: &Config, snapshot: &Snapshot, is_new: bool) -> Result<Self, SnapshotError> {
        if !is_new {
            return Ok(Self::Stay(STAY));
        }
        let (Some(sealed), Some(key)) = (snapshot.people()?, key(config)) else {
            return Ok(Self::Stay(match snapshot.manifest.people {
                Some(PeopleKept::Sealed(_)) => "the accounts in this snapshot are not restored: set backup_key",
                Some(PeopleKept::LeftOut(_)) | None => "accounts are not in this snapshot",
            }));
        };
        opened(&sealed, key)?;
        let held = open(&config.data).map_err(|error| told(error.into()))?;
        if !held.is_empty().map_err(|error| told(error.into()))? {
            return Ok(Self::Stay(STAY));
        }
        Ok(Self::Come(Box::new(Coming { sealed, _held: held })))
    }

    /// What happens, in a sentence without its full stop.
    pub fn note(&self) -> &'static str {
        match self {
            Self::Come(_) => "the accounts of the snapshot are restored as well; everybody signs in again",
            Self::Stay(note) => note,
        }
    }

    /// Puts the accounts into the folder of the history that they come with.
    pub(in crate::app) fn stage(&self, config: &Config, root: &Path) -> Result<(), SnapshotError> {
        let (Self::Come(coming), Some(key)) = (self, key(config)) else { return Ok(()) };
        let people = People::open(&root.join(WAITING)).map_err(|error| told(error.into()))?;
        people.restore_backup(&coming.sealed, key).map_err(told)?;
        failpoint::reach("accounts.staged");
        Ok(())
    }

    /// Puts them in their place, once their history is the served one.
    pub(in crate::app) fn arrive(self, data: &Path) -> Result<(), SnapshotError> {
        failpoint::reach("accounts.switched");
        settle(data).map_err(|error| WorkError::io(data, error).into())
    }
}
