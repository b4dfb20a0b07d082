//! What the live rows share: servers of their own, repeated measurements, and every outcome for the report.

use std::{fmt::Write, fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{RUNS, scratch_folder, server::Server, table::Table};
use crate::{live::Outcome, measure::median};

#[derive(Clone, clap::Args)]
pub struct Options {
    /// The server's binary, built for release.
    #[arg(long, default_value = "target/dist/aisled")]
    server: PathBuf,
    /// Where the folders of the measured servers go.
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Only these rows, such as 10,14.
    #[arg(long, value_delimiter = ',')]
    rows: Vec<u8>,
    /// Where JSON and charts go.
    #[arg(long, default_value = "target/bench-live")]
    out: PathBuf,
    /// How often each short measurement is repeated; the median is shown.
    #[arg(long, default_value_t = RUNS)]
    runs: usize,
}

/// What every live row needs.
pub struct LiveBench {
    options: Options,
    scratch: tempfile::TempDir,
    pub table: Table,
    pub runtime: Runtime,
    servers: usize,
    /// What the servers ask for: handshakes are measured with authentication.
    token: String,
    outcomes: Vec<(String, Outcome)>,
}

impl LiveBench {
    /// Nothing is measured yet.
    pub fn new(options: &Options, token: String) -> Result<Self> {
        let scratch = scratch_folder(options.scratch.as_deref())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { options: options.clone(), scratch, table: Table::default(), runtime, servers: 0, token, outcomes: Vec::new() })
    }

    /// A new server on an empty folder.
    pub fn server(&mut self) -> Result<Server> {
        self.servers += 1;
        let folder = self.scratch.path().join(self.servers.to_string());
        let server = Server::start_for_sessions(&self.options.server, &folder, &self.token)?;
        server.ready()?;
        self.table.durability(&server.durability()?);
        Ok(server)
    }

    pub fn runs(&self) -> usize {
        self.options.runs.max(1)
    }

    /// Repeats a measurement, each time on a new server, and keeps the middle one by a figure.
    pub fn middle(
        &mut self,
        name: &str,
        measure: impl Fn(&Runtime, &Server) -> Result<Outcome>,
        figure: impl Fn(&Outcome) -> f64,
    ) -> Result<&Outcome> {
        let mut runs = Vec::new();
        for _ in 0..self.runs() {
            let server = self.server()?;
            runs.push(measure(&self.runtime, &server)?);
        }
        let middle = median(runs, figure).context("nothing was measured")?;
        Ok(self.keep(name, middle))
    }

    /// Keeps an outcome for the report.
    pub fn keep(&mut self, name: &str, outcome: Outcome) -> &Outcome {
        eprint!("{}", outcome.table());
        self.outcomes.push((name.to_owned(), outcome));
        &self.outcomes.last().expect("this holds because it was put there just now").1
    }

    /// Measures a row, unless others were asked for; a failure becomes a line of the table.
    pub fn row(&mut self, row: u8, name: &str, measure: impl FnOnce(&mut Self) -> Result<()>) {
        if !self.options.rows.is_empty() && !self.options.rows.contains(&row) {
            return;
        }
        let begin = Instant::now();
        eprintln!("measuring {name} …");
        if let Err(error) = measure(self) {
            self.table.missing(row, name, &format!("{error:#}"));
        }
        eprintln!("  {:.1} s", begin.elapsed().as_secs_f64());
    }

    /// Writes each outcome, and one page with the table and all charts.
    pub fn save(&self, summary: &str) -> Result<()> {
        let out = &self.options.out;
        let mut page = String::from(
            "<!doctype html><meta charset=\"utf-8\"><title>Live rows</title><style>svg{max-width:48rem;display:block}</style>",
        );
        // Writing to a text cannot fail.
        let _ = writeln!(page, "<pre>{}</pre>", summary.replace('&', "&amp;").replace('<', "&lt;"));
        for (name, outcome) in &self.outcomes {
            outcome.save(out, name)?;
            if let Ok(svg) = fs::read_to_string(out.join(format!("{name}.svg"))) {
                let _ = writeln!(page, "<h3>{name}</h3>{svg}");
            }
        }
        fs::create_dir_all(out)?;
        let all: Vec<Value> = self.outcomes.iter().map(|(_, outcome)| outcome.json()).collect();
        fs::write(out.join("all.json"), format!("{:#}\n", Value::from(all)))?;
        fs::write(out.join("index.html"), page).with_context(|| format!("cannot write into {}", out.display()))
    }
}
