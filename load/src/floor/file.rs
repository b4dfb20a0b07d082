//! A preallocated file that is written in place: the least that a durable log needs from a disk.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use rustix::fs::{FallocateFlags, fallocate};

/// The size of a file: as much as a journal of the log.
const FILE_BYTES: u64 = 64 << 20;
/// Written at once while a file is made.
const FILL_BYTES: usize = 1 << 20;

/// Groups one after the other, from the start again when the end is reached.
pub struct FloorFile {
    file: File,
    next: u64,
}

impl FloorFile {
    /// Creates the file, allocates its blocks, and writes all of it once: else each first write to a block also changes the file's map,
    /// which is a second write to the disk.
    pub fn create(path: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().create_new(true).write(true).open(path)?;
        fallocate(&file, FallocateFlags::empty(), 0, FILE_BYTES)?;
        let zeroes = vec![0; FILL_BYTES];
        for _ in 0..FILE_BYTES / FILL_BYTES as u64 {
            file.write_all(&zeroes)?;
        }
        file.sync_all()?;
        Ok(Self { file, next: 0 })
    }

    /// Writes a group after the last one and makes it durable. No group may be longer than the file.
    pub fn commit(&mut self, group: &[u8]) -> io::Result<()> {
        let bytes = group.len() as u64;
        if self.next + bytes > FILE_BYTES {
            self.next = 0;
        }
        self.file.write_all_at(group, self.next)?;
        self.next += bytes;
        self.file.sync_data()
    }
}
