//! Every limit of the live gateway, in one place. What happens at each is in `close.rs` and in `docs/live.md`.

use std::{num::NonZeroU32, time::Duration};

use crate::config::Config;

/// The limits of one server's live sessions; `Default` is what a household server needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sessions of the whole server; one more is closed at once with `TooManySessions`.
    pub sessions_max: usize,
    /// Sessions from one address; one more is closed at once with `TooManyFromAddress`.
    pub sessions_per_address_max: usize,
    /// Sessions of one principal; one more is closed at once with `TooManyOfPrincipal`.
    pub sessions_per_principal_max: usize,
    /// One message of a client, fragments joined and inflated; a larger one closes the session with `MessageTooLarge`.
    pub message_bytes_max: usize,
    /// Topics of one session; a subscription beyond is answered with `too_many_topics`.
    pub topics_per_session_max: usize,
    /// Commands of one session that wait or run; one more is answered with `too_many_in_flight`.
    pub requests_in_flight_max: usize,
    /// Commands of one session a second, in the long run; one more is answered with `too_many_commands`.
    pub commands_per_second: NonZeroU32,
    /// The burst of commands allowed after a pause.
    pub commands_burst: NonZeroU32,
    /// Messages and pings of one session a second, in the long run; one more closes it with `Flood`.
    pub messages_per_second: NonZeroU32,
    /// The burst of messages allowed after a pause.
    pub messages_burst: NonZeroU32,
    /// Bytes that wait for one session; beyond, it is closed with `TooSlow`.
    pub outbox_bytes_max: usize,
    /// Bytes that wait for one worker; beyond, its sessions are closed with `ServerTooSlow`.
    pub worker_bytes_max: usize,
    /// Requests in a row that could not be read; then the session is closed with `BadRequests`.
    pub bad_requests_max: u32,
    /// The most missed events sent for a topic on resuming; beyond, it gets a snapshot.
    pub recovery_events_max: usize,
    /// How much of the log is searched for the missed events of a topic that is no single stream; beyond, it gets a snapshot.
    pub recovery_scan_events_max: usize,
    /// Histories read from storage at the same time; others wait for their turn.
    pub readers_max: usize,
    /// The most deals, or orders, in one snapshot.
    pub snapshot_entries_max: usize,
    /// One answer to a subscription is split near this size, so that a slow reader never makes the server hold a large one.
    pub answer_bytes_soft_max: usize,
    /// Sessions of one worker that have not sent a token yet. They take no place of those above; one more closes the oldest of them with
    /// `AuthenticationTimeout`.
    pub strangers_per_worker_max: usize,
    /// How long a session may take to send its token; then it is closed with `AuthenticationTimeout`.
    pub authenticate_within: Duration,
    /// How often the server pings; a session that is silent for two of them is closed with `Silent`.
    pub ping_interval: Duration,
    /// How long messages may wait without the socket taking any; then the socket is shut down.
    pub stalled_max: Duration,
    /// How long a closing session may take to write its close frame; then the socket is shut down.
    pub closing_max: Duration,
    /// How long a session may last, plus or minus a tenth; then it is closed with `Lifetime`.
    pub lifetime: Duration,
    /// When the server stops, its sessions are closed at random moments within this time.
    pub farewell: Duration,
    /// The least time between two presence updates.
    pub presence_interval: Duration,
}

impl Limits {
    /// The limits of a configuration; those that cannot be configured are set here.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self {
            sessions_max: config.sessions_max,
            sessions_per_address_max: config.sessions_per_address_max,
            sessions_per_principal_max: config.sessions_per_principal_max,
            lifetime: Duration::from_secs(config.session_lifetime_seconds),
            ping_interval: Duration::from_secs(config.session_ping_seconds),
            message_bytes_max: 32 * 1024,
            topics_per_session_max: 1_000,
            requests_in_flight_max: 64,
            commands_per_second: per_second(50),
            commands_burst: per_second(100),
            messages_per_second: per_second(200),
            messages_burst: per_second(400),
            outbox_bytes_max: 32 * 1024,
            worker_bytes_max: 8 << 20,
            bad_requests_max: 20,
            recovery_events_max: 1_000,
            recovery_scan_events_max: 10_000,
            readers_max: 4,
            snapshot_entries_max: 200,
            answer_bytes_soft_max: 16 * 1024,
            strangers_per_worker_max: 256,
            authenticate_within: Duration::from_secs(10),
            stalled_max: Duration::from_secs(4),
            closing_max: Duration::from_secs(1),
            farewell: Duration::from_millis(1_500),
            presence_interval: Duration::from_millis(250),
        }
    }
}

impl Default for Limits {
    /// The defaults.
    fn default() -> Self {
        Self::of(&Config::default())
    }
}

const fn per_second(times: u32) -> NonZeroU32 {
    NonZeroU32::new(times).expect("this holds because no limit below is zero")
}
