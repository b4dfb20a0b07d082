//! What the gateway counts; names and meanings are in `telemetry.rs`. Made once, because finding a counter costs more than counting.

use metrics::{Counter, Gauge, counter, gauge};

use super::close::Close;
use crate::telemetry::{LIVE_BAD_REQUESTS, LIVE_CLOSED, LIVE_DELIVERIES, LIVE_LIMITS, SESSIONS, SESSIONS_CLOSED_SLOW};

macro_rules! limits {
    ($( $(#[doc = $doc:literal])* $limit:ident $name:literal; )+) => {
        /// A limit that was reached.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit { $( $(#[doc = $doc])* $limit, )+ }

        /// The name of each limit in the metrics, in the order of the enum.
        const LIMITS: &[&str] = &[ $( $name, )+ ];
    };
}

limits! {
    Sessions "sessions";
    SessionsPerAddress "sessions_per_address";
    SessionsPerPrincipal "sessions_per_principal";
    MessageBytes "message_bytes";
    Topics "topics";
    RequestsInFlight "requests_in_flight";
    CommandsPerSecond "commands_per_second";
    MessagesPerSecond "messages_per_second";
    BadRequests "bad_requests";
    OutboxBytes "outbox_bytes";
    WorkerBytes "worker_bytes";
    Stalled "stalled";
    Silent "silent";
    Lifetime "lifetime";
    TimeToAuthenticate "time_to_authenticate";
    Token "token";
    /// A topic that a session may not follow.
    Rights "rights";
    /// More events were missed than are sent again: a snapshot was sent.
    RecoveryEvents "recovery_events";
    /// A history had to wait for its turn to be read.
    Readers "readers";
    Origin "origin";
    Key "key";
}

/// The counters of one hub.
#[derive(Clone)]
pub struct Counters {
    pub sessions: Gauge,
    pub deliveries: Counter,
    pub bad_requests: Counter,
    closed_slow: Counter,
    limits: Vec<Counter>,
    closed: Vec<Counter>,
}

impl Counters {
    /// Counters of the recorder installed now; without one they count nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            sessions: gauge!(SESSIONS),
            deliveries: counter!(LIVE_DELIVERIES),
            bad_requests: counter!(LIVE_BAD_REQUESTS),
            closed_slow: counter!(SESSIONS_CLOSED_SLOW),
            limits: LIMITS.iter().map(|name| counter!(LIVE_LIMITS, "limit" => *name)).collect(),
            closed: Close::ALL.iter().map(|close| counter!(LIVE_CLOSED, "reason" => close.name())).collect(),
        }
    }

    /// Counts that a limit was reached this many times.
    pub fn met(&self, limit: Limit, times: usize) {
        self.limits[limit as usize].increment(times as u64);
    }

    /// Counts the limit that a session is closed or refused for.
    pub fn met_by_close(&self, close: Close) {
        let limit = match close {
            Close::TooManySessions => Limit::Sessions,
            Close::TooManyFromAddress => Limit::SessionsPerAddress,
            Close::TooManyOfPrincipal => Limit::SessionsPerPrincipal,
            Close::MessageTooLarge => Limit::MessageBytes,
            Close::BadRequests => Limit::BadRequests,
            Close::Flood => Limit::MessagesPerSecond,
            Close::Silent => Limit::Silent,
            Close::Lifetime => Limit::Lifetime,
            Close::AuthenticationTimeout => Limit::TimeToAuthenticate,
            Close::NotAuthenticated | Close::TokenExpired | Close::SignedOut => Limit::Token,
            // Counted where it is found, or not a limit.
            Close::Normal
            | Close::ProtocolError
            | Close::WrongEncoding
            | Close::NotUtf8
            | Close::GoingAway
            | Close::HistoryChanged
            | Close::TooSlow
            | Close::ServerTooSlow
            | Close::Internal => return,
        };
        self.met(limit, 1);
    }

    /// Counts the end of a session.
    pub fn ended(&self, close: Close) {
        self.closed[close as usize].increment(1);
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
