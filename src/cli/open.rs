//! Opens the log of a folder for a command that works without a server.

use std::sync::Arc;

use anyhow::{Context, anyhow};

use crate::{
    app::{
        AppError, DataFolder,
        offline::{Offline, has_log},
    },
    config::Config,
    log::{DiskLog, OpenError, OpenReport},
};

/// Opens the log, creating the folder if needed. Prints what was recovered on standard error.
///
/// # Errors
/// When another process has it open, or it is damaged.
pub(super) fn open_or_make(config: &Config) -> anyhow::Result<Arc<DiskLog>> {
    open(config).map(|(log, _)| log)
}

/// Opens a log that must exist.
///
/// # Errors
/// When it does not exist, when another process has it open, or when it is damaged.
pub(super) fn open_existing(config: &Config) -> anyhow::Result<Arc<DiskLog>> {
    open_existing_with_folder(config).map(|(log, _)| log)
}

/// As [`open_existing`], with the folder, which identifies the history and holds the checkpoints.
///
/// # Errors
/// Those of [`open_existing`].
pub(super) fn open_existing_with_folder(config: &Config) -> anyhow::Result<(Arc<DiskLog>, DataFolder)> {
    let data = config.data.display();
    anyhow::ensure!(has_log(&config.data)?, "there is no event log in {data}");
    open(config).with_context(|| format!("cannot open the log in {data}"))
}

/// Opens a folder whose log may be damaged.
///
/// # Errors
/// When another process has it open, or the folder cannot be used.
pub(super) fn open_offline(config: Config) -> anyhow::Result<Offline> {
    Offline::open(config).map_err(|error| or_ask(error.into()))
}

/// Adds what to do about a folder that a server has open; for commands with `--url`.
pub(super) fn or_ask(error: anyhow::Error) -> anyhow::Error {
    match error.downcast_ref() {
        Some(AppError::Open(OpenError::InUse { .. })) => {
            anyhow!("{error:#}; stop that server, or use it with --url http://HOST:PORT")
        }
        _ => error,
    }
}

fn open(config: &Config) -> anyhow::Result<(Arc<DiskLog>, DataFolder)> {
    let mut folder = DataFolder::open(&config.data)?;
    let (log, report) = folder.open_log(config)?;
    print(&report);
    Ok((Arc::new(log), folder))
}

/// Recovery is never silent.
fn print(report: &OpenReport) {
    let parts =
        [("a torn end was cut off", report.cut_tail.as_slice()), ("repaired", &report.mended), ("lost", report.lost_tail.as_slice())];
    for (what, details) in parts {
        details.iter().for_each(|detail| eprintln!("aisled: the log was recovered: {what}: {detail}"));
    }
    if report.upgraded {
        eprintln!("aisled: the log was upgraded to the current layout; its old files are removed at the next start");
    }
}
