//! Rows 1 to 3: durable commands next to the floor and next to the stack that is replaced. All of them run, one at a time takes commands,
//! for a second and in turn, so that other load on the machine affects all; a ratio is taken within its turn.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Result;
use tokio::runtime::Runtime;

use super::{
    Bench, load_average,
    peer::Peer,
    server::Server,
    server_rows::spread,
    table::Budget::{AtLeast, AtMost},
};
use crate::{
    measure::{Report, median},
    scenario::{self, Kind},
    setup::World,
};

/// Connections, and the rows that need them.
const LOADS: [(usize, &[u8]); 3] = [(1, &[2]), (64, &[3]), (256, &[1, 3])];
/// Turns of each load: the speed of a disk moves by a third within seconds, so many short turns are more reliable than a few long ones.
const TURNS: usize = 9;
const TURN: Duration = Duration::from_secs(1);

/// Who takes the commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Contestant {
    Ours,
    Floor,
    /// The replaced stack: each commit is durable.
    Full,
    /// The replaced stack as it ran: a loss of power costs the newest commits.
    Normal,
}

use Contestant::{Floor, Full, Normal, Ours};

/// Every run by contestant and number of connections, in the order of the turns.
#[derive(Default)]
struct Runs(BTreeMap<(Contestant, usize), Vec<Report>>);

/// Measures all turns.
pub fn commands(bench: &mut Bench) -> Result<()> {
    let peer = peer(bench);
    let before = load_average();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut runs = Runs::default();
    let contestants = Contestants::start(bench, peer.as_ref())?;
    for (connections, _) in LOADS.iter().filter(|(_, rows)| rows.iter().any(|row| bench.wants(*row))) {
        for turn in 1..=TURNS {
            contestants.take_turns(&runtime, *connections, turn, &mut runs)?;
        }
    }
    drop(contestants);
    alone(bench, &runs);
    many(bench, &runs);
    against_peer(bench, &runs);
    let row = [1, 2, 3].into_iter().find(|row| bench.wants(*row)).unwrap_or(1);
    bench.table.note(row, format!("load average before and after {TURNS} turns of each"), format!("{before} → {}", load_average()));
    Ok(())
}

/// The replaced stack, or a line that states why it is absent.
fn peer(bench: &mut Bench) -> Option<Peer> {
    let row = [2, 3].into_iter().find(|row| bench.wants(*row))?;
    Peer::install(&bench.options.peer).map_err(|error| bench.table.missing(row, "the replaced stack", &format!("{error:#}"))).ok()
}

/// Servers that wait for their turn, each on its own folder.
struct Contestants(Vec<(Contestant, Server)>);

impl Contestants {
    fn start(bench: &mut Bench, peer: Option<&Peer>) -> Result<Self> {
        let mut all = Vec::new();
        for who in [Ours, Floor, Full, Normal] {
            let folder = bench.folder(&format!("{who:?}"));
            let server = match (who, peer) {
                (Ours, _) => Server::start(&bench.options.server, &folder)?,
                (Floor, _) => Server::start_floor(&folder)?,
                (Full, Some(peer)) => peer.start(&folder, "FULL")?,
                (Normal, Some(peer)) => peer.start(&folder, "NORMAL")?,
                (Full | Normal, None) => continue,
            };
            if who == Ours {
                server.ready()?;
                bench.table.durability(&server.durability()?);
            }
            all.push((who, server));
        }
        Ok(Self(all))
    }

    fn take_turns(&self, runtime: &Runtime, connections: usize, turn: usize, runs: &mut Runs) -> Result<()> {
        for (who, server) in &self.0 {
            // New names each turn: an item that is on its list already would cost no write. The others know of no world.
            let (world, kind) = match who {
                Ours => (runtime.block_on(World::prepare(&server.address))?, Kind::Commands),
                Floor => (World::named(&server.address), Kind::Commands),
                Full | Normal => (World::named(&server.address), Kind::PeerCommands),
            };
            let report = runtime.block_on(scenario::run(&world, kind, connections, TURN))?;
            eprintln!("  turn {turn}, {who:?}: {}", spread(&format!("{}, {:.0} /s", at(connections), report.rate()), &report));
            runs.0.entry((*who, connections)).or_default().push(report);
        }
        Ok(())
    }
}

/// Row 2: a lone command waits for nothing but itself.
fn alone(bench: &mut Bench, runs: &Runs) {
    if !bench.wants(2) {
        return;
    }
    let p50 = |run: &Report| run.quantile_ms(500);
    if let Some(run) = runs.middle(Ours, 1, Report::rate) {
        bench.table.figure(2, spread("durable commands, 1 connection", &run), run.rate(), "/s", AtLeast { must: 2e3, aim: 2.5e3 });
    }
    for (who, what, must, aim) in [
        (Floor, "p50 of a lone command by that of the floor", 1.4, 1.2),
        (Full, "p50 of a lone command by that of the replaced stack, synchronous=FULL", 1.0, 0.8),
    ] {
        if let Some(ratio) = runs.ratio(who, 1, p50) {
            bench.table.figure(2, what, ratio, "x", AtMost { must, aim });
        }
    }
    others(bench, 2, runs, 1, &[Floor, Full, Normal]);
}

/// Row 1: as many as the machine can take.
fn many(bench: &mut Bench, runs: &Runs) {
    if !bench.wants(1) {
        return;
    }
    if let Some(run) = runs.middle(Ours, 256, Report::rate) {
        bench.table.figure(1, "durable commands, 256 connections", run.rate(), "/s", AtLeast { must: 40e3, aim: 60e3 });
        bench.table.figure(1, spread("their p99", &run), run.quantile_ms(990), "ms", AtMost { must: 12.0, aim: 12.0 });
    }
    if let Some(ratio) = runs.ratio(Floor, 256, Report::rate) {
        bench.table.figure(1, "their rate by that of the floor", ratio, "x", AtLeast { must: 0.6, aim: 0.8 });
    }
    others(bench, 1, runs, 256, &[Floor]);
}

/// Row 3: the replaced stack under the same load.
fn against_peer(bench: &mut Bench, runs: &Runs) {
    if !bench.wants(3) {
        return;
    }
    for connections in [64, 256] {
        for (who, name, must) in [(Normal, "NORMAL", 4.0), (Full, "FULL", 10.0)] {
            if let Some(ratio) = runs.ratio(who, connections, Report::rate) {
                let what = format!("{connections} connections: our rate by the replaced stack's, synchronous={name}");
                bench.table.figure(3, what, ratio, "x", AtLeast { must, aim: must });
            }
        }
        others(bench, 3, runs, connections, &[Ours, Full, Normal]);
    }
}

/// The figures that the ratios are made of.
fn others(bench: &mut Bench, row: u8, runs: &Runs, connections: usize, whose: &[Contestant]) {
    for who in whose {
        if let Some(run) = runs.middle(*who, connections, Report::rate) {
            let what = spread(&format!("{}, {}", who.name(), at(connections)), &run);
            bench.table.note(row, what, format!("{:.2} k /s", run.rate() / 1e3));
        }
    }
}

fn at(connections: usize) -> String {
    if connections == 1 { "1 connection".into() } else { format!("{connections} connections") }
}

impl Contestant {
    fn name(self) -> &'static str {
        match self {
            Ours => "aisled",
            Floor => "the floor",
            Full => "the replaced stack, synchronous=FULL",
            Normal => "the replaced stack, synchronous=NORMAL",
        }
    }
}

impl Runs {
    /// The median run by a figure.
    fn middle(&self, who: Contestant, connections: usize, figure: impl Fn(&Report) -> f64) -> Option<Report> {
        median(self.0.get(&(who, connections))?.clone(), figure)
    }

    /// The median of our figure by another's, each within its turn.
    fn ratio(&self, other: Contestant, connections: usize, figure: impl Fn(&Report) -> f64) -> Option<f64> {
        let (ours, theirs) = (self.0.get(&(Ours, connections))?, self.0.get(&(other, connections))?);
        median(ours.iter().zip(theirs).map(|(ours, theirs)| figure(ours) / figure(theirs).max(f64::MIN_POSITIVE)).collect(), |ratio| *ratio)
    }
}
