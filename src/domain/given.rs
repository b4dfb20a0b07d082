//! For the tests of deciders: given events, when a command, then events or a refusal.

use super::{Context, Decision, Entity, Fact, Moment, Outcome, Principal, Refusal};

/// When every command of these tests arrives: 2024-01-01T00:00:00Z.
pub(crate) const NOW: Moment = Moment(1_704_067_200_000_000);

/// An entity that has come this far.
#[derive(Debug)]
pub(crate) struct Given<E: Entity> {
    pub state: E::State,
    pub events: Vec<E::Event>,
}

/// An entity to which nothing has happened yet.
pub(crate) fn nothing<E: Entity>() -> Given<E> {
    Given { state: E::State::default(), events: Vec::new() }
}

impl<E: Entity> Given<E> {
    /// After this has happened too.
    pub fn event(mut self, event: E::Event) -> Self {
        self.record(event);
        self
    }

    /// After this was commanded too, whatever came of it.
    pub fn after(mut self, command: &E::Command) -> Self {
        let _ = self.tell(command);
        self
    }

    /// Commands it and records what comes of it.
    pub fn tell(&mut self, command: &E::Command) -> Result<Decision<E::Event>, Refusal> {
        let decision = self.when(command)?;
        assert_eq!(decision.events.is_empty(), decision.outcome == Outcome::Unchanged, "no events exactly when unchanged");
        decision.events.iter().cloned().for_each(|event| self.record(event));
        Ok(decision)
    }

    /// What would come of a command now.
    pub fn when(&self, command: &E::Command) -> Result<Decision<E::Event>, Refusal> {
        E::decide(&self.state, command, &Context { who: tester(), at: NOW })
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

/// The state that these events amount to.
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
