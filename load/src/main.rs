//! The load generator: a separate process that costs little CPU itself, so that what is measured is the server.
//! Each scenario prints one JSON line; `bench` runs them all and prints one table next to the budgets.
#![allow(clippy::cast_precision_loss, reason = "figures for people: a float holds more digits than a measurement")]

mod bench;
mod connection;
mod fanout;
mod floor;
mod frames;
mod inflate;
mod live;
mod measure;
mod member;
mod message;
mod offer;
mod open_files;
mod paced;
mod pass;
mod scenario;
mod setup;
mod shapes;
mod socket;

use std::time::Duration;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Puts a load on a running aisled server, or measures every row of `docs/performance.md`.
#[derive(Parser)]
#[command(name = "aisled-load", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Adds items to lists: a durable command and the new total per request.
    Commands(Target),
    /// The same with products that every one of 13 stores has a price for.
    CommandsManyStores(Target),
    /// Reads lists with their totals.
    ReadList(Target),
    /// Reads the price that holds for a product in a store.
    ReadPrice(Target),
    /// Reads a product's best price across its stores.
    ReadBest(Target),
    /// Changes a price and waits until every subscriber has the new total of its list.
    PriceFanout(Fanout),
    /// Puts a load on the live gateway.
    Live {
        #[command(subcommand)]
        scenario: live::Scenario,
    },
    /// Serves the least that a durable command can be: a body, a file, one `fdatasync` a group.
    Floor(floor::Options),
    /// Measures the rows of `docs/performance.md` on folders of its own.
    Bench(bench::Options),
    /// Measures the live rows, 9 to 15, on servers of its own.
    BenchLive(bench::live::Options),
    /// Measures the log alone, at a hundred million events and at ten million streams.
    BenchLog(bench::long_log::Options),
    /// One step of `bench-log`, in a process of its own.
    #[command(hide = true)]
    LogStep {
        #[command(subcommand)]
        step: bench::log_step::Step,
    },
}

#[derive(clap::Args)]
struct Target {
    /// Address of the server, such as 127.0.0.1:8080.
    #[arg(long, default_value = "127.0.0.1:8080")]
    server: String,
    /// Keep-alive connections, each with one request under way.
    #[arg(long, default_value_t = 64)]
    connections: usize,
    /// Seconds measured, after one more second to warm up.
    #[arg(long, default_value_t = 10)]
    seconds: u64,
}

#[derive(clap::Args)]
struct Fanout {
    #[arg(long, default_value = "127.0.0.1:8080")]
    server: String,
    /// WebSocket subscribers, each on a list of its own that holds the one product.
    #[arg(long, default_value_t = 1_000)]
    subscribers: usize,
    /// Price changes, one after the other.
    #[arg(long, default_value_t = 100)]
    changes: usize,
}

fn main() -> anyhow::Result<()> {
    open_files::raise();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (kind, target) = match Arguments::parse().command {
        Command::Floor(options) => return floor::run(&options),
        Command::Bench(options) => return bench::run(&options),
        Command::BenchLive(options) => return bench::live::run(&options),
        Command::BenchLog(options) => return bench::long_log::run(&options),
        Command::LogStep { step } => return step.run(),
        Command::Live { scenario } => return runtime.block_on(live::run(&scenario)),
        Command::PriceFanout(options) => {
            let report = runtime.block_on(fanout::run(&options.server, options.subscribers, options.changes))?;
            println!("{}", report.line("price-fanout"));
            return Ok(());
        }
        Command::Commands(target) => (scenario::Kind::Commands, target),
        Command::CommandsManyStores(target) => (scenario::Kind::CommandsManyStores, target),
        Command::ReadList(target) => (scenario::Kind::ReadList, target),
        Command::ReadPrice(target) => (scenario::Kind::ReadPrice, target),
        Command::ReadBest(target) => (scenario::Kind::ReadBest, target),
    };
    let world = runtime.block_on(setup::World::prepare(&target.server))?;
    let report = runtime.block_on(scenario::run(&world, kind, target.connections, Duration::from_secs(target.seconds)))?;
    println!("{}", report.line(kind.name()));
    Ok(())
}
