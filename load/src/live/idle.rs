//! Sessions that only listen: what each costs in memory, in the server and in the kernel, and that all of them stay.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::{
    outcome::Outcome,
    publisher::Subject,
    stage::{self, Common, Stage},
    watch::kernel_kib,
};

/// Memory is measured when what was done before has settled.
const SETTLE: Duration = Duration::from_secs(1);
/// A session may have 1,000 topics.
const TOPICS_PER_WAKING: usize = 500;

#[derive(Debug, Clone, clap::Args)]
pub struct Idle {
    #[command(flatten)]
    pub common: Common,
    #[arg(long, default_value_t = 10_000)]
    pub clients: usize,
    /// Topics of each session.
    #[arg(long, default_value_t = 5)]
    pub each: usize,
    /// Lists there are.
    #[arg(long, default_value_t = 1_000)]
    pub lists: usize,
    /// Seconds that all have to stay.
    #[arg(long, default_value_t = 3.0)]
    pub hold: f64,
}

pub async fn run(options: &Idle) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &Idle) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    let &Idle { clients, each, lists, .. } = options;
    Subject::List.make(&stage.world, lists).await?;
    let topic = |list: usize| Subject::List.topic(&stage.world, list % lists);
    // The lists' actors are awake before memory counts: they cost the same however many listen.
    let waking = lists.div_ceil(TOPICS_PER_WAKING);
    let part = |one: usize| (one * TOPICS_PER_WAKING..lists.min((one + 1) * TOPICS_PER_WAKING)).map(topic).collect();
    drop(stage.gather(waking, part).await?);
    tokio::time::sleep(SETTLE).await;

    let (before, resident, kernel) = (stage.watch.usage(), stage.watch.resident_kib(), kernel_kib());
    let sessions = stage::listen(stage.gather(clients, |client| (0..each).map(|one| topic(client * each + one)).collect()).await?);
    let gathered = stage.watch.since(before);
    tokio::time::sleep(SETTLE + Duration::from_secs_f64(options.hold)).await;

    let mut outcome = Outcome::new("idle", &stage.settings(json!({ "clients": clients, "topics_each": each, "lists": lists })));
    let per_session = |kib: f64| kib / clients.max(1) as f64;
    if let (Some(before), Some(now)) = (resident, stage.watch.resident_kib()) {
        outcome.figure("memory_per_session_kib", per_session(now - before));
        outcome.figure("resident_kib", now);
    }
    if let (Some((sockets, slab)), Some((sockets_now, slab_now))) = (kernel, kernel_kib()) {
        outcome.figure("kernel_socket_buffers_per_session_kib", per_session(sockets_now - sockets));
        outcome.figure("kernel_slab_per_session_kib_both_ends", per_session(slab_now - slab));
    }
    outcome.figure("sessions_held", clients as f64 - stage.ground.tally.lost.get() as f64);
    outcome.cost(gathered);
    stage.close(&mut outcome);
    drop(sessions);
    Ok(outcome)
}
