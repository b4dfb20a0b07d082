//! `aisled config`: what is in force, and where each value comes from.

use std::path::PathBuf;

use clap::Args;

use super::{
    CliError, Ended,
    flags::{DataFlags, ServerFlags},
};
use crate::config::{Sources, load};

/// Takes the flags of `serve`, so that a whole command line can be tried.
#[derive(Debug, Args)]
pub(super) struct Config {
    #[command(flatten)]
    data: DataFlags,
    #[command(flatten)]
    server: ServerFlags,
    /// As one JSON object.
    #[arg(long)]
    json: bool,
}

impl Config {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let mut flags = self.data.values();
        flags.extend(self.server.values());
        let loaded = load(&Sources::of_process(file, flags))?;
        if self.json {
            println!("{}", serde_json::to_string_pretty(&loaded.to_json()).map_err(anyhow::Error::from)?);
        } else {
            print!("{}", loaded.to_text());
        }
        for warning in &loaded.warnings {
            eprintln!("aisled: warning: {warning}");
        }
        Ok(Ended::Well)
    }
}
