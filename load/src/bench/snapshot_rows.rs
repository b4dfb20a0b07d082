//! Row 18: a snapshot of the whole real data while ten thousand commands a second continue, and its restore.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::{
    Bench,
    server::Server,
    table::Budget::{AtLeast, AtMost},
};
use crate::{
    measure::Report,
    paced::{self, Timed},
    setup::World,
};

/// Commands a second next to the snapshot.
const COMMANDS_PER_SECOND: u32 = 10_000;
/// Connections that send them.
const CONNECTIONS: usize = 64;
/// How long the load runs alone.
const ALONE: Duration = Duration::from_secs(4);
/// And before that, to warm up.
const WARM_UP: Duration = Duration::from_secs(2);

/// Measures on a folder with all real data in it.
pub fn snapshot(bench: &mut Bench, folder: &Path) -> Result<()> {
    let snapshots = bench.folder("snapshots");
    let flags = ["--snapshots", snapshots.to_str().context("a path that is not UTF-8")?, "--self-restore-every-minutes", "0"];
    let server = Server::start_with_flags(&bench.options.server, folder, &flags)?;
    server.ready()?;
    bench.table.durability(&server.durability()?);
    let loaded = under_load(&server)?;
    let taken = loaded.end - loaded.begin;
    let (alone, during) = (loaded.between(loaded.warm, loaded.begin), loaded.between(loaded.begin, loaded.end));
    let events = loaded.manifest["position"].as_str().unwrap_or_default();
    let what = format!("snapshot of {events} events while serving {:.1} k commands/s", during.rate() / 1e3);
    bench.table.figure(18, what, taken.as_secs_f64(), "s", AtMost { must: 0.5, aim: 0.2 });
    bench.table.figure(
        18,
        "commands/s that were asked for and served meanwhile",
        during.rate(),
        "/s",
        AtLeast { must: 9_500.0, aim: 9_900.0 },
    );
    let ratio = during.quantile_ms(990) / alone.quantile_ms(990).max(0.001);
    bench.table.figure(18, "p99 of commands during it, by p99 before it", ratio, "x", AtMost { must: 1.3, aim: 1.1 });
    let told = |report: &Report| {
        format!("{:.2} / {:.1} / {:.0} ms of {}", report.quantile_ms(500), report.quantile_ms(990), report.max_ms(), report.count())
    };
    bench.table.note(18, "p50 / p99 / max before", told(&alone));
    bench.table.note(18, "p50 / p99 / max during", told(&during));
    bench.table.note(18, "commands that were not answered well", loaded.errors.to_string());
    restore(bench, &server, &loaded.manifest)?;
    server.stop()?;
    Ok(())
}

fn restore(bench: &mut Bench, server: &Server, manifest: &Value) -> Result<()> {
    let mut request = json!({ "snapshot": manifest["name"] });
    let begin = Instant::now();
    let plan = server.post("/api/v1/admin/restore", &request)?;
    let checked = begin.elapsed();
    request["confirm"] = plan["confirm"].clone();
    let begin = Instant::now();
    let restored = operation(server, "/api/v1/admin/restore", &request)?;
    server.ready()?;
    let what = format!("restore of it to ready, proved by a full replay ({})", restored["proof"]["compared"].as_str().unwrap_or_default());
    bench.table.figure(18, what, begin.elapsed().as_secs_f64(), "s", AtMost { must: 3.0, aim: 2.0 });
    bench.table.note(18, "of which commands were refused", format!("{} ms", restored["paused_ms"]));
    bench.table.note(18, "dry run before it: every file read and checked", format!("{:.2} s", checked.as_secs_f64()));
    bench.table.note(18, "resident memory afterwards, two histories just served", format!("{:.0} MB", server.resident_mb()?));
    let begin = Instant::now();
    operation(server, "/api/v1/admin/snapshots", &json!({}))?;
    bench.table.note(18, "another snapshot: only what is new is written", format!("{:.2} s", begin.elapsed().as_secs_f64()));
    Ok(())
}

/// What happened under load.
struct Loaded {
    answered: Vec<Timed>,
    errors: u64,
    /// From when on the load alone is measured.
    warm: Instant,
    begin: Instant,
    end: Instant,
    manifest: Value,
}

impl Loaded {
    /// Those that were to be sent between two moments.
    fn between(&self, from: Instant, to: Instant) -> Report {
        let mut report = Report::default();
        self.answered.iter().filter(|(due, _)| (from..to).contains(due)).for_each(|(_, taken)| report.record(*taken));
        report.finish((to - from).as_secs_f64())
    }
}

/// The load runs alone, then next to a snapshot.
fn under_load(server: &Server) -> Result<Loaded> {
    let stop = Arc::new(AtomicBool::new(false));
    let (own, address) = (Arc::clone(&stop), server.address.clone());
    let (begins, begun) = mpsc::channel();
    let load = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let world = runtime.block_on(World::prepare(&address))?;
        begins.send(())?;
        runtime.block_on(paced::run(&world, COMMANDS_PER_SECOND, CONNECTIONS, &own))
    });
    begun.recv().context("the load did not begin")?;
    thread::park_timeout(WARM_UP);
    let warm = Instant::now();
    thread::park_timeout(ALONE);
    let begin = Instant::now();
    let manifest = operation(server, "/api/v1/admin/snapshots", &json!({}));
    let end = Instant::now();
    stop.store(true, Ordering::Relaxed);
    let (answered, errors) = load.join().map_err(|_| anyhow::anyhow!("the load ended in a panic"))??;
    Ok(Loaded { answered, errors, warm, begin, end, manifest: manifest? })
}

/// Begins long work and waits for its result.
fn operation(server: &Server, path: &str, body: &Value) -> Result<Value> {
    let mut operation = server.post(path, body)?;
    let place = format!("/api/v1/admin/operations/{}", operation["id"].as_str().context("no operation began")?);
    while operation["state"] == "running" {
        thread::park_timeout(Duration::from_millis(20));
        operation = serde_json::from_str(&server.get(&place)?)?;
    }
    ensure!(operation["state"] == "done", "{path}: {}", operation["error"]["detail"]);
    Ok(operation["result"].take())
}
