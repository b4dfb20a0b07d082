//! Where a scenario plays: the server, the world made on it, the clients, and what is noted with every figure.

use std::{
    future::Future,
    path::PathBuf,
    rc::Rc,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Value, json};
use tokio::task::{JoinSet, LocalSet};

use super::{
    client::{Client, Ground, Memory},
    outcome::Outcome,
    tally::Tally,
    watch::{self, Usage, Watch},
};
use crate::{
    connection::Connection,
    offer::{Encoding, Offer},
    setup::World,
    shapes, socket,
};

/// Handshakes under way at the same time while clients gather.
const GATHERING: usize = 64;

/// What every live scenario takes.
#[derive(Debug, Clone, clap::Args)]
pub struct Common {
    /// Address of the server, such as 127.0.0.1:8080.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub server: String,
    /// The server's process, for its processor time and memory.
    #[arg(long)]
    pub pid: Option<u32>,
    #[arg(long, value_enum, default_value_t)]
    pub encoding: Encoding,
    /// Offers permessage-deflate.
    #[arg(long)]
    pub deflate: bool,
    /// A bearer token for handshakes and commands.
    #[arg(long)]
    pub token: Option<String>,
    /// Writes JSON and a chart into this folder.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Counts the server's system calls with strace while publications go out; that slows the server.
    #[arg(long)]
    pub strace: bool,
}

impl Common {
    /// A plain run against a server that this process has started.
    pub fn of(server: &str, pid: u32) -> Self {
        Self { server: server.into(), pid: Some(pid), encoding: Encoding::Json, deflate: false, token: None, out: None, strace: false }
    }
}

/// One run's server, world and clients' common ground.
pub struct Stage {
    pub world: World,
    pub ground: Rc<Ground>,
    pub watch: Watch,
    pub durability: String,
    load_before: String,
    begun: Usage,
}

impl Stage {
    pub async fn set(common: &Common) -> Result<Self> {
        if let Some(token) = &common.token {
            shapes::present(token);
        }
        let world = World::named(&common.server);
        let server = socket::address(&world.server)?;
        let offer = Offer { encoding: common.encoding, deflate: common.deflate, receive_bytes: None };
        let ground = Rc::new(Ground { server, offer, tally: Rc::new(Tally::default()), hasher: ahash::RandomState::new() });
        let watch = Watch::new(common.pid);
        let durability = durability(&world.server).await?;
        Ok(Self { world, ground, watch, durability, load_before: watch::load_average(), begun: watch.usage() })
    }

    /// Connects clients and waits until each has started all its topics.
    pub async fn gather(&self, count: usize, topics: impl Fn(usize) -> Vec<String>) -> Result<Vec<Client>> {
        gather(&self.ground, count, topics).await
    }

    /// The settings that every scenario has, with its own.
    pub fn settings(&self, own: Value) -> Value {
        let offer = &self.ground.offer;
        let mut all = json!({ "encoding": format!("{:?}", offer.encoding).to_lowercase(), "deflate": offer.deflate, "token": shapes::has_token(), "durability": self.durability });
        if let (Some(all), Value::Object(own)) = (all.as_object_mut(), own) {
            all.extend(own);
        }
        all
    }

    /// Adds what the clients have seen, and what the machine was like.
    pub fn close(&self, outcome: &mut Outcome) {
        outcome.tally(&self.ground.tally);
        let spent = self.watch.since(self.begun);
        let cores = std::thread::available_parallelism().map_or(0, std::num::NonZero::get);
        outcome.note(format!(
            "load average {} → {}; {cores} cores, client and server share them over loopback; whole run {:.1} s, client {:.0} % of a core",
            self.load_before,
            watch::load_average(),
            spent.seconds,
            spent.client_cpu / spent.seconds * 100.0
        ));
    }
}

/// Connects clients to any ground.
pub async fn gather(ground: &Rc<Ground>, count: usize, topics: impl Fn(usize) -> Vec<String>) -> Result<Vec<Client>> {
    stream::iter((0..count).map(|client| Memory::new(ground, topics(client)).connect())).buffered(GATHERING).try_collect().await
}

/// Sets every client to reading; dropping the set ends their sessions.
pub fn listen(clients: Vec<Client>) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for client in clients {
        tasks.spawn_local(client.listen());
    }
    tasks
}

/// Runs a scenario with tasks of one thread.
pub async fn local<T>(scenario: impl Future<Output = T>) -> T {
    LocalSet::new().run_until(scenario).await
}

/// Waits until something holds; false if it did not within `patience`.
pub async fn wait_until(patience: Duration, holds: impl Fn() -> bool) -> bool {
    let until = Instant::now() + patience;
    while !holds() {
        if Instant::now() > until {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

async fn durability(server: &str) -> Result<String> {
    let mut request = Vec::new();
    shapes::get(&mut request, "/readyz");
    let mut connection = Connection::open(server).await.with_context(|| format!("no server at {server}"))?;
    let answer = connection.ask(&request).await?;
    let ready: Value = serde_json::from_slice(answer.body).unwrap_or_default();
    Ok(ready["log"]["durability"].as_str().unwrap_or("unknown").to_owned())
}
