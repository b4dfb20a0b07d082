//! The data folder: where each part of a server keeps its files, and the name of its history.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use uuid::Uuid;

/// The folder cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the data folder {} cannot be used: {error}", .folder.display())]
pub struct FolderError {
    folder: PathBuf,
    error: io::Error,
}

/// A data folder that exists and is named.
#[derive(Debug, Clone)]
pub struct DataFolder {
    root: PathBuf,
    epoch: String,
}

impl DataFolder {
    /// Makes the folder if there is none, and names its history once.
    ///
    /// # Errors
    /// When it cannot be made, read or written.
    pub fn open(root: &Path) -> Result<Self, FolderError> {
        let failed = |error| FolderError { folder: root.to_owned(), error };
        fs::create_dir_all(root.join("checkpoints")).map_err(failed)?;
        let epoch = epoch_of(&root.join("epoch")).map_err(failed)?;
        Ok(Self { root: root.to_owned(), epoch })
    }

    /// The folder of the event log: the only one that cannot be rebuilt.
    #[must_use]
    pub fn log(&self) -> PathBuf {
        self.root.join("log")
    }

    /// The views as of some position: a cache.
    #[must_use]
    pub fn views_checkpoint(&self) -> PathBuf {
        self.root.join("checkpoints").join("views")
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
