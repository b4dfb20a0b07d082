//! Every metric's name with one sentence on what a bad value looks like, and the set-up of metrics and logs.
//! The command counters of all entities are made once, because looking a counter up by label costs more than counting.

pub mod process;

use std::{
    sync::{Arc, LazyLock, OnceLock, Weak},
    time::Duration,
};

use metrics::{Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

use crate::domain::{Outcome, StreamKind};

/// Bad: `5xx` grows at all, or `4xx` grows faster than `2xx`.
pub const HTTP_REQUESTS: &str = "aisled_http_requests_total";
/// Bad: the 0.99 quantile of a write is over 12 ms, of a read over 5 ms.
pub const HTTP_BODIES_REFUSED: &str = "aisled_http_bodies_refused_total";
pub const HTTP_SECONDS: &str = "aisled_http_request_seconds";
/// Bad: `failed` grows at all; `refused` near `applied` means a client repeats a mistake.
pub const COMMANDS: &str = "aisled_commands_total";
/// Bad: the 0.99 quantile is over 10 ms: the disk is slow at making data durable.
pub const APPEND_SECONDS: &str = "aisled_append_seconds";
/// Bad: stays at 1 under load: commits are not shared, so every command pays for its own flush.
pub const APPEND_BATCH_EVENTS: &str = "aisled_append_batch_events";
/// Bad: at the configured maximum: entities are put to rest while they are still in use.
pub const ACTORS_ALIVE: &str = "aisled_actors_alive";
/// Bad: at `actors_bytes_max`: entities are put to rest while they are still in use.
pub const ACTORS_BYTES: &str = "aisled_actors_bytes";
/// Bad: grows without `aisled_actors_alive` growing: entities rest and wake all the time.
pub const ACTORS_STARTED: &str = "aisled_actors_started_total";
/// Bad: anything above zero is a fault in the program; the entity was started again from its log.
pub const ACTOR_PANICS: &str = "aisled_actor_panics_total";
/// Bad: grows: one entity gets more commands than it can decide, and clients must retry.
pub const MAILBOX_REFUSALS: &str = "aisled_mailbox_refusals_total";
/// Bad: grows fast: two writers fight for the same streams.
pub const CONFLICTS: &str = "aisled_append_conflicts_total";
/// Bad: stays above a few hundred: views and live sessions show the past.
pub const FEED_LAG: &str = "aisled_feed_lag_events";
/// The newest position of the log. Bad: does not grow while commands are applied.
pub const LOG_HEAD: &str = "aisled_log_position";
/// Bad: above zero: a segment of the log is damaged and no copy of it is whole.
pub const LOG_DAMAGED: &str = "aisled_log_damaged_segments";
/// Bad: grows: the disk damages files; so far they could be repaired.
pub const LOG_MENDED: &str = "aisled_log_mended_total";
/// Segments of the log. Bad: does not grow while commands are applied for hours.
pub const LOG_SEGMENTS: &str = "aisled_log_segments";
/// Segments that the pass under way has verified. Bad: stuck below their number.
pub const LOG_VERIFIED: &str = "aisled_log_verified_segments";
/// Bad: older than a day, or absent: the log's older files are not verified.
pub const LOG_VERIFIED_AT: &str = "aisled_log_verified_at_seconds";
/// Bad: grows: the next journal cannot be prepared; the disk is full or failing.
pub const LOG_SEALING_FAILURES: &str = "aisled_log_sealing_failures_total";
/// Bad: grows: sled fails and its copy of the newest blocks is rebuilt; nothing is lost, reads are a little slower.
pub const LOG_WINDOW_FAULTS: &str = "aisled_log_window_faults_total";
/// Bad: 1: the log accepts no more events until the cause is removed and the server restarted.
pub const LOG_READ_ONLY: &str = "aisled_log_read_only";
/// Bad: at the configured maximum: new sessions are refused.
pub const SESSIONS: &str = "aisled_live_sessions";
/// Bad: grows steadily: readers are too slow, or messages too large for their links.
pub const SESSIONS_CLOSED_SLOW: &str = "aisled_live_sessions_closed_slow_total";
/// Bad: does not grow while commands are applied and somebody listens.
pub const LIVE_DELIVERIES: &str = "aisled_live_deliveries_total";
/// By limit. Bad: grows: a client asks for more than it may have.
pub const LIVE_LIMITS: &str = "aisled_live_limits_total";
/// By reason. Bad: `internal` grows at all, `silent` or `too_slow` grow faster than `normal`.
pub const LIVE_CLOSED: &str = "aisled_live_closed_total";
/// Bad: grows: a client does not speak the protocol.
pub const LIVE_BAD_REQUESTS: &str = "aisled_live_bad_requests_total";
/// Bad: over 700 MB with the whole real data set, or growing under a steady load.
pub const CLOCK_AHEAD: &str = "aisled_clock_ahead_of_log_seconds";
pub const PROCESS_MEMORY: &str = "aisled_process_resident_bytes";
/// Bad: its rate is near the number of cores.
pub const PROCESS_CPU: &str = "aisled_process_cpu_seconds_total";
/// Bad: near the limit of the process (`ulimit -n`).
pub const PROCESS_FILES: &str = "aisled_process_open_files";
/// Bad: 0: the newest snapshot could not be restored; `/readyz` says why.
pub const SELF_RESTORE_OK: &str = "aisled_self_restore_ok";
/// How long the last self-restore took. Bad: over a quarter of an hour: that long a restore would take.
pub const SELF_RESTORE_SECONDS: &str = "aisled_self_restore_seconds";
/// When it was, in seconds since 1970. Bad: older than two of its intervals.
pub const SELF_RESTORE_TIMESTAMP: &str = "aisled_self_restore_timestamp_seconds";
/// When the newest snapshot was made, in seconds since 1970. Bad: older than two of its intervals.
pub const SNAPSHOT_TIMESTAMP: &str = "aisled_snapshot_timestamp_seconds";

/// Upper bounds of the latency histograms, in seconds: dense where the budgets are.
const SECONDS_BUCKETS: [f64; 16] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Upper bounds of the commit size histogram, in events.
const BATCH_BUCKETS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
/// How often recorded values are folded into their buckets without a scrape, so that memory stays bounded.
const UPKEEP_EVERY: Duration = Duration::from_secs(5);

/// Makes this process record metrics; later calls return the same handle.
///
/// # Errors
/// When another recorder is installed already.
pub fn install() -> anyhow::Result<PrometheusHandle> {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    static INSTALLING: parking_lot::Mutex<()> = parking_lot::Mutex::new(());
    let _one_at_a_time = INSTALLING.lock();
    if let Some(handle) = HANDLE.get() {
        return Ok(handle.clone());
    }
    let handle = PrometheusBuilder::new()
        .set_buckets(&SECONDS_BUCKETS)?
        .set_buckets_for_metric(Matcher::Full(APPEND_BATCH_EVENTS.into()), &BATCH_BUCKETS)?
        .install_recorder()?;
    describe();
    Ok(HANDLE.get_or_init(|| handle).clone())
}

/// Folds recorded values into their buckets from time to time, until `alive` is dropped.
///
/// # Errors
/// When the thread cannot be started.
pub fn start_upkeep(handle: PrometheusHandle, alive: &Arc<()>) -> std::io::Result<()> {
    let alive: Weak<()> = Arc::downgrade(alive);
    std::thread::Builder::new().name("metrics".into()).spawn(move || {
        while alive.strong_count() > 0 {
            handle.run_upkeep();
            std::thread::park_timeout(UPKEEP_EVERY);
        }
    })?;
    Ok(())
}

/// The reader of HTTP logs an error for each connection that sends something else. Anybody who reaches the port would fill the disk with that.
const NOT_LOGGED: &str = "actix_http::h1=off";

/// What is logged: the filter, without a line for each connection that sends no HTTP, unless the filter names that reader itself.
fn filter_of(filter: &str) -> String {
    if filter.contains("actix_http") { filter.to_owned() } else { format!("{filter},{NOT_LOGGED}") }
}

/// Starts logging to standard error. `filter` is as in `AISLED_LOG=info,aisled=debug`; a second call changes nothing.
///
/// # Errors
/// When the filter cannot be understood.
pub fn start_logging(filter: &str, json: bool) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(filter_of(filter))?;
    let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // The reader of standard error may be gone: writing an error about that there would panic and end the signal handler.
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colours)
        .with_target(true)
        .log_internal_errors(false);
    let _already_started = if json { builder.json().try_init() } else { builder.try_init() };
    Ok(())
}

/// The outcome of a command, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandEnd {
    Done(Outcome),
    /// Answered with its first outcome again.
    Repeated,
    Refused,
    /// Not decided, or unknown: overload, a fault, a log that accepts no more events.
    Failed,
}

impl CommandEnd {
    const ALL: [Self; 6] = [
        Self::Done(Outcome::Applied),
        Self::Done(Outcome::Merged),
        Self::Done(Outcome::Unchanged),
        Self::Repeated,
        Self::Refused,
        Self::Failed,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Done(Outcome::Applied) => "applied",
            Self::Done(Outcome::Merged) => "merged",
            Self::Done(Outcome::Unchanged) => "unchanged",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Counts a command, whichever way it arrived.
pub fn count_command(kind: StreamKind, end: CommandEnd) {
    static COUNTERS: LazyLock<Vec<Counter>> = LazyLock::new(|| {
        let of_kind = |kind: StreamKind| CommandEnd::ALL.map(|end| counter!(COMMANDS, "entity" => kind.as_str(), "outcome" => end.name()));
        StreamKind::ALL.iter().copied().flat_map(of_kind).collect()
    });
    let kinds = StreamKind::ALL.iter().position(|k| *k == kind);
    let ends = CommandEnd::ALL.iter().position(|e| *e == end);
    if let (Some(row), Some(column)) = (kinds, ends) {
        COUNTERS[row * CommandEnd::ALL.len() + column].increment(1);
    }
}

fn describe() {
    describe_counter!(HTTP_REQUESTS, "Requests by route, method and status class; bad: 5xx grows at all");
    describe_counter!(HTTP_BODIES_REFUSED, "Large bodies refused because others take the budget for bodies being read; bad: rises");
    describe_histogram!(HTTP_SECONDS, Unit::Seconds, "Time to answer by route; bad: 0.99 quantile over 12 ms for writes, 5 ms for reads");
    describe_counter!(COMMANDS, "Commands by entity and outcome; bad: failed grows at all");
    describe_histogram!(APPEND_SECONDS, Unit::Seconds, "Time until an append was durable; bad: 0.99 quantile over 10 ms");
    describe_histogram!(APPEND_BATCH_EVENTS, "Events made durable together; bad: stays at 1 under load");
    describe_gauge!(ACTORS_ALIVE, "Entities awake; bad: at the configured maximum");
    describe_gauge!(ACTORS_BYTES, Unit::Bytes, "Memory of entities by estimate; bad: at actors_bytes_max");
    describe_counter!(ACTORS_STARTED, "Entities woken; bad: grows while the number awake does not");
    describe_counter!(ACTOR_PANICS, "Entities that panicked and were started again; bad: above zero");
    describe_counter!(MAILBOX_REFUSALS, "Commands refused by a busy entity; bad: grows");
    describe_counter!(CONFLICTS, "Appends that lost a race for their stream; bad: grows fast");
    describe_gauge!(FEED_LAG, "Events by which the views lag the log; bad: stays above a few hundred");
    describe_gauge!(LOG_HEAD, "Newest position of the log; bad: does not grow while commands are applied");
    describe_gauge!(LOG_DAMAGED, "Segments that are damaged and could not be repaired; bad: above zero");
    describe_counter!(LOG_MENDED, "Segments that were damaged and have been repaired; bad: grows");
    describe_gauge!(LOG_SEGMENTS, "Segments of the log; bad: does not grow for hours while commands are applied");
    describe_gauge!(LOG_VERIFIED, "Segments verified by the pass under way; bad: stuck below their number");
    describe_gauge!(LOG_VERIFIED_AT, Unit::Seconds, "When all segments were last verified; bad: older than a day");
    describe_counter!(LOG_SEALING_FAILURES, "Failed attempts to prepare the next journal; bad: grows");
    describe_counter!(LOG_WINDOW_FAULTS, "Times that sled failed and was rebuilt; bad: grows");
    describe_gauge!(LOG_READ_ONLY, "1 when the log accepts no more events; bad: 1");
    describe_gauge!(SESSIONS, "Live sessions; bad: at the configured maximum");
    describe_counter!(SESSIONS_CLOSED_SLOW, "Live sessions closed because they read too slowly; bad: grows steadily");
    describe_counter!(
        LIVE_DELIVERIES,
        "Pushes handed to live sessions; bad: does not grow while somebody listens and commands are applied"
    );
    describe_counter!(LIVE_LIMITS, "Limits that live sessions reached, by limit; bad: grows");
    describe_counter!(LIVE_CLOSED, "Live sessions ended, by reason; bad: internal grows at all");
    describe_counter!(LIVE_BAD_REQUESTS, "Live requests that could not be read; bad: grows");
    describe_gauge!(CLOCK_AHEAD, Unit::Seconds, "How far the clock was ahead of the newest event at the start; bad: below zero, or months");
    describe_gauge!(PROCESS_MEMORY, Unit::Bytes, "Resident memory; bad: over 700 MB, or growing under a steady load");
    describe_counter!(PROCESS_CPU, Unit::Seconds, "Processor time used; bad: its rate is near the number of cores");
    describe_gauge!(SELF_RESTORE_OK, "1 if the newest snapshot could be restored; bad: 0");
    describe_gauge!(SELF_RESTORE_SECONDS, Unit::Seconds, "How long the last self-restore took; bad: over 900");
    describe_gauge!(SELF_RESTORE_TIMESTAMP, Unit::Seconds, "When the last self-restore was; bad: older than two intervals");
    describe_gauge!(SNAPSHOT_TIMESTAMP, Unit::Seconds, "When the newest snapshot was made; bad: older than two intervals");
    describe_gauge!(PROCESS_FILES, "Open files and sockets; bad: near the limit of the process");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scrape_shows_real_histograms_and_commands_by_outcome() {
        let handle = install().expect("no other recorder is installed in this test binary");
        metrics::histogram!(APPEND_SECONDS).record(0.0004);
        metrics::histogram!(APPEND_BATCH_EVENTS).record(7.0);
        count_command(StreamKind::List, CommandEnd::Refused);
        process::record();
        let text = handle.render();
        assert!(text.contains("aisled_append_seconds_bucket{le=\"0.0005\"}"), "{text}");
        assert!(text.contains("aisled_append_batch_events_bucket{le=\"8\"}"), "{text}");
        assert!(text.contains("aisled_commands_total{entity=\"list\",outcome=\"refused\"}"), "{text}");
        assert!(text.contains(PROCESS_MEMORY), "{text}");
    }
}
