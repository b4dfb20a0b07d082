//! The progress of a long operation, for an observer on another thread.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Shared by the worker and its observers.
#[derive(Debug, Default)]
pub struct Progress {
    stage: Mutex<&'static str>,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Begins a stage of this many steps, such as events; zero if unknown.
    pub fn begin(&self, stage: &'static str, total: u64) {
        *self.stage.lock() = stage;
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// Sets how many steps of the stage are done.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// The stage, the steps done and their total.
    #[must_use]
    pub fn read(&self) -> (&'static str, u64, u64) {
        (*self.stage.lock(), self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
