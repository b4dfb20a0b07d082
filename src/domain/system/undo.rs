//! Undo never takes back what admins did: restores have an undo of their own.

use super::{System, SystemEvent, SystemState};
use crate::domain::{
    Refusal,
    RefusalKind::Conflict,
    changes::{Touched, Traced},
    undo::{Undo, Undoing},
};

impl Traced for System {
    fn touched(_: &SystemEvent, _: &SystemState) -> Touched {
        Vec::new()
    }
}

impl Undo for System {
    fn inverse(of: &Undoing<'_, Self>) -> Result<Vec<SystemEvent>, Refusal> {
        use SystemEvent as E;
        let detail = match of.event {
            E::SnapshotCreated { .. } => "a snapshot can be deleted, not undone",
            E::SnapshotDeleted { .. } => "a deleted snapshot cannot come back; create a new one",
            E::SnapshotVerified { .. } | E::SelfRestored { .. } => "checking a snapshot changed nothing: there is nothing to undo",
            E::RestoreBegun { .. } | E::Restored { .. } => "a restore has its own undo among the admin routes",
            E::RestoreUndone { .. } => "run the restore again instead",
            E::StreamRestored { .. } => "undo the command that restored the list or household; this event only reports it",
            E::ViewsRebuilt { .. } => "rebuilding views changed nothing recorded",
        };
        Err(Refusal::new(Conflict, "admin_action", detail))
    }

    fn overwrites(_: &SystemEvent, _: &SystemEvent) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::given::nothing;

    #[test]
    fn nothing_that_an_admin_did_is_undone() {
        use SystemEvent as E;
        let (snapshot, position) = (|| "a".to_owned(), 1);
        for event in [
            E::SnapshotCreated { snapshot: snapshot(), position, scheduled: true },
            E::SnapshotDeleted { snapshot: snapshot(), scheduled: true },
            E::SnapshotVerified { snapshot: snapshot(), problems: 0 },
            E::SelfRestored { snapshot: snapshot(), ok: true, scheduled: false },
            E::RestoreBegun { snapshot: None, position },
            E::Restored { snapshot: None, position, left_epoch: "e".into(), left_position: 2 },
            E::RestoreUndone { left_epoch: "e".into(), left_position: 2 },
            E::StreamRestored { stream: "list/l".into(), position, snapshot: None },
            E::ViewsRebuilt { differed: vec![], switched: false },
        ] {
            assert_eq!(nothing::<System>().event(event).undo_code(0), "admin_action");
        }
    }
}
