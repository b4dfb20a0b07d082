//! `aisled-load bench-live`: measures the live rows of `docs/performance.md`, each on a server of its own, prints one table,
//! and writes every run as JSON and as a chart.

use anyhow::Result;

pub use super::live_bench::Options;
use super::{cores, live_bench::LiveBench, live_rows, live_state_rows, load_average};
use crate::shapes;

/// Measures and prints.
pub fn run(options: &Options) -> Result<()> {
    let load_before = load_average();
    let token = format!("load-{:032x}", std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_nanos());
    shapes::present(&token);
    let mut bench = LiveBench::new(options, token)?;
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
