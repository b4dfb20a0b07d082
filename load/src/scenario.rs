//! Closed loops over HTTP: each connection sends its next request when it has the last answer.

use std::{
    cell::Cell,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use tokio::{
    task::{JoinSet, LocalSet},
    time::sleep_until,
};

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
    let window = Window::after_warm_up();
    window.end.set(Some(window.begin + measured));
    let local = LocalSet::new();
    let tasks = start(world, kind, connections, &window, &local).await?;
    let report = local.run_until(joined(kind, tasks)).await?;
    Ok(report.finish(measured.as_secs_f64()))
}

/// Runs one scenario for as long as something else takes, which begins after the warm-up.
pub async fn beside<T>(world: &World, kind: Kind, connections: usize, other: impl Future<Output = Result<T>>) -> Result<(Report, T)> {
    let (window, local) = (Window::after_warm_up(), LocalSet::new());
    let tasks = start(world, kind, connections, &window, &local).await?;
    local
        .run_until(async {
            sleep_until(window.begin.into()).await;
            let done = other.await?;
            window.end.set(Some(Instant::now()));
            let measured = window.begin.elapsed();
            Ok((joined(kind, tasks).await?.finish(measured.as_secs_f64()), done))
        })
        .await
}

/// What is recorded; the end may become known later.
struct Window {
    begin: Instant,
    end: Cell<Option<Instant>>,
}

impl Window {
    fn after_warm_up() -> Rc<Self> {
        Rc::new(Self { begin: Instant::now() + WARM_UP, end: Cell::default() })
    }

    fn holds(&self, sent: Instant, done: Instant) -> bool {
        sent >= self.begin && self.end.get().is_none_or(|end| done <= end)
    }

    fn is_over(&self, now: Instant) -> bool {
        self.end.get().is_some_and(|end| now >= end)
    }
}

async fn start(world: &World, kind: Kind, connections: usize, window: &Rc<Window>, local: &LocalSet) -> Result<JoinSet<Result<Report>>> {
    let mut tasks = JoinSet::new();
    for connection in 0..connections {
        let (world, stream, window) = (world.clone(), world.connect().await?, Rc::clone(window));
        tasks.spawn_local_on(drive(world, kind, stream, connection, connections, window), local);
    }
    Ok(tasks)
}

async fn joined(kind: Kind, mut tasks: JoinSet<Result<Report>>) -> Result<Report> {
    let mut report = Report::default();
    while let Some(part) = tasks.join_next().await {
        report.join(part??);
    }
    if report.count() == 0 {
        bail!("no request of {} succeeded: {}", kind.name(), report.first_error.as_deref().unwrap_or("none was answered"));
    }
    Ok(report)
}

async fn drive(
    world: World,
    kind: Kind,
    mut stream: Connection,
    connection: usize,
    connections: usize,
    window: Rc<Window>,
) -> Result<Report> {
    let (mut report, mut request) = (Report::default(), Vec::with_capacity(1 << 10));
    for number in 0.. {
        kind.write(&mut request, &world, connection, connections, number);
        let sent = Instant::now();
        let answer = stream.ask(&request).await?;
        let done = Instant::now();
        if !(200..300).contains(&answer.status) {
            report.fail(|| format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)));
        } else if window.holds(sent, done) {
            report.record(done - sent);
        }
        if window.is_over(done) {
            break;
        }
    }
    Ok(report)
}
