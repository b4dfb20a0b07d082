//! `aisled demo`: adds the demo household to a folder that no server has open.

use std::{path::PathBuf, sync::Arc};

use clap::Args;
use serde_json::json;

use super::{CliError, Ended, flags::DataFlags, open::open_or_make, prepare};
use crate::{demo, events::Log};

#[derive(Debug, Args)]
pub(super) struct Demo {
    #[command(flatten)]
    data: DataFlags,
}

impl Demo {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let log: Arc<dyn Log> = open_or_make(&config)?;
        let tally = demo::seed(&log).map_err(anyhow::Error::from)?;
        log.close().map_err(anyhow::Error::from)?;
        println!(
            "{}",
            json!({ "demo": "household", "events_appended": tally.events_appended, "unchanged": tally.unchanged, "refused": tally.refused })
        );
        Ok(Ended::Well)
    }
}
