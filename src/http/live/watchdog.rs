//! Ends sessions that cannot end themselves: a blocked socket stops its session actor, so its pings and timers stop too.
//! One task per hub looks at every session from outside and shuts down the sockets that are stuck.

use std::{
    sync::{Arc, Weak, atomic::Ordering},
    time::{Duration, Instant},
};

use super::{close::Close, counters::Limit, hub::Hub};

/// How often it looks. It bounds how late a stalled socket is noticed, not how late a delivery is.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

impl Hub {
    /// Starts the watchdog on the current worker, unless it runs already. It ends with the hub.
    pub fn watch(self: &Arc<Self>) {
        if !self.watched.swap(true, Ordering::AcqRel) {
            actix_web::rt::spawn(run(Arc::downgrade(self)));
        }
    }

    /// Shuts down the socket of every session that is stuck at this moment. Returns how many.
    pub fn reap(&self, now: Instant) -> usize {
        let limits = self.limits();
        let stuck: Vec<_> = {
            let sessions = self.sessions.lock();
            sessions.values().filter(|one| one.outbox.is_stuck(now, limits.stalled_max, limits.closing_max)).cloned().collect()
        };
        for listener in &stuck {
            listener.outbox.close(Close::TooSlow);
            if let Some(socket) = &listener.socket {
                socket.shutdown();
            }
        }
        if !stuck.is_empty() {
            self.counters().met(Limit::Stalled, stuck.len());
            tracing::info!(sessions = stuck.len(), "stalled sessions were shut down");
        }
        stuck.len()
    }
}

async fn run(hub: Weak<Hub>) {
    let mut ticks = tokio::time::interval(LOOK_INTERVAL);
    loop {
        ticks.tick().await;
        let Some(hub) = hub.upgrade() else { return };
        hub.reap(Instant::now());
    }
}
