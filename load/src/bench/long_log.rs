//! `aisled-load bench-log`: rows 7, 18 and 26 on a log of a hundred million events, and on one of ten million streams. It takes some minutes
//! and ten gigabytes, which it frees again.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use super::{
    RUNS, cores,
    folder::{disk_bytes, forget},
    growth_rows::{self, PRODUCTS, Size, grow, millions},
    load_average, log_rows,
    log_step::Write,
    long_history::LongHistory,
    scratch_folder,
    table::{
        Budget::{self, AtMost},
        Table,
    },
};
use crate::measure::median;

/// The log is killed this many events, and twice and three times as many, after the last clean close: at different places of its journal.
const EVENTS_TO_KILL: u64 = 250_000;

#[derive(Clone, clap::Args)]
pub struct Options {
    /// Where the logs go; on the disk that is to be measured.
    #[arg(long)]
    scratch: Option<PathBuf>,
    /// Events of the long log.
    #[arg(long, default_value_t = 100_000_000)]
    events: u64,
    /// Products of the log of many streams, each a stream.
    #[arg(long, default_value_t = 10_000_000)]
    streams: u64,
}

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let scratch = scratch_folder(options.scratch.as_deref())?;
    let (before, mut table) = (load_average(), Table::default());
    let (long, streams) = (scratch.path().join("long"), scratch.path().join("streams"));
    for (folder, name, measure) in
        [(&streams, "many streams", many_streams as fn(&mut Table, &Path, &Options) -> Result<()>), (&long, "the long log", long_log)]
    {
        eprintln!("measuring {name} …");
        if let Err(error) = measure(&mut table, folder, options) {
            table.missing(7, name, &format!("{error:#}"));
        }
        // Its room is needed for the next one.
        if folder.exists() {
            fs::remove_dir_all(folder)?;
        }
    }
    println!("{table}");
    println!("load average before: {before}; after: {}; {} cores", load_average(), cores());
    Ok(())
}

/// Row 7 with more streams than a household ever has.
fn many_streams(table: &mut Table, data: &Path, options: &Options) -> Result<()> {
    // Six events in ten are of products, and the first of each makes its stream.
    let upto = options.streams * 10 / 6 + 1_000;
    growth_rows::write(&Write { data: data.to_owned(), from: 0, upto, products: options.streams, kill: false })?;
    let streams = LongHistory::after(upto, options.streams).streams();
    let size = Size { events: upto, runs: (0..RUNS).map(|_| growth_rows::open(data, 0)).collect::<Result<_>>()? };
    let what = format!("{} streams, {} events", millions(streams), millions(upto));
    opening(table, &format!("opening the log of {what}"), &size, AtMost { must: 1.0, aim: 0.5 });
    memory(table, &format!("memory to open it, {what}"), &size, AtMost { must: 300.0, aim: 150.0 });
    Ok(())
}

fn long_log(table: &mut Table, data: &Path, options: &Options) -> Result<()> {
    let sizes = grow(table, data, &[options.events / 100, options.events / 10, options.events])?;
    let Some(longest) = sizes.last() else { return Ok(()) };
    let (events, streams) = (millions(longest.events), LongHistory::after(longest.events, PRODUCTS).streams());
    table.note(
        7,
        format!("disk per event, the log alone, {events} events"),
        format!("{:.1} B", disk_bytes(data)? as f64 / longest.events as f64),
    );
    opening(table, &format!("opening the log of {events} events, after a clean close"), longest, AtMost { must: 0.5, aim: 0.25 });
    memory(table, &format!("memory to open it, the heads of {streams} streams included"), longest, AtMost { must: 100.0, aim: 50.0 });
    forget(data)?;
    let cold = growth_rows::open(data, 0)?;
    table.note(7, "the same with nothing of it in the kernel's memory", format!("{:.3} s", cold.seconds));
    killed(table, data, longest.events)?;
    snapshots(table, data, &events)
}

/// Opens after the process that wrote was killed.
fn killed(table: &mut Table, data: &Path, events: u64) -> Result<()> {
    let (mut from, mut runs) = (events, Vec::new());
    for run in 1..=RUNS as u64 {
        let upto = from + run * EVENTS_TO_KILL;
        growth_rows::write(&Write { data: data.to_owned(), from, upto, products: PRODUCTS, kill: true })?;
        runs.push(growth_rows::open(data, 0)?);
        from = upto;
    }
    runs.sort_by(|a, b| a.seconds.total_cmp(&b.seconds));
    let worst = Size { events: from, runs: runs.into_iter().rev().take(1).collect() };
    let what = format!("opening the log of {} events, after kill -9 of its writer, worst of {RUNS}", millions(events));
    opening(table, &what, &worst, AtMost { must: 1.0, aim: 0.5 });
    Ok(())
}

/// Row 18 for the log alone.
fn snapshots(table: &mut Table, data: &Path, events: &str) -> Result<()> {
    let (log, into) = (log_rows::open_durable(data)?.log, data.join("snapshots"));
    let (taken, _) = log_rows::snapshot(&log, &into)?;
    let what = format!("snapshot of the log of {events} events");
    table.figure(18, &what, taken.as_secs_f64(), "s", AtMost { must: 3.0, aim: 1.0 });
    let (again, _) = log_rows::snapshot(&log, &into)?;
    table.note(18, format!("another {what}"), format!("{:.2} s", again.as_secs_f64()));
    Ok(())
}

fn opening(table: &mut Table, what: &str, size: &Size, budget: Budget) {
    table.figure(7, what, size.middle(|found| found.seconds), "s", budget);
    if let Some(found) = median(size.runs.clone(), |found| found.seconds) {
        table.note(7, "read for it", format!("{:.2} MB, {} events", found.bytes_read as f64 / 1e6, found.events_read));
    }
}

fn memory(table: &mut Table, what: &str, size: &Size, budget: Budget) {
    table.figure(7, what, size.middle(|found| found.memory_mb), "MB", budget);
}
