//! Room for the awake: what each of them weighs in memory, and who rests when there is no more room. Those that only were read rest first, then
//! those that were used the longest ago, so that reading everything once fills no memory.

use std::{
    io,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use serde::Serialize;

/// What an entity takes beside its state: actor, mailbox, handle and their places in tables. Measured: orders of 1 and of 20 lines that were read
/// take 12.7 and 35.1 kB each, of 112 and 1,274 stored bytes.
const BASE_BYTES: usize = 10_500;
/// How much more a state takes than what is stored of it: the actor's own, the copy that readers share, and its rendered answer.
const FACTOR: usize = 19;
/// What an event adds until the entity is weighed again.
const EVENT_BYTES: usize = 512;
/// Of the room, what is used after some were sent to rest: the more rest at once, the less often somebody looks for them.
const USED_AFTERWARDS: (usize, usize) = (7, 8);

/// What there is room for.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    pub entities: usize,
    pub bytes: usize,
}

/// What is used of it.
#[derive(Debug, Default)]
pub struct Usage {
    /// Entities that somebody can find: alive, and not on their way to rest.
    pub listed: AtomicUsize,
    /// What the listed ones weigh.
    pub bytes: AtomicUsize,
}

/// The weight of one entity, and whether it was only read so far.
#[derive(Debug, Default)]
pub(super) struct Place {
    bytes: AtomicUsize,
    is_commanded: AtomicBool,
    /// It left: its weight counts no more, whatever its actor still does.
    has_left: AtomicBool,
}

impl Place {
    pub(super) fn turn(&self, last_used_micros: i64) -> Turn {
        Turn { is_commanded: self.is_commanded.load(Ordering::Relaxed), last_used_micros }
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    pub(super) fn command(&self) {
        self.is_commanded.store(true, Ordering::Relaxed);
    }

    /// Counts the entity's weight from now on.
    pub(super) fn weigh(&self, bytes: usize, usage: &Usage) {
        let before = self.bytes.swap(bytes, Ordering::AcqRel);
        usage.bytes.fetch_add(bytes, Ordering::Relaxed);
        usage.bytes.fetch_sub(before, Ordering::Relaxed);
        if self.has_left.load(Ordering::Acquire) {
            self.leave(usage);
        }
    }

    pub(super) fn grow(&self, events: usize, usage: &Usage) {
        self.weigh(self.bytes.load(Ordering::Acquire) + events * EVENT_BYTES, usage);
    }

    /// Counts the entity no more.
    pub(super) fn leave(&self, usage: &Usage) {
        self.has_left.store(true, Ordering::Release);
        usage.bytes.fetch_sub(self.bytes.swap(0, Ordering::AcqRel), Ordering::Relaxed);
    }
}

/// What an entity of this state weighs, with the copy and the answer that readers share.
pub(super) fn weight(state: &impl Serialize) -> usize {
    let mut counted = Counted(0);
    // A state that cannot be stored has no memo either; it weighs what every entity does.
    let _ = rmp_serde::encode::write(&mut counted, state);
    BASE_BYTES + FACTOR * counted.0
}

/// Counts bytes and keeps none.
struct Counted(usize);

impl io::Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Who rests first: those that were only read, then by when they were used last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Turn {
    is_commanded: bool,
    last_used_micros: i64,
}

/// Those who might rest, with their weights.
pub(super) type Candidates = Vec<(Turn, usize)>;

/// Whether there is no room for one more.
pub(super) fn is_full(room: Room, usage: &Usage) -> bool {
    usage.listed.load(Ordering::Relaxed) >= room.entities || usage.bytes.load(Ordering::Relaxed) >= room.bytes
}

/// The last one's turn among those who must rest so that there is room again; `None` if nobody must.
pub(super) fn last_to_rest(mut candidates: Candidates, room: Room, usage: &Usage) -> Option<Turn> {
    let (of, parts) = USED_AFTERWARDS;
    let excess = |used: usize, most: usize| if used < most { 0 } else { used - most / parts * of };
    let mut entities = excess(usage.listed.load(Ordering::Relaxed), room.entities);
    let mut bytes = excess(usage.bytes.load(Ordering::Relaxed), room.bytes);
    candidates.sort_unstable();
    let mut last = None;
    for (turn, weight) in candidates {
        if entities == 0 && bytes == 0 {
            break;
        }
        (entities, bytes) = (entities.saturating_sub(1), bytes.saturating_sub(weight));
        last = Some(turn);
    }
    last
}
