//! `aisled import`: imports a source's files into a folder that no server has open, or into a running server.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{CliError, Ended, flags::DataFlags, open::open_or_make, prepare, remote::token};
use crate::{
    config::Config,
    domain::Principal,
    events::{Log, clock::SystemClock},
    import::{self, HttpSink, OfflineSink, Report, SourceName, Summary},
};

/// The principal recorded for imports.
const IMPORTER: &str = "import";

#[derive(Debug, Args)]
pub(super) struct Import {
    /// The source of the files.
    #[arg(value_enum)]
    source: SourceName,
    /// The folder with the .csv or .csv.gz files.
    folder: PathBuf,
    #[command(flatten)]
    data: DataFlags,
    /// Import into a running server instead of a folder.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    url: Option<String>,
    /// Write every refused row with file, line and reason; CSV if the name ends in .csv, else NDJSON.
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Exit with 3 if any row is refused.
    #[arg(long)]
    strict: bool,
}

impl Import {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let summary = self.import(&config)?;
        println!("{}", serde_json::to_string(&summary).map_err(anyhow::Error::from)?);
        Ok(if self.strict && summary.refused > 0 { Ended::RefusedRows } else { Ended::Well })
    }

    fn import(&self, config: &Config) -> anyhow::Result<Summary> {
        // Before the log is opened: a wrong folder must not make a new data folder.
        let source = self.source.open(&self.folder)?;
        let bar = import::progress_bar();
        let shown = bar.clone();
        let mut report = Report::new(self.report.as_deref(), Box::new(move |line| shown.suspend(|| eprintln!("{line}"))))?;
        if let Some(url) = &self.url {
            let mut sink = HttpSink::new(url, token(url, config).as_deref())?;
            return Ok(import::run(self.source, source, &mut sink, &mut report, &bar)?);
        }
        let log: Arc<dyn Log> = open_or_make(config)?;
        let who = Principal::new(IMPORTER)?;
        let mut sink = OfflineSink::new(log.clone(), Arc::new(SystemClock), who, self.source.id_prefix())?;
        let summary = import::run(self.source, source, &mut sink, &mut report, &bar)?;
        log.close()?;
        Ok(summary)
    }
}
