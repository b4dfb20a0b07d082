//! Some of many readers stop reading: the effect on the others, the cost in memory, and when the server closes them.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use tokio::{sync::watch, task::JoinSet, time::sleep_until};

use super::{
    client::{Client, Ground},
    meter::{Meter, Pressure},
    outcome::Outcome,
    publisher::{Publications, Publisher, Subject},
    schedule::Schedule,
    stage::{self, Common, Stage},
    tally::Tally,
};

const HEAD_START: Duration = Duration::from_millis(200);
const WARM_UP: Duration = Duration::from_secs(1);
/// How long stalled readers are watched at most.
const CLOSE_PATIENCE: Duration = Duration::from_secs(30);
/// The phases whose latencies are compared.
pub const READING: &str = "all read";
pub const STALLED: &str = "some stalled";

#[derive(Debug, Clone, clap::Args)]
pub struct SlowReaders {
    #[command(flatten)]
    pub common: Common,
    #[arg(long, default_value_t = 1_000)]
    pub clients: usize,
    /// How many of them stop reading.
    #[arg(long, default_value_t = 20)]
    pub stalled: usize,
    /// Publications a second.
    #[arg(long, default_value_t = 25.0)]
    pub rate: f64,
    /// Length of the text in each: long enough to fill the buffers soon.
    #[arg(long, default_value_t = 1_900)]
    pub payload: usize,
    /// `SO_RCVBUF` of those that stop.
    #[arg(long, default_value_t = 4_096)]
    pub receive_bytes: u32,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 6.0)]
    pub seconds: f64,
}

pub async fn run(options: &SlowReaders) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &SlowReaders) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    let length = Duration::from_secs_f64(options.seconds);
    Subject::List.make(&stage.world, 1).await?;
    let topic = |_| vec![Subject::List.topic(&stage.world, 0)];
    let readers = stage.gather(options.clients.saturating_sub(options.stalled), topic).await?;
    let count = readers.len() as u64;
    let slow = stage::gather(&slow_ground(&stage.ground, options.receive_bytes), options.stalled, topic).await?;
    let readers = stage::listen(readers);
    let (stop, stopped) = watch::channel(false);
    let slow = read_until(slow, &stopped);

    let schedule = Rc::new(schedule(options.rate, length));
    let mut meter = Meter::open(&stage.world.server).await?;
    let (before, sessions, tally) = (stage.watch.usage(), meter.sessions().await?, &stage.ground.tally);
    let how = Publications { subject: Subject::List, payload_bytes: options.payload, connections: 16 };
    let start = Instant::now() + HEAD_START;
    tally.begin(start, &schedule);
    let publisher = Publisher::start(stage.ground.server, &stage.world, how, &schedule, start)?;

    sleep_until((start + WARM_UP).into()).await;
    let resident_warm = stage.watch.resident_kib();
    let stalling = start + WARM_UP + length;
    sleep_until(stalling.into()).await;
    let resident = stage.watch.resident_kib();
    stop.send_replace(true);
    let pressure = meter.press(stage.watch, sessions, options.stalled, CLOSE_PATIENCE).await?;
    sleep_until((stalling + length).into()).await;
    publisher.stop();
    stage::wait_until(CLOSE_PATIENCE, || publisher.is_finished()).await;
    let commands = publisher.finish(start.elapsed().as_secs_f64())?;
    let expected = commands.count() as u64 * count;
    stage::wait_until(Duration::from_secs(5), || tally.events.get() >= expected || readers.is_empty()).await;

    let mut outcome = Outcome::new(
        "slow-readers",
        &stage.settings(json!({ "clients": options.clients, "stalled": options.stalled,
        "rate": options.rate, "payload_bytes": options.payload, "receive_bytes": options.receive_bytes })),
    );
    outcome.deliveries(tally.deliveries(), tally.wire_bytes.get(), stage.watch.since(before));
    stage.close(&mut outcome);
    if let (Some(warm), Some(resident)) = (resident_warm, resident) {
        outcome.figure("memory_growth_while_all_read_kib", resident - warm);
        outcome.figure("memory_growth_while_stalled_kib", (pressure.resident_max_kib - resident).max(0.0));
    }
    compare(&mut outcome, &pressure)?;
    outcome.commands(commands);
    outcome.missing(expected.saturating_sub(tally.events.get()));
    drop(slow);
    Ok(outcome)
}

/// Both phases are as long and as busy; then it continues until the last stalled reader is closed.
fn schedule(rate: f64, length: Duration) -> Schedule {
    let warm = Schedule::default().phase("warm-up", rate, 1, 1, WARM_UP).unmeasured();
    let measured = warm.phase(READING, rate, 1, 1, length).phase(STALLED, rate, 1, 1, length);
    measured.phase("until closed", rate, 1, 1, CLOSE_PATIENCE).unmeasured()
}

/// The effect on the others, and when the stalled ones were closed.
fn compare(outcome: &mut Outcome, pressure: &Pressure) -> Result<()> {
    let (with, without) = (outcome.phase(STALLED)?.quantile_ms(990), outcome.phase(READING)?.quantile_ms(990));
    outcome.figure("p99_ratio", with / without.max(0.001));
    outcome.figure("closed", pressure.closed_after.len() as f64);
    let seconds = |closed: Option<&Duration>| closed.map_or(f64::NAN, Duration::as_secs_f64);
    outcome.figure("first_closed_after_seconds", seconds(pressure.closed_after.first()));
    outcome.figure("last_closed_after_seconds", seconds(pressure.closed_after.last()));
    Ok(())
}

/// Those that will stop are counted separately and buffer little in their sockets.
pub fn slow_ground(ground: &Ground, receive_bytes: u32) -> Rc<Ground> {
    let mut slow = ground.clone();
    slow.tally = Rc::new(Tally::default());
    slow.offer.receive_bytes = Some(receive_bytes);
    Rc::new(slow)
}

/// Reads until told to stop; then holds the connection without reading.
pub fn read_until(clients: Vec<Client>, stopped: &watch::Receiver<bool>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for mut client in clients {
        let mut stopped = stopped.clone();
        tasks.spawn_local(async move {
            loop {
                tokio::select! {
                    biased;
                    _ = stopped.wait_for(|stopped| *stopped) => return std::future::pending().await,
                    read = client.read() => if !matches!(read, Ok(true)) { return },
                }
            }
        });
    }
    tasks
}
