//! Rows measured on the real data, and on a large synthetic log: import, disk, memory, replay and start.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::{
    Bench, RUNS,
    folder::{disk_bytes, disk_parts},
    log_rows,
    server::{Server, run, run_on_one_core},
    snapshot_rows,
    table::Budget::{AtLeast, AtMost},
};
use crate::{measure::median, scenario, setup::World};

/// The sources, in the order of import. Row 8 times the first.
const SOURCES: &[&str] = &["heissepreise", "complete-journey", "open-food-facts"];
/// How long a server takes commands before it is killed.
const BUSY: Duration = Duration::from_secs(2);

/// Rows 8, 6, 5, 19, and 7 at the size of the real data.
pub fn real_data(bench: &mut Bench) -> Result<()> {
    ensure!(bench.options.data.is_dir(), "the real data is absent: no folder {}", bench.options.data.display());
    let folder = imported(bench)?;
    let events = replay_rows(bench, &folder)?;
    if bench.wants(6) {
        disk_row(bench, &folder, events)?;
    }
    if bench.wants(7) || bench.wants(19) {
        start_rows(bench, &folder, "the real data", true)?;
    }
    if bench.wants(18) {
        snapshot_rows::snapshot(bench, &folder)?;
    }
    Ok(())
}

/// Row 6: everything in the folder, and its parts.
fn disk_row(bench: &mut Bench, folder: &Path, events: f64) -> Result<()> {
    let what = format!("disk per event, {events} events of the real data, everything in the folder");
    bench.table.figure(6, what, disk_bytes(folder)? as f64 / events, "B", AtMost { must: 95.0, aim: 60.0 });
    for (part, bytes) in disk_parts(folder)? {
        let bytes = bytes as f64;
        bench.table.note(6, format!("of which {part}"), format!("{:.1} MB, {:.1} B", bytes / 1e6, bytes / events));
    }
    Ok(())
}

/// Row 7 with ten million events.
pub fn large_log(bench: &mut Bench) -> Result<()> {
    let folder = bench.folder("large");
    let events = bench.options.events;
    let begin = Instant::now();
    log_rows::generate(&folder, events)?;
    bench.table.note(7, format!("{events} synthetic events written in"), format!("{:.1} s", begin.elapsed().as_secs_f64()));
    let server = Server::start(&bench.options.server, &folder)?;
    bench.table.note(7, "first start on them, without any checkpoint of the views", format!("{:.1} s", server.ready()?.as_secs_f64()));
    bench.table.note(7, "clean stop after it", format!("{:.2} s", server.stop()?.as_secs_f64()));
    start_rows(bench, &folder, "the synthetic events", false)
}

/// Imports every source; the last folder of the timed source holds them all.
fn imported(bench: &mut Bench) -> Result<PathBuf> {
    let repeats = if bench.wants(8) { RUNS } else { 1 };
    let mut seconds = Vec::new();
    let mut folder = PathBuf::new();
    for number in 0..repeats {
        folder = bench.folder(&format!("real-{number}"));
        seconds.push(import(bench, SOURCES[0], &folder)?.0);
    }
    if bench.wants(8) {
        let middle = median(seconds, |seconds| *seconds).unwrap_or_default();
        bench.table.figure(8, "import of 517,760 prices and 233,362 products", middle, "s", AtMost { must: 15.0, aim: 6.0 });
        let (again, summary) = import(bench, SOURCES[0], &folder)?;
        let appended = summary["events_appended"].as_u64().context("no events_appended in the summary")?;
        bench.table.note(8, format!("the same import again: {appended} events"), format!("{again:.1} s"));
    }
    for source in &SOURCES[1..] {
        let (seconds, _) = import(bench, source, &folder)?;
        bench.table.note(8, format!("import of {source}"), format!("{seconds:.1} s"));
    }
    Ok(folder)
}

fn import(bench: &Bench, source: &str, folder: &Path) -> Result<(f64, Value)> {
    let from = if source == "open-food-facts" { bench.options.data.join("open-food-facts-2019") } else { bench.options.data.join(source) };
    let begin = Instant::now();
    let summary = run(&bench.options.server, &["import", source, text(&from)?, "--data", text(folder)?])?;
    Ok((begin.elapsed().as_secs_f64(), summary))
}

/// Row 5, and how many events there are.
fn replay_rows(bench: &mut Bench, folder: &Path) -> Result<f64> {
    let repeats = if bench.wants(5) { RUNS } else { 1 };
    let mut runs = Vec::new();
    for _ in 0..repeats {
        runs.push(run_on_one_core(&bench.options.server, &["replay", "--data", text(folder)?])?);
    }
    let figure = |summary: &Value, name: &str| summary[name].as_f64().with_context(|| format!("no {name} in {summary}"));
    let events = figure(&runs[0], "events")?;
    if bench.wants(5) {
        let rates = runs.iter().map(|summary| Ok(events / figure(summary, "seconds")?)).collect::<Result<Vec<_>>>()?;
        let rate = median(rates, |rate| *rate).unwrap_or_default();
        bench.table.figure(
            5,
            "full replay of the real data on one core, every view",
            rate,
            "events/s",
            AtLeast { must: 0.7e6, aim: 1.5e6 },
        );
        let scans = (0..RUNS).map(|_| log_rows::scan(folder)).collect::<Result<Vec<_>>>()?;
        let rate = median(scans, |rate| *rate).unwrap_or_default();
        bench.table.figure(5, "scan of the real data without decoding events", rate, "events/s", AtLeast { must: 3e6, aim: 5e6 });
    }
    Ok(events)
}

/// Starts after a clean stop and after `kill -9` under load; memory on the way.
fn start_rows(bench: &mut Bench, folder: &Path, what: &str, memory: bool) -> Result<()> {
    let binary = bench.options.server.clone();
    // The first start may still have to catch up with what an import or a generator left.
    let first = Server::start(&binary, folder)?;
    first.ready()?;
    first.stop()?;
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        let server = Server::start(&binary, folder)?;
        starts.push(server.ready()?.as_secs_f64());
        if memory && bench.wants(19) && starts.len() == RUNS {
            bench.table.figure(
                19,
                format!("resident memory with {what} loaded"),
                server.resident_mb()?,
                "MB",
                AtMost { must: 700.0, aim: 350.0 },
            );
        }
        server.stop()?;
    }
    if !bench.wants(7) {
        return Ok(());
    }
    let start = median(starts, |seconds| *seconds).unwrap_or_default();
    bench.table.figure(7, format!("start to ready with {what}, after a clean stop"), start, "s", AtMost { must: 0.5, aim: 0.3 });
    let mut starts = Vec::new();
    for _ in 0..RUNS {
        let server = Server::start(&binary, folder)?;
        server.ready()?;
        keep_busy(&server)?;
        server.kill()?;
        let server = Server::start(&binary, folder)?;
        starts.push(server.ready()?.as_secs_f64());
        server.stop()?;
    }
    let start = starts.into_iter().fold(0.0, f64::max);
    bench.table.figure(
        7,
        format!("start to ready with {what}, after kill -9 under load, worst"),
        start,
        "s",
        AtMost { must: 1.5, aim: 0.6 },
    );
    Ok(())
}

fn keep_busy(server: &Server) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let world = runtime.block_on(World::prepare(&server.address))?;
    runtime.block_on(scenario::run(&world, scenario::Kind::Commands, 64, BUSY))?;
    Ok(())
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path that is not UTF-8")
}
