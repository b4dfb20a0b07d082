//! One journal file while the log is open: where its blocks are, and how it is begun, written and reused.

use std::{
    io,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use super::{
    head::{HEAD_BYTES, Head},
    part_path, path_of,
};
use crate::{
    disk::DiskFile,
    events::Position,
    log::block::{Chain, StoredBlock},
};

/// Where a block is.
#[derive(Debug, Clone, Copy)]
struct FrameAt {
    first: Position,
    at: u32,
    bytes: u32,
}

/// A journal file. Readers may use it while the writer appends.
#[derive(Debug)]
pub struct JournalFile {
    file: DiskFile,
    head: Mutex<Head>,
    /// By first position.
    places: RwLock<Vec<FrameAt>>,
    /// The last position of the last of them.
    end: AtomicU64,
}

impl JournalFile {
    /// An existing file, whose blocks are not known yet.
    pub fn new(file: DiskFile, head: Head) -> Self {
        Self { file, head: Mutex::new(head), places: RwLock::default(), end: AtomicU64::new(0) }
    }

    /// Creates a file ahead of its use, with the given frames in it; it gets its name once it is durable.
    ///
    /// # Errors
    /// `StorageFull` where there is no room for it.
    pub fn prepare(folder: &Path, head: Head, frames: &[u8]) -> io::Result<Self> {
        let part = part_path(folder);
        crate::disk::remove_file(&part)?;
        let file = DiskFile::create_new(&part)?;
        file.allocate(head.bytes)?;
        if !frames.is_empty() {
            file.write_at(frames, HEAD_BYTES as u64)?;
        }
        Self::settle(file, folder, head)
    }

    /// Reuses the file of a journal whose blocks are in a segment.
    ///
    /// # Errors
    /// The system's own errors; the next start then removes the file.
    pub fn recycle(mut self, folder: &Path, head: Head) -> io::Result<Self> {
        self.file.rename(&part_path(folder))?;
        Self::settle(self.file, folder, head)
    }

    fn settle(file: DiskFile, folder: &Path, head: Head) -> io::Result<Self> {
        let mut journal = Self::new(file, head);
        journal.sign()?;
        journal.file.settle()?;
        journal.file.rename(&path_of(folder, head.generation))?;
        Ok(journal)
    }

    /// Writes the head with the file's own identity. Not durable yet.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn sign(&self) -> io::Result<()> {
        let mut head = self.head.lock();
        *head = signed(&self.file, *head)?;
        self.file.write_at(&head.to_bytes(), 0)
    }

    /// Begins it after a position. Not durable before [`JournalFile::sync`].
    ///
    /// # Errors
    /// The system's own errors.
    pub fn begin(&self, base: Position, chain: Chain) -> io::Result<()> {
        let mut head = self.head.lock();
        *head = Head { begun: true, base, chain, ..*head };
        self.file.write_at(&head.to_bytes(), 0)
    }

    /// Its header.
    #[must_use]
    pub fn head(&self) -> Head {
        *self.head.lock()
    }

    /// Whether the file is the one its head was written for, not a copy.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn is_original(&self) -> io::Result<bool> {
        let head = self.head();
        Ok(self.file.identity()? == (head.inode, head.born))
    }

    /// Writes frames at a place.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn write(&self, frames: &[u8], at: u64) -> io::Result<()> {
        self.file.write_at(frames, at)
    }

    /// Makes everything written durable.
    ///
    /// # Errors
    /// Final.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Lets readers find a written block.
    pub fn add(&self, (first, last): (Position, Position), at: u64, bytes: usize) {
        let narrow = |number: u64| u32::try_from(number).expect("a journal is smaller than 4 GiB");
        self.places.write().push(FrameAt { first, at: narrow(at), bytes: narrow(bytes as u64) });
        self.end.store(last.0, Ordering::Release);
    }

    /// Blocks from the one that may hold a position on, at most this many bytes of them but at least one; empty if the file ends before it.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn blocks(&self, position: Position, bytes_max: usize) -> io::Result<Vec<(Position, StoredBlock)>> {
        if position <= self.head().base || position.0 > self.end.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let wanted = self.places_from(position, bytes_max);
        let (Some(first), Some(last)) = (wanted.first(), wanted.last()) else { return Ok(Vec::new()) };
        let mut bytes = vec![0; (last.at + last.bytes - first.at) as usize];
        self.file.read_at(&mut bytes, u64::from(first.at))?;
        let bytes = Bytes::from(bytes);
        let cut = |place: &FrameAt| bytes.slice((place.at - first.at) as usize..(place.at - first.at + place.bytes) as usize);
        Ok(wanted.iter().map(|place| (place.first, cut(place))).collect())
    }

    fn places_from(&self, position: Position, bytes_max: usize) -> Vec<FrameAt> {
        let places = self.places.read();
        let Some(start) = places.partition_point(|place| place.first <= position).checked_sub(1) else { return Vec::new() };
        let from = places[start].at;
        let fits = |place: &&FrameAt| place.at == from || (place.at + place.bytes - from) as usize <= bytes_max;
        places[start..].iter().take_while(fits).copied().collect()
    }
}

fn signed(file: &DiskFile, head: Head) -> io::Result<Head> {
    let (inode, born) = file.identity()?;
    Ok(Head { inode, born, ..head })
}
