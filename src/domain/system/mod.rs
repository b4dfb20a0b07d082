//! What admins did to the server itself: snapshots, restores, retention. Recorded like everything else.

mod undo;

use serde::{Deserialize, Serialize};

use super::{Context, Decision, Entity, Fact, Refusal, StreamKind, event_table::event_table};

/// The one stream of admin actions.
pub const ADMIN: &str = "admin";

/// What an admin did. The server does it first and then records it, so nothing is refused here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemEvent {
    /// Everything up to a position was written into a snapshot.
    SnapshotCreated {
        snapshot: String,
        position: u64,
        scheduled: bool,
    },
    SnapshotDeleted {
        snapshot: String,
        scheduled: bool,
    },
    /// Every file of a snapshot was read; the number of problems.
    SnapshotVerified {
        snapshot: String,
        problems: u64,
    },
    /// The newest snapshot was restored as a test; what is served is unchanged.
    SelfRestored {
        snapshot: String,
        ok: bool,
        scheduled: bool,
    },
    /// The last event of a history that was replaced by another one, which begins as a copy of its past.
    RestoreBegun {
        snapshot: Option<String>,
        position: u64,
    },
    /// The first event of a history that was restored: it continues after a position of the one before, whose head was further.
    Restored {
        snapshot: Option<String>,
        position: u64,
        left_epoch: String,
        left_position: u64,
    },
    /// The history that a restore had replaced is served again.
    RestoreUndone {
        left_epoch: String,
        left_position: u64,
    },
    /// A list or household was brought back to an earlier state, by new events of its own.
    StreamRestored {
        stream: String,
        position: u64,
        snapshot: Option<String>,
    },
    /// A view was rebuilt next to the one in use and compared with it.
    ViewsRebuilt {
        differed: Vec<String>,
        switched: bool,
    },
}

event_table! { SystemEvent {
    SnapshotCreated "system.snapshot_created" ["snapshot" Keep];
    SnapshotDeleted "system.snapshot_deleted" ["snapshot" Keep];
    SnapshotVerified "system.snapshot_verified" ["snapshot" Keep];
    SelfRestored "system.self_restored" ["snapshot" Keep];
    RestoreBegun "system.restore_begun" ["snapshot" Keep];
    Restored "system.restored" ["snapshot" Keep, "left_epoch" Keep];
    RestoreUndone "system.restore_undone" ["left_epoch" Keep];
    StreamRestored "system.stream_restored" ["stream" Text, "snapshot" Keep];
    ViewsRebuilt "system.views_rebuilt" ["differed.*" Keep];
} }

/// How much was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemState {
    pub actions: u64,
}

/// The server as an entity.
#[derive(Debug)]
pub struct System;

impl Entity for System {
    const KIND: StreamKind = StreamKind::System;
    type State = SystemState;
    type Command = SystemEvent;
    type Event = SystemEvent;

    /// Routes ask who may run the server; this entity only keeps what was done.
    fn check_right(_state: &SystemState, _done: &SystemEvent, _context: &Context) -> Result<(), Refusal> {
        Ok(())
    }

    fn decide(_state: &SystemState, done: &SystemEvent, _context: &Context) -> Result<Decision<SystemEvent>, Refusal> {
        Ok(Decision::applied(done.clone()))
    }

    fn evolve(state: &mut SystemState, _event: &SystemEvent, _fact: &Fact<'_>) {
        state.actions += 1;
    }
}
