//! The worst a session costs: every client has subscribed and read a burst, so that buffers have grown, then none reads
//! and publications continue until the server closes the first of them.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use tokio::sync::watch;

use super::{
    meter::Meter,
    outcome::Outcome,
    publisher::{Publications, Publisher, Subject},
    schedule::Schedule,
    slow_readers::{read_until, slow_ground},
    stage::{self, Common, Stage},
};

const HEAD_START: Duration = Duration::from_millis(200);
/// How long everybody may take to read the burst.
const BURST_PATIENCE: Duration = Duration::from_secs(5);
/// How long the server may take to close the first one.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);
/// Memory is measured before anybody comes, when what was made has settled.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, clap::Args)]
pub struct StalledMemory {
    #[command(flatten)]
    pub common: Common,
    #[arg(long, default_value_t = 500)]
    pub clients: usize,
    /// Publications at once on each list, which all read; together they must fit the server's outbox.
    #[arg(long, default_value_t = 12)]
    pub burst: usize,
    /// Publications a second that nobody reads.
    #[arg(long, default_value_t = 25.0)]
    pub rate: f64,
    /// Number of lists. With one, all sessions wait for the same messages, which the server holds once; with one for each session,
    /// every session's are its own, and what the server keeps of the lists themselves counts as well.
    #[arg(long, default_value_t = 1)]
    pub lists: usize,
    #[arg(long, default_value_t = 1_900)]
    pub payload: usize,
    /// `SO_RCVBUF` of the clients.
    #[arg(long, default_value_t = 16_384)]
    pub receive_bytes: u32,
}

pub async fn run(options: &StalledMemory) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &StalledMemory) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    let lists = options.lists.max(1);
    Subject::List.make(&stage.world, lists).await?;
    let topic = |client: usize| vec![Subject::List.topic(&stage.world, client % lists)];
    // The list's actor is awake and code is warm before memory counts.
    drop(stage.gather(lists, topic).await?);
    tokio::time::sleep(SETTLE).await;
    let resident = stage.watch.resident_kib().unwrap_or(0.0);

    let ground = slow_ground(&stage.ground, options.receive_bytes);
    let clients = stage::gather(&ground, options.clients, topic).await?;
    let (stop, stopped) = watch::channel(false);
    let clients = read_until(clients, &stopped);
    let how = Publications { subject: Subject::List, payload_bytes: options.payload, connections: 64 };
    let burst = Schedule::default().burst("burst", options.burst * lists, lists, BURST_PATIENCE);
    let publisher = Publisher::start(stage.ground.server, &stage.world, how, &burst, Instant::now())?;
    let expected = (options.burst * options.clients) as u64;
    let burst_read = stage::wait_until(BURST_PATIENCE, || ground.tally.events.get() >= expected).await;
    publisher.finish(1.0)?;

    let mut meter = Meter::open(&stage.world.server).await?;
    let sessions = meter.sessions().await?;
    stop.send_replace(true);
    let stream = Rc::new(Schedule::default().phase("unread", options.rate, 1, lists, CLOSE_PATIENCE));
    let publisher = Publisher::start(stage.ground.server, &stage.world, how, &stream, Instant::now() + HEAD_START)?;
    let pressure = meter.press(stage.watch, sessions, 1, CLOSE_PATIENCE).await?;
    publisher.stop();
    stage::wait_until(CLOSE_PATIENCE, || publisher.is_finished()).await;

    let mut outcome = Outcome::new(
        "stalled-memory",
        &stage.settings(json!({ "clients": options.clients, "lists": lists, "burst": options.burst,
        "rate": options.rate, "payload_bytes": options.payload, "receive_bytes": options.receive_bytes })),
    );
    outcome.figure("memory_per_session_kib", (pressure.resident_max_kib - resident) / options.clients.max(1) as f64);
    outcome.figure("resident_before_kib", resident);
    outcome.figure("first_closed_after_seconds", pressure.closed_after.first().map_or(f64::NAN, Duration::as_secs_f64));
    stage.close(&mut outcome);
    outcome.tally(&ground.tally);
    if !burst_read {
        outcome.note("not everybody could read the burst");
    }
    outcome.commands(publisher.finish(1.0)?);
    drop(clients);
    Ok(outcome)
}
