//! Entities of any kind that decide commands in JSON.

use std::any::Any;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    domain::{
        Context, Decision, Entity, Moment, Outcome, ProductId, Refusal, RefusalKind, StreamId, StreamKind,
        codes::{CodeIdentity, ProductCode},
        entities::entities,
        list::{List, ListState},
        references::{Found, Referent, Refers, code_taken},
    },
    events::{Position, Recorded},
};

/// An entity of any kind: its state, and the head of its stream.
pub trait AnyEntity {
    fn apply(&mut self, recorded: &Recorded);

    /// Decides a command, with the same rules about other entities as a server has; the events get the positions after `newest` and are
    /// recorded at `at`, but not applied.
    fn decide(
        &self,
        stream: &StreamId,
        command: &Value,
        context: &Context,
        others: &Others<'_>,
        newest: Position,
        at: Moment,
    ) -> Result<(Outcome, Vec<Recorded>), Refusal>;

    /// The list, if it is one that exists.
    fn list(&self) -> Option<&List>;
}

/// What a command may need to know of other entities.
pub struct Others<'a> {
    pub find: &'a dyn Fn(Referent<'_>) -> Found,
    /// The product that has a code.
    pub holder: &'a dyn Fn(CodeIdentity) -> Option<ProductId>,
}

/// The entity of a stream of a kind, before its first event.
pub fn entity_of(kind: StreamKind) -> Box<dyn AnyEntity> {
    entities!(kind kind, E => Box::new(Hypothetical::<E>::default()))
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
        recorded.evolve::<E>(&mut self.state);
        (self.version, self.last) = (recorded.version, Some(recorded.position));
    }

    fn decide(
        &self,
        stream: &StreamId,
        command: &Value,
        context: &Context,
        others: &Others<'_>,
        newest: Position,
        at: Moment,
    ) -> Result<(Outcome, Vec<Recorded>), Refusal> {
        let unreadable = |error: serde_json::Error| Refusal::new(RefusalKind::Invalid, "malformed_command", error.to_string());
        let command: E::Command = serde_json::from_value(command.clone()).map_err(unreadable)?;
        command.references().iter().try_for_each(|reference| reference.check((others.find)(reference.to)))?;
        let taken = |code: &ProductCode| {
            let holder = (others.holder)(code.identity()).filter(|holder| holder.as_str() != stream.id())?;
            Some(code_taken(code, &holder))
        };
        command.codes().iter().find_map(taken).map_or(Ok(()), Err)?;
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
                by: context.by.clone(),
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
