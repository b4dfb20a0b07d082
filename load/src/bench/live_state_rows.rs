//! Live rows about memory and about sessions that come, go and stall: 12 to 15.

use anyhow::{Result, ensure};

use super::{
    live_bench::LiveBench,
    table::Budget::{AtLeast, AtMost},
};
use crate::live::{
    Common, Outcome,
    handshake::{self, Handshake},
    idle::{self, Idle},
    slow_readers::{self, READING, STALLED, SlowReaders},
    stalled_memory::{self, StalledMemory},
    storm::{self, Storm},
};

const KILOBYTES_PER_KIB: f64 = 1.024;

/// Row 12: what a session costs, idle and at its worst.
pub fn memory(bench: &mut LiveBench) -> Result<()> {
    let server = bench.server()?;
    let options = Idle { common: Common::of(&server.address, server.pid()), clients: 10_000, each: 5, lists: 1_000, hold: 2.0 };
    let outcome = bench.runtime.block_on(idle::run(&options))?;
    let outcome = bench.keep("row-12-idle", outcome);
    let (memory, held) = (outcome.need("memory_per_session_kib")? * KILOBYTES_PER_KIB, outcome.need("sessions_held")?);
    let kernel = outcome.get("kernel_slab_per_session_kib_both_ends").unwrap_or(0.0);
    let what = format!(
        "memory per idle session with 5 topics, {held:.0} of 10,000 held (kernel slab, both ends: {kernel:.1} KiB each{})",
        outcome.faults()
    );
    bench.table.figure(12, what, memory, "KB", AtMost { must: 20.0, aim: 16.0 });
    drop(server);

    let server = bench.server()?;
    let mut common = Common::of(&server.address, server.pid());
    common.deflate = true;
    let options = StalledMemory { common, clients: 500, burst: 12, lists: 1, rate: 25.0, payload: 1_900, receive_bytes: 16_384 };
    let outcome = bench.runtime.block_on(stalled_memory::run(&options))?;
    let outcome = bench.keep("row-12-worst", outcome);
    let (memory, faults) = (outcome.need("memory_per_session_kib")? * KILOBYTES_PER_KIB, outcome.faults());
    let what = format!("worst memory per session: 500 stalled after a burst, deflate offered, up to the first one closed{faults}");
    bench.table.figure(12, what, memory, "KB", AtMost { must: 96.0, aim: 64.0 });
    Ok(())
}

/// Row 13: 20 stalled readers among 1,000.
pub fn stalled(bench: &mut LiveBench) -> Result<()> {
    let measure = |runtime: &tokio::runtime::Runtime, server: &super::server::Server| {
        let common = Common::of(&server.address, server.pid());
        let options = SlowReaders { common, clients: 1_000, stalled: 20, rate: 25.0, payload: 1_900, receive_bytes: 4_096, seconds: 5.0 };
        runtime.block_on(slow_readers::run(&options))
    };
    let outcome = bench.middle("row-13", measure, |outcome| outcome.get("p99_ratio").unwrap_or(f64::INFINITY))?;
    let effect = (outcome.need("p99_ratio")? - 1.0) * 100.0;
    let [without, with] = [outcome.phase(READING)?.quantile_ms(990), outcome.phase(STALLED)?.quantile_ms(990)];
    let growth = outcome.need("memory_growth_while_stalled_kib")? * KILOBYTES_PER_KIB / 1e3;
    let usual = outcome.need("memory_growth_while_all_read_kib")? * KILOBYTES_PER_KIB / 1e3;
    let (closed, last, faults) = (outcome.need("closed")?, outcome.need("last_closed_after_seconds")?, outcome.faults());
    let what = format!("20 stalled of 1,000: the others' p99 grows from {without:.2} to {with:.2} ms, by{faults}");
    bench.table.figure(13, what, effect, "%", AtMost { must: 20.0, aim: 10.0 });
    bench.table.figure(13, format!("memory growth meanwhile ({usual:.1} MB while all read)"), growth, "MB", AtMost { must: 2.0, aim: 2.0 });
    if closed < 20.0 {
        bench.table.missing(13, "the last stalled reader is closed after", &format!("only {closed:.0} of 20 were closed within 30 s"));
    } else {
        bench.table.figure(13, "the last stalled reader is closed after", last, "s", AtMost { must: 15.0, aim: 5.0 });
    }
    Ok(())
}

/// Row 14: everybody comes back at once.
pub fn storm(bench: &mut LiveBench) -> Result<()> {
    let measure = |runtime: &tokio::runtime::Runtime, server: &super::server::Server| {
        let common = Common::of(&server.address, server.pid());
        let options = Storm { common, clients: 5_000, lists: None, missed: 100, payload: 64 };
        runtime.block_on(storm::run(&options))
    };
    let outcome = bench.middle("row-14", measure, |outcome| outcome.get("seconds_until_all_recovered").unwrap_or(f64::INFINITY))?;
    let (seconds, recovered) = (outcome.need("seconds_until_all_recovered")?, outcome.need("recovered")?);
    ensure!(recovered >= 5_000.0, "only {recovered:.0} of 5,000 recovered{}", outcome.faults());
    let what = format!("storm of 5,000 clients with 100 missed events each, all recovered{}", outcome.faults_or(", no gap, no duplicate"));
    bench.table.figure(14, what, seconds, "s", AtMost { must: 5.0, aim: 3.0 });
    Ok(())
}

/// Row 15: whole sessions a second.
pub fn handshakes(bench: &mut LiveBench) -> Result<()> {
    let measure = |runtime: &tokio::runtime::Runtime, server: &super::server::Server| {
        let options = Handshake { common: Common::of(&server.address, server.pid()), parallel: 64, lists: 100, seconds: 3.0 };
        runtime.block_on(handshake::run(&options))
    };
    let rate = |outcome: &Outcome| outcome.get("sessions_per_second").unwrap_or(0.0);
    let outcome = bench.middle("row-15", measure, rate)?;
    let (client, faults) = (outcome.get("client_cpu_share").unwrap_or(0.0) * 100.0, outcome.faults());
    let what = format!("sessions: handshake, subscription, snapshot, close; 64 at a time (client {client:.0} % of a core{faults})");
    let rate = rate(outcome);
    bench.table.figure(15, what, rate, "/s", AtLeast { must: 3e3, aim: 5e3 });
    Ok(())
}
