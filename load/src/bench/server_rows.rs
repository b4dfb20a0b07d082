//! Rows measured on a running server: start and size, commands, reads, and live totals.

use std::{fs, time::Duration};

use anyhow::Result;

use super::{
    Bench, RUNS,
    server::Server,
    table::Budget::{AtLeast, AtMost},
};
use crate::{
    fanout,
    measure::{Report, median},
    scenario::{self, Kind},
    setup::World,
};

pub const SUBSCRIBERS: usize = 1_000;
pub const PRICE_CHANGES: usize = 100;

/// Row 20: the binary's size, and an empty server's first answer.
pub fn empty_server(bench: &mut Bench) -> Result<()> {
    let megabytes = fs::metadata(&bench.options.server)?.len() as f64 / 1e6;
    bench.table.figure(20, "binary size", megabytes, "MB", AtMost { must: 40.0, aim: 25.0 });
    let mut starts = Vec::new();
    for run in 0..RUNS {
        let server = Server::start(&bench.options.server, &bench.folder(&format!("empty-{run}")))?;
        starts.push(server.first_answer()?.as_secs_f64() * 1e3);
        server.ready()?;
        bench.table.durability(&server.durability()?);
        server.stop()?;
    }
    let start = median(starts, |ms| *ms).unwrap_or_default();
    bench.table.figure(20, "empty server, start to first answer", start, "ms", AtMost { must: 300.0, aim: 100.0 });
    Ok(())
}

/// Rows 16 and 9, and row 1 with larger answers.
pub fn http(bench: &mut Bench) -> Result<()> {
    let server = Server::start(&bench.options.server, &bench.folder("http"))?;
    server.ready()?;
    bench.table.durability(&server.durability()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if bench.wants(1) {
        let run = many_stores(&runtime, &server)?;
        bench.table.note(1, spread("the same, totals of 13 stores in each answer", &run), format!("{:.1} k /s", run.rate() / 1e3));
    }
    if bench.wants(16) {
        reads(bench, &runtime, &server)?;
    }
    if bench.wants(9) {
        let runs =
            (0..RUNS).map(|_| runtime.block_on(fanout::run(&server.address, SUBSCRIBERS, PRICE_CHANGES))).collect::<Result<Vec<_>>>()?;
        let run = median(runs, |run| run.quantile_ms(990)).unwrap_or_default();
        let what = spread("price change to 1,000 subscribers' totals, p99", &run);
        bench.table.figure(9, what, run.quantile_ms(990), "ms", AtMost { must: 15.0, aim: 8.0 });
    }
    server.stop()?;
    Ok(())
}

/// The median run, each on lists of its own so that every command adds an item.
fn many_stores(runtime: &tokio::runtime::Runtime, server: &Server) -> Result<Report> {
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let world = runtime.block_on(World::prepare(&server.address))?;
        runs.push(runtime.block_on(scenario::run(&world, Kind::CommandsManyStores, 256, Duration::from_secs(3)))?);
    }
    Ok(median(runs, Report::rate).unwrap_or_default())
}

fn reads(bench: &mut Bench, runtime: &tokio::runtime::Runtime, server: &Server) -> Result<()> {
    let world = runtime.block_on(World::prepare(&server.address))?;
    runtime.block_on(world.fill_lists())?;
    for (kind, what) in [
        (Kind::ReadList, "read a list of 20 items"),
        (Kind::ReadPrice, "read a price"),
        (Kind::ReadBest, "read the best price of 13 stores"),
    ] {
        let runs =
            (0..RUNS).map(|_| runtime.block_on(scenario::run(&world, kind, 64, Duration::from_secs(3)))).collect::<Result<Vec<_>>>()?;
        let run = median(runs, Report::rate).unwrap_or_default();
        bench.table.figure(16, format!("{what}, 64 connections"), run.rate(), "/s", AtLeast { must: 60e3, aim: 80e3 });
        bench.table.figure(16, spread("its p99", &run), run.quantile_ms(990), "ms", AtMost { must: 5.0, aim: 5.0 });
    }
    Ok(())
}

/// The other figures of a run, as a note.
pub fn spread(what: &str, run: &Report) -> String {
    let errors = if run.errors > 0 { format!(", {} ERRORS", run.errors) } else { String::new() };
    format!(
        "{what} (p50 {:.2}, p99 {:.2}, max {:.1} ms, n {}{errors})",
        run.quantile_ms(500),
        run.quantile_ms(990),
        run.max_ms(),
        run.count()
    )
}
