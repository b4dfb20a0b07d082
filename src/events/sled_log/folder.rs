//! The log's folder: made, locked and tidied before anything is opened in it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    thread,
};

use tokio::signal::unix::SignalKind;

use super::OpenError;

/// The folder, ours until this is dropped.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder if there is none and locks it against every other process.
    pub fn claim(path: &Path) -> Result<Self, OpenError> {
        let wrong = |error: io::Error| OpenError::Folder { path: path.to_owned(), reason: error.to_string() };
        fs::create_dir_all(path).map_err(wrong)?;
        let lock_path = path.join("lock");
        let mut lock = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(lock_path).map_err(wrong)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(OpenError::InUse { path: path.to_owned(), process: owner(&mut lock) }),
            Err(TryLockError::Error(error)) => return Err(wrong(error)),
        }
        sign(&mut lock).map_err(wrong)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where sled's files are.
    #[must_use]
    pub fn sled(&self) -> PathBuf {
        self.path.join("sled")
    }
}

/// Writes our process id for whoever finds the folder locked.
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

/// Removes half-written snapshots: after a `kill -9` sled refuses to open because of them, and it never needs them.
pub fn remove_half_snapshots(sled: &Path) -> io::Result<usize> {
    let mut removed = 0;
    if !sled.exists() {
        return Ok(removed);
    }
    for entry in fs::read_dir(sled)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(".generating") {
            fs::remove_file(entry.path())?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// How many values sled put into separate files, which it never makes durable. Must stay zero.
#[must_use]
pub fn count_blobs(sled: &Path) -> usize {
    fs::read_dir(sled.join("blobs")).map_or(0, Iterator::count)
}

/// Makes a new folder's entries durable: sled syncs neither its folder nor its `conf`.
pub fn sync_entries(folder: &Path, sled: &Path) -> io::Result<()> {
    for path in [&sled.join("conf"), &sled.join("db"), sled, folder] {
        if path.exists() {
            File::open(path)?.sync_all()?;
        }
    }
    match folder.parent() {
        Some(parent) if parent.is_dir() => File::open(parent)?.sync_all(),
        _ => Ok(()),
    }
}

/// The number of SIGXFSZ on Linux.
const FILE_SIZE_SIGNAL: i32 = 25;

/// Makes a write beyond the file size limit an error, as a full disk is, instead of the end of the process: any handler does that.
/// tokio installs one for good without unsafe code of ours; it wants a runtime for that, which must not begin or end inside another.
pub fn survive_file_size_signal() -> io::Result<()> {
    let install = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let _entered = runtime.enter();
        tokio::signal::unix::signal(SignalKind::from_raw(FILE_SIZE_SIGNAL)).map(drop)
    };
    thread::spawn(install).join().unwrap_or_else(|_| Err(io::Error::other("the handler's thread panicked")))
}
