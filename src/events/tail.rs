//! The newest events, shared: readers close to the head read from here and never decode.

use std::{collections::VecDeque, sync::Arc};

use parking_lot::RwLock;

use super::envelope::{Position, Recorded};

/// How many events the tail holds; older ones are read from storage.
pub const TAIL_EVENTS_MAX: usize = 16_384;
/// How many stored bytes the tail's events may take; large orders must not make it large. In memory it is about three times that.
const TAIL_BYTES_MAX: usize = 16 << 20;

/// A ring of the newest events without a gap, the newest at the end.
#[derive(Debug, Default)]
pub struct Tail(RwLock<Ring>);

#[derive(Debug, Default)]
struct Ring {
    events: VecDeque<(Arc<Recorded>, u32)>,
    bytes: usize,
}

impl Tail {
    /// Adds committed events, each with its size in bytes, and drops the oldest.
    pub fn push(&self, events: impl IntoIterator<Item = (Arc<Recorded>, u32)>) {
        let mut ring = self.0.write();
        for (event, bytes) in events {
            ring.bytes += bytes as usize;
            ring.events.push_back((event, bytes));
            ring.shrink();
        }
    }

    /// Up to `events_max` events after a position; `None` if the tail no longer reaches back to there.
    #[must_use]
    pub fn read(&self, after: Position, events_max: usize) -> Option<Vec<Arc<Recorded>>> {
        let ring = self.0.read();
        let start = ring.place(after.next())?;
        Some(ring.events.range(start..).take(events_max).map(|(event, _)| Arc::clone(event)).collect())
    }

    /// The event at a position, if the tail holds it.
    #[must_use]
    pub fn get(&self, position: Position) -> Option<Arc<Recorded>> {
        let ring = self.0.read();
        ring.events.get(ring.place(position)?).map(|(event, _)| Arc::clone(event))
    }
}

impl Ring {
    fn shrink(&mut self) {
        while self.events.len() > TAIL_EVENTS_MAX || (self.bytes > TAIL_BYTES_MAX && self.events.len() > 1) {
            if let Some((_, bytes)) = self.events.pop_front() {
                self.bytes -= bytes as usize;
            }
        }
    }

    /// Where a position is in the ring, or directly after its end.
    fn place(&self, position: Position) -> Option<usize> {
        let (first, _) = self.events.front()?;
        let place = usize::try_from(position.0.checked_sub(first.position.0)?).ok()?;
        (place <= self.events.len()).then_some(place)
    }
}
