//! A log in memory, for tests and tools: the same answers as a real one, nothing on disk.

use std::{ops::ControlFlow, sync::Arc};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    clock::Clock,
    envelope::{Position, Recorded},
    heads::{Heads, StreamKey},
    log::{Append, AppendError, Appended, Log, LogError, Pending, StreamHead},
    sequence::Sequence,
};
use crate::domain::StreamId;

/// A log that forgets everything when it is dropped. It answers every append at once.
pub struct MemoryLog {
    inner: Mutex<Inner>,
    head: watch::Sender<Position>,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct Inner {
    events: Vec<Arc<Recorded>>,
    heads: Heads,
    sequence: Sequence,
    steps: Vec<Position>,
    read_only: Option<String>,
    /// The next append's answer, instead of being recorded.
    fault: Option<AppendError>,
}

impl MemoryLog {
    /// An empty log.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { inner: Mutex::default(), head: watch::Sender::new(Position::START), clock }
    }

    /// Answers the next append with an error and records nothing of it: tests simulate a failing disk or a busy log with it.
    pub fn fail_next(&self, error: AppendError) {
        self.inner.lock().fault = Some(error);
    }
}

impl Inner {
    fn append(&mut self, append: Append, clock: &dyn Clock) -> Result<Appended, AppendError> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        if let Some(reason) = &self.read_only {
            return Err(AppendError::ReadOnly(reason.clone()));
        }
        let key = StreamKey::of(&append.stream);
        let placed = self.sequence.place(append, key, &self.heads, clock.now())?;
        self.steps.extend(self.sequence.take_steps());
        self.sequence.commit(&mut self.heads);
        self.events.extend(placed.iter().cloned());
        Ok(placed)
    }

    fn after(&self, after: Position) -> &[Arc<Recorded>] {
        let start = usize::try_from(after.0).unwrap_or(usize::MAX);
        self.events.get(start..).unwrap_or_default()
    }

    fn get(&self, position: Position) -> Option<&Arc<Recorded>> {
        self.after(Position(position.0.checked_sub(1)?)).first()
    }
}

impl Log for MemoryLog {
    fn append(&self, append: Append) -> Pending {
        let mut inner = self.inner.lock();
        let answer = inner.append(append, &*self.clock);
        // Under the lock, so that the head never moves back.
        self.head.send_if_modified(|head| std::mem::replace(head, inner.sequence.committed().position) != *head);
        Pending::ready(answer)
    }

    fn append_blocking(&self, append: Append) -> Pending {
        self.append(append)
    }

    fn read(&self, after: Position, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        Ok(self.inner.lock().after(after).iter().take(events_max).cloned().collect())
    }

    fn scan(&self, after: Position, visit: &mut dyn FnMut(Recorded) -> ControlFlow<()>) -> Result<(), LogError> {
        let events = self.inner.lock().after(after).to_vec();
        let _ = events.into_iter().try_for_each(|event| visit(Arc::unwrap_or_clone(event)));
        Ok(())
    }

    fn read_stream(&self, stream: &StreamId, after_version: u64, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let inner = self.inner.lock();
        let newest = inner.heads.get(StreamKey::of(stream)).and_then(|head| inner.get(head.position));
        let older = |event: &&Arc<Recorded>| event.previous.and_then(|previous| inner.get(previous));
        let wanted = std::iter::successors(newest, older).take_while(|event| event.version > after_version);
        let mut events: Vec<_> = wanted.cloned().collect();
        events.reverse();
        events.truncate(events_max);
        Ok(events)
    }

    fn stream_head(&self, stream: &StreamId) -> Option<StreamHead> {
        self.inner.lock().heads.get(StreamKey::of(stream))
    }

    fn steps_back(&self) -> Vec<Position> {
        self.inner.lock().steps.clone()
    }

    fn head(&self) -> Position {
        *self.head.borrow()
    }

    fn follow(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }

    fn read_only(&self) -> Option<String> {
        self.inner.lock().read_only.clone()
    }

    fn close(&self) -> Result<(), LogError> {
        self.inner.lock().read_only.get_or_insert_with(|| "the log is closed".into());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{clock::SystemClock, contract};

    fn fresh() -> (Arc<dyn Log>, ()) {
        (Arc::new(MemoryLog::new(Arc::new(SystemClock))), ())
    }

    contract::contract!(super::tests::fresh());

    #[test]
    fn a_fault_answers_one_append_and_records_nothing() {
        let log = MemoryLog::new(Arc::new(SystemClock));
        log.fail_next(AppendError::Unknown("the line is cut".into()));
        assert!(matches!(contract::put(&log, "a", 0, &["milk"]), Err(AppendError::Unknown(_))));
        assert_eq!(contract::put(&log, "a", 0, &["milk"]).map(|events| events.len()).ok(), Some(1));
    }
}
