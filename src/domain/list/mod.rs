//! The shopping list: several people, many devices, no edit lost. Intents in, facts out.
//! `commands` says what can be asked and `decide` holds the rules, `merge` what becomes of an addition, `rank` the order; `events` says what
//! can happen and `state` records it.

mod changes;
mod come_back;
mod commands;
mod decide;
mod diff;
mod events;
mod facts;
mod found;
mod index;
mod indexed;
mod item;
mod merge;
mod order;
mod rank;
mod restore;
mod state;
#[cfg(test)]
mod tests;
mod undo;

pub use commands::ListCommand;
pub use diff::{ItemDiff, ListDiff, diff};
pub use events::ListEvent;
pub use facts::{Facts, Items, Presence, Reprices};
pub use indexed::Indexed;
pub use item::{Item, Mark, Removed};
pub use restore::restore;
use serde::{Deserialize, Serialize};
pub use state::{List, ListState};

use super::{Context, Decision, Entity, Fact, Refusal, StreamKind};

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Editor,
    Viewer,
}

/// The list as an entity.
#[derive(Debug)]
pub struct Lists;

impl Entity for Lists {
    const KIND: StreamKind = StreamKind::List;
    type State = ListState;
    type Command = ListCommand;
    type Event = ListEvent;

    fn check_right(state: &ListState, command: &ListCommand, context: &Context) -> Result<(), Refusal> {
        commands::check_right(state, command, context)
    }

    fn decide(state: &ListState, command: &ListCommand, context: &Context) -> Result<Decision<ListEvent>, Refusal> {
        commands::decide(state, command, context)
    }

    fn evolve(state: &mut ListState, event: &ListEvent, fact: &Fact<'_>) {
        state::evolve(state, event, fact);
    }
}
