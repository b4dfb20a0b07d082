//! What every decider takes and returns: the context of a command, and an outcome with events or a refusal.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Entity, ids::Principal, moment::Moment, rights::Rights};

/// Who sent the command, when it arrived, and with which rights. Passed in, so that deciders need no clock and no accounts.
#[derive(Debug, Clone)]
pub struct Context {
    pub who: Principal,
    /// Who really sent it, acting for `who`. No rule depends on it: it is only recorded.
    pub by: Option<Principal>,
    pub at: Moment,
    pub rights: Rights,
}

impl Context {
    /// Of the server's own work, and of its admins.
    #[must_use]
    pub fn of_admin(who: Principal, at: Moment) -> Self {
        Self { who, by: None, at, rights: Rights::Admin }
    }
}

/// What the log knows of an event besides its content; `evolve` may record it in the state.
#[derive(Debug, Clone, Copy)]
pub struct Fact<'a> {
    pub who: &'a Principal,
    /// When the log recorded it.
    pub at: Moment,
    /// The global position in the log.
    pub position: u64,
    /// The version in the event's own stream, from 1.
    pub version: u64,
}

/// The outcome of an accepted command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It changed something.
    Applied,
    /// It was joined with what was already there.
    Merged,
    /// It was already so; nothing was recorded.
    Unchanged,
}

/// An accepted command: its outcome and its events. No events exactly when `Unchanged`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision<E> {
    pub outcome: Outcome,
    pub events: Vec<E>,
}

impl<E> Decision<E> {
    /// One event, applied.
    #[must_use]
    pub fn applied(event: E) -> Self {
        Self { outcome: Outcome::Applied, events: vec![event] }
    }

    /// One event that joins the command with what was already there.
    #[must_use]
    pub fn merged(event: E) -> Self {
        Self { outcome: Outcome::Merged, events: vec![event] }
    }

    /// Nothing to record.
    #[must_use]
    pub fn unchanged() -> Self {
        Self { outcome: Outcome::Unchanged, events: Vec::new() }
    }
}

/// Decides several commands in order as one, each on the result of those before it: all are accepted or none.
/// The first refusal decides.
///
/// # Errors
/// The refusal of the first command that is refused.
pub fn decide_all<E: Entity>(state: &E::State, commands: &[E::Command], context: &Context) -> Result<Decision<E::Event>, Refusal> {
    let (mut state, mut decided) = (state.clone(), Decision::unchanged());
    for command in commands {
        let Decision { outcome, events } = E::decide(&state, command, context)?;
        for event in &events {
            // Its position is not known yet, and no rule of the same command needs it.
            E::evolve(&mut state, event, &Fact { who: &context.who, at: context.at, position: 0, version: 0 });
        }
        if decided.outcome == Outcome::Unchanged {
            decided.outcome = outcome;
        }
        decided.events.extend(events);
    }
    Ok(decided)
}

/// What kind of refusal it is; the edge maps each kind to one status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// The named thing does not exist (404).
    NotFound,
    /// It exists, but its state forbids this (409).
    Conflict,
    /// The command itself cannot be right (422).
    Invalid,
    /// This principal may not do it (403).
    Forbidden,
    /// It contradicts itself, or names a point that the log does not have (400).
    Malformed,
}

/// A command refused by a rule of the domain: nothing was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    pub kind: RefusalKind,
    /// Stable, in snake case; clients may match on it.
    pub code: &'static str,
    /// A sentence that a person can act on.
    pub detail: String,
    /// JSON pointer to the field at fault, such as `/quantity/amount` or `/lines/3/charged`.
    pub pointer: Option<Cow<'static, str>>,
}

impl Refusal {
    /// A refusal that points at no field.
    #[must_use]
    pub fn new(kind: RefusalKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { kind, code, detail: detail.into(), pointer: None }
    }

    /// The same refusal, pointing at the field at fault.
    #[must_use]
    pub fn at(mut self, pointer: impl Into<Cow<'static, str>>) -> Self {
        self.pointer = Some(pointer.into());
        self
    }
}
