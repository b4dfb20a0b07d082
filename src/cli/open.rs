//! Opens the log of a folder for a command that works without a server.

use std::sync::Arc;

use anyhow::Context;

use crate::{
    app::DataFolder,
    config::Config,
    events::{
        Log,
        sled_log::{OpenReport, SledLog},
    },
};

/// A log of a folder that nobody else has open.
pub(super) struct OpenedLog {
    pub sled: Arc<SledLog>,
    pub report: OpenReport,
}

impl OpenedLog {
    pub(super) fn as_log(&self) -> Arc<dyn Log> {
        self.sled.clone()
    }
}

/// Opens the log, making the folder if there is none.
///
/// # Errors
/// When another process has it open, or it is damaged.
pub(super) fn open_or_make(config: &Config) -> anyhow::Result<OpenedLog> {
    let folder = DataFolder::open(&config.data)?;
    let (log, report) = SledLog::open(config.log_options(folder.log()))?;
    tell(&report);
    Ok(OpenedLog { sled: Arc::new(log), report })
}

/// Opens a log that has to be there.
///
/// # Errors
/// When there is none, when another process has it open, or when it is damaged.
pub(super) fn open_existing(config: &Config) -> anyhow::Result<OpenedLog> {
    let folder = config.data.join("log");
    anyhow::ensure!(folder.is_dir(), "there is no event log in {}", config.data.display());
    open_or_make(config).with_context(|| format!("cannot open the log in {}", config.data.display()))
}

/// Recovery is never silent.
fn tell(report: &OpenReport) {
    let told = [("a torn end was cut", &report.cut_tail), ("salvaged", &report.salvaged), ("lost", &report.lost_tail)];
    for (what, detail) in told {
        if let Some(detail) = detail {
            eprintln!("aisled: the log was recovered: {what}: {detail}");
        }
    }
}
