//! Every limit of the live gateway, in one place. What happens at each is told in `close.rs` and in `docs/live.md`.

use std::time::Duration;

/// The limits of one server's live sessions; `Default` is what a household server needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sessions of the whole server; one more is closed at once with `TooManySessions`.
    pub sessions_max: usize,
    /// One message of a client, fragments joined; a larger one closes the session with `MessageTooLarge`.
    pub message_bytes_max: usize,
    /// Topics of one session; a subscription beyond is answered with `too_many_topics`.
    pub topics_per_session_max: usize,
    /// Commands of one session that wait or run; one more is answered with `too_many_in_flight`.
    pub requests_in_flight_max: usize,
    /// Bytes that wait for one session; beyond, it is closed with `TooSlow`.
    pub outbox_bytes_max: usize,
    /// Requests in a row that could not be read; then the session is closed with `BadRequests`.
    pub bad_requests_max: u32,
    /// The most missed events a topic is given on resuming; beyond, it gets a snapshot.
    pub recovery_events_max: usize,
    /// How much of the log is searched for the missed events of a topic that is no single stream; beyond, it gets a snapshot.
    pub recovery_scan_events_max: usize,
    /// The most deals, or orders, in one snapshot.
    pub snapshot_entries_max: usize,
    /// One answer to a subscription is split near this size, so that a slow reader never makes the server hold a large one.
    pub answer_bytes_soft_max: usize,
    /// How often the server pings; a session that is silent for two of them is closed with `Silent`.
    pub ping_interval: Duration,
    /// How long messages may wait without the socket taking any; then the socket is shut down.
    pub stalled_max: Duration,
    /// How long a closing session may take to write its close frame; then the socket is shut down.
    pub closing_max: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            sessions_max: 20_000,
            message_bytes_max: 64 * 1024,
            topics_per_session_max: 1_000,
            requests_in_flight_max: 64,
            outbox_bytes_max: 256 * 1024,
            bad_requests_max: 20,
            recovery_events_max: 1_000,
            recovery_scan_events_max: 10_000,
            snapshot_entries_max: 200,
            answer_bytes_soft_max: 32 * 1024,
            ping_interval: Duration::from_secs(25),
            stalled_max: Duration::from_secs(10),
            closing_max: Duration::from_secs(2),
        }
    }
}
