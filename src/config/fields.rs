//! What the user is told of each setting: name, unit and meaning. A test keeps it in step with `Config`.

use figment::value::Value;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// The key in the file; with `AISLED_` and in capitals the environment variable, with `--` and dashes the flag.
    pub name: &'static str,
    pub unit: &'static str,
    pub meaning: &'static str,
}

/// What other tools of the project may put behind the `AISLED_` prefix without a warning.
pub(super) const FOREIGN_VARIABLES: &[&str] = &["CONFIG", "SHARED_DATA", "TEST_", "BENCH_", "CRASH_", "POWERCUT", "LIVE_", "LOAD_"];

/// Every setting, in the order in which they are shown.
pub const FIELDS: &[Field] = &[
    field(
        "listen",
        "address:port",
        "where the HTTP and WebSocket server listens; another address than loopback needs admin_token; port 0 takes a free one",
    ),
    field("data", "folder", "holds the event log and checkpoints; one process at a time"),
    field("snapshots", "folder", "where snapshot files go"),
    field("snapshot_every_minutes", "minutes", "between scheduled snapshots; 0 makes none"),
    field("snapshot_keep_daily", "days", "of which the newest scheduled snapshot is kept"),
    field("snapshot_keep_weekly", "weeks", "of which the newest scheduled snapshot is kept"),
    field("self_restore_every_minutes", "minutes", "between two tries whether the newest snapshot restores; 0 tries never"),
    field("durability", "sync|flush|periodic", "when a command is acknowledged: on disk, with the operating system, or at once"),
    field("periodic_flush_ms", "milliseconds", "between flushes under periodic: the most that a crash can lose"),
    field("accept_lost_tail", "true|false", "open a log of which acknowledged events are lost or damaged, without them"),
    field("verify_mib_per_second", "MiB a second", "of the log's older files that are read and checked, again and again; 0 checks none"),
    field("admin_token", "text", "what a request must present; without it only the local owner on loopback is served"),
    field("demo", "true|false", "serve adds the demo household; adding it twice changes nothing"),
    field("workers", "threads", "of the HTTP server; 0 means one per core"),
    field("actor_threads", "threads", "of the actors' own; 0 runs them on the HTTP workers' threads"),
    field("append_queue_max", "appends", "that may wait for the log's writer; more are answered 503"),
    field("actors_alive_max", "actors", "in memory; beyond it the longest idle ones rest first"),
    field("actor_idle_seconds", "seconds", "without a command after which an actor rests"),
    field("body_bytes_max", "bytes", "of a request body; bulk requests may be longer, each line up to 64 KiB"),
    field("sessions_max", "sessions", "live sessions at the same time; more are closed with 3013"),
    field(
        "sessions_per_address_max",
        "sessions",
        "live sessions from one address (behind a proxy, from all of it); more are closed with 3014",
    ),
    field("sessions_per_principal_max", "sessions", "live sessions of one principal; more are closed with 3015"),
    field("session_lifetime_seconds", "seconds", "that a live session may last, give or take a tenth"),
    field("session_ping_seconds", "seconds", "between pings of a live session; one that is silent for two of them is closed"),
    field("checkpoint_every_events", "events", "between checkpoints of the projections: what a start replays at most"),
    field("log_format", "text|json", "how log lines look"),
    field("log_filter", "filter", "which log lines are shown, in the syntax of RUST_LOG"),
];

const fn field(name: &'static str, unit: &'static str, meaning: &'static str) -> Field {
    Field { name, unit, meaning }
}

impl Field {
    /// The environment variable of this setting.
    pub fn variable(&self) -> String {
        format!("{}{}", super::ENVIRONMENT_PREFIX, self.name.to_uppercase())
    }

    /// The flag of this setting.
    pub fn flag(&self) -> String {
        format!("--{}", self.name.replace('_', "-"))
    }

    /// An environment text as a value: numbers and booleans where the setting is one, else the text as it is,
    /// so that a token of digits stays a text.
    pub(super) fn value_of_text(&self, text: &str) -> Value {
        let text = text.trim();
        match self.unit {
            "true|false" => text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from),
            "address:port" | "folder" | "text" | "filter" | "text|json" | "sync|flush|periodic" => Value::from(text),
            _ => text.parse::<u64>().map_or_else(|_| Value::from(text), Value::from),
        }
    }
}
