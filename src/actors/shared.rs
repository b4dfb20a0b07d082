//! What all actors share: the log, the views, the listeners, the clock and the limits.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use super::{
    interest::Interest,
    listener::Listener,
    memos::Memos,
    room::{Room, Usage},
};
use crate::{
    events::{Lineage, Log, clock::Clock},
    projections::SharedViews,
};

/// Commands and loads that may wait for one entity; more are refused with `overloaded`.
pub const MAILBOX_MAX: usize = 1_024;
/// How often a command is decided again after losing a race for its stream; then it is refused as overloaded.
pub const CONFLICT_RETRIES_MAX: u32 = 3;
/// Events since the last memo after which a resting entity writes a new one; shorter tails are quick to replay.
pub const MEMO_EVERY_EVENTS: u64 = 128;

/// Limits that an operator may set.
#[derive(Debug, Clone, Copy)]
pub struct ActorLimits {
    /// Entities awake at the same time; beyond it some rest early. Only if all of them are busy, new ones are refused with `overloaded`.
    pub alive_max: usize,
    /// What they may weigh in memory, the same.
    pub bytes_max: usize,
    /// An entity unused for this long rests.
    pub idle_seconds: u32,
}

impl ActorLimits {
    pub(super) fn room(&self) -> Room {
        Room { entities: self.alive_max, bytes: self.bytes_max }
    }
}

/// Shared counters, for metrics and tests.
#[derive(Debug, Default)]
pub struct Counters {
    pub alive: AtomicUsize,
    pub usage: Usage,
    pub started: AtomicU64,
    pub rested: AtomicU64,
    pub panics: AtomicU64,
    pub mailbox_refusals: AtomicU64,
    pub conflicts: AtomicU64,
}

/// One reading of the counters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryCounters {
    pub alive: usize,
    pub bytes: usize,
    pub started: u64,
    pub rested: u64,
    pub panics: u64,
    pub mailbox_refusals: u64,
    pub conflicts: u64,
}

impl Counters {
    pub(super) fn read(&self) -> RegistryCounters {
        RegistryCounters {
            alive: self.alive.load(Ordering::Relaxed),
            bytes: self.usage.bytes.load(Ordering::Relaxed),
            started: self.started.load(Ordering::Relaxed),
            rested: self.rested.load(Ordering::Relaxed),
            panics: self.panics.load(Ordering::Relaxed),
            mailbox_refusals: self.mailbox_refusals.load(Ordering::Relaxed),
            conflicts: self.conflicts.load(Ordering::Relaxed),
        }
    }
}

/// Adds one to a counter.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The environment of every actor.
pub struct Shared {
    pub log: Arc<dyn Log>,
    pub views: SharedViews,
    pub listener: Arc<dyn Listener>,
    pub clock: Arc<dyn Clock>,
    pub interest: Interest,
    pub memos: Memos,
    /// Where versions were assigned again.
    pub lineage: Lineage,
    pub limits: ActorLimits,
    pub counters: Counters,
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("limits", &self.limits).field("counters", &self.counters).finish_non_exhaustive()
    }
}
