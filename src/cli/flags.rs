//! Flags that set configuration values. A flag that is not given leaves the value to the environment, the file or the default.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};

use clap::Args;
use figment::value::Dict;
use serde::Serialize;

use crate::config::{Durability, LogFormat, flag_value};

/// The data folder flags that every command on a folder needs.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(super) struct DataFlags {
    /// The folder of the event log [default: data].
    #[arg(long, global = true, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<PathBuf>,
    /// When an event counts as written [default: sync].
    #[arg(long, global = true, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    durability: Option<Durability>,
    /// Milliseconds between flushes under `periodic`.
    #[arg(long, global = true, value_name = "MS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    periodic_flush_ms: Option<u64>,
    /// Open a log whose acknowledged events are partly lost, without the lost ones.
    #[arg(long, global = true, num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    accept_lost_tail: Option<bool>,
    /// The format of log lines on standard error.
    #[arg(long, global = true, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_format: Option<LogFormat>,
    /// Which log lines are shown, in the syntax of `RUST_LOG` [default: info].
    #[arg(long, global = true, value_name = "FILTER")]
    #[serde(skip_serializing_if = "Option::is_none")]
    log_filter: Option<String>,
}

/// The flags that only a server needs.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub(super) struct ServerFlags {
    /// The address to listen on [default: 127.0.0.1:8080]; port 0 picks a free port.
    #[arg(long, value_name = "ADDRESS:PORT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    listen: Option<SocketAddr>,
    /// Add the demo household.
    #[arg(long, num_args = 0..=1, default_missing_value = "true")]
    #[serde(skip_serializing_if = "Option::is_none")]
    demo: Option<bool>,
    /// The token that requests must present; prefer the environment, because every user of the machine can read a flag.
    #[arg(long, value_name = "TEXT")]
    #[serde(skip_serializing_if = "Option::is_none")]
    admin_token: Option<String>,
    /// The folder of snapshot files [default: snapshots].
    #[arg(long, value_name = "DIR")]
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshots: Option<PathBuf>,
    /// Minutes between scheduled snapshots; 0 turns them off [default: 1440].
    #[arg(long, value_name = "MINUTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_every_minutes: Option<u64>,
    /// Number of days for which to keep the newest scheduled snapshot.
    #[arg(long, value_name = "DAYS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_keep_daily: Option<usize>,
    /// Number of weeks for which to keep the newest scheduled snapshot.
    #[arg(long, value_name = "WEEKS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot_keep_weekly: Option<usize>,
    /// Minutes between test restores of the newest snapshot; 0 turns them off.
    #[arg(long, value_name = "MINUTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    self_restore_every_minutes: Option<u64>,
    /// Threads of the HTTP server; 0 means one per core.
    #[arg(long, value_name = "THREADS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    workers: Option<usize>,
    /// Dedicated actor threads; 0 runs actors on the HTTP workers' threads.
    #[arg(long, value_name = "THREADS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_threads: Option<usize>,
    /// Maximum number of appends that wait for the log's writer.
    #[arg(long, value_name = "APPENDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    append_queue_max: Option<usize>,
    /// Maximum number of actors in memory.
    #[arg(long, value_name = "ACTORS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    actors_alive_max: Option<usize>,
    /// Seconds without a command after which an actor is unloaded.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    actor_idle_seconds: Option<u64>,
    /// Maximum size of a request body.
    #[arg(long, value_name = "BYTES")]
    #[serde(skip_serializing_if = "Option::is_none")]
    body_bytes_max: Option<usize>,
    /// Maximum number of live sessions.
    #[arg(long, value_name = "SESSIONS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions_max: Option<usize>,
    /// Maximum number of live sessions from one address.
    #[arg(long, value_name = "SESSIONS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions_per_address_max: Option<usize>,
    /// Maximum number of live sessions of one principal.
    #[arg(long, value_name = "SESSIONS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions_per_principal_max: Option<usize>,
    /// Maximum lifetime of a live session.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    session_lifetime_seconds: Option<u64>,
    /// Seconds between pings of a live session.
    #[arg(long, value_name = "SECONDS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    session_ping_seconds: Option<u64>,
    /// Events between checkpoints of the projections.
    #[arg(long, value_name = "EVENTS")]
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_every_events: Option<u64>,
}

impl DataFlags {
    /// The folder, if given.
    pub(super) fn data(&self) -> Option<&Path> {
        self.data.as_deref()
    }

    /// The given flags by field name.
    pub(super) fn values(&self) -> Dict {
        dict(self)
    }
}

impl ServerFlags {
    /// The given flags by field name.
    pub(super) fn values(&self) -> Dict {
        dict(self)
    }
}

fn dict(flags: &impl Serialize) -> Dict {
    flag_value(flags).into_dict().expect("this holds because flags are a struct")
}
