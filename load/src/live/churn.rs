//! Sessions that come and go at a steady rate, round after round: does memory stay where it was after the first round?

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;
use tokio::{task::JoinSet, time::sleep_until};

use super::{
    handshake,
    meter::Meter,
    outcome::Outcome,
    publisher::Subject,
    stage::{self, Common, Stage},
    tally::Tally,
};
use crate::measure::{self, Report};

/// Memory is measured when the last session of a round is gone.
const SETTLE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, clap::Args)]
pub struct Churn {
    #[command(flatten)]
    pub common: Common,
    /// Sessions a second.
    #[arg(long, default_value_t = 500.0)]
    pub rate: f64,
    #[arg(long, default_value_t = 4)]
    pub rounds: usize,
    /// Seconds of each round.
    #[arg(long, default_value_t = 5.0)]
    pub seconds: f64,
    #[arg(long, default_value_t = 200)]
    pub lists: usize,
}

pub async fn run(options: &Churn) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &Churn) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    Subject::List.make(&stage.world, options.lists).await?;
    let mut meter = Meter::open(&stage.world.server).await?;
    let settings = json!({ "rate": options.rate, "rounds": options.rounds, "seconds_each": options.seconds, "lists": options.lists });
    let mut outcome = Outcome::new("churn", &stage.settings(settings));
    let before = stage.watch.usage();
    let mut resident = vec![stage.watch.resident_kib().unwrap_or(0.0)];
    for number in 1..=options.rounds {
        let report = round(&stage, options).await?;
        outcome.latencies.push((format!("round {number}"), report));
        tokio::time::sleep(SETTLE).await;
        resident.push(stage.watch.resident_kib().unwrap_or(0.0));
    }
    outcome.cost(stage.watch.since(before));
    for (number, kib) in resident.iter().enumerate() {
        outcome.figure(format!("resident_kib_after_round_{number}"), *kib);
    }
    let first = resident.get(1).copied().unwrap_or(0.0);
    outcome.figure("growth_after_first_round_kib", resident.last().copied().unwrap_or(0.0) - first);
    outcome.figure("sessions_left", meter.sessions().await? as f64);
    stage.close(&mut outcome);
    Ok(outcome)
}

/// Sessions start at their intended times, whether those before have ended or not.
async fn round(stage: &Stage, options: &Churn) -> Result<Report> {
    let (count, start) = (measure::count(options.rate * options.seconds), Instant::now());
    let mut tasks = JoinSet::new();
    let mut report = Report::default();
    for number in 0..count {
        let intended = start + Duration::from_secs_f64(number as f64 / options.rate);
        sleep_until(intended.into()).await;
        let (ground, topic) = (Rc::clone(&stage.ground), Subject::List.topic(&stage.world, number % options.lists));
        tasks.spawn_local(async move { handshake::session(&ground, topic).await.map(|()| intended.elapsed()) });
        while let Some(done) = tasks.try_join_next() {
            take(&mut report, done?, &stage.ground.tally);
        }
    }
    while let Some(done) = tasks.join_next().await {
        take(&mut report, done?, &stage.ground.tally);
    }
    Ok(report.finish(start.elapsed().as_secs_f64()))
}

fn take(report: &mut Report, done: Result<Duration>, tally: &Tally) {
    match done {
        Ok(taken) => report.record(taken),
        Err(error) => tally.fail(format!("{error:#}")),
    }
}
