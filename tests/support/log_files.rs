//! The files of a log, as tests look at them and damage them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The start of every block of the log.
pub const BLOCK_MAGIC: &[u8] = b"aisB";
/// The offset of a block's first position.
const FIRST_AT: usize = 12;
/// A server with small journals seals one after some dozens of commands.
pub const SMALL_JOURNALS: (&str, &str) = ("AISLED_TEST_JOURNAL_BYTES", "65536");

/// The journals of the log in the data folder, in order.
pub fn journals(data: &Path) -> Vec<PathBuf> {
    files(&data.join("log/journal"), "journal")
}

/// Its segments, in order.
pub fn segments(data: &Path) -> Vec<PathBuf> {
    files(&data.join("log/segments"), "segment")
}

/// The only journal in which something is written, of a log that has sealed none.
pub fn only_journal(data: &Path) -> PathBuf {
    assert!(segments(data).is_empty(), "no journal is sealed yet");
    journals(data).into_iter().next().expect("a log has a journal")
}

/// Removes sled's copy of the newest blocks, from which damage would be repaired.
pub fn forget_window(data: &Path) {
    fs::remove_dir_all(data.join("log/window")).expect("it can be removed");
}

/// Changes the bytes of a file, and returns the old ones. A file with other names stays one file.
pub fn change(file: &Path, change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let original = fs::read(file).expect("it can be read");
    let mut changed = original.clone();
    change(&mut changed);
    fs::write(file, changed).expect("it can be written");
    original
}

/// Puts other bytes in place of a file that may have other names: those keep what they had.
pub fn replace(file: &Path, bytes: &[u8]) {
    fs::remove_file(file).expect("it can be removed");
    fs::write(file, bytes).expect("it can be written");
}

/// Where blocks begin, in the order of the file.
pub fn blocks(bytes: &[u8]) -> Vec<usize> {
    bytes.windows(BLOCK_MAGIC.len()).enumerate().filter(|(_, window)| *window == BLOCK_MAGIC).map(|(at, _)| at).collect()
}

/// The position of the first event of the block that begins there.
pub fn first_position(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at + FIRST_AT..at + FIRST_AT + 8].try_into().expect("eight bytes"))
}

/// The end of what is written in a journal: zeros follow.
pub fn written_end(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).expect("something is written") + 1
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == kind)).collect();
    files.sort_unstable();
    files
}
