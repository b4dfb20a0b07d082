//! Entities of any kind that decide commands in JSON.

use std::any::Any;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    domain::{
        Context, Decision, Entity, Moment, Outcome, Refusal, RefusalKind, StreamId, StreamKind,
        household::Households,
        list::{List, ListState, Lists},
        order::Orders,
        product::Products,
        store::Stores,
        system::System,
    },
    events::{Position, Recorded},
};

/// An entity of any kind: its state, and the head of its stream.
pub trait AnyEntity {
    fn apply(&mut self, recorded: &Recorded);

    /// Decides a command; the events are placed after `newest` and recorded at `at`, but not applied.
    fn decide(
        &self,
        stream: &StreamId,
        command: &Value,
        context: &Context,
        newest: Position,
        at: Moment,
    ) -> Result<(Outcome, Vec<Recorded>), Refusal>;

    /// The list, if it is one that exists.
    fn list(&self) -> Option<&List>;
}

/// The entity of a stream of a kind, before its first event.
pub fn entity_of(kind: StreamKind) -> Box<dyn AnyEntity> {
    match kind {
        StreamKind::List => Box::new(Hypothetical::<Lists>::default()),
        StreamKind::Product => Box::new(Hypothetical::<Products>::default()),
        StreamKind::Order => Box::new(Hypothetical::<Orders>::default()),
        StreamKind::Household => Box::new(Hypothetical::<Households>::default()),
        StreamKind::Store => Box::new(Hypothetical::<Stores>::default()),
        StreamKind::System => Box::new(Hypothetical::<System>::default()),
    }
}

struct Hypothetical<E: Entity> {
    state: E::State,
    version: u64,
    last: Option<Position>,
}

impl<E: Entity> Default for Hypothetical<E> {
    fn default() -> Self {
        Self { state: E::State::default(), version: 0, last: None }
    }
}

impl<E: Entity> AnyEntity for Hypothetical<E>
where
    E::Command: DeserializeOwned,
{
    fn apply(&mut self, recorded: &Recorded) {
        if let Some(event) = E::own(&recorded.event) {
            E::evolve(&mut self.state, event, &recorded.fact());
        }
        (self.version, self.last) = (recorded.version, Some(recorded.position));
    }

    fn decide(
        &self,
        stream: &StreamId,
        command: &Value,
        context: &Context,
        newest: Position,
        at: Moment,
    ) -> Result<(Outcome, Vec<Recorded>), Refusal> {
        let unreadable = |error: serde_json::Error| Refusal::new(RefusalKind::Invalid, "malformed_command", error.to_string());
        let command: E::Command = serde_json::from_value(command.clone()).map_err(unreadable)?;
        E::check_own(stream.id(), &command)?;
        let Decision { outcome, events } = E::decide(&self.state, &command, context)?;
        let (mut version, mut previous, mut position) = (self.version, self.last, newest);
        let place = |event: E::Event| {
            (version, position) = (version + 1, position.next());
            let link = previous.replace(position);
            let who = context.who.clone();
            Recorded {
                position,
                stream: stream.clone(),
                version,
                previous: link,
                at,
                who,
                command: None,
                client: None,
                event: event.into(),
            }
        };
        Ok((outcome, events.into_iter().map(place).collect()))
    }

    fn list(&self) -> Option<&List> {
        (&self.state as &dyn Any).downcast_ref::<ListState>().and_then(ListState::list)
    }
}
