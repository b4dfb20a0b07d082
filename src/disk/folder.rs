//! Names: created, changed and removed together with the sync of their folder.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::{
    replace::copy,
    watch::{Step, perform},
};

/// Creates a folder and its missing parents, durably.
///
/// # Errors
/// The system's own errors.
pub fn create_folder(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let parent = parent_of(path);
    if parent != path {
        create_folder(parent)?;
    }
    match perform(Step::CreateFolder(path), || fs::create_dir(path)) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
        Ok(()) => sync_folder(parent),
    }
}

/// Renames a file or folder, replacing what has the name, durably in both folders.
///
/// # Errors
/// The system's own errors.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    rename_unsynced(from, to)?;
    sync_folder_of(to)?;
    if parent_of(from) == parent_of(to) { Ok(()) } else { sync_folder_of(from) }
}

pub(super) fn rename_unsynced(from: &Path, to: &Path) -> io::Result<()> {
    perform(Step::Rename { from, to }, || fs::rename(from, to))
}

/// Gives files a second name in a folder, durably; copies them where links do not reach. A taken name is left alone.
///
/// # Errors
/// The system's own errors; some may have their names then.
pub fn link_all<'a>(files: impl IntoIterator<Item = &'a Path>, folder: &Path) -> io::Result<()> {
    for from in files {
        match link_or_copy(from, &folder.join(from.file_name().unwrap_or_default())) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    sync_folder(folder)
}

/// Gives a file a second name, or copies it durably where links do not reach. The name is not durable yet where it is a link.
pub(super) fn link_or_copy(from: &Path, to: &Path) -> io::Result<()> {
    match perform(Step::Link { from, to }, || fs::hard_link(from, to)) {
        Err(error) if needs_copy(&error) => copy(from, to),
        linked => linked,
    }
}

/// Another file system, one without links, or a file with too many.
fn needs_copy(error: &io::Error) -> bool {
    use io::ErrorKind::{CrossesDevices, PermissionDenied, TooManyLinks, Unsupported};
    matches!(error.kind(), CrossesDevices | PermissionDenied | TooManyLinks | Unsupported)
}

/// Removes a file durably. A missing file is not an error.
///
/// # Errors
/// The system's own errors.
pub fn remove_file(path: &Path) -> io::Result<()> {
    if remove_unsynced(path)? { sync_folder_of(path) } else { Ok(()) }
}

/// Removes files of one folder durably, with one sync.
///
/// # Errors
/// The system's own errors; files before the failing one are gone.
pub fn remove_files<'a>(folder: &Path, files: impl IntoIterator<Item = &'a PathBuf>) -> io::Result<()> {
    let mut removed = false;
    for file in files {
        removed |= remove_unsynced(file)?;
    }
    if removed { sync_folder(folder) } else { Ok(()) }
}

fn remove_unsynced(path: &Path) -> io::Result<bool> {
    match perform(Step::Remove(path), || fs::remove_file(path)) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Removes a folder with its content, durably. A missing folder is not an error.
///
/// # Errors
/// The system's own errors; a part may be gone then.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    match perform(Step::RemoveFolder(path), || fs::remove_dir_all(path)) {
        Ok(()) => sync_folder_of(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes the names in a folder durable.
///
/// # Errors
/// The system's own errors.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    perform(Step::SyncFolder(path), || File::open(path)?.sync_all())
}

pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    sync_folder(parent_of(path))
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        Some(_) => Path::new("."),
        None => path,
    }
}

/// Opens the file to lock, creating it if missing. Not durable: a lock ends with its process.
///
/// # Errors
/// The system's own errors.
pub fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)
}

/// Opens a file that only its owner may read, and creates it durably if missing. A file that others may read is taken back from them.
///
/// # Errors
/// The system's own errors.
pub fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let step = if path.exists() { Step::Open(path) } else { Step::Create(path) };
    let file = perform(step, || options.open(path))?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    sync_folder_of(path)?;
    Ok(file)
}

/// Writes a small file that only its owner may read. Not durable: what it says is gone with the process that wrote it.
///
/// # Errors
/// The system's own errors.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    remove_file(path)?;
    private_file(path)?.write_all(bytes)
}
