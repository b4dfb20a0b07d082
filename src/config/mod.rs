//! The one typed, checked configuration: defaults < TOML file < environment (`AISLED_…`) < flags.
//! Loaded once at the start; after that the type is the proof that every value is valid.

mod catalog_writers;
mod check;
mod durability;
mod fields;
mod issuer;
mod lists;
mod network;
mod origin;
mod report;
mod secret;
mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Serialized, Toml},
    value::{Dict, Map},
};
use serde::{Deserialize, Serialize};

use crate::{
    log::{self, LogOptions},
    snapshots::SnapshotFolder,
    snapshots::retention::Retention,
};

pub use catalog_writers::CatalogWriters;
pub use durability::Durability;
pub use fields::{Field, TakenBy, Takes};
pub use issuer::{Issuer, NotAnIssuer};
pub use lists::Entries;
pub use network::{Network, NotANetwork};
pub use origin::{NotAnOrigin, WebOrigin};
pub use secret::Secret;
pub use table::{Config, FIELDS};

/// The file read when no `--config` names another; it may be absent.
pub const FILE_DEFAULT: &str = "aisled.toml";
/// The prefix of environment variables; the rest is the field's name in capitals.
pub const ENVIRONMENT_PREFIX: &str = "AISLED_";
/// The fewest characters of an admin token: shorter ones can be guessed.
pub const ADMIN_TOKEN_CHARS_MIN: usize = 16;
/// The fewest characters of a passphrase: nothing slows down who guesses it.
pub const PASSPHRASE_CHARS_MIN: usize = 12;
/// The most characters of a passphrase.
pub const PASSPHRASE_CHARS_MAX: usize = 256;

/// The format of log lines on standard error.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// The sources of values besides the defaults, passed in so that loading touches nothing global but the file.
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
    /// Harmless oddities, such as an unknown environment variable.
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
/// Names every unknown key and every value that cannot be used, all at once, each with its source; then values that contradict each other.
pub fn load(sources: &Sources) -> Result<Loaded, ConfigError> {
    let (environment, warnings) = from_environment(&sources.environment);
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(file) = file_to_read(sources.file.as_deref())? {
        figment = figment.merge(Toml::file_exact(&file));
        // The only source that may be unreadable: then nothing is known of its values.
        figment.data().map_err(|error| ConfigError::one(format!("file {} cannot be read: {error}", file.display())))?;
    }
    let figment =
        figment.merge(Layer { name: "environment", values: environment }).merge(Layer { name: "flag", values: sources.flags.clone() });
    check(&figment)?;
    let config: Config = figment.extract().map_err(|error| ConfigError::one(error.to_string()))?;
    config.contradiction().map_or(Ok(()), |contradiction| Err(ConfigError::one(contradiction)))?;
    let sources = FIELDS.iter().map(|field| (field.name, source_of(&figment, field.name))).collect();
    Ok(Loaded { config, sources, warnings })
}

/// Checks every value and every key on its own, because reading them into a [`Config`] stops at the first that is wrong.
fn check(figment: &Figment) -> Result<(), ConfigError> {
    let values: Dict = figment.extract().map_err(|error| ConfigError::one(error.to_string()))?;
    let wrong = FIELDS.iter().filter_map(|field| field.problem(values.get(field.name)?, &source_of(figment, field.name)));
    let is_unknown = |key: &&String| FIELDS.iter().all(|field| field.name != key.as_str());
    let unknown = values.keys().filter(is_unknown).map(|key| {
        let source = source_of(figment, key);
        format!("{key} is not a setting ({source}); `aisled serve --help` lists them")
    });
    let problems: Vec<_> = wrong.chain(unknown).collect();
    if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
}

impl Config {
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

    /// What two settings say that cannot both be.
    fn contradiction(&self) -> Option<String> {
        let needs_address = self.oidc_issuer.is_some() && self.public_url.is_empty() && !self.listen.ip().is_loopback();
        // The provider sends browsers back to a fixed address: one that is taken from the request could be anybody's.
        needs_address.then(|| {
            "oidc_issuer needs public_url, the address to which the provider sends people back; only a server that listens on the \
             loopback alone does without"
                .to_owned()
        })
    }

    /// Which scheduled snapshots are kept.
    pub fn retention(&self) -> Retention {
        Retention { daily: self.snapshot_keep_daily, weekly: self.snapshot_keep_weekly }
    }

    /// Worker threads of the HTTP server, with 0 resolved to the number of cores.
    pub fn workers_resolved(&self) -> usize {
        resolve_threads(self.workers)
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

/// Reads the fields from the environment. Unknown names only warn: other programs may use the prefix.
fn from_environment(variables: &[(String, String)]) -> (Dict, Vec<String>) {
    let mut values = Dict::new();
    let mut warnings = Vec::new();
    for (variable, text) in variables {
        let Some(name) = variable.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        match FIELDS.iter().find(|field| field.name.eq_ignore_ascii_case(name)) {
            Some(field) => drop(values.insert(field.name.into(), field.value_of_text(text.trim()))),
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
        Metadata::named(self.name)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

/// The source of a key's value. Only a file has keys that are not settings.
fn source_of(figment: &Figment, key: &str) -> String {
    let Some(metadata) = figment.find_metadata(key) else { return "default".into() };
    let field = FIELDS.iter().find(|field| field.name == key);
    match (metadata.source.as_ref().and_then(|source| source.file_path()), &*metadata.name, field) {
        (Some(file), ..) => format!("file {}", file.display()),
        (None, "environment", Some(field)) => format!("environment {}", field.variable()),
        (None, "flag", Some(field)) => format!("flag {}", field.flag()),
        (None, ..) => "default".into(),
    }
}
