//! `aisled export`: the whole log, or a part, as lines that any tool can read and `aisled import-log` makes the same log of.

use std::{io::Write, path::PathBuf};

use clap::Args;

use super::{
    CliError, Ended,
    flags::DataFlags,
    open::open_existing_with_folder,
    output::{Target, print_json},
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
    /// Where to write; compressed if the name ends in .zst or .gz [default: standard output].
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,
    /// Only events after this position; an import needs them all.
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
        let mut target = Target::create(self.out.as_deref())?;
        let source = format!("urn:aisled:{}", folder.epoch());
        let exported = match export(&log, range, self.format, &source, &mut target) {
            Ok(exported) => exported,
            Err(error) => return target.give_up(error.into()),
        };
        target.flush().map_err(anyhow::Error::from)?;
        if target.finish()? {
            print_json(&exported)?;
        }
        Ok(Ended::Well)
    }
}
