//! The journals: preallocated files that the writer appends frames to, in place. An append is acknowledged when it is durable here.
//!
//! Two files at most: the one that is written, and either the full one before it, which is on its way into a segment, or the next one,
//! prepared ahead so that no commit waits for room. A full disk is found while the next file is prepared.

pub mod file;
pub mod frame;
pub mod head;
pub mod scan;

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use parking_lot::{Condvar, Mutex, RwLock};

pub use self::file::JournalFile;
use self::head::{Head, LogId};
use super::block::{Chain, StoredBlock};
use crate::events::Position;

/// The size of a journal file: a full one is rewritten as one segment. Small enough that a start after a crash reads little and a snapshot
/// copies little, large enough that a lone client seals one every ten seconds at most.
pub const JOURNAL_BYTES: u64 = 8 << 20;
/// The least that makes sense: a few frames.
pub const JOURNAL_BYTES_MIN: u64 = if cfg!(test) { 4 << 10 } else { 16 << 10 };

/// Why the writer cannot continue in another file.
#[derive(Debug, Clone)]
pub struct NoNext {
    /// Says what keeps the next file from being prepared.
    pub reason: String,
}

/// The journal files of an open log.
#[derive(Debug)]
pub struct Journals {
    folder: PathBuf,
    log: LogId,
    bytes: u64,
    /// Those with blocks that are not in a segment yet; the one being written is last.
    live: RwLock<Vec<Arc<JournalFile>>>,
    next: Mutex<Next>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Next {
    spare: Option<JournalFile>,
    /// The writer has taken it but not begun it yet.
    taken: bool,
    /// Why there is none; checked repeatedly.
    trouble: Option<NoNext>,
    closed: bool,
}

impl Journals {
    /// Wraps what was found in the folder; `live` is not empty.
    pub fn new(folder: PathBuf, log: LogId, bytes: u64, live: Vec<Arc<JournalFile>>, spare: Option<JournalFile>) -> Self {
        let next = Next { spare, ..Next::default() };
        Self { folder, log, bytes, live: RwLock::new(live), next: Mutex::new(next), changed: Condvar::new() }
    }

    /// The file being written.
    #[must_use]
    pub fn active(&self) -> Arc<JournalFile> {
        Arc::clone(self.live.read().last().expect("a log always has a journal"))
    }

    /// The full file that waits to become a segment, and its last position.
    #[must_use]
    pub fn full(&self) -> Option<(Arc<JournalFile>, Position)> {
        let live = self.live.read();
        (live.len() > 1).then(|| (Arc::clone(&live[0]), live[1].head().base))
    }

    /// Takes the prepared file, waiting for it unless something prevents it.
    ///
    /// # Errors
    /// `NoNext`: nothing was changed.
    pub fn take_next(&self) -> Result<JournalFile, NoNext> {
        let mut next = self.next.lock();
        loop {
            if let Some(spare) = next.spare.take() {
                next.taken = true;
                return Ok(spare);
            }
            if let Some(trouble) = &next.trouble {
                return Err(trouble.clone());
            }
            if next.closed {
                return Err(NoNext { reason: "the log is being closed".into() });
            }
            self.changed.wait(&mut next);
        }
    }

    /// Switches writing to a file that has begun.
    pub fn go_on_in(&self, file: JournalFile) -> Arc<JournalFile> {
        let file = Arc::new(file);
        self.live.write().push(Arc::clone(&file));
        self.next.lock().taken = false;
        self.changed.notify_all();
        file
    }

    /// Waits until there is a full file or the next one is missing, at most this long where an attempt just failed. False once closed.
    #[must_use]
    pub fn wait_for_work(&self, pause: Option<Duration>) -> bool {
        let mut next = self.next.lock();
        if let Some(pause) = pause
            && !next.closed
        {
            self.changed.wait_for(&mut next, pause);
        }
        while !next.closed && (next.spare.is_some() || next.taken) && self.full().is_none() {
            self.changed.wait(&mut next);
        }
        !next.closed
    }

    /// Makes sure that the next file exists, from the file of a full journal whose blocks are in a segment, or as a new file.
    ///
    /// # Errors
    /// When there is no room for it, among others.
    pub fn prepare_next(&self, sealed: Option<JournalFile>) -> io::Result<()> {
        if self.next.lock().spare.is_some() {
            return sealed.map_or(Ok(()), |file| crate::disk::remove_file(file.path()));
        }
        let Head { generation, oldest, .. } = self.active().head();
        let head = Head { generation: generation + 1, oldest, ..self.blank() };
        let spare = match sealed {
            Some(file) if file.head().bytes == head.bytes => file.recycle(&self.folder, head)?,
            Some(file) => {
                crate::disk::remove_file(file.path())?;
                JournalFile::prepare(&self.folder, head, &[])?
            }
            None => JournalFile::prepare(&self.folder, head, &[])?,
        };
        let mut next = self.next.lock();
        (next.spare, next.trouble) = (Some(spare), None);
        self.changed.notify_all();
        Ok(())
    }

    fn blank(&self) -> Head {
        blank(self.log, self.bytes)
    }

    /// Says why there is no next file, to the writer that waits for it.
    pub fn tell_trouble(&self, error: &io::Error) {
        self.next.lock().trouble = Some(NoNext { reason: error.to_string() });
        self.changed.notify_all();
    }

    /// Why there is no next file; `None` where nothing is wrong.
    #[must_use]
    pub fn trouble(&self) -> Option<NoNext> {
        self.next.lock().trouble.clone()
    }

    /// Releases the full file once its blocks are in a segment. `None` while a reader still has it.
    #[must_use]
    pub fn retire(&self) -> Option<Arc<JournalFile>> {
        let mut live = self.live.write();
        (live.len() > 1).then(|| live.remove(0))
    }

    /// Ends every wait for a file.
    pub fn close(&self) {
        self.next.lock().closed = true;
        self.changed.notify_all();
    }

    /// Blocks from the one that holds a position on; empty where it is not in a journal.
    ///
    /// # Errors
    /// When they cannot be read.
    pub fn blocks(&self, position: Position, bytes_max: usize) -> io::Result<Vec<(Position, StoredBlock)>> {
        let holding = self.live.read().iter().rev().find(|file| file.head().base < position).cloned();
        holding.map_or(Ok(Vec::new()), |file| file.blocks(position, bytes_max))
    }

    /// Writes every file's own identity into it: these become the originals.
    ///
    /// # Errors
    /// The system's own errors.
    pub fn sign(&self) -> io::Result<()> {
        let live = self.live.read().clone();
        let next = self.next.lock();
        for file in live.iter().map(|file| &**file).chain(&next.spare) {
            file.sign()?;
            file.sync()?;
        }
        Ok(())
    }
}

/// A journal's head in a log of which nothing else is known yet.
#[must_use]
pub fn blank(log: LogId, bytes: u64) -> Head {
    let (base, chain): (Position, Chain) = (Position::START, super::block::CHAIN_START);
    Head { generation: 0, log, begun: false, base, chain, oldest: 0, inode: 0, born: 0, bytes }
}

/// The path of the journal of a generation.
#[must_use]
pub fn path_of(folder: &Path, generation: u64) -> PathBuf {
    folder.join(format!("{generation:08}.journal"))
}

/// The generation in a file's name; `None` for any other file.
#[must_use]
pub fn generation_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?;
    let generation = name.strip_suffix(".journal")?.parse().ok()?;
    (path_of(Path::new(""), generation).as_os_str() == name).then_some(generation)
}

fn part_path(folder: &Path) -> PathBuf {
    folder.join("next.part")
}
