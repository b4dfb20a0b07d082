//! The history of the long log: the synthetic one, and a few streams that are idle since its first million events.

use aisled::{
    domain::{StreamId, StreamKind},
    events::Append,
};

use super::synthetic::Synthetic;

/// Streams that rest.
pub const RESTING: u64 = 50;
/// They are written within this many events,
const RESTING_WITHIN: u64 = 1_000_000;
/// one at this interval of events, so that each of their events is in another block.
const RESTING_EVERY: u64 = 1_000;

/// Yields one append after the other, without end.
pub struct LongHistory {
    number: u64,
    synthetic: Synthetic,
}

impl LongHistory {
    /// Continues after this many events.
    pub fn after(events: u64, products: u64) -> Self {
        let resting = events.min(RESTING_WITHIN) / RESTING_EVERY;
        Self { number: events, synthetic: Synthetic::with_products(products).after(events - resting) }
    }

    /// How many streams there are so far.
    pub fn streams(&self) -> u64 {
        self.synthetic.streams() + (self.number / RESTING_EVERY).min(RESTING)
    }
}

impl Iterator for LongHistory {
    type Item = Append;

    fn next(&mut self) -> Option<Append> {
        let (turn, last) = (self.number / RESTING_EVERY, self.number % RESTING_EVERY == RESTING_EVERY - 1);
        let rests = self.number < RESTING_WITHIN && last;
        self.number += 1;
        Some(if rests {
            let list = turn % RESTING;
            self.synthetic.list(&resting_id(list), list, turn / RESTING)
        } else {
            self.synthetic.next()
        })
    }
}

/// One of the idle streams.
pub fn resting(number: u64) -> StreamId {
    StreamId::new(StreamKind::List, &resting_id(number)).expect("this holds because the id is short and plain")
}

fn resting_id(number: u64) -> String {
    format!("resting-list-{number}")
}
