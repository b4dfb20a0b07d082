//! The one thread that writes. It takes all waiting appends, places them, seals them in blocks, makes them durable with one write
//! and one fdatasync, and only then answers: the more are waiting, the less each costs.

use std::{
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use super::{
    Shared,
    block::{self, RAW_BYTES_TARGET, Sealer, push_event},
    durability::Durability,
    in_flight::{Answer, reply},
    journal::{JournalFile, NoNext, frame},
    queue::{Job, Queue, Taken},
};
use crate::events::{
    AppendError, Appended, Clock, Position,
    codec::{Author, write_opening},
    sequence::Sequence,
};

/// An idle log states so in its journal after this time: what came before is then known to have been acknowledged, whatever happens to the
/// last frames.
const SETTLE_AFTER: Duration = Duration::from_secs(1);

/// The state of the writer's thread.
pub struct Writer {
    pub shared: Arc<Shared>,
    pub queue: Arc<Queue>,
    pub clock: Arc<dyn Clock>,
    pub durability: Durability,
    pub sequence: Sequence,
    pub sealer: Sealer,
    pub filling: Filling,
    /// The current journal, and where its next frame belongs.
    pub active: Arc<JournalFile>,
    pub at: u64,
    /// Everything up to here is durable.
    pub durable: Position,
    /// Since when written frames have waited for their fdatasync, under `Durability::Periodic`.
    pub unsynced_since: Option<Instant>,
    /// Whether the journal ends with a mark that states so.
    pub is_settled: bool,
}

/// First and last position of a block, where it is in the journal, and its bytes.
type Placed = ((Position, Position), u64, usize);

/// Why a group was not recorded.
enum Refusal {
    /// Nothing was written, because there is no other journal to continue in.
    NoNext(NoNext),
    /// What the disk holds now is unknown.
    Failed(String),
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(format!("the journal cannot be written: {error}"))
    }
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
    /// Closes the queue when the writer ends for any reason: nobody may wait for an answer that cannot come.
    fn drop(&mut self) {
        if thread::panicking() {
            self.shared.fail("the writer panicked");
        }
        self.queue.close();
        refuse_all(&self.queue);
    }
}

/// Answers everything left in a queue without a writer.
pub fn refuse_all(queue: &Queue) {
    let mut left = Vec::new();
    while queue.take(&mut left, None) == Taken::Jobs {
        left.drain(..).for_each(|job| reply(job.answer, Err(AppendError::ReadOnly("the log's writer ended".into()))));
    }
}

impl Writer {
    /// Runs until the queue is closed and empty.
    pub fn run(mut self) {
        let mut group = Vec::new();
        loop {
            match self.queue.take(&mut group, self.next_due()) {
                Taken::Jobs => self.commit(&mut group),
                Taken::TimedOut => self.settle(),
                Taken::Closed => break,
            }
            self.sync_if_due();
        }
        self.settle();
    }

    /// Records a group of appends and answers each.
    fn commit(&mut self, group: &mut Vec<Job>) {
        if let Some(reason) = self.shared.fault.get() {
            return group.drain(..).for_each(|job| reply(job.answer, Err(AppendError::ReadOnly(reason.clone()))));
        }
        let started = Instant::now();
        let mut answers = Vec::with_capacity(group.len());
        let mut sizes = Vec::new();
        let placed = self.place(group, &mut answers, &mut sizes).and_then(|()| self.note_steps()).map_err(Refusal::Failed);
        self.shared.in_flight.put(answers);
        let stored = placed.and_then(|()| self.store());
        // The watchdog has answered already, and the log is read-only.
        let Some(mut answers) = self.shared.in_flight.take() else { return self.forget_group() };
        match stored {
            Ok(placed) => self.publish(&answers, &sizes, &placed, started),
            Err(refusal) => self.refuse(&refusal, &mut answers),
        }
        for (sender, answer) in answers {
            reply(sender, answer);
        }
        self.announce();
    }

    /// Wakes followers after the callers: on few cores the first one woken also runs first.
    fn announce(&self) {
        let position = self.shared.head_now();
        if *self.shared.head.borrow() != position {
            self.shared.head.send_replace(position);
            self.shared.news.tell(position);
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

    /// Notes where the clock was set back, before the events are written.
    fn note_steps(&mut self) -> Result<(), String> {
        let new = self.sequence.take_steps();
        if new.is_empty() {
            return Ok(());
        }
        tracing::error!(position = %new[0], "the clock was set back by more than an hour: from this event on recorded time follows it");
        let mut steps = self.shared.steps.read().clone();
        steps.extend(new);
        super::steps::write(self.shared.folder.path(), &steps).map_err(|error| format!("a step of the clock cannot be noted: {error}"))?;
        *self.shared.steps.write() = steps;
        Ok(())
    }

    /// Writes the group's blocks, durably where the policy says so. Returns each block's place in the journal.
    fn store(&mut self) -> Result<Vec<Placed>, Refusal> {
        if self.filling.sealed.is_empty() {
            return Ok(Vec::new());
        }
        let bytes: usize = self.filling.sealed.iter().map(|(_, block)| frame::frame_bytes(block.len())).sum();
        if !self.fits(bytes) {
            self.go_on_in_next(bytes)?;
        }
        let (generation, mut frames, mut places) = (self.active.head().generation, Vec::with_capacity(bytes), Vec::new());
        for (first, block) in &self.filling.sealed {
            let last = block::peek(block).map_or(*first, |header| header.last());
            places.push(((*first, last), self.at + (frames.len() + frame::HEAD_BYTES) as u64, block.len()));
            frame::write(&mut frames, generation, self.durable, block);
        }
        self.active.write(&frames, self.at)?;
        match self.durability {
            Durability::Sync => self.sync()?,
            Durability::Flush => {}
            Durability::Periodic(_) => self.unsynced_since = self.unsynced_since.or(Some(Instant::now())),
        }
        (self.at, self.is_settled) = (self.at + frames.len() as u64, false);
        self.filling.sealed.clear();
        Ok(places)
    }

    /// Whether there is room for this many bytes of frames and the mark that ends the journal.
    fn fits(&self, bytes: usize) -> bool {
        self.at + (bytes + frame::HEAD_BYTES) as u64 <= self.active.head().bytes
    }

    /// Ends the journal and continues in the next one, if there is one.
    fn go_on_in_next(&mut self, bytes: usize) -> Result<(), Refusal> {
        let next = self.shared.storage.journals.take_next().map_err(Refusal::NoNext)?;
        let (head, base) = (self.active.head(), self.sequence.committed().position);
        if self.at < head.bytes {
            // Everything in it is durable before anything states that the next one begins.
            self.active.sync()?;
            self.active.write(&frame::mark(head.generation, base, true), self.at)?;
            self.active.sync()?;
        }
        next.begin(base, self.committed_chain())?;
        // Before the full one may be sealed and its file reused: until then it is the only one that has begun.
        next.sync()?;
        (self.active, self.at) = (self.shared.storage.journals.go_on_in(next), super::journal::head::HEAD_BYTES as u64);
        self.durable = base;
        if self.fits(bytes) { Ok(()) } else { Err(Refusal::Failed(format!("{bytes} bytes do not fit an empty journal"))) }
    }

    fn committed_chain(&self) -> block::Chain {
        self.shared.index.read().chain
    }

    fn sync(&mut self) -> Result<(), Refusal> {
        self.active.sync().map_err(|error| Refusal::Failed(format!("fdatasync failed: {error}")))
    }

    /// Publishes what is now recorded: heads, the tail, the newest position.
    fn publish(&mut self, answers: &[Answer], sizes: &[u32], places: &[Placed], started: Instant) {
        if sizes.is_empty() {
            return;
        }
        places.iter().for_each(|(range, at, bytes)| self.active.add(*range, *at, *bytes));
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
        if self.durability == Durability::Sync {
            self.durable = position;
        }
        self.shared.is_stuck.store(false, Ordering::Relaxed);
        self.shared.committed.store(position.0, Ordering::Release);
        self.count(sizes.len(), position, started);
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats; no count comes near 2^52")]
    fn count(&self, events: usize, position: Position, started: Instant) {
        self.shared.groups.fetch_add(1, Ordering::Relaxed);
        self.shared.events.fetch_add(events as u64, Ordering::Relaxed);
        metrics::histogram!("aisled_append_seconds").record(started.elapsed());
        metrics::histogram!("aisled_append_batch_events").record(events as f64);
        metrics::gauge!("aisled_log_position").set(position.0 as f64);
    }

    /// A failed write is final: what the disk holds now is unknown until the log is opened again. Where nothing was written for want of room,
    /// the next group is tried again.
    fn refuse(&mut self, refusal: &Refusal, answers: &mut [Answer]) {
        self.forget_group();
        let (placed, refused) = match refusal {
            Refusal::NoNext(NoNext { reason }) => {
                if !self.shared.is_stuck.swap(true, Ordering::Relaxed) {
                    tracing::error!(reason, "cannot switch to the next journal: commands are refused until it can");
                }
                (AppendError::NoRoom(reason.clone()), AppendError::NoRoom(reason.clone()))
            }
            Refusal::Failed(reason) => {
                self.shared.fail(reason);
                (AppendError::Unknown(reason.clone()), AppendError::ReadOnly(reason.clone()))
            }
        };
        // A conflict may be with an append of the same group, which was not recorded either.
        answers.iter_mut().for_each(|(_, answer)| *answer = Err(if answer.is_ok() { placed.clone() } else { refused.clone() }));
    }

    /// Rolls back what was placed and sealed but not recorded.
    fn forget_group(&mut self) {
        self.sequence.roll_back();
        self.filling = Filling::default();
        self.sealer.go_back_to(self.committed_chain());
    }

    /// When something is due without new appends.
    fn next_due(&self) -> Option<Duration> {
        let settling = (!self.is_settled && self.durability == Durability::Sync).then_some(SETTLE_AFTER);
        self.sync_due().or(settling)
    }

    fn sync_due(&self) -> Option<Duration> {
        match (self.durability, self.unsynced_since) {
            (Durability::Periodic(every), Some(since)) => Some(every.saturating_sub(since.elapsed())),
            _ => None,
        }
    }

    fn sync_if_due(&mut self) {
        if self.sync_due().is_some_and(|due| due.is_zero()) {
            self.sync_all();
        }
    }

    fn sync_all(&mut self) {
        self.unsynced_since = None;
        match self.active.sync() {
            Ok(()) => self.durable = self.sequence.committed().position,
            Err(error) => self.shared.fail(&format!("fdatasync failed: {error}")),
        }
    }

    /// Makes everything durable and states so in the journal.
    fn settle(&mut self) {
        let periodic = matches!(self.durability, Durability::Periodic(_)) && !self.queue.is_closed();
        if self.is_settled || periodic || self.shared.fault.get().is_some() {
            return;
        }
        self.sync_all();
        let mark = frame::mark(self.active.head().generation, self.durable, false);
        if self.shared.fault.get().is_some() || !self.fits(mark.len()) {
            return;
        }
        match self.active.write(&mark, self.at).and_then(|()| self.active.sync()) {
            Ok(()) => (self.at, self.is_settled) = (self.at + mark.len() as u64, true),
            Err(error) => self.shared.fail(&format!("the journal cannot be written: {error}")),
        }
    }
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
                write_opening(raw, event.previous, event.at, &Author::of(event));
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

/// Whether one command's encoded events fit a block, and their bytes if not.
pub fn check_size(bodies: &[u8]) -> Result<(), AppendError> {
    if bodies.len() > block::RAW_BYTES_MAX {
        return Err(AppendError::TooLarge { bytes: bodies.len(), bytes_max: block::RAW_BYTES_MAX });
    }
    Ok(())
}
