//! Row 26: what must not grow with the log. One log is made longer; at each size it is opened, an idle stream is read, and lone
//! commands are appended.

use std::{env, os::unix::process::ExitStatusExt, path::Path, process::Command, time::Instant};

use anyhow::{Context, Result, ensure};

use super::{
    Bench, RUNS,
    log_step::{Found, Write},
    server::run,
    table::Table,
};
use crate::measure::median;

/// Lone appends in each run.
const APPENDS: u64 = 1_000;
/// As many as the synthetic history has if streams are not measured.
pub const PRODUCTS: u64 = 200_000;

/// What was found at one size, run by run.
pub struct Size {
    pub events: u64,
    pub runs: Vec<Found>,
}

/// Row 26 as far as `make bench` goes; `make bench-log` continues.
pub fn growth(bench: &mut Bench) -> Result<()> {
    let (folder, events) = (bench.folder("growing"), bench.options.events);
    grow(&mut bench.table, &folder, &[events / 10, events])?;
    Ok(std::fs::remove_dir_all(folder)?)
}

/// Makes a log longer and longer and measures at each size.
pub fn grow(table: &mut Table, data: &Path, sizes: &[u64]) -> Result<Vec<Size>> {
    let (mut from, mut all) = (0, Vec::new());
    for upto in sizes.iter().copied() {
        let begin = Instant::now();
        write(&Write { data: data.to_owned(), from, upto, products: PRODUCTS, kill: false })?;
        let rate = (upto - from) as f64 / begin.elapsed().as_secs_f64();
        table.note(26, format!("writing on from {} to {} events", millions(from), millions(upto)), format!("{:.0} k /s", rate / 1e3));
        all.push(Size { events: upto, runs: (0..RUNS).map(|_| open(data, APPENDS)).collect::<Result<_>>()? });
        from = upto;
    }
    for (what, figure) in FIGURES {
        compare(table, what, &all, figure);
    }
    Ok(all)
}

/// One figure of a run, in milliseconds.
type Figure = fn(&Found) -> f64;

/// What is compared.
const FIGURES: [(&str, Figure); 3] = [
    ("opening the log after a clean close", |found| found.seconds * 1e3),
    ("a lone durable append, p50", |found| found.append_ms.unwrap_or_default()),
    ("first read of a stream that rests since the first million events, p50 of 50", |found| found.cold_read_ms),
];

fn compare(table: &mut Table, what: &str, sizes: &[Size], figure: Figure) {
    let at_first = sizes.first().map_or(0.0, |size| size.middle(figure));
    for size in sizes {
        let (events, found) = (millions(size.events), size.middle(figure));
        table.note(26, format!("{what}, {events} events"), format!("{found:.2} ms, {:.2} x", found / at_first.max(f64::MIN_POSITIVE)));
    }
}

impl Size {
    /// The median of a figure.
    pub fn middle(&self, figure: impl Fn(&Found) -> f64) -> f64 {
        median(self.runs.iter().map(figure).collect(), |value| *value).unwrap_or_default()
    }
}

/// Continues writing, in a process of its own; if it is to kill itself, it must end that way.
pub fn write(write: &Write) -> Result<()> {
    let numbers = [("--from", write.from), ("--upto", write.upto), ("--products", write.products)];
    let mut command = Command::new(env::current_exe()?);
    command.args(["log-step", "write", "--data"]).arg(&write.data);
    command.args(numbers.iter().flat_map(|(flag, number)| [(*flag).to_owned(), number.to_string()]));
    command.args(write.kill.then_some("--kill"));
    let status = command.status()?;
    ensure!(status.success() || write.kill && status.signal() == Some(9), "writing the log ended with {status}");
    Ok(())
}

/// Opens the log in a process of its own.
pub fn open(data: &Path, appends: u64) -> Result<Found> {
    let data = data.to_str().context("a path that is not UTF-8")?;
    let found = run(&env::current_exe()?, &["log-step", "open", "--data", data, "--appends", &appends.to_string()])?;
    Ok(serde_json::from_value(found)?)
}

/// A number of events for people.
pub fn millions(events: u64) -> String {
    format!("{} M", events as f64 / 1e6)
}
