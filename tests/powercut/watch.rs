//! Sees a journal being sealed: files come and go next to the journal that is written.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

/// The names of journals and segments of the first history; none if the log keeps no such files.
pub fn log_files(data: &Path) -> BTreeSet<PathBuf> {
    let folders = ["journal", "segments"].map(|folder| data.join("log").join(folder));
    let names = |folder: &PathBuf| -> io::Result<Vec<_>> { fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect() };
    folders.iter().filter_map(|folder| names(folder).ok()).flatten().collect()
}
