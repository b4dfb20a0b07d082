//! The world a run works on: stores, products with prices, and lists, all made through the API under names of its own.

use std::{
    fmt::Write,
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, ensure};
use tokio::task::JoinSet;

use crate::{connection::Connection, pass::Pass, shapes};

/// Lists that commands and reads go round.
pub const LISTS: usize = 1_000;
/// Products with a price in the first store.
pub const PRODUCTS: usize = 1_000;
/// Stores in which the first products have a price.
pub const STORES: usize = 13;
/// Products with a price in every store.
pub const PRODUCTS_EVERYWHERE: usize = 100;
/// Items on each list that is read.
const ITEMS_READ: usize = 20;
/// The item of a list that notes are written on.
pub const NOTED_ITEM: &str = "noted";
/// Connections that make the world.
const BUILDERS: usize = 64;

/// The names of one run. Cheap to clone: they are made from the run's prefix.
#[derive(Clone)]
pub struct World {
    pub server: String,
    run: String,
    pass: Arc<Pass>,
}

impl World {
    /// Makes stores, products, prices and lists.
    pub async fn prepare(server: &str) -> Result<Self> {
        Self::prepare_as(server, &Pass::default()).await
    }

    /// Makes them in somebody's name.
    pub async fn prepare_as(server: &str, pass: &Pass) -> Result<Self> {
        let world = Self::named(server).presenting(pass);
        world.make(STORES, |world, n, request| shapes::create_store(request, &world.store(n))).await?;
        world.make(PRODUCTS, |world, n, request| shapes::register_product(request, &world.product(n))).await?;
        let at = now();
        let first = at.clone();
        world
            .make(PRODUCTS, move |world, n, request| shapes::observe_price(request, &world.product(n), &world.store(0), price(n), &first))
            .await?;
        world
            .make(PRODUCTS_EVERYWHERE * (STORES - 1), move |world, n, request| {
                let (product, store) = (n % PRODUCTS_EVERYWHERE, 1 + n / PRODUCTS_EVERYWHERE);
                shapes::observe_price(request, &world.product(product), &world.store(store), price(n), &at);
            })
            .await?;
        world.make(LISTS, |world, n, request| world.create_list(request, n)).await?;
        Ok(world)
    }

    /// An empty world of new names.
    pub fn named(server: &str) -> Self {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        let server = server.trim_start_matches("http://").trim_end_matches('/').to_owned();
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
        let world = WORLDS.fetch_add(1, Ordering::Relaxed);
        Self { server, run: format!("{:x}-{world}", nanos / 1_000_000), pass: Arc::default() }
    }

    /// The same world for somebody else.
    pub fn presenting(&self, pass: &Pass) -> Self {
        Self { pass: Arc::new(pass.clone()), ..self.clone() }
    }

    /// The same names on another server, such as one that serves the same folder.
    pub fn at(&self, server: &str) -> Self {
        Self { server: server.to_owned(), ..self.clone() }
    }

    /// Opens a connection that presents what this world's requests do.
    pub async fn connect(&self) -> io::Result<Connection> {
        Connection::open_as(&self.server, self.pass.token.as_deref()).await
    }

    fn create_list(&self, request: &mut Vec<u8>, number: usize) {
        shapes::create_list(request, &self.list(number), &self.store(0), self.pass.household.as_deref());
    }

    /// Puts items on every list, so that reads are realistic.
    pub async fn fill_lists(&self) -> Result<()> {
        self.make(LISTS * ITEMS_READ, |world, n, request| {
            let (list, number) = (n % LISTS, n / LISTS);
            shapes::add_item(request, &world.list(list), &item(list, number), &world.product(number * 7 % PRODUCTS));
        })
        .await
    }

    /// Makes lists with one item for notes, in the first store.
    pub async fn make_plain_lists(&self, count: usize) -> Result<()> {
        self.make(1, |world, n, request| shapes::create_store(request, &world.store(n))).await?;
        self.make(count, |world, n, request| world.create_list(request, n)).await?;
        self.make(count, |world, n, request| shapes::add_plain_item(request, &world.list(n), NOTED_ITEM)).await
    }

    /// Sends `count` requests over some connections; every one must succeed.
    pub async fn make(&self, count: usize, write: impl Fn(&Self, usize, &mut Vec<u8>) + Clone + 'static) -> Result<()> {
        self.make_over(BUILDERS, count, write).await
    }

    /// Sends `count` requests over so many connections at most; every one must succeed.
    pub async fn make_over(
        &self,
        builders: usize,
        count: usize,
        write: impl Fn(&Self, usize, &mut Vec<u8>) + Clone + 'static,
    ) -> Result<()> {
        let local = tokio::task::LocalSet::new();
        let mut tasks = JoinSet::new();
        for builder in 0..builders.min(count) {
            let (world, write) = (self.clone(), write.clone());
            tasks.spawn_local_on(
                async move {
                    let (mut connection, mut request) = (world.connect().await?, Vec::new());
                    for number in (builder..count).step_by(builders) {
                        request.clear();
                        write(&world, number, &mut request);
                        let answer = connection.ask(&request).await?;
                        let good = (200..300).contains(&answer.status);
                        ensure!(
                            good,
                            "{}\n  -> {} {}",
                            String::from_utf8_lossy(&request),
                            answer.status,
                            String::from_utf8_lossy(answer.body)
                        );
                    }
                    Ok(())
                },
                &local,
            );
        }
        local
            .run_until(async {
                while let Some(done) = tasks.join_next().await {
                    done??;
                }
                Ok(())
            })
            .await
    }

    pub fn store(&self, number: usize) -> String {
        self.name("s", number)
    }

    pub fn product(&self, number: usize) -> String {
        self.name("p", number)
    }

    pub fn list(&self, number: usize) -> String {
        self.name("l", number)
    }

    pub fn order(&self, number: usize) -> String {
        self.name("o", number)
    }

    pub fn household(&self, number: usize) -> String {
        self.name("h", number)
    }

    /// The login of an account, which is its name in events, too.
    pub fn account(&self, number: usize) -> String {
        self.name("a", number)
    }

    fn name(&self, kind: &str, number: usize) -> String {
        let mut name = String::with_capacity(32);
        write!(name, "{kind}-{}-{number}", self.run).expect("this holds because writing to memory cannot fail");
        name
    }
}

/// An item's id: unique on every list, whichever connection adds it.
pub fn item(connection: usize, number: usize) -> String {
    format!("{connection}-{number}")
}

/// Now, as RFC 3339.
pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn price(number: usize) -> u64 {
    99 + (number as u64 * 37) % 900
}
