//! The feed: history from a position, then live, through one code path. A reader that lags simply reads the log again.

use std::sync::Arc;

use tokio::{runtime::Handle, sync::watch};

use super::{
    envelope::{Position, Recorded},
    log::{Log, LogError},
    tail::TAIL_EVENTS_MAX,
};

/// The most events in one batch.
pub const FEED_BATCH_EVENTS_MAX: usize = 1_024;

/// Creates readers of one log.
#[derive(Clone)]
pub struct Feed {
    log: Arc<dyn Log>,
}

impl Feed {
    /// The feed of a log.
    #[must_use]
    pub fn new(log: Arc<dyn Log>) -> Self {
        Self { log }
    }

    /// A reader of every event after a position, each once, in order.
    #[must_use]
    pub fn reader(&self, after: Position) -> FeedReader {
        FeedReader { head: self.log.follow(), log: Arc::clone(&self.log), after }
    }
}

/// One reader's place in the log.
pub struct FeedReader {
    log: Arc<dyn Log>,
    head: watch::Receiver<Position>,
    after: Position,
}

impl FeedReader {
    /// Waits for at least one event and returns all there are, up to [`FEED_BATCH_EVENTS_MAX`].
    /// Dropping the future loses nothing: the next call returns the same events.
    ///
    /// # Errors
    /// As [`Log::read`]; a gap in the positions is `Damaged`, never silent.
    pub async fn next(&mut self) -> Result<Vec<Arc<Recorded>>, LogError> {
        let after = self.after;
        let head = self.head.wait_for(|head| *head > after).await.map(|head| *head);
        let head = head.map_err(|_| LogError::Storage("the log is closed".into()))?;
        let events = self.read(head).await?;
        self.advance(&events)?;
        Ok(events)
    }

    /// The position of the last event handed out.
    #[must_use]
    pub fn position(&self) -> Position {
        self.after
    }

    /// Close to the head an event costs no more than a counter; far behind it is read from storage, which blocks.
    async fn read(&self, head: Position) -> Result<Vec<Arc<Recorded>>, LogError> {
        let (log, after) = (Arc::clone(&self.log), self.after);
        let read = move || log.read(after, FEED_BATCH_EVENTS_MAX);
        let far = head.0 - after.0 > TAIL_EVENTS_MAX as u64;
        match Handle::try_current() {
            Ok(runtime) if far => runtime.spawn_blocking(read).await.map_err(|error| LogError::Storage(error.to_string()))?,
            _ => read(),
        }
    }

    fn advance(&mut self, events: &[Arc<Recorded>]) -> Result<(), LogError> {
        for event in events {
            if event.position != self.after.next() {
                let reason = format!("the events from {} on are missing", self.after.next());
                return Err(LogError::Damaged { position: self.after.next(), reason });
            }
            self.after = event.position;
        }
        Ok(())
    }
}
