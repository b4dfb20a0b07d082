//! Row 28: resident memory for households, their members and the accounts of these, after a restart.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::runtime::Runtime;

use super::{Bench, server::Server, table::Budget::AtMost};
use crate::{
    setup::World,
    shapes::{self, people},
};

/// People of each household.
const MEMBERS: usize = 5;
/// Members who ask for their household once.
const ASKING: usize = 1_000;
/// Everything is made over so many connections, which share each `fdatasync` of the log.
const MAKERS: usize = 256;
/// Accounts that are made before the time is looked at again.
const ACCOUNTS_AT_ONCE: usize = 5_000;
/// Each account waits for the disk alone. After this time no more are made, and the figure is extrapolated.
const ACCOUNTS_PATIENCE: Duration = Duration::from_mins(2);

/// Measures the row.
pub fn memory(bench: &mut Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (folder, households) = (bench.folder("members"), bench.options.households);
    let empty = empty_server(bench, &runtime)?;
    let world = with_households(bench, &runtime, &folder, households)?;
    let (founded, server) = after_start(bench, &runtime, &folder, &world)?;
    let made = make_accounts(bench, &runtime, &world.at(&server.address), households * MEMBERS)?;
    server.stop()?;
    let (everybody, server) = after_start(bench, &runtime, &folder, &world)?;
    server.stop()?;
    let parts = Parts { empty, founded, everybody, made, accounts: households * MEMBERS };
    bench.table.figure(28, parts.what(households), parts.megabytes(), "MB", AtMost { must: 60.0, aim: 60.0 });
    let figures = format!("{empty:.1}, {founded:.1}, {everybody:.1} MB");
    bench.table.note(28, format!("resident: empty; with households; with {made} accounts as well"), figures);
    Ok(())
}

/// What was resident, in megabytes.
struct Parts {
    empty: f64,
    founded: f64,
    everybody: f64,
    /// Accounts that were made, of all that are wanted.
    made: usize,
    accounts: usize,
}

impl Parts {
    /// What all take. Accounts that were not made count like those that were.
    fn megabytes(&self) -> f64 {
        let of_made = self.everybody - self.founded;
        self.founded - self.empty + of_made * self.accounts as f64 / self.made.max(1) as f64
    }

    fn what(&self, households: usize) -> String {
        let Self { made, accounts, .. } = self;
        let extrapolated = if made < accounts { format!(", EXTRAPOLATED from {made} accounts") } else { String::new() };
        format!("memory of {households} households and {accounts} accounts, after {ASKING} members asked{extrapolated}")
    }
}

/// Households on a server that is stopped afterwards.
fn with_households(bench: &mut Bench, runtime: &Runtime, folder: &Path, households: usize) -> Result<World> {
    let server = Server::start(&bench.options.server, folder)?;
    server.ready()?;
    bench.table.durability(&server.durability()?);
    let (world, begin) = (World::named(&server.address), Instant::now());
    runtime.block_on(make_households(&world, households))?;
    bench.table.note(28, format!("to make {households} households of {MEMBERS}"), seconds(begin));
    server.stop()?;
    Ok(world)
}

/// The local owner founds each household, takes in five others, and leaves: it is no member of ten thousand.
async fn make_households(world: &World, households: usize) -> Result<()> {
    world.make_over(MAKERS, households, |world, n, request| people::create_household(request, &world.household(n))).await?;
    let join = |world: &World, n: usize, request: &mut Vec<u8>| {
        let role = if n.is_multiple_of(MEMBERS) { "owner" } else { "adult" };
        people::join(request, &world.household(n / MEMBERS), &world.account(n), role);
    };
    world.make_over(MAKERS, households * MEMBERS, join).await?;
    world.make_over(MAKERS, households, |world, n, request| people::leave(request, &world.household(n), "local")).await
}

/// Makes accounts without passwords as long as the patience lasts; returns how many.
fn make_accounts(bench: &mut Bench, runtime: &Runtime, world: &World, accounts: usize) -> Result<usize> {
    let (begin, mut made) = (Instant::now(), 0);
    while made < accounts && begin.elapsed() < ACCOUNTS_PATIENCE {
        let (first, count) = (made, ACCOUNTS_AT_ONCE.min(accounts - made));
        let create = move |world: &World, n: usize, request: &mut Vec<u8>| people::create_account(request, &world.account(first + n), None);
        runtime.block_on(world.make_over(MAKERS, count, create))?;
        made += count;
    }
    bench.table.note(28, format!("to make {made} accounts, each durable by itself"), seconds(begin));
    Ok(made)
}

/// Resident memory of a server that has started on the folder and was asked by members, and that server.
fn after_start(bench: &Bench, runtime: &Runtime, folder: &Path, world: &World) -> Result<(f64, Server)> {
    let (server, households) = (Server::start(&bench.options.server, folder)?, bench.options.households);
    server.ready()?;
    let ask = move |world: &World, n: usize, request: &mut Vec<u8>| {
        let (household, member) = (n % households, n / households % MEMBERS);
        let path = format!("/api/v1/households/{}", world.household(household));
        people::get_as(request, &world.account(household * MEMBERS + member), path);
    };
    runtime.block_on(world.at(&server.address).make(ASKING, ask))?;
    Ok((server.resident_mb()?, server))
}

/// Resident memory of an empty server after as many requests.
fn empty_server(bench: &Bench, runtime: &Runtime) -> Result<f64> {
    let server = Server::start(&bench.options.server, &bench.folder("no-members"))?;
    server.ready()?;
    let world = World::named(&server.address);
    runtime.block_on(world.make(ASKING, |_, _, request| shapes::get(request, "/api/v1/session")))?;
    let resident = server.resident_mb()?;
    server.stop()?;
    Ok(resident)
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_that_were_not_made_count_like_those_that_were() {
        let parts = |made| Parts { empty: 30.0, founded: 40.0, everybody: 45.0, made, accounts: 50_000 };
        assert!((parts(50_000).megabytes() - 15.0).abs() < 1e-9);
        assert!((parts(10_000).megabytes() - 35.0).abs() < 1e-9);
        assert!(parts(10_000).what(10_000).ends_with("EXTRAPOLATED from 10000 accounts"));
    }
}
