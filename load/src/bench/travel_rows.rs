//! Row 17: a list of 1,000 events, spread through a long log, read over HTTP at random positions.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use aisled::{
    domain::{
        Currency, Event, ItemId, Moment, Principal, ProductId, Quantity, StoreId, StreamId, StreamKind, Unit, UnitPrice,
        list::ListEvent,
        product::{PriceKind, PriceSeen, ProductDetails, ProductEvent},
        store::{StoreDetails, StoreEvent},
    },
    events::{Append, Log},
};
use anyhow::{Result, ensure};
use tokio::{runtime::Runtime, task::JoinSet};

use super::{Bench, RUNS, log_rows, server::Server, server_rows::spread, synthetic::Synthetic, table::Budget::AtMost};
use crate::{
    connection::Connection,
    measure::{Report, median},
    shapes,
};

/// Events of the list.
const LIST_EVENTS: u64 = 1_000;
/// Events of others between two of the list: every one is in a block of its own.
const BETWEEN: u64 = 400;
/// What the list's items are matched to.
const PRODUCTS: u64 = 200;
/// Stores that know their prices.
const STORES: u64 = 5;
/// 2026-01-01.
const FIRST_DAY_MICROS: i64 = 1_767_225_600_000_000;
const MEASURED: Duration = Duration::from_secs(5);

/// Measures the row: cold once, then with one connection and with sixteen.
pub fn travel(bench: &mut Bench) -> Result<()> {
    let folder = bench.folder("travel");
    let (first, head) = generate(&folder)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut cold, mut alone, mut many) = (Vec::new(), Vec::new(), Vec::new());
    for run in 0..RUNS as u64 {
        let server = Server::start(&bench.options.server, &folder)?;
        server.ready()?;
        let positions = Positions { first, head, seed: run };
        cold.push(runtime.block_on(drive(&server.address, positions, 1, Instant::now()))?.max_ms());
        alone.push(load(&runtime, &server, positions, 1)?);
        many.push(load(&runtime, &server, positions, 16)?);
        server.stop()?;
    }
    let run = median(alone, |run| run.quantile_ms(990)).unwrap_or_default();
    let what = spread("a list of 1,000 events at any of 400,000 positions, 1 connection, p99", &run);
    bench.table.figure(17, what, run.quantile_ms(990), "ms", AtMost { must: 10.0, aim: 3.0 });
    let run = median(many, |run| run.quantile_ms(990)).unwrap_or_default();
    // Sixteen that never pause fill both cores: their latency shows the rate, not the cost of a read.
    bench.table.note(17, spread("the same, 16 connections that never pause", &run), format!("{:.0} /s", run.rate()));
    let cold = median(cold, |ms| *ms).unwrap_or_default();
    bench.table.note(17, "the first look after a start, every block cold", format!("{cold:.1} ms"));
    Ok(())
}

/// Where a run looks.
#[derive(Clone, Copy)]
struct Positions {
    first: u64,
    head: u64,
    seed: u64,
}

impl Positions {
    /// Any of them, the same in every run (splitmix64).
    fn draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.seed ^ (self.seed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        self.first + (mixed ^ (mixed >> 31)) % (self.head - self.first + 1)
    }
}

fn load(runtime: &Runtime, server: &Server, positions: Positions, connections: u64) -> Result<Report> {
    let local = tokio::task::LocalSet::new();
    let end = Instant::now() + MEASURED;
    let mut tasks = JoinSet::new();
    for connection in 0..connections {
        let (address, positions) = (server.address.clone(), Positions { seed: positions.seed * 100 + connection, ..positions });
        tasks.spawn_local_on(async move { drive(&address, positions, u64::MAX, end).await }, &local);
    }
    let mut report = Report::default();
    runtime.block_on(local.run_until(async {
        while let Some(part) = tasks.join_next().await {
            report.join(part??);
        }
        anyhow::Ok(())
    }))?;
    ensure!(report.count() > 0, "nothing was answered: {:?}", report.first_error);
    Ok(report.finish(MEASURED.as_secs_f64()))
}

/// Reads this many, or until the time is over; at least one.
async fn drive(address: &str, mut positions: Positions, reads_max: u64, end: Instant) -> Result<Report> {
    let (mut stream, mut request, mut report) = (Connection::open(address).await?, Vec::new(), Report::default());
    for number in 0..reads_max {
        if number > 0 && Instant::now() >= end {
            break;
        }
        request.clear();
        shapes::get(&mut request, format_args!("/api/v1/lists/past?at={}", positions.draw()));
        let sent = Instant::now();
        let answer = stream.ask(&request).await?;
        if answer.status == 200 {
            report.record(sent.elapsed());
        } else {
            report.fail(|| format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)));
        }
    }
    Ok(report.finish(MEASURED.as_secs_f64()))
}

/// Writes the log; the positions of the list's first event and of the last of all.
fn generate(data: &Path) -> Result<(u64, u64)> {
    let log = log_rows::open_for_writing(data)?;
    let (mut window, mut others, mut writer) = (log_rows::Window::new(&log, 8_192), Synthetic::new(), Writer::new());
    for number in 0..STORES {
        window.push(writer.store(number))?;
    }
    for number in 0..PRODUCTS {
        window.push(writer.product(number))?;
        for store in 0..STORES {
            window.push(writer.price(number, store))?;
        }
    }
    window.drain()?;
    let first = log.head().0 + 1;
    for number in 0..LIST_EVENTS {
        window.push(writer.list(number))?;
        // Prices move between, so that what was known differs from position to position.
        window.push(writer.price(number % PRODUCTS, number % STORES))?;
        for _ in 0..BETWEEN {
            window.push(others.next())?;
        }
    }
    window.drain()?;
    let head = log.head().0;
    log.close()?;
    Ok((first, head))
}

/// Yields the appends of the list and its products.
struct Writer {
    who: Principal,
    currency: Currency,
    /// By product.
    versions: Vec<u64>,
    day: i64,
}

impl Writer {
    fn new() -> Self {
        let who = Principal::new("past").expect("this holds because the text is a valid id");
        let currency = Currency::new("EUR").expect("this holds because the euro is known");
        Self { who, currency, versions: vec![0; usize::try_from(PRODUCTS).unwrap_or(0)], day: 0 }
    }

    fn append(&self, kind: StreamKind, id: &str, expected_version: u64, event: impl Into<Event>) -> Append {
        let stream = StreamId::new(kind, id).expect("this holds because the ids made here are valid");
        Append { stream, expected_version, who: self.who.clone(), by: None, command: None, client: None, events: vec![event.into()] }
    }

    fn store(&self, number: u64) -> Append {
        let details = StoreDetails { name: "Store".into(), currency: self.currency, chain: None, country: None, time_zone: None };
        self.append(StreamKind::Store, store_id(number).as_str(), 0, StoreEvent::Registered(details))
    }

    fn product(&mut self, number: u64) -> Append {
        let details = ProductDetails::named(format!("Product {number}"));
        self.of_product(number, ProductEvent::Registered(details))
    }

    fn price(&mut self, number: u64, store: u64) -> Append {
        self.day += 1;
        let amount = 10_000 + (self.day * 7_919 % 900) * 100;
        let seen = PriceSeen {
            store: store_id(store),
            kind: PriceKind::Shelf,
            price: UnitPrice::from_ten_thousandths(amount, self.currency, Unit::parse("each")),
            valid_from: None,
            valid_until: None,
            observed_at: Moment(FIRST_DAY_MICROS + self.day * 60_000_000),
            source: "past".into(),
            evidence: None,
        };
        self.of_product(number, ProductEvent::PriceObserved { seen, outlier: false })
    }

    fn of_product(&mut self, number: u64, event: ProductEvent) -> Append {
        let version = &mut self.versions[usize::try_from(number).unwrap_or(0)];
        let expected = *version;
        *version += 1;
        self.append(StreamKind::Product, product_id(number).as_str(), expected, event)
    }

    /// Two items in five events come, one goes, the others are ticked and counted again.
    fn list(&self, number: u64) -> Append {
        let item = |number: u64| ItemId::new(&format!("item-{number}")).expect("this holds because the id is short and plain");
        let (round, step) = (number / 5, number % 5);
        let quantity = Quantity::each(1 + i64::try_from(number % 4).unwrap_or(0));
        let event = match step {
            _ if number == 0 => ListEvent::Created { name: "Past".into(), household: None, store: Some(store_id(0)) },
            0 | 1 => ListEvent::ItemAdded {
                item: item(2 * round + step),
                name: format!("Item {number}"),
                product: Some(product_id((2 * round + step) % PRODUCTS)),
                specification: None,
                quantity,
                note: None,
                rank: i64::try_from(number).unwrap_or(0) << 20,
            },
            2 => ListEvent::ItemChecked { item: item(2 * round + 1) },
            3 => ListEvent::ItemQuantityChanged { item: item(2 * round + 1), by: None, quantity },
            _ if round % 2 == 0 => ListEvent::ItemRemoved { item: item(round) },
            _ => ListEvent::ItemUnchecked { item: item(2 * round + 1) },
        };
        self.append(StreamKind::List, "past", number, event)
    }
}

fn store_id(number: u64) -> StoreId {
    StoreId::new(&format!("past-store-{number}")).expect("this holds because the id is short and plain")
}

fn product_id(number: u64) -> ProductId {
    ProductId::new(&format!("past-product-{number}")).expect("this holds because the id is short and plain")
}
