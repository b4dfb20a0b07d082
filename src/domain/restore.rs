//! Brings an entity back to what it was at a moment, by new commands: nothing that happened since is erased.

use serde::Serialize;

use super::{Context, Refusal, StreamId, changes::Traced, undo::Planned};

/// An entity that can be brought back.
pub trait Restorable: Traced + Sized {
    /// The differences of two moments.
    type Diff: Serialize + Send + 'static;

    /// What differs from one moment to another.
    fn diff(from: &Self::State, to: &Self::State) -> Self::Diff;

    /// The commands that lead from now to a past state, and what they cannot express.
    fn restore(now: &Self::State, past: &Self::State, stream: &StreamId, version: u64, context: &Context) -> Restored<Self>;
}

/// How an entity can be brought back.
#[derive(Debug)]
pub struct Restored<E: Traced> {
    pub plan: Planned<E>,
    /// What stays different, and why; sentences.
    pub notes: Vec<String>,
}

/// Collects the commands, each decided on the result of those before it.
pub(super) struct Restoring<'a, E: Traced> {
    pub restored: Restored<E>,
    stream: &'a StreamId,
    context: &'a Context,
}

impl<'a, E: Traced> Restoring<'a, E> {
    pub(super) fn from(now: &E::State, stream: &'a StreamId, context: &'a Context) -> Self {
        Self { restored: Restored { plan: Planned::on(now.clone()), notes: Vec::new() }, stream, context }
    }

    /// The state so far.
    pub(super) fn state(&self) -> &E::State {
        &self.restored.plan.after
    }

    /// Adds a command; a refused one becomes a note that begins with what was wanted.
    pub(super) fn command(&mut self, command: E::Command, wanted: impl FnOnce() -> String) {
        if let Err(refusal) = self.attempt(command) {
            self.note(format!("{}: {}", wanted(), refusal.detail));
        }
    }

    pub(super) fn note(&mut self, note: String) {
        self.restored.notes.push(note);
    }

    fn attempt(&mut self, command: E::Command) -> Result<(), Refusal> {
        self.restored.plan.take(self.stream, command, self.context)
    }
}
