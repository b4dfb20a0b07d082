//! What is left of a damaged log: which positions whole blocks hold, which are missing, and how far the chain is whole.

use super::{chain::Walk, pool::Pool};
use crate::events::{Position, sled_log::witness::Seen};

/// Positions that no whole block holds, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Gap {
    pub from: Position,
    pub to: Position,
}

/// What is left, and what is not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Survey {
    /// Whole blocks, wherever they are.
    pub blocks: usize,
    /// The last position up to which the chain is whole: so far a log can be made again.
    pub whole_to: Position,
    /// The last position of any whole block.
    pub seen: Position,
    /// The last position that is known to have been acknowledged.
    pub acknowledged: Option<Position>,
    /// All positions up to the last one known that are in no whole block.
    pub missing: Vec<Gap>,
    /// Whole blocks behind the end of the chain: readable, but no part of a log that is made again.
    pub blocks_behind: usize,
}

impl Survey {
    pub(super) fn of(pool: &Pool, seen: Option<&Seen>) -> Result<Self, String> {
        let mut walk = Walk::new(pool);
        while walk.step()?.is_some() {}
        let whole_to = walk.reached().0;
        let acknowledged = seen.map(|seen| seen.position).filter(|position| *position > Position::START);
        Ok(Self {
            blocks: pool.all().count(),
            whole_to,
            seen: pool.all().map(|found| found.header.last()).max().unwrap_or_default(),
            acknowledged,
            missing: gaps(pool, acknowledged.unwrap_or_default()),
            blocks_behind: pool.all().filter(|found| found.header.first > whole_to).count(),
        })
    }

    /// The last position that is known of in any way.
    #[must_use]
    pub fn known(&self) -> Position {
        self.seen.max(self.acknowledged.unwrap_or_default())
    }

    /// Whether a log can be made again that has everything.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.whole_to == self.known()
    }
}

fn gaps(pool: &Pool, known: Position) -> Vec<Gap> {
    let (mut gaps, mut last) = (Vec::new(), Position::START);
    for found in pool.all() {
        if found.header.first > last.next() {
            gaps.push(Gap { from: last.next(), to: Position(found.header.first.0 - 1) });
        }
        last = last.max(found.header.last());
    }
    if known > last {
        gaps.push(Gap { from: last.next(), to: known });
    }
    gaps
}
