//! `aisled import-log`: builds a folder's log from an export, with the same hashes, or leaves no log at all.

use std::{fs, path::PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::json;

use super::{CliError, Ended, flags::DataFlags, output::print_json, prepare};
use crate::{
    app::DataFolder,
    config::Config,
    exchange::{files, import, to_hex},
    log::build::Built,
};

#[derive(Debug, Args)]
pub(super) struct ImportLog {
    /// The output of `aisled export`, in either format; .zst and .gz are unpacked.
    file: PathBuf,
    #[command(flatten)]
    data: DataFlags,
}

impl ImportLog {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        if fs::read_dir(&config.data).is_ok_and(|mut entries| entries.next().is_some()) {
            return Err(CliError::Usage(format!(
                "{} is not empty; an export can only be imported into an empty folder",
                config.data.display()
            )));
        }
        let built = self.import(&config)?;
        let chain = to_hex(&built.chain);
        print_json(&json!({"events": built.head.0, "last_position": built.head, "blocks": built.blocks, "chain": chain, "ok": true}))?;
        Ok(Ended::Well)
    }

    fn import(&self, config: &Config) -> anyhow::Result<Built> {
        let named = || format!("{} cannot be imported", self.file.display());
        let lines = files::open(&self.file).with_context(named)?;
        let built = import(lines, &config.data.join("log")).with_context(named)?;
        DataFolder::open(&config.data)?;
        Ok(built)
    }
}
