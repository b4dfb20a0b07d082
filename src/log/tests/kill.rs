//! Copies of a log's folder while it is written: as a kill at that moment leaves it.

use std::{
    any::Any,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use parking_lot::Mutex;
use tempfile::TempDir;

use super::states::quick_copy;
use crate::disk::{
    DiskFile,
    watch::{Observer, Step, observe},
};

/// Copies a folder between two steps. It must watch before the log is opened, or a step may be under way.
pub struct Kills {
    copier: Arc<Copier>,
    _observation: Box<dyn Any>,
}

struct Copier {
    root: PathBuf,
    copies: Mutex<Vec<TempDir>>,
}

impl Kills {
    pub fn watch(root: &Path) -> Self {
        let copier = Arc::new(Copier { root: root.to_owned(), copies: Mutex::default() });
        Self { copier: copier.clone(), _observation: Box::new(observe(root, copier)) }
    }

    /// What a kill at this moment leaves.
    pub fn copy(&self) -> TempDir {
        // The step that the copier waits for; it is never done.
        assert!(DiskFile::open_to_read(&self.copier.signal()).is_err());
        self.copier.copies.lock().pop().unwrap()
    }
}

impl Copier {
    fn signal(&self) -> PathBuf {
        self.root.join("copy it now")
    }
}

impl Observer for Copier {
    fn before(&self, step: &Step<'_>) -> io::Result<()> {
        if step.path() != self.signal() {
            return Ok(());
        }
        // No other step below the folder is done meanwhile.
        self.copies.lock().push(quick_copy(&self.root));
        Err(io::Error::other("it was only a signal"))
    }
}
