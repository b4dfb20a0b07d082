//! `aisled events`: prints the log of a folder or a running server; a server can also be followed.

use std::{
    io::{self, BufRead, BufReader, Write},
    ops::ControlFlow,
    path::PathBuf,
};

use anyhow::Context;
use clap::{Args, ValueEnum};
use serde_json::Value;

use super::{
    CliError, Ended,
    flags::DataFlags,
    open::{open_existing_with_folder, or_ask},
    output::is_closed_pipe,
    prepare, remote,
};
use crate::{
    config::Config,
    domain::StreamId,
    events::{Lineage, Log, Position, Recorded, Seen, codec::event_json, names::EVENT_NAMES, names::event_name, served::HistoryChanged},
};

/// Events of one stream read at a time.
const STREAM_BATCH_EVENTS: usize = 4_096;

#[derive(Debug, Args)]
pub(super) struct Events {
    #[command(flatten)]
    data: DataFlags,
    /// Read from a running server instead of a folder.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    url: Option<String>,
    /// Only events of this stream, such as list/weekly.
    #[arg(long)]
    stream: Option<StreamId>,
    /// Only events of this type, such as `list.item_added`.
    #[arg(long = "type", value_name = "TYPE")]
    event_type: Option<String>,
    /// Start after this position, as an event or answer has it.
    #[arg(long, value_name = "POSITION", default_value = "0")]
    after: Seen,
    /// Stop after this many events.
    #[arg(long, value_name = "EVENTS")]
    limit: Option<u64>,
    /// Keep printing new events; needs --url, because a folder has one owner.
    #[arg(long, requires = "url")]
    follow: bool,
    /// One JSON object per line, or readable lines.
    #[arg(long, value_enum, default_value = "ndjson")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Ndjson,
    Text,
}

impl Events {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        self.check_type()?;
        let mut out = io::BufWriter::new(io::stdout().lock());
        let printed = match &self.url {
            Some(url) => self.print_of_server(url, &config, &mut out),
            None => self.print_of_folder(&config, &mut out),
        };
        match printed.and_then(|()| Ok(out.flush()?)) {
            // The reader has closed the pipe, like `head`.
            Err(error) if is_closed_pipe(&error) => Ok(Ended::Well),
            printed => Ok(printed.map(|()| Ended::Well)?),
        }
    }

    fn check_type(&self) -> Result<(), CliError> {
        match &self.event_type {
            Some(name) if !EVENT_NAMES.contains(&name.as_str()) => {
                Err(CliError::Usage(format!("unknown event type {name:?}; the types are {}", EVENT_NAMES.join(", "))))
            }
            _ => Ok(()),
        }
    }

    fn print_of_folder(&self, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
        let (log, folder) = open_existing_with_folder(config).map_err(or_ask)?;
        // A bare number is taken as it is: who reads a folder sees which history it holds.
        let after = match self.after.mark {
            None => Position(self.after.number),
            Some(_) => Lineage::of(&*log, &folder.breaks()?)?.position(self.after).ok_or(HistoryChanged(self.after))?,
        };
        if let Some(stream) = &self.stream {
            return self.print_stream(&*log, stream, after, out);
        }
        let mut left = self.limit.unwrap_or(u64::MAX);
        let mut written = Ok(());
        log.scan(after, &mut |recorded| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            if self.wants(&recorded) {
                left -= 1;
                written = self.print(&event_json(&recorded), out);
            }
            if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
        written
    }

    /// One stream is found without reading all the others.
    fn print_stream(&self, log: &dyn Log, stream: &StreamId, after: Position, out: &mut impl Write) -> anyhow::Result<()> {
        let (mut version, mut left) = (0, self.limit.unwrap_or(u64::MAX));
        loop {
            let events = log.read_stream(stream, version, STREAM_BATCH_EVENTS)?;
            let Some(newest) = events.last() else { return Ok(()) };
            version = newest.version;
            for recorded in events.iter().filter(|recorded| recorded.position > after && self.wants(recorded)) {
                if left == 0 {
                    return Ok(());
                }
                left -= 1;
                self.print(&event_json(recorded), out)?;
            }
        }
    }

    fn wants(&self, recorded: &Recorded) -> bool {
        self.stream.as_ref().is_none_or(|stream| *stream == recorded.stream)
            && self.event_type.as_ref().is_none_or(|name| name == event_name(&recorded.event))
    }

    fn print_of_server(&self, url: &str, config: &Config, out: &mut impl Write) -> anyhow::Result<()> {
        let body = self.ask(url, config)?.into_body().into_reader();
        let mut left = self.limit.unwrap_or(u64::MAX);
        for line in BufReader::new(body).lines() {
            let line = line.context("the server ended the response early")?;
            if line.trim().is_empty() {
                continue;
            }
            let event = serde_json::from_str(&line).with_context(|| format!("the server sent something that is not an event: {line}"))?;
            remote::check_end(&event)?;
            left -= 1;
            self.print(&event, out)?;
            if self.follow {
                out.flush()?;
            }
            if left == 0 {
                return Ok(());
            }
        }
        // Who follows is told why it ends; without a reason the server is gone.
        anyhow::ensure!(!self.follow, "the server ended the response: it has stopped");
        Ok(())
    }

    fn ask(&self, url: &str, config: &Config) -> anyhow::Result<ureq::http::Response<ureq::Body>> {
        let mut query = vec![("after", self.after.to_string())];
        query.extend(self.stream.iter().map(|stream| ("stream", stream.to_string())));
        query.extend(self.event_type.iter().map(|name| ("type", name.clone())));
        if self.follow {
            query.push(("follow", "true".into()));
        } else if let Some(limit) = self.limit {
            query.push(("limit", limit.to_string()));
        }
        remote::get(url, remote::EVENTS, &query, config)
    }

    fn print(&self, event: &Value, out: &mut impl Write) -> anyhow::Result<()> {
        match self.format {
            Format::Ndjson => writeln!(out, "{event}")?,
            Format::Text => {
                let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
                let (position, at, who, stream, name) = (text("position"), text("at"), text("who"), text("stream"), text("type"));
                let sent = event["by"].as_str().map(|by| format!(", sent by {by}")).unwrap_or_default();
                writeln!(out, "{position:>10}  {at:<27}  {stream} v{}  {name}  by {who}{sent}  {}", event["version"], event["data"])?;
            }
        }
        Ok(())
    }
}
