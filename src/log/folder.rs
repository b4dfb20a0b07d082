//! The log's folder: where its parts are, and the lock that keeps every other process out.

use std::{
    fs::{File, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    thread,
};

use tokio::signal::unix::SignalKind;

use super::OpenError;
use crate::disk;

/// The folder, ours until this is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Creates the folder if it is missing and locks it against every other process.
    ///
    /// # Errors
    /// `InUse`, or the reason it cannot be used.
    pub fn claim(path: &Path) -> Result<Self, OpenError> {
        let wrong = |error: io::Error| OpenError::Folder { path: path.to_owned(), reason: error.to_string() };
        disk::create_folder(path).map_err(wrong)?;
        let mut lock = disk::lock_file(&path.join("lock")).map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.to_owned(), process: owner(&mut lock) }),
            Err(TryLockError::Error(error)) => return Err(wrong(error)),
        }
        sign(&mut lock).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Creates the folders of its parts.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn lay_out(&self) -> io::Result<()> {
        disk::create_folder(&self.segments())?;
        disk::create_folder(&self.journal())
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the journals are: the newest blocks, as they were made durable.
    #[must_use]
    pub fn journal(&self) -> PathBuf {
        self.path.join("journal")
    }

    /// Where the segments are: all older blocks.
    #[must_use]
    pub fn segments(&self) -> PathBuf {
        self.path.join("segments")
    }

    /// sled's copy of the newest blocks: may be deleted.
    #[must_use]
    pub fn window(&self) -> PathBuf {
        self.path.join("window")
    }

    /// The stream heads as of some position: may be deleted.
    #[must_use]
    pub fn heads(&self) -> PathBuf {
        self.path.join("heads")
    }
}

/// Writes our process id for a process that finds the folder locked.
fn sign(lock: &mut File) -> io::Result<()> {
    lock.set_len(0)?;
    lock.rewind()?;
    write!(lock, "{}", std::process::id())
}

fn owner(lock: &mut File) -> String {
    let mut process = String::new();
    match lock.read_to_string(&mut process) {
        Ok(1..) => process,
        _ => "(unknown)".into(),
    }
}

/// The number of SIGXFSZ on Linux.
const FILE_SIZE_SIGNAL: i32 = 25;

/// Turns a write beyond the file size limit into an error, like a full disk, instead of the end of the process: any handler does that.
/// tokio installs one permanently without unsafe code of ours; it needs a runtime, which must not start or end inside another.
///
/// # Errors
/// When no handler can be installed.
pub fn survive_file_size_signal() -> io::Result<()> {
    let install = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _entered = runtime.enter();
        tokio::signal::unix::signal(SignalKind::from_raw(FILE_SIZE_SIGNAL)).map(drop)
    };
    thread::spawn(install).join().unwrap_or_else(|_| Err(io::Error::other("the handler's thread panicked")))
}
