//! An open loop over HTTP: the moment of every command is fixed beforehand and its latency counts from it, so a server that falls behind
//! is not spared.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{task::JoinSet, time::sleep_until};

use crate::{connection::Connection, scenario::Kind, setup::World};

/// One command: when it was to be sent, and how long its answer took from then on.
pub type Timed = (Instant, Duration);

/// Sends commands at a steady rate until told to stop; returns every successful one, and how many were not.
pub async fn run(world: &World, per_second: u32, connections: usize, stop: &Arc<AtomicBool>) -> Result<(Vec<Timed>, u64)> {
    let begin = Instant::now() + Duration::from_millis(100);
    let mut tasks = JoinSet::new();
    let local = tokio::task::LocalSet::new();
    for connection in 0..connections {
        let (world, stream, stop) = (world.clone(), world.connect().await?, Arc::clone(stop));
        let drive = Drive { world, stream, connection, connections, begin, every: Duration::from_secs(1) / per_second };
        tasks.spawn_local_on(drive.until(stop), &local);
    }
    local
        .run_until(async {
            let (mut all, mut errors) = (Vec::new(), 0);
            while let Some(part) = tasks.join_next().await {
                let (answered, failed) = part??;
                all.extend(answered);
                errors += failed;
            }
            anyhow::Ok((all, errors))
        })
        .await
}

struct Drive {
    world: World,
    stream: Connection,
    connection: usize,
    connections: usize,
    begin: Instant,
    /// Between two commands of all connections together.
    every: Duration,
}

impl Drive {
    async fn until(mut self, stop: Arc<AtomicBool>) -> Result<(Vec<Timed>, u64)> {
        let (mut answered, mut errors, mut request) = (Vec::new(), 0, Vec::with_capacity(1 << 10));
        for number in 0.. {
            let turn = u32::try_from(self.connection + number * self.connections).unwrap_or(u32::MAX);
            let due = self.begin + self.every * turn;
            sleep_until(due.into()).await;
            if stop.load(Ordering::Relaxed) {
                break;
            }
            Kind::Commands.write(&mut request, &self.world, self.connection, self.connections, number);
            match self.stream.ask(&request).await?.status {
                200..=299 => answered.push((due, due.elapsed())),
                _ => errors += 1,
            }
        }
        Ok((answered, errors))
    }
}
