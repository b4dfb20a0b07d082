//! The thread that turns full journals into segments and prepares the next journal, so that no commit waits for either. A full disk is found
//! here, while the current journal still has room; it retries until there is room.

use std::{io, sync::Arc, thread, time::Duration};

use super::{
    Shared, heads,
    journal::JournalFile,
    segment::{Filling, SegmentFile},
};
use crate::{disk::Pace, events::Position, failpoint};

/// The wait before a retry after a failure.
const TRY_AGAIN: Duration = Duration::from_millis(if cfg!(test) { 20 } else { 1_000 });
/// Bytes read from a journal at once.
const READ_BYTES: usize = 1 << 20;
/// How long a reader may keep a journal that is already in a segment; it holds it for one read.
const READER_POLL: Duration = Duration::from_millis(1);
/// The heads are saved when this many events came since the last time: that many are read again at a start.
const HEADS_EVENTS: u64 = if cfg!(test) { 100 } else { 250_000 };
/// And only once the log has grown by this part of their file, which is 220 MB at ten million streams.
const HEADS_PART: u64 = 2;

/// The thread's state.
pub struct Sealing {
    pub shared: Arc<Shared>,
    /// Where the heads were saved last, and the size of their file.
    pub heads_at: Position,
    pub heads_bytes: u64,
    /// Bytes of segments since then.
    pub bytes_since: u64,
}

impl Sealing {
    /// Runs until the log closes.
    pub fn run(mut self) {
        let (shared, mut pause) = (Arc::clone(&self.shared), None);
        while shared.storage.journals.wait_for_work(pause.take()) {
            if let Err(error) = self.work() {
                tracing::error!(%error, "cannot switch to the next journal; retrying every second");
                metrics::counter!("aisled_log_sealing_failures_total").increment(1);
                shared.storage.journals.tell_trouble(&error);
                pause = Some(TRY_AGAIN);
            }
        }
    }

    fn work(&mut self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let journals = &shared.storage.journals;
        let Some((full, end)) = journals.full() else { return journals.prepare_next(None) };
        self.seal(&full, end)?;
        drop(full);
        let sealed = journals.retire().map(alone);
        journals.prepare_next(sealed)?;
        failpoint::reach("seal.recycled");
        self.save_heads_if_due();
        Ok(())
    }

    /// Writes the blocks of a journal to a segment, unless that happened just before a crash.
    fn seal(&mut self, full: &JournalFile, end: Position) -> io::Result<()> {
        let storage = &self.shared.storage;
        let (last, chain) = storage.sealed();
        if last >= end {
            return Ok(());
        }
        let mut filling = Filling::after(last, chain);
        while filling.reached().0 < end {
            let blocks = full.blocks(filling.reached().0.next(), READ_BYTES)?;
            if blocks.is_empty() {
                return Err(io::Error::other(format!("{} ends before position {end}", full.path().display())));
            }
            for (first, bytes) in blocks {
                filling.add(&bytes).map_err(|reason| io::Error::other(format!("{}, position {first}: {reason}", full.path().display())))?;
            }
        }
        failpoint::reach("seal.read");
        let head = filling.write(storage.folder(), Pace::Gently)?;
        failpoint::reach("seal.written");
        storage.add_segment(SegmentFile { path: storage.folder().join(head.file_name()), head });
        self.bytes_since += head.payload_bytes;
        tracing::debug!(first = %head.first, last = %head.last, "a journal became a segment");
        Ok(())
    }

    fn save_heads_if_due(&mut self) {
        let position = self.shared.head_now();
        let due = position.0 - self.heads_at.0 >= HEADS_EVENTS && self.bytes_since >= self.heads_bytes / HEADS_PART;
        if !due {
            return;
        }
        // Under another durability than `Sync`, what only the kernel has may be lost with the power: the heads must not call it
        // acknowledged.
        let settle = || self.shared.storage.journals.active().sync();
        match heads::save(&self.shared.folder.heads(), &self.shared.log, &self.shared.index, Pace::Gently, settle) {
            Ok(bytes) => (self.heads_at, self.heads_bytes, self.bytes_since) = (position, bytes, 0),
            Err(error) => tracing::warn!(%error, "the stream heads cannot be saved; the next start reads more"),
        }
    }
}

/// Waits for the last reader: a file may be reused only when nobody reads it.
fn alone(mut file: Arc<JournalFile>) -> JournalFile {
    loop {
        match Arc::try_unwrap(file) {
            Ok(file) => return file,
            Err(still) => file = still,
        }
        thread::park_timeout(READER_POLL);
    }
}
