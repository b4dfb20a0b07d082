//! The thread that keeps the log's promises when the system below hangs: a hanging write makes the log read-only and is
//! answered, and a hanging sled is given up.

use std::{sync::Arc, time::Duration};

use super::{Shared, in_flight::reply, queue::Queue, writer::refuse_all};
use crate::events::AppendError;

/// A write to the journal that takes longer is answered with "unknown", and the log is read-only from then on.
const WRITE_MAX: Duration = if cfg!(test) { Duration::from_secs(6) } else { Duration::from_secs(10) };
/// How often it looks.
const LOOK_EVERY: Duration = if cfg!(test) { Duration::from_millis(50) } else { Duration::from_millis(500) };

/// Runs until the log closes.
pub fn run(shared: &Arc<Shared>, queue: &Queue) {
    while !shared.news.pause(LOOK_EVERY) {
        if let Some(answers) = shared.in_flight.take_if_older(WRITE_MAX) {
            give_up(shared, queue, answers);
        }
        if shared.storage.window.give_up_if_stuck() {
            tracing::error!("sled does not respond: blocks are read without it until the next start");
        }
    }
}

/// Answers for a writer that hangs.
pub fn give_up(shared: &Shared, queue: &Queue, answers: Vec<super::in_flight::Answer>) {
    let reason = format!("the disk did not complete a write within {} s", WRITE_MAX.as_secs());
    shared.fail(&reason);
    for (sender, answer) in answers {
        reply(sender, answer.and_then(|_| Err(AppendError::Unknown(reason.clone()))));
    }
    queue.close();
    refuse_all(queue);
}
