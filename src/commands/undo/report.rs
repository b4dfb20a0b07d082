//! What an undo answers: for each command what it had changed, what undoing it changes, and the outcome.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{CommandId, Moment, Principal, StreamId, changes::Change},
    events::Position,
};

/// The answer to an undo or its preview.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndoAnswer {
    /// Nothing was changed: this is what would happen.
    pub preview: bool,
    /// Newest first.
    pub commands: Vec<UndoneCommand>,
    pub totals: UndoTotals,
}

/// How many commands had which outcome.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct UndoTotals {
    pub commands: usize,
    pub undone: usize,
    pub cannot: usize,
    pub already_undone: usize,
}

/// The outcome of one command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UndoOutcome {
    Undone,
    /// `code` and `reason` state why.
    Cannot,
    AlreadyUndone,
}

/// One command.
#[derive(Debug, Serialize, ToSchema)]
pub struct UndoneCommand {
    /// The position of its first event.
    #[schema(value_type = String)]
    pub position: Position,
    #[schema(value_type = String)]
    pub stream: StreamId,
    pub who: Principal,
    /// Who really sent it, acting for `who`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Principal>,
    pub at: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// The types of its events.
    pub events: Vec<&'static str>,
    /// What it had changed.
    pub was: Vec<Change>,
    pub outcome: UndoOutcome,
    /// What undoing it changes.
    pub changes: Vec<Change>,
    /// Stable; why it was not undone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// A sentence that a person can act on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The first position of its undo; absent in a preview.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub undo: Option<Position>,
}

impl UndoAnswer {
    /// Counts the outcomes of the commands.
    #[must_use]
    pub fn of(preview: bool, commands: Vec<UndoneCommand>) -> Self {
        let count = |outcome| commands.iter().filter(|command| command.outcome == outcome).count();
        let totals = UndoTotals {
            commands: commands.len(),
            undone: count(UndoOutcome::Undone),
            cannot: count(UndoOutcome::Cannot),
            already_undone: count(UndoOutcome::AlreadyUndone),
        };
        Self { preview, commands, totals }
    }
}
