//! `aisled export`: the whole log, or a part, as lines that any tool can read and that `aisled import-log` turns back into the same log.

use std::path::PathBuf;

use clap::Args;

use super::{
    CliError, Ended,
    flags::DataFlags,
    open::open_existing_with_folder,
    output::{print_json, write_to},
    prepare,
};
use crate::{
    events::Position,
    exchange::{Format, Range, export},
};

#[derive(Debug, Args)]
pub(super) struct Export {
    #[command(flatten)]
    data: DataFlags,
    /// The output file, compressed if its name ends in .zst or .gz [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,
    /// Only events after this position; an import needs all events.
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
    /// Only events up to and including this position.
    #[arg(long, value_name = "POSITION")]
    to: Option<Position>,
}

impl Export {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let (log, folder) = open_existing_with_folder(&config)?;
        let range = Range::of(&*log, self.after, self.to).map_err(CliError::Usage)?;
        let source = format!("urn:aisled:{}", folder.epoch());
        let exported = write_to(self.out.as_deref(), |out| Ok(export(&log, range, self.format, &source, out)?))?;
        if let (Some(exported), Some(_)) = (exported, &self.out) {
            print_json(&exported)?;
        }
        Ok(Ended::Well)
    }
}
