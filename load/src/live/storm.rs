//! The reconnect storm: all clients are cut off, much happens, and all come back at once from where they were.

use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::json;
use tokio::task::JoinSet;

use super::{
    client::{Client, Memory},
    outcome::Outcome,
    publisher::Subject,
    stage::{self, Common, Stage},
};
use crate::measure::Report;

/// The server notices within this time that all clients are gone.
const SETTLE: Duration = Duration::from_millis(500);

#[derive(Debug, Clone, clap::Args)]
pub struct Storm {
    #[command(flatten)]
    pub common: Common,
    #[arg(long, default_value_t = 5_000)]
    pub clients: usize,
    /// Different lists; without it one for every five clients, a family.
    #[arg(long)]
    pub lists: Option<usize>,
    /// Events of each list while all are away.
    #[arg(long, default_value_t = 100)]
    pub missed: usize,
    /// Length of the text in each of them.
    #[arg(long, default_value_t = 64)]
    pub payload: usize,
}

pub async fn run(options: &Storm) -> Result<Outcome> {
    stage::local(run_local(options)).await
}

async fn run_local(options: &Storm) -> Result<Outcome> {
    let stage = Stage::set(&options.common).await?;
    let &Storm { clients, missed, payload, .. } = options;
    let lists = options.lists.unwrap_or(clients.div_ceil(5)).max(1);
    Subject::List.make(&stage.world, lists).await?;
    let gathered = stage.gather(clients, |client| vec![Subject::List.topic(&stage.world, client % lists)]).await?;
    let memories: Vec<_> = gathered.into_iter().map(Client::drop_session).collect();
    tokio::time::sleep(SETTLE).await;
    let write = move |world: &_, n, request: &mut _| Subject::List.write(request, world, n % lists, n, payload);
    stage.world.make(lists * missed, write).await?;

    let tally = &stage.ground.tally;
    let (before, snapshots, bytes) = (stage.watch.usage(), tally.snapshots.get(), tally.wire_bytes.get());
    let (report, back) = come_back(memories, |why| tally.fail(why)).await?;
    let spent = stage.watch.since(before);

    let settings = json!({ "clients": clients, "lists": lists, "missed_each": missed, "payload_bytes": payload });
    let mut outcome = Outcome::new("storm", &stage.settings(settings));
    outcome.figure("seconds_until_all_recovered", report.max_ms() / 1e3);
    outcome.figure("recovered", tally.recovered.get() as f64);
    outcome.figure("snapshots_instead", (tally.snapshots.get() - snapshots) as f64);
    outcome.figure("megabytes", (tally.wire_bytes.get() - bytes) as f64 / 1e6);
    outcome.cost(spent);
    outcome.latencies.push(("back with everything".into(), report));
    stage.close(&mut outcome);
    outcome.missing(((clients * missed) as u64).saturating_sub(tally.missed.get()));
    drop(back);
    Ok(outcome)
}

/// All connect at once; how long each took to have everything, counted from the common start.
async fn come_back(memories: Vec<Memory>, fail: impl Fn(String)) -> Result<(Report, Vec<Client>)> {
    let mut tasks = JoinSet::new();
    let start = Instant::now();
    for memory in memories {
        tasks.spawn_local(async move { memory.connect().await.map(|client| (start.elapsed(), client)) });
    }
    let (mut report, mut back) = (Report::default(), Vec::new());
    while let Some(one) = tasks.join_next().await {
        match one? {
            Ok((taken, client)) => {
                report.record(taken);
                back.push(client);
            }
            Err(error) => fail(format!("{error:#}")),
        }
    }
    Ok((report.finish(start.elapsed().as_secs_f64()), back))
}
