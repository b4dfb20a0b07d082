//! The result of a bundle's events: the digests that must be the same wherever it is replayed, and the lists' totals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    debug::state::{AnyState, state_of},
    domain::{ListId, StreamId, StreamKind},
    events::Recorded,
    projections::{Totals, Views},
};

/// Digests and totals.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Projection to digest.
    pub views: BTreeMap<String, String>,
    /// Stream to digest of its entity's state.
    pub entities: BTreeMap<String, String>,
    /// List to its estimated total at its own store, for people to read; null if the currency is unknown.
    pub totals: BTreeMap<String, Value>,
}

/// Folds events, which may leave others out between them.
#[must_use]
pub fn fold(events: &[Recorded]) -> Outcome {
    let (mut views, mut totals) = (Views::default(), Totals::default());
    let mut entities: BTreeMap<StreamId, Box<dyn AnyState>> = BTreeMap::new();
    for recorded in events {
        let changes = views.apply(recorded);
        totals.apply(recorded, &changes, &views);
        entities.entry(recorded.stream.clone()).or_insert_with(|| state_of(recorded.stream.kind())).apply(recorded);
    }
    let mut digests: BTreeMap<_, _> = views.digests().into_iter().map(|(name, digest)| (name.to_owned(), digest)).collect();
    digests.insert("totals".into(), totals.digest());
    let lists = entities.keys().filter(|stream| stream.kind() == StreamKind::List).filter_map(|stream| ListId::new(stream.id()).ok());
    let estimated = |id: ListId| totals.view(&id, None).map(|view| (id.to_string(), serde_json::json!(view.estimated)));
    Outcome {
        views: digests,
        totals: lists.filter_map(estimated).collect(),
        entities: entities.iter().map(|(stream, state)| (stream.to_string(), state.digest())).collect(),
    }
}

impl Outcome {
    /// The differences: projections, and streams whose entity's state differs.
    #[must_use]
    pub fn differing(&self, other: &Self) -> Vec<String> {
        let between = |ours: &BTreeMap<String, String>, theirs: &BTreeMap<String, String>| {
            let names = ours.keys().chain(theirs.keys().filter(|name| !ours.contains_key(*name)));
            names.filter(|name| ours.get(*name) != theirs.get(*name)).cloned().collect::<Vec<_>>()
        };
        [between(&self.views, &other.views), between(&self.entities, &other.entities)].concat()
    }
}
