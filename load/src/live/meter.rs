//! What the server reports at `/metrics`, and how it copes with readers that do not read.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::watch::Watch;
use crate::{connection::Connection, measure, shapes};

/// The gauge of open sessions.
const SESSIONS: &str = "aisled_live_sessions";
/// How often memory is measured.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// Memory measurements per measurement of sessions: the server has to write all its metrics for that.
const LOOKS_PER_METRICS: u32 = 5;

/// A connection of its own for metrics.
pub struct Meter {
    connection: Connection,
    request: Vec<u8>,
}

/// What happened while some readers did not read.
#[derive(Debug)]
pub struct Pressure {
    pub resident_max_kib: f64,
    /// When each session that is gone went.
    pub closed_after: Vec<Duration>,
}

impl Meter {
    pub async fn open(server: &str) -> Result<Self> {
        let mut request = Vec::new();
        shapes::get(&mut request, "/metrics");
        Ok(Self { connection: Connection::open(server).await?, request })
    }

    /// Open sessions, as the server counts them.
    pub async fn sessions(&mut self) -> Result<usize> {
        let answer = self.connection.ask(&self.request).await?;
        let text = String::from_utf8_lossy(answer.body);
        let value = text.lines().find_map(|line| line.strip_prefix(SESSIONS)?.strip_prefix(' ')?.trim().parse().ok());
        Ok(value.map_or(0, measure::count))
    }

    /// Watches memory and sessions until `enough` of `before` sessions are gone, or patience is.
    pub async fn press(&mut self, watch: Watch, before: usize, enough: usize, patience: Duration) -> Result<Pressure> {
        let (begin, mut looks) = (Instant::now(), 0_u32);
        let mut pressure = Pressure { resident_max_kib: 0.0, closed_after: Vec::new() };
        while begin.elapsed() < patience && pressure.closed_after.len() < enough {
            tokio::time::sleep(LOOK_INTERVAL).await;
            pressure.resident_max_kib = pressure.resident_max_kib.max(watch.resident_kib().unwrap_or(0.0));
            looks += 1;
            if looks.is_multiple_of(LOOKS_PER_METRICS) {
                let closed = before.saturating_sub(self.sessions().await?);
                pressure.closed_after.resize(closed.max(pressure.closed_after.len()), begin.elapsed());
            }
        }
        Ok(pressure)
    }
}
