//! How far a long piece of work has come, for an observer on another thread.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// Shared by the one who works and those who watch.
#[derive(Debug, Default)]
pub struct Progress {
    stage: Mutex<&'static str>,
    done: AtomicU64,
    total: AtomicU64,
}

impl Progress {
    /// Begins a stage of so many steps, such as events; zero where nobody can say.
    pub fn begin(&self, stage: &'static str, total: u64) {
        *self.stage.lock() = stage;
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total, Ordering::Relaxed);
    }

    /// So many steps of the stage are done.
    pub fn reach(&self, done: u64) {
        self.done.store(done, Ordering::Relaxed);
    }

    /// The stage, the steps done and all there are.
    #[must_use]
    pub fn read(&self) -> (&'static str, u64, u64) {
        (*self.stage.lock(), self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
