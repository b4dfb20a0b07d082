//! For the tests of deciders: given events, when a command, then events or a refusal.

use std::ops::Range;

use super::{
    Context, Decision, Entity, Fact, Moment, Outcome, Principal, Refusal, StreamId,
    changes::{Change, trace},
    undo::{Happened, Planned, Undo, plan},
};

/// The arrival of every command in these tests: 2024-01-01T00:00:00Z.
pub(crate) const NOW: Moment = Moment(1_704_067_200_000_000);

/// An entity with the events so far.
#[derive(Debug)]
pub(crate) struct Given<E: Entity> {
    pub state: E::State,
    pub events: Vec<E::Event>,
}

/// An entity without events.
pub(crate) fn nothing<E: Entity>() -> Given<E> {
    Given { state: E::State::default(), events: Vec::new() }
}

impl<E: Entity> Given<E> {
    /// Adds events that happened.
    pub fn event(mut self, event: E::Event) -> Self {
        self.record(event);
        self
    }

    /// Sends a command, whatever its outcome.
    pub fn after(mut self, command: &E::Command) -> Self {
        let _ = self.tell(command);
        self
    }

    /// Sends a command and records its events.
    pub fn tell(&mut self, command: &E::Command) -> Result<Decision<E::Event>, Refusal> {
        let decision = self.when(command)?;
        assert_eq!(decision.events.is_empty(), decision.outcome == Outcome::Unchanged, "no events exactly when unchanged");
        decision.events.iter().cloned().for_each(|event| self.record(event));
        Ok(decision)
    }

    /// What a command would lead to now.
    pub fn when(&self, command: &E::Command) -> Result<Decision<E::Event>, Refusal> {
        E::decide(&self.state, command, &Context::new(tester(), NOW))
    }

    /// The code of the refusal, or the outcome's name.
    pub fn code(&self, command: &E::Command) -> &'static str {
        match self.when(command) {
            Ok(Decision { outcome: Outcome::Applied, .. }) => "applied",
            Ok(Decision { outcome: Outcome::Merged, .. }) => "merged",
            Ok(Decision { outcome: Outcome::Unchanged, .. }) => "unchanged",
            Err(refusal) => refusal.code,
        }
    }

    fn record(&mut self, event: E::Event) {
        let version = self.events.len() as u64 + 1;
        E::evolve(&mut self.state, &event, &Fact { who: &tester(), at: NOW, position: version, version });
        self.events.push(event);
    }
}

impl<E: Undo> Given<E> {
    /// What it would take to undo the command whose events are these, the first being number 0.
    pub fn undo(&self, command: Range<usize>) -> Result<Planned<E>, Refusal> {
        let who = tester();
        let happened = |(version, event): (u64, _)| Happened { event, fact: Fact { who: &who, at: NOW, position: version, version } };
        let history: Vec<_> = (1..).zip(&self.events).map(happened).collect();
        let context = Context::new(who.clone(), NOW);
        plan::<E>(&StreamId::new(E::KIND, "x").unwrap(), &history, command, &self.state, &context)
    }

    /// The commands that undo the newest event.
    pub fn undone(&self) -> Result<Vec<E::Command>, Refusal> {
        let newest = self.events.len() - 1;
        self.undo(newest..newest + 1).map(|planned| planned.commands)
    }

    /// The code of the refusal to undo one event, or nothing.
    pub fn undo_code(&self, event: usize) -> &'static str {
        self.undo(event..event + 1).map_or_else(|refusal| refusal.code, |_| "")
    }

    /// Records what undoes a command.
    pub fn after_undo(mut self, command: Range<usize>) -> Self {
        let planned = self.undo(command).unwrap();
        planned.events.into_iter().for_each(|event| self.record(event));
        self
    }

    /// What the newest event changed, as `item/field: before > after`.
    pub fn changed(&self) -> Vec<String> {
        let (newest, earlier) = self.events.split_last().unwrap();
        let fact = Fact { who: &tester(), at: NOW, position: 0, version: 0 };
        trace::<E>(&mut replay::<E>(earlier), newest, &fact).iter().map(change_text).collect()
    }
}

fn change_text(Change { item, field, before, after }: &Change) -> String {
    let item = item.as_ref().map(|item| format!("{item}/")).unwrap_or_default();
    format!("{item}{field}: {before} > {after}")
}

/// The state that these events lead to.
pub(crate) fn replay<E: Entity>(events: &[E::Event]) -> E::State {
    events.iter().cloned().fold(nothing::<E>(), Given::event).state
}

/// The state after a round trip through the bytes of a checkpoint.
pub(crate) fn stored<E: Entity>(state: &E::State) -> E::State {
    rmp_serde::from_slice(&rmp_serde::to_vec_named(state).unwrap()).unwrap()
}

fn tester() -> Principal {
    Principal::new("tester").unwrap()
}
