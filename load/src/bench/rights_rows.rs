//! Row 27: what a token and the check of a member's rights cost. One server is asked by a member of a household and by the local owner in
//! turn, a second each, so that other load on the machine affects both; a ratio is taken within its turn.

use std::time::Duration;

use anyhow::Result;
use tokio::runtime::Runtime;

use super::{
    Bench, load_average,
    server::Server,
    server_rows::spread,
    table::Budget::{AtLeast, AtMost},
};
use crate::{
    measure::{Report, median},
    member,
    pass::Pass,
    scenario::{self, Kind},
    setup::World,
};

/// Turns of each load, and how long a turn of one of them is.
const TURNS: usize = 9;
const TURN: Duration = Duration::from_secs(1);

/// One turn: the same load with a member's token and without.
struct Turn {
    with: Report,
    without: Report,
}

/// Measures the row.
pub fn rights(bench: &mut Bench) -> Result<()> {
    let server = Server::start(&bench.options.server, &bench.folder("rights"))?;
    server.ready()?;
    bench.table.durability(&server.durability()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sides = Sides { address: &server.address, member: runtime.block_on(member::adult(&server.address))? };
    let before = load_average();
    let many = (1..=TURNS).map(|turn| sides.commands(&runtime, 256, turn)).collect::<Result<Vec<_>>>()?;
    rate(bench, "durable commands, 256 connections", &many);
    let alone = (1..=TURNS).map(|turn| sides.commands(&runtime, 1, turn)).collect::<Result<Vec<_>>>()?;
    p50(bench, "a lone durable command", &alone);
    let world = runtime.block_on(sides.read_world())?;
    let reads = (1..=TURNS).map(|turn| sides.reads(&runtime, &world, turn)).collect::<Result<Vec<_>>>()?;
    rate(bench, "reads of a list of 20 items, 64 connections", &reads);
    bench.table.note(27, format!("load average before and after {TURNS} turns of each"), format!("{before} → {}", load_average()));
    // Nobody reads the folder again, and tens of thousands of long lists would take their time to rest.
    server.kill()
}

/// Who asks the server.
struct Sides<'a> {
    address: &'a str,
    member: Pass,
}

impl Sides<'_> {
    /// Each side on lists of its own, new in each turn: an item that is on its list already would cost no write.
    fn commands(&self, runtime: &Runtime, connections: usize, turn: usize) -> Result<Turn> {
        self.in_turn(turn, |pass| {
            runtime.block_on(async {
                let world = World::prepare_as(self.address, pass).await?;
                scenario::run(&world, Kind::Commands, connections, TURN).await
            })
        })
    }

    /// Both sides on the same lists.
    fn reads(&self, runtime: &Runtime, world: &World, turn: usize) -> Result<Turn> {
        self.in_turn(turn, |pass| runtime.block_on(scenario::run(&world.presenting(pass), Kind::ReadList, 64, TURN)))
    }

    async fn read_world(&self) -> Result<World> {
        let world = World::prepare_as(self.address, &self.member).await?;
        world.fill_lists().await?;
        Ok(world)
    }

    /// The side that begins changes with each turn: the second one finds a longer log.
    fn in_turn(&self, turn: usize, run: impl Fn(&Pass) -> Result<Report>) -> Result<Turn> {
        // The owner's lists belong to the household, too, so that only the token and the rights differ.
        let owner = self.member.without_token();
        let (with, without) = if turn.is_multiple_of(2) {
            let without = run(&owner)?;
            (run(&self.member)?, without)
        } else {
            (run(&self.member)?, run(&owner)?)
        };
        eprintln!("  turn {turn}: {:.0} /s with a token, {:.0} /s without", with.rate(), without.rate());
        Ok(Turn { with, without })
    }
}

fn rate(bench: &mut Bench, what: &str, turns: &[Turn]) {
    let budget = AtLeast { must: 0.95, aim: 0.95 };
    bench.table.figure(27, format!("{what}: rate with a member's token by that without"), ratio(turns, Report::rate), "x", budget);
    both(bench, what, turns);
}

fn p50(bench: &mut Bench, what: &str, turns: &[Turn]) {
    let budget = AtMost { must: 1.05, aim: 1.05 };
    let ratio = ratio(turns, |run| run.quantile_ms(500));
    bench.table.figure(27, format!("{what}: p50 with a member's token by that without"), ratio, "x", budget);
    both(bench, what, turns);
}

/// The median of the figure with a token by the one without, each within its turn.
fn ratio(turns: &[Turn], figure: impl Fn(&Report) -> f64) -> f64 {
    let ratios = turns.iter().map(|turn| figure(&turn.with) / figure(&turn.without).max(f64::MIN_POSITIVE)).collect();
    median(ratios, |ratio| *ratio).unwrap_or_default()
}

/// The figures that the ratio is made of.
fn both(bench: &mut Bench, what: &str, turns: &[Turn]) {
    let with: Vec<_> = turns.iter().map(|turn| turn.with.clone()).collect();
    let without = turns.iter().map(|turn| turn.without.clone()).collect();
    for (side, runs) in [("with", with), ("without", without)] {
        let run = median(runs, Report::rate).unwrap_or_default();
        bench.table.note(27, spread(&format!("{what}, {side}"), &run), format!("{:.2} k /s", run.rate() / 1e3));
    }
}
