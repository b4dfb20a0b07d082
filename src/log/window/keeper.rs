//! The thread that keeps sled's window at the head of the log: it follows the journals like any other reader.

use std::{collections::VecDeque, sync::Arc, thread, time::Duration};

use super::{WINDOW_BYTES_MAX, sled::Sled};
use crate::{
    disk,
    events::Position,
    log::{
        Shared, block,
        news::Woken,
        storage::{Keyed, Storage},
    },
};

/// New blocks wait this long for others: one by one they would cost a lone command as much CPU as all the rest.
const GATHER: Duration = Duration::from_millis(50);
/// When nothing new came for this long, sled flushes: after a `kill -9` it can then repair a journal.
const FLUSH_AFTER: Duration = Duration::from_secs(1);
/// Bytes handed to sled at once.
const BATCH_BYTES: usize = 512 << 10;
/// sled keeps free room and copies; when its files take this many times the window, it is rebuilt.
const DISK_TIMES_MAX: u64 = 4;
/// When sled has failed this often, it is left alone until the next start.
const FAULTS_MAX: u32 = 3;

/// Runs until the log closes.
pub fn run(shared: &Arc<Shared>) {
    for fault in 1..=FAULTS_MAX {
        match keep(shared) {
            Ok(()) => return,
            Err(reason) => {
                metrics::counter!("aisled_log_window_faults_total").increment(1);
                tracing::warn!(reason, fault, faults_max = FAULTS_MAX, "sled's copy of the newest blocks is discarded; nothing is lost");
                // The last reader may drop it; sled's own threads end by themselves.
                drop(shared.storage.window.hide());
                if let Err(error) = disk::remove_folder(&shared.folder.window()) {
                    tracing::warn!(%error, "sled's folder cannot be removed");
                    return;
                }
            }
        }
    }
}

/// What the thread knows of the blocks in sled.
struct Kept {
    sled: Arc<Sled>,
    /// First position and bytes of each.
    blocks: VecDeque<(Position, usize)>,
    bytes: usize,
    to: Position,
}

fn keep(shared: &Shared) -> Result<(), String> {
    let window = &shared.storage.window;
    let mut kept = window.call(|| Kept::open(shared))?;
    window.show(Arc::clone(&kept.sled), kept.from(), kept.to);
    let mut is_flushed = false;
    loop {
        match shared.news.wait_beyond(kept.to, (!is_flushed).then_some(FLUSH_AFTER)) {
            Woken::Moved => is_flushed = false,
            Woken::TimedOut => {
                window.call(|| kept.sled.flush())?;
                is_flushed = true;
                continue;
            }
            Woken::Closed => break,
        }
        if shared.news.pause(GATHER) {
            break;
        }
        while kept.to < shared.head_now() {
            let blocks = shared.storage.blocks(kept.to.next(), BATCH_BYTES)?;
            window.call(|| kept.take(blocks))?;
            window.tell(kept.from(), kept.to);
        }
        if kept.sled.disk_bytes() > DISK_TIMES_MAX * WINDOW_BYTES_MAX as u64 {
            kept = window.call(|| kept.begin_anew(shared))?;
            window.show(Arc::clone(&kept.sled), kept.from(), kept.to);
        }
    }
    drop(window.hide());
    window.call(|| drop(kept));
    Ok(())
}

impl Kept {
    /// What sled has, if it is a part of this log; otherwise its folder is rebuilt.
    fn open(shared: &Shared) -> Result<Self, String> {
        let folder = shared.folder.window();
        match Self::found(Sled::open(&folder)?, &shared.storage) {
            Ok(kept) => Ok(kept),
            Err(reason) => {
                tracing::info!(reason, "sled's copy of the newest blocks is rebuilt");
                disk::remove_folder(&folder).map_err(|error| error.to_string())?;
                Ok(Self::empty(Sled::open(&folder)?, &shared.storage))
            }
        }
    }

    /// An empty one that begins where the journals do.
    fn empty(sled: Sled, storage: &Storage) -> Self {
        Self { sled: Arc::new(sled), blocks: VecDeque::new(), bytes: 0, to: storage.sealed().0 }
    }

    /// The blocks of a sled that was there already: without a gap, its last one with the log's chain, and not past the journals.
    fn found(sled: Sled, storage: &Storage) -> Result<Self, String> {
        let mut kept = Self { sled: Arc::new(sled), blocks: VecDeque::new(), bytes: 0, to: Position::START };
        let mut chain = None;
        for entry in kept.sled.from(Position::START) {
            let (first, bytes) = entry?;
            let header = block::check(&bytes)?;
            if header.first != first || kept.blocks.back().is_some() && kept.to.next() != first {
                return Err(format!("its blocks have a gap before position {first}"));
            }
            kept.push((first, bytes.len()), header.last());
            chain = Some(header.chain);
        }
        if kept.to < storage.sealed().0 {
            return Err(format!("it ends at position {}", kept.to));
        }
        if chain.is_some() && storage.chain_at(kept.to)? != chain {
            return Err(format!("at position {} it differs from the log", kept.to));
        }
        Ok(kept)
    }

    /// Where its first block starts; beyond its end while it is empty.
    fn from(&self) -> Position {
        self.blocks.front().map_or(Position(u64::MAX), |(first, _)| *first)
    }

    fn push(&mut self, block: (Position, usize), last: Position) {
        self.bytes += block.1;
        self.blocks.push_back(block);
        self.to = last;
    }

    /// Adds new blocks and drops the oldest.
    fn take(&mut self, blocks: Vec<Keyed>) -> Result<(), String> {
        let before = self.to;
        for (first, bytes) in &blocks {
            self.push((*first, bytes.len()), block::check(bytes)?.last());
        }
        if self.to == before {
            return Err(format!("the log has no block after position {before}"));
        }
        let mut gone = Vec::new();
        while self.bytes > WINDOW_BYTES_MAX
            && let Some((first, bytes)) = self.blocks.pop_front()
        {
            self.bytes -= bytes;
            gone.push(first);
        }
        self.sled.change(&blocks, &gone)
    }

    /// Throws sled's files away and continues with empty ones.
    fn begin_anew(self, shared: &Shared) -> Result<Self, String> {
        let folder = shared.folder.window();
        drop(shared.storage.window.hide());
        let mut sled = self.sled;
        // A reader holds it for one read.
        while let Err(still) = Arc::try_unwrap(sled).map(drop) {
            sled = still;
            thread::yield_now();
        }
        disk::remove_folder(&folder).map_err(|error| error.to_string())?;
        Ok(Self::empty(Sled::open(&folder)?, &shared.storage))
    }
}
