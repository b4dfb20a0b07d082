//! A price change until every subscriber has the new total: each on a list of its own that holds the product.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use tokio::{sync::watch, task::JoinSet, time::timeout};

use crate::{
    connection::Connection,
    measure::Report,
    offer::Offer,
    setup::{World, now},
    shapes,
    socket::{self, Socket},
};

/// How long one change may take to reach everybody before the run fails.
const CHANGE_PATIENCE: Duration = Duration::from_secs(10);
/// How many of the product are on each list, so that a total is never mistaken for a price.
const QUANTITY: u64 = 3;
/// Changes before those that are measured.
const WARM_UP_CHANGES: usize = 5;

/// What the publisher and its subscribers share.
struct Round {
    subscribers: usize,
    sent: Cell<Instant>,
    arrived: Cell<usize>,
    /// Changes that have reached everybody.
    finished: watch::Sender<usize>,
    report: RefCell<Report>,
}

impl Round {
    /// Counts one subscriber that has the new total; the last one wakes the publisher.
    fn arrived(&self) {
        let arrived = self.arrived.get() + 1;
        self.arrived.set(arrived);
        if arrived.is_multiple_of(self.subscribers) {
            self.finished.send_replace(arrived / self.subscribers);
        }
    }
}

/// Measures `changes` price changes, one after the other, each until all `subscribers` have the new total.
pub async fn run(server: &str, subscribers: usize, changes: usize) -> Result<Report> {
    tokio::task::LocalSet::new().run_until(run_local(server, subscribers, changes)).await
}

async fn run_local(server: &str, subscribers: usize, changes: usize) -> Result<Report> {
    let world = World::named(server);
    let mut publisher = Publisher { connection: world.connect().await?, world: world.clone(), request: Vec::new() };
    world.make(1, |world, n, request| shapes::create_store(request, &world.store(n))).await?;
    world.make(1, |world, n, request| shapes::register_product(request, &world.product(n))).await?;
    publisher.price(cents(0)).await?;
    world.make(subscribers, |world, n, request| shapes::create_list(request, &world.list(n), &world.store(0), None)).await?;
    world.make(subscribers, |world, n, request| shapes::add_item(request, &world.list(n), "item", &world.product(0))).await?;

    let round = Rc::new(Round {
        subscribers,
        sent: Cell::new(Instant::now()),
        arrived: Cell::new(0),
        finished: watch::Sender::new(0),
        report: RefCell::default(),
    });
    let (mut tasks, address) = (JoinSet::new(), socket::address(&world.server)?);
    for subscriber in 0..subscribers {
        let mut socket = Socket::open(address, &Offer::default()).await?;
        socket.send(&shapes::subscribe(&world.list(subscriber))).await?;
        let first = shapes::total_in_push(QUANTITY * cents(0));
        timeout(CHANGE_PATIENCE, socket.wait_for(|text| holds(text, first.as_bytes()))).await.context("no snapshot with the total")??;
        tasks.spawn_local(listen(socket, Rc::clone(&round), WARM_UP_CHANGES + changes));
    }

    let begin = Instant::now();
    let mut finished = round.finished.subscribe();
    for change in 1..=WARM_UP_CHANGES + changes {
        round.sent.set(Instant::now());
        publisher.price(cents(change)).await?;
        if timeout(CHANGE_PATIENCE, finished.wait_for(|finished| *finished >= change)).await.is_err() {
            // A subscriber's failure explains more than the missing count.
            while let Some(Some(ended)) = futures_util::FutureExt::now_or_never(tasks.join_next()) {
                ended??;
            }
            bail!("change {change} reached {} of {subscribers} subscribers", round.arrived.get() % subscribers);
        }
    }
    Ok(round.report.take().finish(begin.elapsed().as_secs_f64()))
}

/// Waits for the total of each change in turn.
async fn listen(mut socket: Socket, round: Rc<Round>, changes: usize) -> Result<()> {
    for change in 1..=changes {
        let total = shapes::total_in_push(QUANTITY * cents(change));
        socket.wait_for(|text| holds(text, total.as_bytes())).await?;
        let taken = round.sent.get().elapsed();
        if change > WARM_UP_CHANGES {
            round.report.borrow_mut().record(taken);
        }
        round.arrived();
    }
    Ok(())
}

struct Publisher {
    connection: Connection,
    world: World,
    request: Vec<u8>,
}

impl Publisher {
    async fn price(&mut self, cents: u64) -> Result<()> {
        self.request.clear();
        shapes::observe_price(&mut self.request, &self.world.product(0), &self.world.store(0), cents, &now());
        let answer = self.connection.ask(&self.request).await?;
        ensure!((200..300).contains(&answer.status), "the price was answered {}: {}", answer.status, String::from_utf8_lossy(answer.body));
        Ok(())
    }
}

/// The price of a change: each differs, and no total equals a price.
fn cents(change: usize) -> u64 {
    1_001 + change as u64
}

fn holds(text: &[u8], part: &[u8]) -> bool {
    memchr::memmem::find(text, part).is_some()
}
