//! The command line, one file per command.
//! Exit codes: 0 success, 1 a failure or a problem found, 2 wrong usage or configuration, 3 rows refused under `--strict`.

mod admin;
mod bring_back;
mod bundle;
mod config;
mod debug;
mod demo;
mod events;
mod export;
mod flags;
mod fork;
mod import;
mod import_log;
mod open;
mod output;
mod people;
mod remote;
mod replay;
mod restore;
mod serve;
mod snapshot;
mod verify;
mod views;
mod watch;
mod when;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

use crate::config::{ConfigError, Loaded, Sources, load};

/// A live grocery server on one event log.
#[derive(Debug, Parser)]
#[command(
    name = "aisled",
    version,
    max_term_width = 120,
    after_help = "Settings come from defaults < aisled.toml < AISLED_… < flags; `aisled config` shows them."
)]
struct Arguments {
    /// The configuration file [default: aisled.toml, if it exists].
    #[arg(long, global = true, value_name = "FILE", env = "AISLED_CONFIG")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start the server; stop it with SIGTERM or SIGINT.
    Serve(serve::Serve),
    /// Import a source's files as events.
    Import(import::Import),
    /// Check the whole log, and replay it twice.
    Verify(verify::Verify),
    /// Rebuild everything from the log and print counts, rates and state digests.
    Replay(replay::Replay),
    /// Print, filter and follow events.
    Events(events::Events),
    /// Create, list, check and delete snapshots.
    Snapshot(snapshot::Snapshot),
    /// Go back to a snapshot or to any point in time: a dry run first, then for real.
    Restore(restore::Restore),
    /// Create, list, disable and enable accounts, and reset their passwords.
    User(people::User),
    /// Create, list and revoke API tokens.
    Token(people::Token),
    /// Prepare the views of a new version while the old one serves.
    Views(views::Views),
    /// Write the log as NDJSON or `CloudEvents` lines.
    Export(export::Export),
    /// Rebuild a log from an export, with the same hashes.
    ImportLog(import_log::ImportLog),
    /// Step through a stream, forward and back, and show its state.
    Debug(debug::Debug),
    /// Try commands on a copy of the log as of a position, and compare the lists' totals.
    Fork(fork::Fork),
    /// Package selected streams, without personal text, to reproduce a bug elsewhere.
    Bundle(bundle::Bundle),
    /// Add the demo household to a folder.
    Demo(demo::Demo),
    /// Print the effective configuration with the source of each value.
    Config(config::Config),
}

/// How a command that did not fail ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    Well,
    /// It completed and found problems.
    FoundProblems,
    /// Rows were refused and `--strict` was given.
    RefusedRows,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CliError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{0}")]
    Usage(String),
    #[error("{0:#}")]
    Failed(#[from] anyhow::Error),
}

/// Runs the command line of this process and returns its exit code.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let file = arguments.config;
    let ended = match arguments.command {
        Command::Serve(serve) => serve.run(file),
        Command::Import(import) => import.run(file),
        Command::Verify(verify) => verify.run(file),
        Command::Replay(replay) => replay.run(file),
        Command::Events(events) => events.run(file),
        Command::Snapshot(snapshot) => snapshot.run(file),
        Command::Restore(restore) => restore.run(file),
        Command::User(user) => user.run(file),
        Command::Token(token) => token.run(file),
        Command::Views(views) => views.run(file),
        Command::Export(export) => export.run(file),
        Command::ImportLog(import) => import.run(file),
        Command::Debug(debug) => debug.run(file),
        Command::Fork(fork) => fork.run(file),
        Command::Bundle(bundle) => bundle.run(file),
        Command::Demo(demo) => demo.run(file),
        Command::Config(config) => config.run(file),
    };
    match ended {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::FoundProblems) => ExitCode::FAILURE,
        Ok(Ended::RefusedRows) => ExitCode::from(3),
        Err(error) => {
            eprintln!("aisled: {error}");
            ExitCode::from(if matches!(error, CliError::Failed(_)) { 1 } else { 2 })
        }
    }
}

/// Loads the configuration for a command, warns of oddities and starts logging to standard error.
fn prepare(file: Option<PathBuf>, flags: figment::value::Dict) -> Result<Loaded, CliError> {
    let loaded = load(&Sources::of_process(file, flags))?;
    for warning in &loaded.warnings {
        eprintln!("aisled: warning: {warning}");
    }
    let json = loaded.config.log_format == crate::config::LogFormat::Json;
    crate::telemetry::start_logging(&loaded.config.log_filter, json)?;
    Ok(loaded)
}
