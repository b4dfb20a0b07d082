//! Notifies the log's own threads that the head has moved or that the log closes.

use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::{Condvar, Mutex};

use crate::events::Position;

/// The head, for threads that sleep until it moves. Notifying costs the writer a wake-up only if one sleeps.
#[derive(Debug, Default)]
pub struct News {
    head: AtomicU64,
    sleeping: AtomicBool,
    closed: Mutex<bool>,
    changed: Condvar,
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Woken {
    Moved,
    TimedOut,
    Closed,
}

impl News {
    /// The new head.
    pub fn tell(&self, head: Position) {
        self.head.store(head.0, Ordering::SeqCst);
        if self.sleeping.swap(false, Ordering::SeqCst) {
            let _closed = self.closed.lock();
            self.changed.notify_all();
        }
    }

    /// Sleeps until the head is after a position, at most this long.
    #[must_use]
    pub fn wait_beyond(&self, position: Position, at_most: Option<Duration>) -> Woken {
        let until = at_most.map(|most| Instant::now() + most);
        let mut closed = self.closed.lock();
        while !*closed {
            self.sleeping.store(true, Ordering::SeqCst);
            if self.head.load(Ordering::SeqCst) > position.0 {
                return Woken::Moved;
            }
            match until {
                None => self.changed.wait(&mut closed),
                Some(until) if self.changed.wait_until(&mut closed, until).timed_out() => return Woken::TimedOut,
                Some(_) => {}
            }
        }
        Woken::Closed
    }

    /// Sleeps for this long, or until the log closes: then true.
    #[must_use]
    pub fn pause(&self, duration: Duration) -> bool {
        let mut closed = self.closed.lock();
        self.changed.wait_while_for(&mut closed, |closed| !*closed, duration);
        *closed
    }

    /// Ends every wait.
    pub fn close(&self) {
        *self.closed.lock() = true;
        self.changed.notify_all();
    }
}
