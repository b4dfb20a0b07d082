//! Row 28: resident memory for households, their members and the accounts of these, after a restart.

use std::{path::Path, time::Instant};

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

/// Measures the row.
pub fn memory(bench: &mut Bench) -> Result<()> {
    let (households, folder) = (bench.options.households, bench.folder("members"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let world = made(bench, &runtime, &folder, households)?;
    let empty = empty_server(bench, &runtime)?;
    let server = Server::start(&bench.options.server, &folder)?;
    server.ready()?;
    let ready = server.resident_mb()?;
    runtime.block_on(world.at(&server.address).make(ASKING, move |world, n, request| {
        let (household, member) = (n % households, n / households % MEMBERS);
        let path = format!("/api/v1/households/{}", world.household(household));
        people::get_as(request, &world.account(account(household, member)), path);
    }))?;
    let asked = server.resident_mb()?;
    server.stop()?;
    let what = format!("{households} households of {MEMBERS} with accounts, {ASKING} members have asked: memory beyond an empty server's");
    bench.table.figure(28, what, asked - empty, "MB", AtMost { must: 60.0, aim: 60.0 });
    let figures = format!("{empty:.1}, {ready:.1}, {asked:.1} MB");
    bench.table.note(28, "resident: empty after as many requests; with everybody when ready, after the requests", figures);
    Ok(())
}

/// Makes everybody on a server that is stopped afterwards.
fn made(bench: &mut Bench, runtime: &Runtime, folder: &Path, households: usize) -> Result<World> {
    let server = Server::start(&bench.options.server, folder)?;
    server.ready()?;
    bench.table.durability(&server.durability()?);
    let world = World::named(&server.address);
    let begin = Instant::now();
    runtime.block_on(make_households(&world, households))?;
    let (accounts, founded) = (households * MEMBERS, begin.elapsed());
    runtime.block_on(world.make_over(MAKERS, accounts, |world, n, request| people::create_account(request, &world.account(n), None)))?;
    let figures = format!("{:.1}, {:.1} s", founded.as_secs_f64(), (begin.elapsed() - founded).as_secs_f64());
    bench.table.note(28, format!("to make {households} households; {accounts} accounts, each durable by itself"), figures);
    server.stop()?;
    Ok(world)
}

/// The local owner founds each household, takes in five others, and leaves: it is no member of ten thousand.
async fn make_households(world: &World, households: usize) -> Result<()> {
    world.make_over(MAKERS, households, |world, n, request| people::create_household(request, &world.household(n))).await?;
    let join = |world: &World, n: usize, request: &mut Vec<u8>| {
        let (household, member) = (n / MEMBERS, n % MEMBERS);
        let role = if member == 0 { "owner" } else { "adult" };
        people::join(request, &world.household(household), &world.account(account(household, member)), role);
    };
    world.make_over(MAKERS, households * MEMBERS, join).await?;
    world.make_over(MAKERS, households, |world, n, request| people::leave(request, &world.household(n), "local")).await
}

/// The number of a member's account.
fn account(household: usize, member: usize) -> usize {
    household * MEMBERS + member
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
