//! What admins did is never taken back by an undo: restores have an undo of their own.

use super::{System, SystemEvent, SystemState};
use crate::domain::{
    Refusal,
    RefusalKind::Conflict,
    changes::{Change, Traced},
    undo::{Undo, Undoing},
};

impl Traced for System {
    fn changes(_: &SystemEvent, _: &SystemState, _: &SystemState) -> Vec<Change> {
        Vec::new()
    }
}

impl Undo for System {
    fn inverse(of: &Undoing<'_, Self>) -> Result<Vec<SystemEvent>, Refusal> {
        use SystemEvent as E;
        let detail = match of.event {
            E::SnapshotCreated { .. } => "a snapshot that was made can be deleted, not undone",
            E::SnapshotDeleted { .. } => "a snapshot that was deleted is gone; make a new one",
            E::RestoreBegun { .. } | E::Restored { .. } => "a restore has an undo of its own, among the admin routes",
            E::RestoreUndone { .. } => "a restore that was undone can be made again",
            E::StreamRestored { .. } => "undo the command of the list or household that brought it back; this only says that it happened",
            E::ViewsRebuilt { .. } => "rebuilt views are no change of what is recorded",
        };
        Err(Refusal::new(Conflict, "admin_action", detail))
    }

    fn overwrites(_: &SystemEvent, _: &SystemEvent) -> bool {
        false
    }
}
