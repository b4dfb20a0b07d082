//! The answers of the group that is being written. When a write never returns, another thread sends them.

use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::events::{AppendError, Appended};

/// The caller, and what the answer will be.
pub type Answer = (oneshot::Sender<Result<Appended, AppendError>>, Result<Appended, AppendError>);

/// The group under way, and since when.
#[derive(Debug, Default)]
pub struct InFlight(Mutex<Option<(Instant, Vec<Answer>)>>);

impl InFlight {
    /// Starts the writing of a group.
    pub fn put(&self, answers: Vec<Answer>) {
        *self.0.lock() = Some((Instant::now(), answers));
    }

    /// The group's answers; `None` if they were given in the meantime.
    pub fn take(&self) -> Option<Vec<Answer>> {
        self.0.lock().take().map(|(_, answers)| answers)
    }

    /// The answers of a group that has been under way for longer than this.
    pub fn take_if_older(&self, than: Duration) -> Option<Vec<Answer>> {
        let mut group = self.0.lock();
        if group.as_ref().is_some_and(|(since, _)| since.elapsed() > than) { group.take().map(|(_, answers)| answers) } else { None }
    }
}

/// Sends an answer. The caller may be gone; what is recorded stays recorded.
pub fn reply(sender: oneshot::Sender<Result<Appended, AppendError>>, answer: Result<Appended, AppendError>) {
    let _ = sender.send(answer);
}
