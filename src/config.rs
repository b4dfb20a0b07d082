//! The one typed, checked configuration: defaults < TOML file < environment (`AISLED_…`) < flags.
//! Loaded once at the start; from there on the type is the proof that every value makes sense.

mod fields;
mod report;
mod secret;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Serialized, Toml},
    value::{Dict, Map, Value},
};
use serde::{Deserialize, Serialize};

use crate::{
    log::{self, LogOptions},
    snapshots::SnapshotFolder,
    snapshots::retention::Retention,
};

pub use fields::{FIELDS, Field};
pub use secret::Secret;

/// The file read when no `--config` names another; it may be absent.
pub const FILE_DEFAULT: &str = "aisled.toml";
/// What the name of an environment variable starts with; the rest is the field's name in capitals.
pub const ENVIRONMENT_PREFIX: &str = "AISLED_";
/// The fewest characters of an admin token: shorter ones can be guessed.
pub const ADMIN_TOKEN_CHARS_MIN: usize = 16;

/// Everything that can be configured. Units and limits are in the names; `fields.rs` describes each to the user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address and port of the HTTP and WebSocket server; port 0 takes any free one. Default 127.0.0.1:8080.
    pub listen: SocketAddr,
    /// The folder of the event log and its checkpoints; one process at a time. Default `data`.
    pub data: PathBuf,
    /// The folder that snapshot files go to. Default `snapshots`.
    pub snapshots: PathBuf,
    /// Minutes between scheduled snapshots; 0 makes none. Default 1440, a day.
    pub snapshot_every_minutes: u64,
    /// Days of which the newest scheduled snapshot is kept. Default 7.
    pub snapshot_keep_daily: usize,
    /// Weeks of which the newest scheduled snapshot is kept. Default 4.
    pub snapshot_keep_weekly: usize,
    /// Minutes between two tries whether the newest snapshot restores; 0 tries never. Default 1440, a day.
    pub self_restore_every_minutes: u64,
    /// When an event counts as written. Default `sync`.
    pub durability: Durability,
    /// Milliseconds between flushes under `periodic`: the most that a crash can lose. Default 200.
    pub periodic_flush_ms: u64,
    /// Whether a log opens of which acknowledged events are lost or damaged, without them. Default false.
    pub accept_lost_tail: bool,
    /// Mebibytes of the log's older files that are read and checked a second, again and again; 0 checks none. Default 8.
    pub verify_mib_per_second: u64,
    /// What a request must present when it is not from the owner on loopback. Default none.
    pub admin_token: Option<Secret>,
    /// Whether `serve` fills an empty folder with the demo household. Default false.
    pub demo: bool,
    /// HTTP worker threads; 0 means one per core. Default 0.
    pub workers: usize,
    /// Threads of the actors' own; 0 runs them on the HTTP workers' threads, which saves two hops a command. Default 0.
    pub actor_threads: usize,
    /// Appends that may wait for the log's writer; more are answered 503. Default 16384.
    pub append_queue_max: usize,
    /// Actors in memory; beyond it the longest idle rest first. Default 100000.
    pub actors_alive_max: usize,
    /// Seconds without a command after which an actor rests. Default 300.
    pub actor_idle_seconds: u64,
    /// The largest request body in bytes; a bulk request may be longer, each of its lines up to 64 KiB. Default 1 MiB.
    pub body_bytes_max: usize,
    /// Live sessions at the same time; more are closed with 3013. Default 10000.
    pub sessions_max: usize,
    /// Live sessions from one address; more are closed with 3014. Behind a proxy all come from its address. Default 1000.
    pub sessions_per_address_max: usize,
    /// Live sessions of one principal; more are closed with 3015. Without accounts nearly everybody is `local`. Default 1000.
    pub sessions_per_principal_max: usize,
    /// Seconds a live session may last, give or take a tenth. Default 86400.
    pub session_lifetime_seconds: u64,
    /// Seconds between pings of a live session; one that is silent for two of them is closed. Default 25.
    pub session_ping_seconds: u64,
    /// Events between two checkpoints of the projections: a start replays at most about so many. Default 200000.
    pub checkpoint_every_events: u64,
    /// How log lines look. Default `text`.
    pub log_format: LogFormat,
    /// Which log lines are shown, in the syntax of `RUST_LOG`. Default `info`.
    pub log_filter: String,
}

pub use durability::Durability;
mod durability;

/// How log lines look on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            data: PathBuf::from("data"),
            snapshots: PathBuf::from("snapshots"),
            snapshot_every_minutes: 1_440,
            snapshot_keep_daily: 7,
            snapshot_keep_weekly: 4,
            self_restore_every_minutes: 1_440,
            durability: Durability::default(),
            periodic_flush_ms: 200,
            accept_lost_tail: false,
            verify_mib_per_second: 8,
            admin_token: None,
            demo: false,
            workers: 0,
            actor_threads: 0,
            append_queue_max: 16_384,
            actors_alive_max: 100_000,
            actor_idle_seconds: 300,
            body_bytes_max: 1 << 20,
            sessions_max: 10_000,
            sessions_per_address_max: 1_000,
            sessions_per_principal_max: 1_000,
            session_lifetime_seconds: 86_400,
            session_ping_seconds: 25,
            checkpoint_every_events: 200_000,
            log_format: LogFormat::default(),
            log_filter: "info".into(),
        }
    }
}

/// Where values come from beside the defaults, handed in so that loading touches nothing global but the file.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The file named by `--config`: it must exist. `None` reads [`FILE_DEFAULT`] if that exists.
    pub file: Option<PathBuf>,
    /// Environment variables; those without the prefix are ignored.
    pub environment: Vec<(String, String)>,
    /// Values given as flags, by field name.
    pub flags: Dict,
}

impl Sources {
    /// This process's environment, a file if one was named, and flags.
    pub fn of_process(file: Option<PathBuf>, flags: Dict) -> Self {
        let environment =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
        Self { file, environment, flags }
    }
}

/// A configuration with the source of each value.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub config: Config,
    /// By field name: `default`, `file …`, `environment AISLED_…` or `flag --…`.
    pub sources: BTreeMap<&'static str, String>,
    /// What is odd but harmless, such as an environment variable nobody knows.
    pub warnings: Vec<String>,
}

/// Every reason why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the configuration cannot be used:\n  - {}", .problems.join("\n  - "))]
pub struct ConfigError {
    pub problems: Vec<String>,
}

impl ConfigError {
    fn one(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }
}

/// Merges the sources and checks every value.
///
/// # Errors
/// Names each unknown key and each value that cannot be, with its source.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let (environment, warnings) = from_environment(&sources.environment);
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = file_to_read(sources.file.as_deref())? {
        figment = figment.merge(Toml::file_exact(&file));
    }
    let figment =
        figment.merge(Layer { name: "environment", values: environment }).merge(Layer { name: "flag", values: sources.flags.clone() });
    let config: Config =
        figment.extract().map_err(|errors| ConfigError { problems: errors.into_iter().map(|e| describe(&e)).collect() })?;
    config.check()?;
    let sources = FIELDS.iter().map(|field| (field.name, source_of(&figment, field))).collect();
    Ok(Loaded { config, sources, warnings })
}

impl Config {
    /// Refuses to serve where others can reach it without a token.
    ///
    /// # Errors
    /// Says how to configure a token.
    pub fn check_listen(&self) -> Result<(), ConfigError> {
        if self.listen.ip().is_loopback() || self.admin_token.is_some() {
            return Ok(());
        }
        Err(ConfigError::one(format!(
            "listen is {}, which others can reach, but no admin token is configured: set AISLED_ADMIN_TOKEN (or admin_token in {FILE_DEFAULT}) \
             to at least {ADMIN_TOKEN_CHARS_MIN} characters, or listen on 127.0.0.1",
            self.listen
        )))
    }

    /// How to open the log in a folder.
    pub fn log_options(&self, folder: PathBuf) -> LogOptions {
        let durability = match self.durability {
            Durability::Sync => log::Durability::Sync,
            Durability::Flush => log::Durability::Flush,
            Durability::Periodic => log::Durability::Periodic(Duration::from_millis(self.periodic_flush_ms)),
        };
        LogOptions {
            durability,
            accept_lost_tail: self.accept_lost_tail,
            queue_max: self.append_queue_max,
            spares: vec![SnapshotFolder::new(&self.snapshots).segments()],
            verify_bytes_per_second: self.verify_mib_per_second << 20,
            ..LogOptions::new(folder)
        }
    }

    /// Which scheduled snapshots stay.
    pub fn retention(&self) -> Retention {
        Retention { daily: self.snapshot_keep_daily, weekly: self.snapshot_keep_weekly }
    }

    /// Worker threads of the HTTP server, with 0 resolved to the number of cores.
    pub fn workers_resolved(&self) -> usize {
        resolve_threads(self.workers)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Vec::new();
        let mut within = |name: &str, value: u64, least: u64, most: u64| {
            if !(least..=most).contains(&value) {
                problems.push(format!("{name} is {value}, it must be from {least} to {most}"));
            }
        };
        within("periodic_flush_ms", self.periodic_flush_ms, 1, 60_000);
        within("snapshot_every_minutes", self.snapshot_every_minutes, 0, 525_600);
        within("snapshot_keep_daily", self.snapshot_keep_daily as u64, 0, 3_650);
        within("snapshot_keep_weekly", self.snapshot_keep_weekly as u64, 0, 520);
        within("verify_mib_per_second", self.verify_mib_per_second, 0, 1_024);
        within("self_restore_every_minutes", self.self_restore_every_minutes, 0, 525_600);
        within("workers", self.workers as u64, 0, 1024);
        within("actor_threads", self.actor_threads as u64, 0, 1024);
        within("append_queue_max", self.append_queue_max as u64, 1, 1 << 20);
        within("actors_alive_max", self.actors_alive_max as u64, 16, 100_000_000);
        within("actor_idle_seconds", self.actor_idle_seconds, 1, 86_400);
        within("body_bytes_max", self.body_bytes_max as u64, 1024, 1 << 30);
        within("sessions_max", self.sessions_max as u64, 1, 1_000_000);
        within("checkpoint_every_events", self.checkpoint_every_events, 1_000, 1_000_000_000);
        problems.extend(self.check_texts());
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }

    fn check_texts(&self) -> Vec<String> {
        let mut problems = Vec::new();
        for (name, path) in [("data", &self.data), ("snapshots", &self.snapshots)] {
            if path.as_os_str().is_empty() {
                problems.push(format!("{name} is empty, it must name a folder"));
            }
        }
        if let Some(reason) = self.admin_token.as_ref().and_then(Secret::weakness) {
            problems.push(format!("admin_token {reason}"));
        }
        if let Err(error) = tracing_subscriber::EnvFilter::try_new(&self.log_filter) {
            problems.push(format!("log_filter is {:?}: {error}", self.log_filter));
        }
        problems
    }
}

fn resolve_threads(configured: usize) -> usize {
    if configured > 0 { configured } else { std::thread::available_parallelism().map_or(1, usize::from) }
}

fn file_to_read(named: Option<&Path>) -> Result<Option<PathBuf>, ConfigError> {
    match named {
        Some(file) if file.is_file() => Ok(Some(file.to_path_buf())),
        Some(file) => Err(ConfigError::one(format!("there is no file {}", file.display()))),
        None => Ok(Some(PathBuf::from(FILE_DEFAULT)).filter(|file| file.is_file())),
    }
}

/// Takes the fields out of the environment. Unknown names only warn: other programs may use the prefix for their own needs.
fn from_environment(variables: &[(String, String)]) -> (Dict, Vec<String>) {
    let mut values = Dict::new();
    let mut warnings = Vec::new();
    for (variable, text) in variables {
        let Some(name) = variable.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        match FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name)) {
            Some(field) => drop(values.insert(field.name.into(), field.value_of_text(text))),
            None if fields::FOREIGN_VARIABLES.iter().any(|foreign| name.starts_with(foreign)) => {}
            None => warnings.push(format!("environment variable {variable} is not a setting of aisled; see `aisled config`")),
        }
    }
    (values, warnings)
}

/// Values from one named place.
struct Layer {
    name: &'static str,
    values: Dict,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        let flag = self.name == "flag";
        Metadata::named(self.name).interpolater(move |_, keys| {
            let key = keys.join(".");
            if flag { format!("--{}", key.replace('_', "-")) } else { format!("{ENVIRONMENT_PREFIX}{}", key.to_uppercase()) }
        })
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

fn source_of(figment: &Figment, field: &Field) -> String {
    let Some(metadata) = figment.find_metadata(field.name) else { return "default".into() };
    match (&*metadata.name, metadata.source.as_ref().and_then(|source| source.file_path())) {
        (_, Some(file)) => format!("file {}", file.display()),
        ("environment", _) => format!("environment {}", field.variable()),
        ("flag", _) => format!("flag {}", field.flag()),
        _ => "default".into(),
    }
}

fn describe(error: &figment::Error) -> String {
    let place = error.metadata.as_ref().map_or_else(String::new, |metadata| match metadata.source.as_ref().and_then(|s| s.file_path()) {
        Some(file) => format!(" (from file {})", file.display()),
        None => format!(" (from {})", metadata.name),
    });
    let key = error.path.join(".");
    let key = if key.is_empty() { key } else { format!("{key}: ") };
    format!("{key}{}{place}", error.kind)
}

/// A flag's value as the configuration takes it.
pub fn flag_value(value: impl Serialize) -> Value {
    Value::serialize(value).expect("this holds because flags are texts, numbers and booleans")
}
