//! The states an import decides against: folded from the log, evolved ahead of the answers.
//!
//! Evolving before the log has answered is sound here because nobody else writes or reads: if an append fails, the import
//! ends or refuses the rest of that stream, and the states end with the process.

use ahash::AHashMap;

use super::Failed;
use crate::{
    domain::{Context, Entity, Fact, StreamId},
    events::{Append, Log, Recorded},
};

/// States kept of one kind of entity; beyond it all are dropped and read from the log as needed.
const STATES_MAX: usize = 1_000_000;
/// The same for kinds that are looked up: each is needed only briefly.
const STATES_LOOKED_UP_MAX: usize = 4_096;
/// Events of one stream read at a time.
const READ_EVENTS: usize = 1_024;

/// The states of one kind of entity by id.
pub(super) struct Entities<E: Entity> {
    known: AHashMap<Box<str>, Versioned<E::State>>,
    /// Whether an id that is missing here does not exist.
    complete: bool,
    states_max: usize,
}

struct Versioned<S> {
    state: S,
    version: u64,
}

impl<S: Default> Default for Versioned<S> {
    fn default() -> Self {
        Self { state: S::default(), version: 0 }
    }
}

impl<E: Entity> Entities<E> {
    /// Will be folded from the whole log first.
    pub(super) fn folded() -> Self {
        Self { known: AHashMap::new(), complete: true, states_max: STATES_MAX }
    }

    /// Read one by one when needed.
    pub(super) fn looked_up() -> Self {
        Self { known: AHashMap::new(), complete: false, states_max: STATES_LOOKED_UP_MAX }
    }

    pub(super) fn is_full(&self) -> bool {
        self.known.len() >= self.states_max
    }

    /// Drops all states if they are too many. Everything decided so far must be in the log.
    pub(super) fn shrink(&mut self) {
        if self.is_full() {
            self.known.clear();
            self.complete = false;
        }
    }

    /// Applies a past event, if it is of this kind.
    pub(super) fn fold(&mut self, recorded: &Recorded) {
        if recorded.stream.kind() != E::KIND {
            return;
        }
        if self.is_full() && !self.known.contains_key(recorded.stream.id()) {
            self.complete = false;
            return;
        }
        self.known.entry(recorded.stream.id().into()).or_default().record::<E>(recorded);
    }

    /// The state of one entity, as far as it was decided.
    pub(super) fn state(&mut self, log: &dyn Log, id: &str) -> Result<&E::State, Failed> {
        Ok(&self.versioned(log, id)?.state)
    }

    /// Decides a command and applies its events. `None` if nothing changes.
    pub(super) fn decide(&mut self, log: &dyn Log, id: &str, command: &E::Command, context: &Context) -> Result<Option<Append>, Failed> {
        let known = self.versioned(log, id)?;
        let decision = E::decide(&known.state, command, context).map_err(Failed::Refused)?;
        if decision.events.is_empty() {
            return Ok(None);
        }
        let expected_version = known.version;
        for event in &decision.events {
            let fact = Fact { who: &context.who, at: context.at, position: 0, version: known.version + 1 };
            known.evolve::<E>(event, &fact);
        }
        Ok(Some(Append {
            stream: stream::<E>(id),
            expected_version,
            who: context.who.clone(),
            by: context.by.clone(),
            command: None,
            client: None,
            events: decision.events.into_iter().map(Into::into).collect(),
        }))
    }

    fn versioned(&mut self, log: &dyn Log, id: &str) -> Result<&mut Versioned<E::State>, Failed> {
        if !self.known.contains_key(id) {
            let loaded = if self.complete { Versioned::default() } else { load::<E>(log, id).map_err(Failed::Log)? };
            self.known.insert(id.into(), loaded);
        }
        Ok(self.known.get_mut(id).expect("this holds because it was put there if it was missing"))
    }
}

impl<S> Versioned<S> {
    fn evolve<E: Entity<State = S>>(&mut self, event: &E::Event, fact: &Fact<'_>) {
        E::evolve(&mut self.state, event, fact);
        self.version = fact.version;
    }

    fn record<E: Entity<State = S>>(&mut self, recorded: &Recorded) {
        recorded.evolve::<E>(&mut self.state);
        self.version = recorded.version;
    }
}

fn load<E: Entity>(log: &dyn Log, id: &str) -> Result<Versioned<E::State>, crate::events::LogError> {
    let stream = stream::<E>(id);
    let mut loaded = Versioned::default();
    let Some(head) = log.stream_head(&stream) else { return Ok(loaded) };
    while loaded.version < head.version {
        let events = log.read_stream(&stream, loaded.version, READ_EVENTS)?;
        if events.is_empty() {
            break;
        }
        events.iter().for_each(|recorded| loaded.record::<E>(recorded));
    }
    Ok(loaded)
}

fn stream<E: Entity>(id: &str) -> StreamId {
    StreamId::new(E::KIND, id).expect("this holds because the id was checked when it was made")
}
