//! The storage of observations: in the order in which they came, each with the number of the one observed before it at its place.
//! Nothing is ever moved, so a price costs the same however many are known.

use serde::{Deserialize, Serialize};

use super::{
    interner::{NONE, as_number},
    observation::{Observation, Slot},
};
use crate::domain::Moment;

/// Cells of a chunk: a third of a megabyte, because one vector of all would be copied whenever it grows.
const CHUNK: usize = 1 << 13;

/// All cells, by number.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cells {
    chunks: Vec<Vec<Cell>>,
}

/// An observation in 40 bytes: its slot is known from the start of the search.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Cell {
    /// The observation before it of the same slot; `NONE` for the oldest.
    before: u32,
    validity: u32,
    observed_at: Moment,
    recorded_at: Moment,
    position: u64,
    packed: u64,
}

impl Cells {
    /// Keeps an observation; returns its number.
    pub fn push(&mut self, observation: &Observation, before: u32) -> u32 {
        if self.chunks.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        let chunks = self.chunks.len() - 1;
        let chunk = &mut self.chunks[chunks];
        chunk.push(Cell::new(observation, before));
        as_number(chunks * CHUNK + chunk.len() - 1)
    }

    /// The observation with a number.
    #[must_use]
    pub fn get(&self, slot: Slot, number: u32) -> Observation {
        self.cell(number).observation(slot)
    }

    /// An observation and those before it, newest first; `NONE` begins nowhere.
    pub fn back_from(&self, slot: Slot, newest: u32) -> impl Iterator<Item = Observation> + '_ {
        let mut next = newest;
        std::iter::from_fn(move || {
            if next == NONE {
                return None;
            }
            let cell = self.cell(next);
            next = cell.before;
            Some(cell.observation(slot))
        })
    }

    /// Links an observation in after newer ones, or in place of the one of its moment unless that stays; true when it is then the newest.
    /// Returns what no longer counts.
    pub fn insert_late(
        &mut self,
        newest: &mut u32,
        new: &Observation,
        stays: impl Fn(&Observation) -> bool,
        mut superseded: impl FnMut(Observation),
    ) -> bool {
        // The two cells after its place, nearest first.
        let (mut after, mut beyond, mut at) = (NONE, NONE, *newest);
        while at != NONE && self.cell(at).observed_at > new.observed_at {
            (beyond, after, at) = (after, at, self.cell(at).before);
        }
        if at != NONE && self.cell(at).observed_at == new.observed_at {
            if stays(&self.cell(at).observation(new.slot)) {
                return false;
            }
            superseded(self.cell(at).observation(new.slot));
            *self.cell_mut(at) = Cell::new(new, self.cell(at).before);
        } else {
            at = self.push(new, at);
        }
        // A price stated again for exactly the moment of a withdrawn one also corrects the withdrawal.
        if after != NONE && !new.is_withdrawal() && self.cell(after).withdraws(new.observed_at) {
            superseded(self.cell(after).observation(new.slot));
            after = beyond;
        }
        if after == NONE {
            *newest = at;
        } else {
            self.cell_mut(after).before = at;
        }
        after == NONE
    }

    fn cell(&self, number: u32) -> &Cell {
        &self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }

    fn cell_mut(&mut self, number: u32) -> &mut Cell {
        &mut self.chunks[number as usize / CHUNK][number as usize % CHUNK]
    }
}

impl Cell {
    fn new(observation: &Observation, before: u32) -> Self {
        let &Observation { validity, observed_at, recorded_at, position, packed, .. } = observation;
        Self { before, validity, observed_at, recorded_at, position, packed }
    }

    fn observation(&self, slot: Slot) -> Observation {
        let &Self { validity, observed_at, recorded_at, position, packed, .. } = self;
        Observation { slot, validity, observed_at, recorded_at, position, packed }
    }

    /// Whether it withdraws the price of a moment.
    fn withdraws(&self, observed_at: Moment) -> bool {
        self.observation(Slot::ANY).is_withdrawal() && self.observed_at.0 == observed_at.0.saturating_add(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_takes_forty_bytes() {
        assert_eq!(size_of::<Cell>(), 40);
    }
}
