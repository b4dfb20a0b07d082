//! Many clients for a long time at low rates, each losing its connection now and then and coming back to where it was.
//! In the end all clients of a list must be at the same position, with no gap and no duplicate on the way.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use ahash::AHashMap;
use anyhow::Result;
use serde_json::json;
use tokio::{
    task::JoinSet,
    time::{sleep, timeout_at},
};

use super::{
    client::Memory,
    outcome::Outcome,
    plans::Texts,
    publisher::Publisher,
    schedule::Schedule,
    stage::{self, Common, Stage},
};

const HEAD_START: Duration = Duration::from_millis(200);
/// After the last publication: every client is back and has everything.
const LAST_READING: Duration = Duration::from_secs(3);
/// The longest time between two connections of a client.
const AWAY_MS_MAX: u64 = 2_000;

#[derive(Debug, Clone, clap::Args)]
pub struct Soak {
    #[command(flatten)]
    pub common: Common,
    #[command(flatten)]
    pub texts: Texts,
    #[arg(long, default_value_t = 1_000)]
    pub clients: usize,
    /// Topics there are; each client follows one.
    #[arg(long, default_value_t = 200)]
    pub topics: usize,
    /// Publications a second, going round the topics.
    #[arg(long, default_value_t = 100.0)]
    pub rate: f64,
    /// Seconds that a client stays connected, on average.
    #[arg(long, default_value_t = 20.0)]
    pub session: f64,
    #[arg(long, default_value_t = 60.0)]
    pub seconds: f64,
}

pub async fn run(options: &Soak) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &Soak) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    let (subject, topics) = (options.texts.subject, options.topics.max(1));
    subject.make(&stage.world, topics).await?;
    let length = Duration::from_secs_f64(options.seconds);
    let schedule = Rc::new(Schedule::default().phase("latency while connected", options.rate, 1, topics, length));
    let (before, resident, tally) = (stage.watch.usage(), stage.watch.resident_kib(), &stage.ground.tally);
    let start = Instant::now() + HEAD_START;
    let mut clients = JoinSet::new();
    for client in 0..options.clients {
        let topic = subject.topic(&stage.world, client % topics);
        let life = Life { topic: topic.clone(), session: options.session, until: start + length, random: Random(client as u64 + 1) };
        clients.spawn_local(live(Memory::new(&stage.ground, vec![topic]), life));
    }
    tally.begin(start, &schedule);
    let publisher = Publisher::start(stage.ground.server, &stage.world, options.texts.publications(1), &schedule, start)?;
    let (mut newest, mut positions, mut sessions) = (AHashMap::<String, u64>::new(), Vec::new(), 0);
    while let Some(ended) = clients.join_next().await {
        match ended? {
            Ok((topic, position, count)) => {
                let best = newest.entry(topic.clone()).or_default();
                *best = (*best).max(position);
                positions.push((topic, position));
                sessions += count;
            }
            Err(error) => tally.fail(format!("{error:#}")),
        }
    }
    let behind = positions.iter().filter(|(topic, position)| newest.get(topic) != Some(position)).count();

    let settings = json!({ "clients": options.clients, "topics": topics, "rate": options.rate, "session_seconds": options.session,
        "subject": format!("{subject:?}").to_lowercase(), "payload_bytes": options.texts.payload });
    let mut outcome = Outcome::new("soak", &stage.settings(settings));
    outcome.deliveries(tally.deliveries(), tally.wire_bytes.get(), stage.watch.since(before));
    outcome.figure("sessions", f64::from(sessions));
    if let (Some(before), Some(now)) = (resident, stage.watch.resident_kib()) {
        outcome.figure("memory_growth_kib", now - before);
    }
    stage.close(&mut outcome);
    outcome.commands(publisher.finish(options.seconds)?);
    outcome.missing(behind as u64);
    Ok(outcome)
}

/// How one client spends its time.
struct Life {
    topic: String,
    session: f64,
    until: Instant,
    random: Random,
}

/// Connects, reads, loses the connection and comes back until the end; its topic, last position and how many sessions it had.
async fn live(mut memory: Memory, mut life: Life) -> Result<(String, u64, u32)> {
    let mut sessions = 0;
    // Not all at once: that is what the storm is for.
    sleep(Duration::from_millis(life.random.below(AWAY_MS_MAX))).await;
    loop {
        let mut client = memory.connect().await?;
        sessions += 1;
        let last = Instant::now() >= life.until;
        let stay = Duration::from_secs_f64(life.session).mul_f64(life.random.below(2_000) as f64 / 1_000.0);
        let end = if last { life.until.max(Instant::now()) + LAST_READING } else { (Instant::now() + stay).min(life.until) };
        while let Ok(read) = timeout_at(end.into(), client.read()).await {
            if !matches!(read, Ok(true)) {
                client.was_lost();
                break;
            }
        }
        memory = client.drop_session();
        if last {
            let position = memory.position(&life.topic);
            return Ok((life.topic, position, sessions));
        }
        sleep(Duration::from_millis(life.random.below(AWAY_MS_MAX))).await;
    }
}

/// Small and repeatable; nothing here has to be hard to guess.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound.max(1)
    }
}
