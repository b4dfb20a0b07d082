//! `aisled debug`: steps through a stream of a folder, a running server, an export or a bundle. It changes nothing.

use std::{
    io::{self, BufRead, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::Context;
use clap::Args;

use super::{
    CliError, Ended,
    flags::DataFlags,
    open::{open_existing, or_ask},
    output::is_closed_pipe,
    prepare, remote,
};
use crate::{
    config::Config,
    debug::session::{Reply, Session},
    domain::StreamId,
    events::{Log, Recorded},
    exchange::{each_event, files},
};

const PROMPT: &str = "> ";

#[derive(Debug, Args)]
pub(super) struct Debug {
    /// The stream, such as list/weekly.
    stream: StreamId,
    #[command(flatten)]
    data: DataFlags,
    /// A running server instead of a folder.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    url: Option<String>,
    /// An export or a bundle instead of a folder.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "url"])]
    file: Option<PathBuf>,
}

impl Debug {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let events = self.events(&config)?;
        if events.is_empty() {
            return Err(anyhow::anyhow!("there are no events of {}", self.stream).into());
        }
        let mut session = Session::new(self.stream.kind(), events);
        match converse(&mut session) {
            Err(error) if !is_closed_pipe(&error) => Err(error.into()),
            _ => Ok(Ended::Well),
        }
    }

    fn events(&self, config: &Config) -> anyhow::Result<Vec<Arc<Recorded>>> {
        match (&self.url, &self.file) {
            (Some(url), _) => {
                let events = remote::events(url, &[("stream", self.stream.to_string())], config)?;
                events.map(|event| event.map(Arc::new)).collect()
            }
            (None, Some(file)) => self.events_of_file(file).with_context(|| format!("{} cannot be read", file.display())),
            (None, None) => Ok(open_existing(config).map_err(or_ask)?.read_stream(&self.stream, 0, usize::MAX)?),
        }
    }

    fn events_of_file(&self, file: &Path) -> anyhow::Result<Vec<Arc<Recorded>>> {
        let mut events = Vec::new();
        each_event(files::open(file)?, |recorded| {
            if recorded.stream == self.stream {
                events.push(Arc::new(recorded));
            }
            Ok(())
        })?;
        Ok(events)
    }
}

/// Answers lines until input ends or `q`. Only a terminal gets a prompt.
fn converse(session: &mut Session) -> anyhow::Result<()> {
    let prompt = if io::stdin().is_terminal() && io::stdout().is_terminal() { PROMPT } else { "" };
    let mut out = io::stdout();
    writeln!(out, "{}", session.greeting())?;
    let mut lines = io::stdin().lock().lines();
    loop {
        write!(out, "{prompt}")?;
        out.flush()?;
        let Some(line) = lines.next().transpose()? else { return Ok(()) };
        match session.execute(&line) {
            Reply::Text(text) => writeln!(out, "{text}")?,
            Reply::Quit => return Ok(()),
        }
    }
}
