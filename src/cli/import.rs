//! `aisled import`: imports a source's files into a folder that no server has open, or into a running server.

use std::{path::PathBuf, sync::Arc};

use clap::Args;

use super::{CliError, Ended, flags::DataFlags, open::open_or_make, prepare, remote::token};
use crate::{
    config::Config,
    domain::Principal,
    events::{Log, clock::SystemClock},
    import::{self, HttpSink, Mapping, OfflineSink, Ran, Report, SourceName},
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
    /// Read a column of the files as another field, such as `Preis=price_eur`. May be repeated.
    #[arg(long, value_name = "COLUMN=FIELD")]
    map: Vec<String>,
    /// Only show how each file is read, and what its first rows become; nothing is recorded.
    #[arg(long, value_name = "ROWS", num_args = 0..=1, default_missing_value = "5", conflicts_with_all = ["report", "strict"])]
    preview: Option<usize>,
    /// Exit with 3 if any row is refused.
    #[arg(long)]
    strict: bool,
}

impl Import {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        if let Some(rows) = self.preview {
            let source =
                self.source.open(&self.folder, Mapping::parse(&self.map).map_err(anyhow::Error::from)?).map_err(anyhow::Error::from)?;
            import::preview(source, rows, &mut |line| println!("{line}")).map_err(anyhow::Error::from)?;
            return Ok(Ended::Well);
        }
        let Ran { summary, failed } = self.import(&config)?;
        println!("{}", serde_json::to_string(&summary).map_err(anyhow::Error::from)?);
        if let Some(error) = failed {
            let events = summary.events_appended;
            return Err(anyhow::anyhow!("{error}. {events} events were recorded before and stay: run the import again to continue").into());
        }
        Ok(if self.strict && summary.refused > 0 { Ended::RefusedRows } else { Ended::Well })
    }

    fn import(&self, config: &Config) -> anyhow::Result<Ran> {
        // Before the log is opened: a wrong folder or a damaged file must not make a new data folder.
        let source = self.source.open(&self.folder, Mapping::parse(&self.map)?)?;
        let bar = import::progress_bar();
        let shown = bar.clone();
        let mut report = Report::new(self.report.as_deref(), Box::new(move |line| shown.suspend(|| eprintln!("{line}"))))?;
        if let Some(url) = &self.url {
            let mut sink = HttpSink::new(url, token(url, config).as_deref())?;
            return Ok(import::run(self.source, source, &mut sink, &mut report, &bar));
        }
        let log: Arc<dyn Log> = open_or_make(config)?;
        let who = Principal::new(IMPORTER)?;
        let mut sink = OfflineSink::new(log.clone(), Arc::new(SystemClock), who, self.source.id_prefix())?;
        let ran = import::run(self.source, source, &mut sink, &mut report, &bar);
        let closed = log.close();
        if ran.failed.is_none() {
            closed?;
        }
        Ok(ran)
    }
}
