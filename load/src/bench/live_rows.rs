//! Live rows about latency and fan-out: 9, 10 and 11.

use anyhow::Result;

use super::{
    live_bench::LiveBench,
    server_rows::{PRICE_CHANGES, SUBSCRIBERS, spread},
    table::Budget::{AtLeast, AtMost},
};
use crate::{
    fanout,
    live::{
        Common, Outcome, floor,
        plans::{FanOut, Texts},
        publish,
        publisher::Subject,
    },
    measure::median,
};

/// The phase of a fan-out whose latencies count.
const PHASE: &str = "latency";
/// Clients, publications a second, seconds, and the budget of the p99 in ms.
const LOADS: [(usize, f64, f64, f64, f64); 3] =
    [(200, 100.0, 3.0, 5.0, 2.0), (1_000, 50.0, 3.0, 15.0, 8.0), (5_000, 10.0, 3.0, 80.0, 45.0)];

/// A lone delivery of row 11, frame and all.
const DELIVERY_BYTES: usize = 440;

/// Row 9: a price change to the totals of 1,000 lists.
pub fn price_change(bench: &mut LiveBench) -> Result<()> {
    let mut runs = Vec::new();
    for _ in 0..bench.runs() {
        let server = bench.server()?;
        runs.push(bench.runtime.block_on(fanout::run(&server.address, SUBSCRIBERS, PRICE_CHANGES))?);
    }
    let run = median(runs, |run| run.quantile_ms(990)).unwrap_or_default();
    let what = spread("price change to 1,000 subscribers' totals, p99", &run);
    bench.table.figure(9, what, run.quantile_ms(990), "ms", AtMost { must: 15.0, aim: 8.0 });
    Ok(())
}

/// Row 10: one publication to all clients, at three sizes.
pub fn publications(bench: &mut LiveBench) -> Result<()> {
    for (clients, rate, seconds, must, aim) in LOADS {
        let name = format!("row-10-{clients}-clients");
        let outcome =
            fan_out(bench, &name, FanOutOf { clients, rate, seconds, burst: 1 }, |outcome| p99(outcome).unwrap_or(f64::INFINITY))?;
        let p99 = p99(outcome)?;
        let what = told(outcome, &format!("{clients} clients, {rate:.0} publications/s to all, p99"))?;
        bench.table.figure(10, what, p99, "ms", AtMost { must, aim });
    }
    Ok(())
}

/// Row 11: deliveries for each second of the server's processor time; the commands that cause them are in it.
pub fn per_core(bench: &mut LiveBench) -> Result<()> {
    let lone = FanOutOf { clients: 1_000, rate: 100.0, seconds: 4.0, burst: 1 };
    let batched = FanOutOf { clients: 1_000, rate: 300.0, seconds: 4.0, burst: 10 };
    for (of, what, must, aim) in [(lone, "lone", 200e3, 250e3), (batched, "batched by ten", 0.8e6, 1.2e6)] {
        let name = format!("row-11-{}", what.replace(' ', "-"));
        let outcome = fan_out(bench, &name, of, |outcome| per_cpu_second(outcome).unwrap_or(0.0))?;
        let per_second = per_cpu_second(outcome)?;
        let what = told(outcome, &format!("deliveries per server CPU second to 1,000 clients, {what}"))?;
        bench.table.figure(11, what, per_second, "/s", AtLeast { must, aim });
    }
    let floors = (0..bench.runs()).map(|_| floor::lone_sends_per_cpu_second(lone.clients, DELIVERY_BYTES)).collect::<Result<Vec<_>>>()?;
    let floor = median(floors, |floor| *floor).unwrap_or_default();
    let what = format!("floor: a bare loop that sends {DELIVERY_BYTES} bytes to 1,000 sockets, sends per CPU second of its thread");
    bench.table.note(11, what, format!("{:.1} k /s", floor / 1_000.0));
    Ok(())
}

/// The numbers in which fan-outs differ here.
#[derive(Clone, Copy)]
struct FanOutOf {
    clients: usize,
    rate: f64,
    seconds: f64,
    /// Also the number of topics, so that the commands of a burst do not wait for each other.
    burst: usize,
}

fn fan_out<'a>(bench: &'a mut LiveBench, name: &str, of: FanOutOf, figure: impl Fn(&Outcome) -> f64) -> Result<&'a Outcome> {
    let measure = |runtime: &tokio::runtime::Runtime, server: &super::server::Server| {
        let common = Common::of(&server.address, server.pid());
        let texts = Texts { subject: Subject::Product, payload: 64, connections: 16 };
        let FanOutOf { clients, rate, seconds, burst } = of;
        let options = FanOut { common, texts, clients, rate, burst, topics: burst, seconds };
        runtime.block_on(publish::run(&options.common, options.plan()))
    };
    bench.middle(name, measure, figure)
}

fn p99(outcome: &Outcome) -> Result<f64> {
    Ok(outcome.phase(PHASE)?.quantile_ms(990))
}

fn per_cpu_second(outcome: &Outcome) -> Result<f64> {
    outcome.need("deliveries_per_server_cpu_second")
}

/// The other figures of the run.
fn told(outcome: &Outcome, what: &str) -> Result<String> {
    let report = outcome.phase(PHASE)?;
    let [p50, p999, max] = [500, 999, 1_000].map(|per_mille| report.quantile_ms(per_mille));
    let (server, client) = (outcome.get("server_cpu_share").unwrap_or(0.0) * 100.0, outcome.get("client_cpu_share").unwrap_or(0.0) * 100.0);
    Ok(format!(
        "{what} (p50 {p50:.2}, p99.9 {p999:.2}, max {max:.1} ms, n {}, server {server:.0} %, client {client:.0} % of a core{})",
        report.count(),
        outcome.faults()
    ))
}
