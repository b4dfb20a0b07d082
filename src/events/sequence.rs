//! Assigns appends their place, the same way in every log: checks the expected version, numbers the events and links them to their stream.
//! What is placed is staged: the next placement sees it, but only `commit` makes it visible to others.

use std::{collections::HashMap, sync::Arc};

use super::{
    envelope::{Position, Recorded},
    heads::{Heads, StreamKey},
    log::{Append, AppendError, Appended, StreamHead},
};
use crate::domain::Moment;

/// A newest event that is ahead of the clock by more was stamped by a clock that was wrong.
pub const STEP_BACK_MICROS: i64 = 3_600_000_000;

/// The log's newest position and its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    pub position: Position,
    pub at: Moment,
}

/// The committed mark of the log, and what is staged on top of it.
#[derive(Debug, Default)]
pub struct Sequence {
    committed: Mark,
    next: Mark,
    /// First events after the clock was set back, staged.
    steps: Vec<Position>,
    staged: HashMap<StreamKey, StreamHead, ahash::RandomState>,
}

impl Sequence {
    /// Continues after the newest event of a log.
    #[must_use]
    pub fn after(committed: Mark) -> Self {
        Self { committed, next: committed, steps: Vec::new(), staged: HashMap::default() }
    }

    /// Places one command's events after all others, or reports the version its stream really has.
    ///
    /// # Errors
    /// `Conflict`; nothing is staged then.
    pub fn place(&mut self, append: Append, key: StreamKey, heads: &Heads, now: Moment) -> Result<Appended, AppendError> {
        let head = self.staged.get(&key).copied().or_else(|| heads.get(key));
        let actual = head.map_or(0, |head| head.version);
        if actual != append.expected_version {
            return Err(AppendError::Conflict { stream: append.stream, expected: append.expected_version, actual });
        }
        self.tell_time(now);
        let mut previous = head.map(|head| head.position);
        let mut version = actual;
        let Append { stream, who, by, command, client, events, .. } = append;
        let placed = events.into_iter().map(|event| {
            version += 1;
            self.next.position = self.next.position.next();
            let position = self.next.position;
            let (stream, who, by, command, client) = (stream.clone(), who.clone(), by.clone(), command.clone(), client.clone());
            let link = previous.replace(position);
            Arc::new(Recorded { position, stream, version, previous: link, at: self.next.at, who, by, command, client, event })
        });
        let placed: Appended = placed.collect();
        if let Some(newest) = placed.last() {
            self.staged.insert(key, StreamHead { version: newest.version, position: newest.position });
        }
        Ok(placed)
    }

    /// The order of events is that of their positions. Their time follows the clock, and stands still while the clock is a little behind; a
    /// clock that was set back by more must not stamp everything from then on with the future, so there time steps back, once.
    fn tell_time(&mut self, now: Moment) {
        if self.next.at.0.saturating_sub(now.0) > STEP_BACK_MICROS {
            self.steps.push(self.next.position.next());
            self.next.at = now;
        }
        self.next.at = self.next.at.max(now);
    }

    /// Where staged events step back in time; asked before they are written.
    pub fn take_steps(&mut self) -> Vec<Position> {
        std::mem::take(&mut self.steps)
    }

    /// Commits everything staged.
    pub fn commit(&mut self, heads: &mut Heads) {
        for (key, head) in self.staged.drain() {
            heads.set(key, head.version, head.position);
        }
        self.committed = self.next;
    }

    /// Drops everything staged.
    pub fn roll_back(&mut self) {
        self.staged.clear();
        self.steps.clear();
        self.next = self.committed;
    }

    /// The newest committed mark.
    #[must_use]
    pub fn committed(&self) -> Mark {
        self.committed
    }
}
