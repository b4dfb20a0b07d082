//! The one thread that writes. It takes all appends that wait, places them, seals them in blocks, makes them durable with one flush
//! and one fdatasync, and only then answers: the more wait, the less each costs.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::oneshot;

use super::{
    Shared,
    block::{self, PAYLOAD_BYTES_MAX, RAW_BYTES_TARGET, Sealer, push_event},
    durability::Durability,
    index,
    queue::{Job, Queue, Taken},
    witness::{Seen, Witness},
};
use crate::events::{AppendError, Appended, Clock, Position, codec::write_opening, sequence::Sequence};

/// After so many events the stream heads are saved in the background: that many at most are read again after a crash.
const CHECKPOINT_EVENTS: u64 = 500_000;

/// The state of the writer's thread.
pub struct Writer {
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub clock: Arc<dyn Clock>,
    pub durability: Durability,
    pub witness: Witness,
    pub sequence: Sequence,
    pub sealer: Sealer,
    pub filling: Filling,
    /// Since when flushed blocks wait for their fdatasync, under `Durability::Periodic`.
    pub unsynced_since: Option<Instant>,
    pub checkpoint_at: u64,
    pub checkpoint: Option<thread::JoinHandle<()>>,
}

/// The block being filled and those already sealed, of one group.
#[derive(Default)]
pub struct Filling {
    raw: Vec<u8>,
    first: Position,
    events: u32,
    sealed: Vec<(Position, Vec<u8>)>,
}

impl Drop for Writer {
    /// Ends the queue with the writer, however it ends: nobody may wait for an answer that cannot come.
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.fail("the writer panicked");
        }
        self.queue.close();
        let mut left = Vec::new();
        while self.queue.take(&mut left, None) == Taken::Jobs {
            left.drain(..).for_each(|job| reply(job.answer, Err(AppendError::ReadOnly("the log's writer ended".into()))));
        }
    }
}

type Answer = (oneshot::Sender<Result<Appended, AppendError>>, Result<Appended, AppendError>);

impl Writer {
    /// Works until the queue is closed and empty.
    pub fn run(mut self) {
        self.checkpoint_at = self.sequence.committed().position.0 + CHECKPOINT_EVENTS;
        let mut group = Vec::new();
        loop {
            match self.queue.take(&mut group, self.sync_due()) {
                Taken::Jobs => self.commit(&mut group),
                Taken::TimedOut => {}
                Taken::Closed => break,
            }
            self.sync_if_due(false);
        }
        self.sync_if_due(true);
        if let Some(checkpoint) = self.checkpoint.take() {
            // It only fails by panicking, and then the file before it is still whole.
            let _ = checkpoint.join();
        }
    }

    /// Records a group of appends and answers each.
    fn commit(&mut self, group: &mut Vec<Job>) {
        if let Some(reason) = self.shared.fault.get() {
            return group.drain(..).for_each(|job| reply(job.answer, Err(AppendError::ReadOnly(reason.clone()))));
        }
        let started = Instant::now();
        let mut answers = Vec::with_capacity(group.len());
        let mut sizes = Vec::new();
        let stored = self.place(group, &mut answers, &mut sizes).and_then(|()| self.store());
        match stored {
            Ok(()) => self.publish(&answers, &sizes, started),
            Err(reason) => self.fail(&reason, &mut answers),
        }
        for (sender, answer) in answers {
            reply(sender, answer);
        }
    }

    fn place(&mut self, group: &mut Vec<Job>, answers: &mut Vec<Answer>, sizes: &mut Vec<u32>) -> Result<(), String> {
        let now = self.clock.now();
        let shared = Arc::clone(&self.shared);
        let index = shared.index.read();
        for job in group.drain(..) {
            let placed = self.sequence.place(job.append, job.key, &index.heads, now);
            if let Ok(events) = &placed {
                self.filling.add(&mut self.sealer, events, &job.bodies, &job.ends, sizes)?;
            }
            answers.push((job.answer, placed));
        }
        self.filling.seal(&mut self.sealer)
    }

    fn store(&mut self) -> Result<(), String> {
        let store = &self.shared.store;
        if self.filling.sealed.is_empty() {
            return Ok(());
        }
        store.write(&self.filling.sealed)?;
        store.flush()?;
        match self.durability {
            Durability::Sync => store.sync().map_err(|error| format!("fdatasync failed: {error}"))?,
            Durability::Flush => {}
            Durability::Periodic(_) => self.unsynced_since = self.unsynced_since.or(Some(Instant::now())),
        }
        self.filling.sealed.clear();
        Ok(())
    }

    /// Lets everybody see what is now recorded: heads, the tail, the witness, followers.
    fn publish(&mut self, answers: &[Answer], sizes: &[u32], started: Instant) {
        if sizes.is_empty() {
            return;
        }
        let chain = self.sealer.chain();
        {
            let mut index = self.shared.index.write();
            self.sequence.commit(&mut index.heads);
            index.mark = self.sequence.committed();
            index.chain = chain;
        }
        let events = answers.iter().filter_map(|(_, answer)| answer.as_ref().ok()).flatten().cloned();
        self.shared.tail.push(events.zip(sizes.iter().copied()));
        let position = self.sequence.committed().position;
        if let Err(error) = self.witness.see(&Seen { position, chain }) {
            tracing::warn!(%error, "the witness of the log cannot be written; a shortened log would not be noticed");
        }
        self.shared.head.send_replace(position);
        self.count(sizes.len(), position, started);
        self.save_heads_if_due(position);
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats; no count comes near 2^52")]
    fn count(&self, events: usize, position: Position, started: Instant) {
        self.shared.groups.fetch_add(1, Ordering::Relaxed);
        self.shared.events.fetch_add(events as u64, Ordering::Relaxed);
        metrics::histogram!("aisled_append_seconds").record(started.elapsed());
        metrics::histogram!("aisled_append_batch_events").record(events as f64);
        metrics::gauge!("aisled_log_position").set(position.0 as f64);
    }

    /// A failed write is final: what the disk holds now is unknown until the log is opened again.
    fn fail(&mut self, reason: &str, answers: &mut [Answer]) {
        self.sequence.roll_back();
        self.filling = Filling::default();
        self.shared.fail(reason);
        for (_, answer) in answers {
            *answer = Err(match answer {
                Ok(_) => AppendError::Unknown(reason.to_owned()),
                Err(_) => AppendError::ReadOnly(reason.to_owned()),
            });
        }
    }

    fn sync_due(&self) -> Option<Duration> {
        match (self.durability, self.unsynced_since) {
            (Durability::Periodic(every), Some(since)) => Some(every.saturating_sub(since.elapsed())),
            _ => None,
        }
    }

    fn sync_if_due(&mut self, now: bool) {
        if now || self.sync_due().is_some_and(|due| due.is_zero()) {
            self.unsynced_since = None;
            if let Err(error) = self.shared.store.sync() {
                self.shared.fail(&format!("fdatasync failed: {error}"));
            }
        }
    }

    /// Saves the heads on a thread of its own, so that appends go on. If the last one still runs, the next group tries again.
    fn save_heads_if_due(&mut self, position: Position) {
        if position.0 < self.checkpoint_at || self.checkpoint.as_ref().is_some_and(|running| !running.is_finished()) {
            return;
        }
        self.checkpoint_at = position.0 + CHECKPOINT_EVENTS;
        let shared = Arc::clone(&self.shared);
        let save = move || shared.save_heads();
        match thread::Builder::new().name("log-heads".into()).spawn(save) {
            Ok(handle) => self.checkpoint = Some(handle),
            Err(error) => tracing::warn!(%error, "no thread to save the stream heads; the next start reads more"),
        }
    }
}

fn reply(sender: oneshot::Sender<Result<Appended, AppendError>>, answer: Result<Appended, AppendError>) {
    // Whoever asked may be gone; what is recorded stays recorded.
    let _ = sender.send(answer);
}

impl Filling {
    /// Adds one command's events to the block, sealing the block before or after when it is full.
    fn add(&mut self, sealer: &mut Sealer, events: &Appended, bodies: &[u8], ends: &[usize], sizes: &mut Vec<u32>) -> Result<(), String> {
        if self.events > 0 && self.raw.len() + bodies.len() > 2 * RAW_BYTES_TARGET {
            self.seal(sealer)?;
        }
        let mut start = 0;
        for (event, end) in events.iter().zip(ends) {
            if self.events == 0 {
                self.first = event.position;
            }
            push_event(&mut self.raw, |raw| {
                write_opening(raw, event.previous, event.at, event.client.is_some());
                raw.extend_from_slice(&bodies[start..*end]);
            });
            sizes.push(u32::try_from(end - start).unwrap_or(u32::MAX));
            start = *end;
            self.events += 1;
        }
        if self.raw.len() >= RAW_BYTES_TARGET { self.seal(sealer) } else { Ok(()) }
    }

    fn seal(&mut self, sealer: &mut Sealer) -> Result<(), String> {
        if self.events == 0 {
            return Ok(());
        }
        let block = sealer.seal(&self.raw, self.first, self.events).map_err(|error| error.to_string())?;
        self.sealed.push((self.first, block));
        self.raw.clear();
        self.events = 0;
        Ok(())
    }
}

/// Whether one command's encoded events fit a block, and how many bytes they take if not.
pub fn check_size(bodies: &[u8]) -> Result<(), AppendError> {
    if bodies.len() > block::RAW_BYTES_MAX {
        return Err(AppendError::TooLarge { bytes: bodies.len(), bytes_max: block::RAW_BYTES_MAX });
    }
    // Small enough to fit even if it cannot be compressed at all.
    if bodies.len() <= PAYLOAD_BYTES_MAX {
        return Ok(());
    }
    match zstd::bulk::compress(bodies, 1) {
        Ok(packed) if packed.len() > PAYLOAD_BYTES_MAX => Err(AppendError::TooLarge { bytes: packed.len(), bytes_max: PAYLOAD_BYTES_MAX }),
        Ok(_) => Ok(()),
        Err(error) => Err(AppendError::ReadOnly(error.to_string())),
    }
}

/// Saves the heads as they are now; the lock is held only while they are copied.
impl Shared {
    pub(super) fn save_heads(&self) {
        let bytes = self.index.read().to_bytes();
        if let Err(error) = index::save(self.folder.path(), &bytes) {
            tracing::warn!(%error, "the stream heads cannot be saved; the next start reads more");
        }
    }
}
