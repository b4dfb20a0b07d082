//! A thread of the log that can be joined with a timeout.

use std::{
    sync::mpsc,
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long closing waits for each of the log's threads. A hanging one is abandoned, and the process ends without it.
const CLOSE_MAX: Duration = Duration::from_secs(3);

/// The thread, and a signal of its end.
pub struct Worker {
    name: &'static str,
    thread: JoinHandle<()>,
    ended: mpsc::Receiver<()>,
}

impl Worker {
    /// Starts it.
    pub fn start(name: &'static str, work: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let (end, ended) = mpsc::channel();
        let work = move || {
            // Dropped whichever way the work ends.
            let _end: mpsc::Sender<()> = end;
            work();
        };
        Ok(Self { name, thread: thread::Builder::new().name(name.into()).spawn(work)?, ended })
    }

    /// Waits for its end up to a limit.
    pub fn join(self) -> Result<(), String> {
        if self.ended.recv_timeout(CLOSE_MAX) == Err(mpsc::RecvTimeoutError::Timeout) {
            return Err(format!("the thread {} does not stop", self.name));
        }
        self.thread.join().map_err(|_| format!("the thread {} panicked", self.name))
    }
}
