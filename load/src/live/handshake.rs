//! How fast sessions come and go: connect, upgrade, hello, subscribe to a list, its snapshot, close.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    client::{Ground, Memory},
    outcome::Outcome,
    publisher::Subject,
    stage::{self, Common, Stage},
};
use crate::{measure::Report, setup::World};

#[derive(Debug, Clone, clap::Args)]
pub struct Handshake {
    #[command(flatten)]
    pub common: Common,
    /// Handshakes under way at the same time, each on a connection of its own.
    #[arg(long, default_value_t = 64)]
    pub parallel: usize,
    #[arg(long, default_value_t = 100)]
    pub lists: usize,
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
}

pub async fn run(options: &Handshake) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &Handshake) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    Subject::List.make(&stage.world, options.lists).await?;
    let (before, bytes) = (stage.watch.usage(), stage.ground.tally.wire_bytes.get());
    let until = Instant::now() + Duration::from_secs_f64(options.seconds);
    let mut tasks = JoinSet::new();
    for worker in 0..options.parallel {
        tasks.spawn_local(come_and_go(Rc::clone(&stage.ground), stage.world.clone(), options.lists, worker, until));
    }
    let mut report = Report::default();
    while let Some(part) = tasks.join_next().await {
        report.join(part?);
    }
    let spent = stage.watch.since(before);

    let settings = json!({ "parallel": options.parallel, "lists": options.lists });
    let mut outcome = Outcome::new("handshake", &stage.settings(settings));
    outcome.figure("sessions_per_second", report.count() as f64 / spent.seconds);
    outcome.figure("bytes_per_session", (stage.ground.tally.wire_bytes.get() - bytes) as f64 / report.count().max(1) as f64);
    if let Some(cpu) = spent.server_cpu {
        outcome.figure("server_cpu_microseconds_per_session", cpu * 1e6 / report.count().max(1) as f64);
    }
    outcome.cost(spent);
    stage.close(&mut outcome);
    outcome.latencies.push(("whole session".into(), report.finish(spent.seconds)));
    Ok(outcome)
}

/// One session after the other.
async fn come_and_go(ground: Rc<Ground>, world: World, lists: usize, worker: usize, until: Instant) -> Report {
    let mut report = Report::default();
    let mut number = worker;
    while Instant::now() < until {
        let started = Instant::now();
        match session(&ground, Subject::List.topic(&world, number % lists)).await {
            Ok(()) => report.record(started.elapsed()),
            Err(error) => ground.tally.fail(format!("{error:#}")),
        }
        number += 1;
    }
    report
}

/// A whole session with one topic.
pub async fn session(ground: &Rc<Ground>, topic: String) -> Result<()> {
    Memory::new(ground, vec![topic]).connect().await?.close().await
}
