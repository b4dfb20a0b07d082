//! The folder of snapshots: `<name>.json` for each, `<name>.people.sealed` with its accounts, `segments/` for what they hold, `lock` against
//! two writers at once.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use serde::Serialize;
use tempfile::TempDir;
use utoipa::ToSchema;

use super::{
    error::{SnapshotError, name_of},
    failed::WorkError,
    manifest::{Manifest, PeopleKept},
    source::Snapshot,
};
use crate::{
    disk,
    domain::{Moment, ids::check_id},
    events::Position,
    failpoint,
};

/// The name prefix of trial folders.
const SCRATCH: &str = ".scratch-";

/// How the names of sealed accounts end.
const PEOPLE: &str = ".people.sealed";

/// A folder of snapshots; it need not exist yet.
#[derive(Debug, Clone)]
pub struct SnapshotFolder {
    path: PathBuf,
}

/// A claim on the folder, released when dropped.
#[derive(Debug)]
pub struct Claim(#[expect(dead_code, reason = "the lock is held as long as the file is open")] File);

/// One line of a listing.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub enum Listed {
    Whole(Box<Manifest>),
    /// Unreadable ones are listed too, so that nobody relies on them.
    Broken {
        name: String,
        problem: String,
    },
}

impl SnapshotFolder {
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the segments are.
    #[must_use]
    pub fn segments(&self) -> PathBuf {
        self.path.join("segments")
    }

    /// Creates the folder if missing, and prevents changes by others. What a crash left half written or in use is removed.
    ///
    /// # Errors
    /// `InUse` while another process has it.
    pub fn claim(&self) -> Result<Claim, WorkError> {
        let segments = self.segments();
        disk::create_folder(&segments).map_err(|error| WorkError::io(&segments, error))?;
        let claim = self.lock(File::try_lock)?;
        for place in [&segments, &self.path] {
            let parts: Vec<_> = entries(place).filter(|file| name_of(file).ends_with(".part")).collect();
            disk::remove_files(place, &parts).map_err(|error| WorkError::io(place, error))?;
        }
        for scratch in paths(&self.path).filter(|path| name_of(path).starts_with(SCRATCH) && path.is_dir()) {
            disk::remove_folder(&scratch).map_err(|error| WorkError::io(&scratch, error))?;
        }
        Ok(claim)
    }

    /// A trial folder, removed when dropped. The folder must be held or claimed.
    ///
    /// # Errors
    /// When it cannot be created.
    pub fn scratch(&self) -> Result<TempDir, WorkError> {
        tempfile::Builder::new().prefix(SCRATCH).tempdir_in(&self.path).map_err(|error| WorkError::io(&self.path, error))
    }

    /// Prevents changes; others may read it at the same time. A folder that is missing is created: it holds no snapshot.
    ///
    /// # Errors
    /// `InUse` while it is being changed.
    pub fn hold(&self) -> Result<Claim, WorkError> {
        if !self.path.exists() {
            disk::create_folder(&self.path).map_err(|error| WorkError::io(&self.path, error))?;
        }
        self.lock(File::try_lock_shared)
    }

    fn lock(&self, take: impl Fn(&File) -> Result<(), TryLockError>) -> Result<Claim, WorkError> {
        let path = self.path.join("lock");
        let file = disk::lock_file(&path);
        let file = file.map_err(|error| WorkError::io(&path, error))?;
        match take(&file) {
            Ok(()) => Ok(Claim(file)),
            Err(TryLockError::WouldBlock) => Err(WorkError::InUse),
            Err(TryLockError::Error(error)) => Err(WorkError::io(&path, error)),
        }
    }

    /// All snapshots, the newest last, whatever position it holds; first those that cannot be read.
    #[must_use]
    pub fn list(&self) -> Vec<Listed> {
        let mut listed: Vec<_> = self
            .manifests()
            .map(|file| match Manifest::read(&file) {
                Ok(manifest) => Listed::Whole(Box::new(manifest)),
                Err(error) => Listed::Broken { name: name_of(&file).trim_end_matches(".json").to_owned(), problem: error.to_string() },
            })
            .collect();
        listed.sort_by_key(Listed::order);
        listed
    }

    /// The manifests that can be read, the newest last.
    #[must_use]
    pub fn whole(&self) -> Vec<Manifest> {
        let whole = self.list().into_iter().filter_map(|listed| match listed {
            Listed::Whole(manifest) => Some(*manifest),
            Listed::Broken { .. } => None,
        });
        whole.collect()
    }

    /// The newest by name, because names begin with the time: even an unreadable one, so that an older one is not taken for it.
    #[must_use]
    pub fn newest(&self) -> Option<Listed> {
        let mut listed = self.list();
        // Any other file is not a broken snapshot.
        listed.retain(|one| matches!(one, Listed::Whole(_)) || one.name().starts_with(|c: char| c.is_ascii_digit()));
        listed.into_iter().max_by(|one, other| one.name().cmp(other.name()))
    }

    /// One snapshot, its manifest checked.
    ///
    /// # Errors
    /// `NotFound`, or what is wrong with it.
    pub fn open(&self, name: &str) -> Result<Snapshot, SnapshotError> {
        let file = self.manifest_file(name)?;
        if !file.is_file() {
            return Err(SnapshotError::NotFound(name.to_owned()));
        }
        Ok(Snapshot::new(Manifest::read(&file)?, self.clone()))
    }

    /// The path of a snapshot's manifest, existing or not.
    ///
    /// # Errors
    /// When the name is invalid: it could lead out of the folder.
    pub fn manifest_file(&self, name: &str) -> Result<PathBuf, SnapshotError> {
        check_id(name).map_err(|_| SnapshotError::InvalidName(name.to_owned()))?;
        Ok(self.path.join(format!("{name}.json")))
    }

    /// The path of a snapshot's sealed accounts, existing or not; the name must be valid.
    pub(super) fn people_file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{PEOPLE}"))
    }

    /// Removes a snapshot, then its accounts and the segments that no other needs. The folder must be claimed.
    ///
    /// # Errors
    /// `NotFound`, or the file that cannot be removed.
    pub fn delete(&self, name: &str, _claim: &Claim) -> Result<(), SnapshotError> {
        let file = self.manifest_file(name)?;
        if !file.is_file() {
            return Err(SnapshotError::NotFound(name.to_owned()));
        }
        disk::remove_file(&file).map_err(|error| WorkError::io(&file, error))?;
        failpoint::reach("snapshot.unlisted");
        Ok(self.sweep()?)
    }

    /// Removes segments and accounts that no snapshot names. If a manifest cannot be read, its files are unknown, so all are kept.
    fn sweep(&self) -> Result<(), WorkError> {
        let mut needed = BTreeSet::new();
        for listed in self.list() {
            let Listed::Whole(manifest) = listed else { return Ok(()) };
            needed.extend(manifest.segments.into_iter().map(|segment| segment.file));
            if let Some(PeopleKept::Sealed(entry)) = manifest.people {
                needed.insert(entry.file);
            }
        }
        let is_people = |file: &PathBuf| name_of(file).ends_with(PEOPLE);
        let left: Vec<_> = entries(&self.path).filter(|file| is_people(file) && !needed.contains(&name_of(file))).collect();
        disk::remove_files(&self.path, &left).map_err(|error| WorkError::io(&self.path, error))?;
        let unneeded: Vec<_> = entries(&self.segments()).filter(|file| !needed.contains(&name_of(file))).collect();
        disk::remove_files(&self.segments(), &unneeded).map_err(|error| WorkError::io(&self.segments(), error))
    }

    fn manifests(&self) -> impl Iterator<Item = PathBuf> {
        // What the server notes next to the snapshots is not one.
        entries(&self.path).filter(|file| file.extension().is_some_and(|kind| kind == "json") && !name_of(file).starts_with('.'))
    }
}

impl Listed {
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Whole(manifest) => &manifest.name,
            Self::Broken { name, .. } => name,
        }
    }

    /// The last position it holds; zero if unknown.
    #[must_use]
    pub fn position(&self) -> Position {
        match self {
            Self::Whole(manifest) => manifest.position,
            Self::Broken { .. } => Position::START,
        }
    }

    fn order(&self) -> (Option<Moment>, String) {
        let created_at = match self {
            Self::Whole(manifest) => Some(manifest.created_at),
            Self::Broken { .. } => None,
        };
        (created_at, self.name().to_owned())
    }
}

/// The files of a folder, in order; none where there is no folder.
fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    let mut files: Vec<_> = paths(folder).filter(|file| file.is_file()).collect();
    files.sort_unstable();
    files.into_iter()
}

fn paths(folder: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path())
}
