//! Closed loops over HTTP: each connection sends its next request when it has the last answer.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
use tokio::task::JoinSet;

use crate::{
    connection::Connection,
    measure::Report,
    setup::{LISTS, PRODUCTS, PRODUCTS_EVERYWHERE, STORES, World, item},
    shapes,
};

/// Before measuring: pages are faulted in, actors awake, connections warm.
const WARM_UP: Duration = Duration::from_secs(1);

/// What each request does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Adds items that have a price in the list's store.
    Commands,
    /// Adds items that have a price in every store, so that each answer compares them all.
    CommandsManyStores,
    /// Adds items to lists of the replaced stack.
    PeerCommands,
    ReadList,
    ReadPrice,
    ReadBest,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Commands => "commands",
            Self::CommandsManyStores => "commands-many-stores",
            Self::PeerCommands => "peer-commands",
            Self::ReadList => "read-list",
            Self::ReadPrice => "read-price",
            Self::ReadBest => "read-best",
        }
    }

    /// Writes the request that is number `number` of connection `connection`.
    pub fn write(self, request: &mut Vec<u8>, world: &World, connection: usize, connections: usize, number: usize) {
        request.clear();
        let turn = connection + number * connections;
        match self {
            Self::Commands | Self::CommandsManyStores => {
                let (first, products) = match self {
                    Self::Commands => (PRODUCTS_EVERYWHERE, PRODUCTS - PRODUCTS_EVERYWHERE),
                    Self::CommandsManyStores | Self::PeerCommands | Self::ReadList | Self::ReadPrice | Self::ReadBest => {
                        (0, PRODUCTS_EVERYWHERE)
                    }
                };
                let (list, product) = (turn % LISTS, first + turn / LISTS % products);
                shapes::add_item(request, &world.list(list), &item(connection, number), &world.product(product));
            }
            Self::PeerCommands => shapes::add_peer_item(request, &world.list(turn % LISTS)),
            Self::ReadList => shapes::get(request, format_args!("/api/v1/lists/{}", world.list(turn % LISTS))),
            Self::ReadPrice => shapes::read_price(request, &world.product(turn % PRODUCTS_EVERYWHERE), &world.store(turn % STORES)),
            Self::ReadBest => shapes::read_best(request, &world.product(turn % PRODUCTS_EVERYWHERE)),
        }
    }
}

/// Runs one scenario and reports every latency after the warm-up.
pub async fn run(world: &World, kind: Kind, connections: usize, measured: Duration) -> Result<Report> {
    let begin = Instant::now() + WARM_UP;
    let end = begin + measured;
    let mut tasks = JoinSet::new();
    let local = tokio::task::LocalSet::new();
    for connection in 0..connections {
        let (world, stream) = (world.clone(), Connection::open(&world.server).await?);
        tasks.spawn_local_on(drive(world, kind, stream, connection, connections, begin, end), &local);
    }
    let mut report = Report::default();
    local
        .run_until(async {
            while let Some(part) = tasks.join_next().await {
                report.join(part??);
            }
            anyhow::Ok(())
        })
        .await?;
    if report.count() == 0 {
        bail!("no request of {} succeeded: {}", kind.name(), report.first_error.as_deref().unwrap_or("none was answered"));
    }
    Ok(report.finish(measured.as_secs_f64()))
}

async fn drive(
    world: World,
    kind: Kind,
    mut stream: Connection,
    connection: usize,
    connections: usize,
    begin: Instant,
    end: Instant,
) -> Result<Report> {
    let (mut report, mut request) = (Report::default(), Vec::with_capacity(1 << 10));
    for number in 0.. {
        kind.write(&mut request, &world, connection, connections, number);
        let sent = Instant::now();
        let answer = stream.ask(&request).await?;
        let done = Instant::now();
        if !(200..300).contains(&answer.status) {
            report.fail(|| format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)));
        } else if sent >= begin && done <= end {
            report.record(done - sent);
        }
        if done >= end {
            break;
        }
    }
    Ok(report)
}
