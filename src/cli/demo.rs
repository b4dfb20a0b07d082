//! `aisled demo`: adds the demo household to a folder that no server has open.

use std::path::PathBuf;

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
        let opened = open_or_make(&config)?;
        let tally = demo::seed(&opened.as_log()).map_err(anyhow::Error::from)?;
        opened.sled.close().map_err(anyhow::Error::from)?;
        println!(
            "{}",
            json!({ "demo": "household", "events_appended": tally.events_appended, "unchanged": tally.unchanged, "refused": tally.refused })
        );
        Ok(Ended::Well)
    }
}
