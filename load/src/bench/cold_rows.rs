//! Row 31: reading fills no memory. Orders are placed, the server starts again, and each of them is read once; ids that do not exist, too.

use anyhow::Result;

use super::{Bench, server::Server, table::Budget::AtMost};
use crate::{setup::World, shapes};

/// Orders that are placed over so many connections, which share each `fdatasync` of the log.
const MAKERS: usize = 256;
/// Parts after which memory is looked at. After the first the room for entities is full.
const PARTS: usize = 10;

/// Measures the row.
pub fn cold_reads(bench: &mut Bench) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (folder, reads) = (bench.folder("cold"), bench.options.cold_reads);
    let orders = reads.min(bench.options.cold_orders);
    let server = Server::start(&bench.options.server, &folder)?;
    server.ready()?;
    let world = World::named(&server.address);
    runtime.block_on(async {
        world.make(1, |world, n, request| shapes::create_store(request, &world.store(n))).await?;
        world.make_over(MAKERS, orders, |world, n, request| shapes::place_order(request, &world.order(n), &world.store(0))).await
    })?;
    server.stop()?;
    let server = Server::start(&bench.options.server, &folder)?;
    server.ready()?;
    let world = world.at(&server.address);
    let at_start = server.resident_mb()?;
    let mut resident = Vec::new();
    for part in 0..PARTS {
        let count = reads / PARTS;
        let read = move |world: &World, n: usize, request: &mut Vec<u8>| {
            shapes::get(request, format_args!("/api/v1/orders/{}", world.order((part * count + n) % orders)));
        };
        runtime.block_on(world.make(count, read))?;
        resident.push(server.resident_mb()?);
    }
    let (full, last) = (resident[0], resident[PARTS - 1]);
    let what = format!("memory that reading {reads} times one of {orders} orders takes after the first tenth");
    bench.table.figure(31, what, last - full, "MB", AtMost { must: 32.0, aim: 16.0 });
    bench.table.note(31, "resident: after the start; after each tenth of the reads", format!("{at_start:.0}; {resident:.0?} MB"));
    server.kill()
}
