//! Who caused the differences of two moments: of each field, the last event that touched it.

use std::{collections::HashMap, sync::Arc};

use serde::Serialize;

use super::commands::state_of;
use crate::{
    domain::{
        Moment, Principal,
        changes::{Change, trace},
        undo::Undo,
    },
    events::{Position, Recorded},
};

/// One field that differs, and who changed it.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Difference {
    #[serde(flatten)]
    pub change: Change,
    /// The last event that changed it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
}

/// Who did something last.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Last {
    #[schema(value_type = String)]
    pub position: Position,
    pub who: Principal,
    pub at: Moment,
}

/// The last changes of every field between two moments.
#[derive(Debug, Default)]
pub struct LastChanges(HashMap<(Option<String>, String), Last>);

impl LastChanges {
    /// Those of the events of a history after a place in it.
    #[must_use]
    pub fn of<E: Undo>(history: &[Arc<Recorded>], behind: usize) -> Self {
        let (earlier, later) = history.split_at(behind);
        let mut state = state_of::<E>(earlier);
        let mut last = HashMap::new();
        for recorded in later {
            let Some(event) = E::own(&recorded.event) else { continue };
            for change in trace::<E>(&mut state, event, &recorded.fact()) {
                let by = Last { position: recorded.position, who: recorded.who.clone(), at: recorded.at };
                last.insert((change.item, change.field), by);
            }
        }
        Self(last)
    }

    /// Adds names to the differences of an item, or of the entity itself.
    #[must_use]
    pub fn name(&self, item: Option<&str>, changes: Vec<Change>) -> Vec<Difference> {
        let last = |change: &Change| self.0.get(&(item.map(str::to_owned), change.field.clone())).cloned();
        changes.into_iter().map(|change| Difference { last: last(&change), change }).collect()
    }
}
