//! Records every step of the disk below a folder, in the order in which it was done, so that `model` can say what a loss of power may leave.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;

use crate::disk::watch::{Observer, Step, observe};

/// A step with everything needed to repeat it. Paths are below the recorded folder.
#[derive(Debug, Clone)]
pub enum Change {
    Create(PathBuf),
    Allocate { file: PathBuf, bytes: usize },
    Write { file: PathBuf, at: usize, bytes: Arc<Vec<u8>> },
    Sync(PathBuf),
    SyncFolder(PathBuf),
    Rename { from: PathBuf, to: PathBuf },
    Link { from: PathBuf, to: PathBuf },
    Remove(PathBuf),
    CreateFolder(PathBuf),
    RemoveFolder(PathBuf),
}

/// The steps of a session.
#[derive(Debug)]
pub struct Recorder {
    root: PathBuf,
    changes: Mutex<Vec<Change>>,
}

impl Recorder {
    /// Records what a session does below a folder.
    pub fn record<T>(root: &Path, session: impl FnOnce(&Self) -> T) -> (T, Vec<Change>) {
        let recorder = Arc::new(Self { root: root.to_owned(), changes: Mutex::default() });
        let observation = observe(root, recorder.clone());
        let done = session(&recorder);
        drop(observation);
        let changes = std::mem::take(&mut *recorder.changes.lock());
        (done, changes)
    }

    /// How many steps have begun: whatever was answered before must survive a power loss after them.
    pub fn steps(&self) -> usize {
        self.changes.lock().len()
    }

    fn change(&self, step: &Step<'_>) -> Option<Change> {
        let own = |path: &Path| path.strip_prefix(&self.root).map(Path::to_owned).ok();
        let bytes_as_size = |bytes: u64| usize::try_from(bytes).ok();
        Some(match step {
            Step::Open(_) => return None,
            Step::Create(path) => Change::Create(own(path)?),
            Step::Allocate { file, bytes } => Change::Allocate { file: own(file)?, bytes: bytes_as_size(*bytes)? },
            Step::Write { file, at, bytes } => Change::Write { file: own(file)?, at: bytes_as_size(*at)?, bytes: Arc::new(bytes.to_vec()) },
            Step::Sync(path) => Change::Sync(own(path)?),
            Step::SyncFolder(path) => Change::SyncFolder(own(path)?),
            Step::Rename { from, to } => Change::Rename { from: own(from)?, to: own(to)? },
            Step::Link { from, to } => Change::Link { from: own(from)?, to: own(to)? },
            Step::Remove(path) => Change::Remove(own(path)?),
            Step::CreateFolder(path) => Change::CreateFolder(own(path)?),
            Step::RemoveFolder(path) => Change::RemoveFolder(own(path)?),
        })
    }
}

impl Observer for Recorder {
    fn before(&self, step: &Step<'_>) -> io::Result<()> {
        // sled writes its files itself, so half of their changes would be missing here. It may vanish anyway.
        let of_sled = step.path().components().any(|part| part.as_os_str() == "window");
        if !of_sled && let Some(change) = self.change(step) {
            self.changes.lock().push(change);
        }
        Ok(())
    }
}
