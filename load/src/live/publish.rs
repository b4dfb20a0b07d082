//! Carries out a plan: publications on a schedule to subscribers, every delivery counted.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::Result;
use serde_json::json;

use super::{
    outcome::Outcome,
    publisher::{Publications, Publisher},
    schedule::Schedule,
    stage::{self, Common, Stage},
    strace::Strace,
};

/// Between the making of the schedule's threads and its first publication.
const HEAD_START: Duration = Duration::from_millis(200);
/// How long deliveries may take after the last publication.
const PATIENCE: Duration = Duration::from_secs(10);

/// What is published to whom.
pub struct Plan {
    pub scenario: &'static str,
    pub clients: usize,
    /// Topics there are.
    pub topics: usize,
    /// Topics of each client, going round.
    pub topics_each: usize,
    pub publications: Publications,
    pub schedule: Schedule,
}

/// Carries out a plan.
pub async fn run(common: &Common, plan: Plan) -> Result<Outcome> {
    stage::local(run_local(common, plan)).await
}

async fn run_local(common: &Common, plan: Plan) -> Result<Outcome> {
    let stage = Stage::set(common).await?;
    let Plan { clients, topics, topics_each, publications, .. } = plan;
    publications.subject.make(&stage.world, topics).await?;
    let names = |client: usize| {
        (0..topics_each).map(|one| publications.subject.topic(&stage.world, (client * topics_each + one) % topics)).collect()
    };
    let readers = stage::listen(stage.gather(clients, names).await?);

    let (schedule, tally) = (Rc::new(plan.schedule), &stage.ground.tally);
    let expected = expected(&schedule, clients, topics, topics_each);
    let (before, bytes, already) = (stage.watch.usage(), tally.wire_bytes.get(), tally.deliveries());
    let start = Instant::now() + HEAD_START;
    tally.begin(start, &schedule);
    let strace = common.strace.then(|| Strace::start(stage.watch.pid()));
    let publisher = Publisher::start(stage.ground.server, &stage.world, publications, &schedule, start)?;
    stage::wait_until(schedule.length() * 3 + PATIENCE, || publisher.is_finished()).await;
    stage::wait_until(PATIENCE, || tally.events.get() >= expected || readers.is_empty()).await;
    let spent = stage.watch.since(before);
    let commands = publisher.finish(schedule.length().as_secs_f64())?;

    let settings = json!({ "clients": clients, "topics": topics, "topics_each": topics_each, "publications": schedule.shots.len(),
        "subject": format!("{:?}", publications.subject).to_lowercase(), "payload_bytes": publications.payload_bytes });
    let mut outcome = Outcome::new(plan.scenario, &stage.settings(settings));
    let deliveries = tally.deliveries() - already;
    outcome.deliveries(deliveries, tally.wire_bytes.get() - bytes, spent);
    if let Some(strace) = strace {
        strace.tell(&mut outcome, deliveries);
    }
    stage.close(&mut outcome);
    outcome.commands(commands);
    outcome.missing(expected.saturating_sub(tally.events.get()));
    Ok(outcome)
}

/// How many events all clients together should hear of.
fn expected(schedule: &Schedule, clients: usize, topics: usize, topics_each: usize) -> u64 {
    let mut followers = vec![0_u64; topics];
    (0..clients * topics_each).for_each(|one| followers[one % topics] += 1);
    schedule.shots.iter().map(|shot| followers[shot.topic]).sum()
}
