//! What the gateway counts; names and meanings are in `telemetry.rs`. Made once, because finding a counter costs more than counting.

use metrics::{Counter, Gauge, counter, gauge};

use super::close::Close;
use crate::telemetry::{LIVE_BAD_REQUESTS, LIVE_CLOSED, LIVE_DELIVERIES, LIVE_LIMITS, SESSIONS, SESSIONS_CLOSED_SLOW};

/// A limit that somebody met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    Sessions,
    MessageBytes,
    Topics,
    RequestsInFlight,
    OutboxBytes,
    Stalled,
}

/// The counters of one hub.
#[derive(Clone)]
pub struct Counters {
    pub sessions: Gauge,
    pub deliveries: Counter,
    pub bad_requests: Counter,
    closed_slow: Counter,
    limits: [Counter; 6],
    closed: Vec<Counter>,
}

impl Counters {
    /// Counters of the recorder installed now; without one they count nothing.
    #[must_use]
    pub fn new() -> Self {
        let limit = |name: &'static str| counter!(LIVE_LIMITS, "limit" => name);
        Self {
            sessions: gauge!(SESSIONS),
            deliveries: counter!(LIVE_DELIVERIES),
            bad_requests: counter!(LIVE_BAD_REQUESTS),
            closed_slow: counter!(SESSIONS_CLOSED_SLOW),
            limits: ["sessions", "message_bytes", "topics", "requests_in_flight", "outbox_bytes", "stalled"].map(limit),
            closed: Close::ALL.iter().map(|close| counter!(LIVE_CLOSED, "reason" => close.name())).collect(),
        }
    }

    /// Counts that a limit was met so many times.
    pub fn met(&self, limit: Limit, times: usize) {
        self.limits[limit as usize].increment(times as u64);
    }

    /// Counts the end of a session.
    pub fn ended(&self, close: Close) {
        if let Some(place) = Close::ALL.iter().position(|one| *one == close) {
            self.closed[place].increment(1);
        }
        if close == Close::TooSlow {
            self.closed_slow.increment(1);
        }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Counters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Counters").finish_non_exhaustive()
    }
}
