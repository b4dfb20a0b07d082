//! Whole files: a reader finds the old content or the new, never a part, whenever the power goes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use super::{
    file::DiskFile,
    folder::{create_folder, link_or_copy, remove_file, rename, rename_unsynced, sync_folder_of},
};

/// How a large file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as possible.
    AtOnce,
    /// In pieces that the kernel begins to write at once, with pauses in between: that leaves little for the sync at the end, which the
    /// log's own syncs have to wait for. A sync after each piece would commit the file system's journal each time, and they would wait for
    /// all.
    Gently,
}

/// Bytes written at once.
const PIECE_BYTES: usize = 1 << 20;
/// The pause after each piece where others need the disk: a gigabyte takes ten seconds more.
const PIECE_REST: Duration = Duration::from_millis(10);

/// Replaces a file as a whole, durably.
///
/// # Errors
/// When writing fails; the file is then unchanged, unless only the last sync of its folder failed.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = PartFile::create(path, Pace::AtOnce)?;
    part.write(bytes)?;
    part.finish()
}

/// Replaces a file as a whole, without a sync: after a loss of power it may be damaged. For caches, whose readers check them.
///
/// # Errors
/// When writing fails; the file is then unchanged.
pub fn replace_cache(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut part = PartFile::create(path, Pace::AtOnce)?;
    part.write(bytes)?;
    part.written = true;
    rename_unsynced(&part_of(path), path)
}

/// Renames an unusable file and keeps it next to its old place, for inspection. Returns that name.
///
/// # Errors
/// The system's own errors.
pub fn set_aside(path: &Path) -> io::Result<PathBuf> {
    let kept = aside_of(path)?;
    rename(path, &kept)?;
    Ok(kept)
}

/// Replaces a damaged or missing file with a whole one: the path has the one or the other at every moment. The damaged one is kept
/// next to it, as by [`set_aside`].
///
/// # Errors
/// The system's own errors; the path is then unchanged, unless only the last sync of its folder failed.
pub fn put_in_place(whole: &Path, place: &Path) -> io::Result<()> {
    let part = part_of(place);
    remove_file(&part)?;
    link_or_copy(whole, &part)?;
    if place.exists() {
        link_or_copy(place, &aside_of(place)?)?;
    }
    rename(&part, place)
}

fn aside_of(path: &Path) -> io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let free = (1..1_000).map(|number: u32| path.with_file_name(format!("{name}.damaged-{number}"))).find(|kept| !kept.exists());
    free.ok_or_else(|| io::Error::other(format!("there are too many damaged copies of {name}")))
}

/// A file that gets its name only once it is whole. Dropped before, it leaves nothing.
#[derive(Debug)]
pub struct PartFile {
    file: DiskFile,
    path: PathBuf,
    at: u64,
    pace: Pace,
    written: bool,
}

impl PartFile {
    /// Starts the file that will be at a path.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn create(path: &Path, pace: Pace) -> io::Result<Self> {
        let part = part_of(path);
        remove_file(&part)?;
        Ok(Self { file: DiskFile::create_new(&part)?, path: path.to_owned(), at: 0, pace, written: false })
    }

    /// Continues writing it.
    ///
    /// # Errors
    /// When writing fails.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        for piece in bytes.chunks(PIECE_BYTES) {
            self.file.write_at(piece, self.at)?;
            self.at += piece.len() as u64;
            if self.pace == Pace::Gently && bytes.len() >= PIECE_BYTES {
                self.file.begin_writing();
                thread::park_timeout(PIECE_REST);
            }
        }
        Ok(())
    }

    /// Makes it durable, then gives it its name, durably.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn finish(mut self) -> io::Result<()> {
        self.file.sync()?;
        rename_unsynced(&part_of(&self.path), &self.path)?;
        self.written = true;
        sync_folder_of(&self.path)
    }
}

impl Drop for PartFile {
    fn drop(&mut self) {
        if !self.written {
            // The next attempt or the next start removes what is left.
            let _ = remove_file(&part_of(&self.path));
        }
    }
}

/// Copies a file durably, as a whole.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let source = DiskFile::open_to_read(from)?;
    let (mut part, length, mut at) = (PartFile::create(to, Pace::AtOnce)?, source.length()?, 0);
    let mut piece = vec![0; PIECE_BYTES];
    while at < length {
        let bytes = PIECE_BYTES.min(usize::try_from(length - at).unwrap_or(PIECE_BYTES));
        source.read_at(&mut piece[..bytes], at)?;
        part.write(&piece[..bytes])?;
        at += bytes as u64;
    }
    part.finish()
}

/// Copies a folder with the folders in it, durably.
///
/// # Errors
/// The system's own errors; a part may exist then.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    create_folder(to)?;
    for entry in fs::read_dir(from)? {
        let (path, name) = entry.map(|entry| (entry.path(), entry.file_name()))?;
        if path.is_dir() { copy_folder(&path, &to.join(name))? } else { copy(&path, &to.join(name))? }
    }
    Ok(())
}

/// The name a file has until it is whole.
fn part_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    path.with_file_name(name)
}
