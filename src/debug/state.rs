//! Any entity's state, folded from its stream, as JSON with its phase next to its fields.

use std::fmt::Debug;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    checkpoint,
    domain::{Entity, StreamKind, entities::entities},
    events::Recorded,
};

/// The state of an entity of any kind.
pub trait AnyState: Debug {
    /// Applies an event; one of another kind of stream changes nothing.
    fn apply(&mut self, recorded: &Recorded);

    /// The state as JSON: `phase` and the fields of that phase.
    fn to_json(&self) -> Value;

    /// The BLAKE3 digest of the state, in hex.
    fn digest(&self) -> String;

    /// A copy to continue from.
    fn boxed_clone(&self) -> Box<dyn AnyState>;
}

/// The state before the first event of a stream of a kind.
#[must_use]
pub fn state_of(kind: StreamKind) -> Box<dyn AnyState> {
    entities!(kind kind, E => Box::new(Folded::<E>::default()))
}

#[derive(Debug)]
struct Folded<E: Entity>(E::State);

impl<E: Entity> Default for Folded<E> {
    fn default() -> Self {
        Self(E::State::default())
    }
}

impl<E: Entity + Debug> AnyState for Folded<E> {
    fn apply(&mut self, recorded: &Recorded) {
        recorded.evolve::<E>(&mut self.0);
    }

    fn to_json(&self) -> Value {
        state_json(&self.0)
    }

    fn digest(&self) -> String {
        checkpoint::digest(&self.to_json().to_string())
    }

    fn boxed_clone(&self) -> Box<dyn AnyState> {
        Box::new(Self(self.0.clone()))
    }
}

/// serde shows a phase as `{"Active": {fields}}`; here it is a field like the others, so that paths lead through every phase.
#[must_use]
pub fn state_json(state: &impl Serialize) -> Value {
    let shown = serde_json::to_value(state).unwrap_or(Value::Null);
    let (phase, fields) = match shown {
        Value::Object(tagged) => tagged.into_iter().next().unwrap_or_default(),
        Value::String(phase) => (phase, Value::Null),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_)) => return other,
    };
    let mut json = Map::from_iter([("phase".to_owned(), phase.to_lowercase().into())]);
    if let Value::Object(fields) = fields {
        json.extend(fields);
    }
    Value::Object(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::projections::testing::{TestLog, created};

    #[test]
    fn every_kind_of_stream_begins_absent() {
        // The server itself is always there.
        for kind in StreamKind::ALL.iter().copied().filter(|kind| *kind != StreamKind::System) {
            assert_eq!(state_of(kind).to_json(), serde_json::json!({"phase": "absent"}));
        }
    }

    #[test]
    fn a_state_shows_its_phase_beside_its_fields() {
        let mut log = TestLog::default();
        log.list("weekly", created(Some("spar")));
        let mut state = state_of(StreamKind::List);
        let before = state.digest();
        state.apply(&log.events[0]);
        let json = state.to_json();
        assert_eq!((&json["phase"], &json["store"], &json["name"]), (&"active".into(), &"spar".into(), &"Weekly".into()));
        assert_ne!(state.digest(), before);
        assert_eq!(state.boxed_clone().digest(), state.digest());
    }
}
