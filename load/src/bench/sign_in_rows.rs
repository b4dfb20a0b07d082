//! Row 29: signing in with a password at the cost that is in force, and what reads beside it notice.

use std::{
    net::Ipv4Addr,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::task::JoinSet;

use super::{Bench, server::Server, server_rows::spread, table::Budget::AtMost};
use crate::{
    connection::Connection,
    measure::Report,
    pass::Pass,
    scenario::{self, Kind},
    setup::World,
    shapes::people,
};

/// Connections that sign in, each one account after the other.
const SIGNING_IN: usize = 8;
/// Connections that read lists all the time.
const READING: usize = 16;
/// How long they read with nothing beside them.
const READ_ALONE: Duration = Duration::from_secs(3);
/// The owner's token: with it set, nobody is the owner for coming from this machine.
const TOKEN: &str = "bench-owner-of-the-measured-server";

/// Measures the row.
pub fn sign_in(bench: &mut Bench) -> Result<()> {
    let server = Server::start_behind_proxy(&bench.options.server, &bench.folder("sign-in"), TOKEN)?;
    server.ready()?;
    bench.table.durability(&server.durability()?);
    let (accounts, local) = (bench.options.sign_ins, tokio::task::LocalSet::new());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (alone, beside, signed_in) = runtime.block_on(local.run_until(async {
        let world = prepare(&server.address, accounts).await?;
        let alone = scenario::run(&world, Kind::ReadList, READING, READ_ALONE).await?;
        let (beside, signed_in) = scenario::beside(&world, Kind::ReadList, READING, sign_all_in(&world, accounts)).await?;
        anyhow::Ok((alone, beside, signed_in))
    }))?;
    sign_in_lines(bench, &signed_in);
    read_lines(bench, &alone, &beside);
    server.stop()?;
    Ok(())
}

/// Lists that are read, and accounts with passwords, not more at a time than the server hashes at once and lets wait.
async fn prepare(address: &str, accounts: usize) -> Result<World> {
    let world = World::prepare_as(address, &Pass::of_owner(TOKEN)).await?;
    world.fill_lists().await?;
    let create = |world: &World, n: usize, request: &mut Vec<u8>| people::create_account(request, &world.account(n), Some(&password(n)));
    world.make_over(SIGNING_IN, accounts, create).await?;
    Ok(world)
}

async fn sign_all_in(world: &World, accounts: usize) -> Result<Report> {
    let (begin, mut tasks, mut report) = (Instant::now(), JoinSet::new(), Report::default());
    for connection in 0..SIGNING_IN {
        tasks.spawn_local(sign_in_some(world.clone(), (connection..accounts).step_by(SIGNING_IN)));
    }
    while let Some(part) = tasks.join_next().await {
        report.join(part??);
    }
    Ok(report.finish(begin.elapsed().as_secs_f64()))
}

/// Signs accounts in, each from an address of its own: the server slows down one that tries many.
async fn sign_in_some(world: World, accounts: impl Iterator<Item = usize>) -> Result<Report> {
    let (mut stream, mut request, mut report) = (Connection::open(&world.server).await?, Vec::new(), Report::default());
    for number in accounts {
        request.clear();
        people::sign_in(&mut request, &world.account(number), &password(number), address(number));
        let sent = Instant::now();
        let answer = stream.ask(&request).await?;
        if answer.status == 201 {
            report.record(sent.elapsed());
        } else {
            report.fail(|| format!("{} {}", answer.status, String::from_utf8_lossy(answer.body)));
        }
    }
    Ok(report)
}

fn sign_in_lines(bench: &mut Bench, run: &Report) {
    let what = spread(&format!("sign-in, {SIGNING_IN} connections, {READING} that read beside it, p99"), run);
    bench.table.figure(29, what, run.quantile_ms(990), "ms", AtMost { must: 400.0, aim: 400.0 });
    bench.table.figure(29, "sign-ins that were refused", run.errors as f64, "", AtMost { must: 0.0, aim: 0.0 });
    if let Some(error) = &run.first_error {
        bench.table.note(29, "the first refusal", error);
    }
}

/// Whether hashing keeps the threads that answer: reads would stop for as long as a sign-in takes.
fn read_lines(bench: &mut Bench, alone: &Report, beside: &Report) {
    for (when, run) in [("alone".to_owned(), alone), (format!("while {SIGNING_IN} sign in"), beside)] {
        let what = spread(&format!("reads of a list, {READING} connections, {when}: {:.1} k /s", run.rate() / 1e3), run);
        bench.table.note(29, what, format!("p99 {:.2} ms", run.quantile_ms(990)));
    }
}

fn password(number: usize) -> String {
    format!("correct horse {number}")
}

/// An address of 10.0.0.0/8.
fn address(number: usize) -> Ipv4Addr {
    let [_, a, b, c] = u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
    Ipv4Addr::new(10, a, b, c)
}
