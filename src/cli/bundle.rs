//! `aisled bundle`: packages a bug without personal text, and replays it elsewhere.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;

use super::{CliError, Ended, flags::DataFlags, open::open_existing, output::print_json, prepare};
use crate::{
    debug::bundle::{self, BundleError, Choice, FORMAT, Manifest, Redaction},
    domain::StreamId,
    events::Position,
};

#[derive(Debug, Args)]
pub(super) struct Bundle {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write selected streams into one file, with personal text redacted.
    Create(Create),
    /// Replay a bundle and compare the result with its manifest.
    Replay(ReplayBundle),
}

#[derive(Debug, Args)]
struct Create {
    #[command(flatten)]
    data: DataFlags,
    /// A stream, such as list/weekly; may be repeated.
    #[arg(long = "stream", value_name = "STREAM", required = true)]
    streams: Vec<StreamId>,
    /// Only events from this position on.
    #[arg(long, value_name = "POSITION")]
    from: Option<Position>,
    /// Only events up to and including this position.
    #[arg(long, value_name = "POSITION")]
    to: Option<Position>,
    /// Include the products on the selected lists and the stores that price them, so that totals are the same.
    #[arg(long)]
    with_prices: bool,
    /// Replace ids too: of lists, products, stores and everything else.
    #[arg(long)]
    redact_ids: bool,
    /// The file to write, packed with zstd.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct ReplayBundle {
    file: PathBuf,
}

impl Bundle {
    pub(super) fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        match self.what {
            What::Create(create) => create.run(file),
            What::Replay(replay) => replay.run(),
        }
    }
}

impl Create {
    fn run(self, file: Option<PathBuf>) -> Result<Ended, CliError> {
        let config = prepare(file, self.data.values())?.config;
        let log = open_existing(&config)?;
        let Self { streams, from, to, with_prices, redact_ids, out, .. } = self;
        let choice = Choice { streams, from, to, with_prices };
        let (chosen, from, to) = bundle::choose(&*log, &choice).map_err(|error| told(error, &out))?;
        let redaction = Redaction::new(redact_ids).map_err(anyhow::Error::from)?;
        let events: Vec<_> =
            chosen.iter().map(|event| redaction.event(event)).collect::<Result<_, _>>().map_err(|error| told(error, &out))?;
        let manifest = Manifest {
            aisled_bundle: FORMAT,
            program: env!("CARGO_PKG_VERSION").into(),
            streams: choice.streams.iter().map(|stream| redaction.stream(stream)).collect(),
            from,
            to,
            redacted_ids: redact_ids,
            with_prices,
            events: events.len() as u64,
            outcome: bundle::fold(&events),
        };
        bundle::write(&out, &manifest, &events).map_err(|error| told(error, &out))?;
        print_json(&manifest)?;
        Ok(Ended::Well)
    }
}

impl ReplayBundle {
    fn run(self) -> Result<Ended, CliError> {
        let (manifest, events) = bundle::read(&self.file).map_err(|error| told(error, &self.file))?;
        let outcome = bundle::fold(&events);
        let differing = outcome.differing(&manifest.outcome);
        for name in &differing {
            eprintln!("aisled: {name} differs from what the manifest says (it was written by version {})", manifest.program);
        }
        let ok = differing.is_empty();
        print_json(&json!({
            "streams": manifest.streams, "events": events.len(), "program": manifest.program,
            "outcome": outcome, "differing": differing, "ok": ok,
        }))?;
        Ok(if ok { Ended::Well } else { Ended::FoundProblems })
    }
}

/// Wrong usage is reported as such; everything else is a failure of the file.
fn told(error: BundleError, file: &Path) -> CliError {
    match error {
        BundleError::Choice(reason) => CliError::Usage(reason),
        error @ (BundleError::Log(_)
        | BundleError::Unredactable { .. }
        | BundleError::Foreign(_)
        | BundleError::Newer(_)
        | BundleError::Damaged(_)
        | BundleError::File(_)) => CliError::Failed(anyhow::Error::from(error).context(file.display().to_string())),
    }
}
