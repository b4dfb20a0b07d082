//! `aisled-load bench-live`: measures the live rows of `docs/performance.md`, each on a server of its own, prints one table,
//! and writes every run as JSON and as a chart.

use std::{fmt::Write, fs, path::PathBuf, time::Instant};

use anyhow::{Context, Result};
use serde_json::Value;
use tokio::runtime::Runtime;

use super::{RUNS, cores, live_rows, live_state_rows, load_average, scratch_folder, server::Server, table::Table};
use crate::{live::Outcome, measure::median, shapes};

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

    fn row(&mut self, row: u8, name: &str, measure: impl FnOnce(&mut Self) -> Result<()>) {
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
    fn save(&self, summary: &str) -> Result<()> {
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

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let scratch = scratch_folder(options.scratch.as_deref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let load_before = load_average();
    let token = format!("load-{:032x}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos());
    shapes::present(&token);
    let mut bench =
        LiveBench { options: options.clone(), scratch, table: Table::default(), runtime, servers: 0, token, outcomes: Vec::new() };
    bench.row(9, "price changes to 1,000 lists", live_rows::price_change);
    bench.row(10, "publications to many clients", live_rows::publications);
    bench.row(11, "fan-out per core", live_rows::per_core);
    bench.row(12, "memory per session", live_state_rows::memory);
    bench.row(13, "stalled readers", live_state_rows::stalled);
    bench.row(14, "the reconnect storm", live_state_rows::storm);
    bench.row(15, "handshakes", live_state_rows::handshakes);
    let cores = cores();
    let after = load_average();
    let summary =
        format!("{}\nload average before: {load_before}; after: {after}; {cores} cores; client and servers share them", bench.table);
    println!("{summary}");
    bench.save(&summary)
}
