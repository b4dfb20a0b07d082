//! The log as other modules see it: the [`Log`] trait.

use std::{
    ops::ControlFlow,
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::watch;

use super::{
    DiskLog, heads,
    queue::{Job, Refused},
    reader::{undecodable, visit},
    streams, watchdog,
    worker::Worker,
    writer::check_size,
};
use crate::{
    disk::Pace,
    domain::StreamId,
    events::{
        Append, AppendError, Log, LogError, Pending, Position, Recorded, StreamHead,
        codec::{Author, Decoder, write_body},
        heads::StreamKey,
    },
};

const CLOSED: &str = "the log is closed";

impl Log for DiskLog {
    fn append(&self, append: Append) -> Pending {
        self.enqueue(append, |job| self.queue.try_push(job))
    }

    fn append_blocking(&self, append: Append) -> Pending {
        self.enqueue(append, |job| self.queue.push(job))
    }

    fn steps_back(&self) -> Vec<Position> {
        self.shared.steps.read().clone()
    }

    fn read(&self, after: Position, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        if let Some(events) = self.shared.tail.read(after, events_max) {
            return Ok(events);
        }
        let mut events = Vec::new();
        let mut decoder = Decoder::default();
        if events_max == 0 {
            return Ok(events);
        }
        let read = visit(&self.shared.storage, after, self.head(), |position, bytes| {
            events.push(Arc::new(decoder.decode(position, bytes).map_err(|error| undecodable(position, &error))?));
            Ok(if events.len() < events_max { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        });
        // What is whole before the damage is given first; a reader that continues gets an error.
        if events.is_empty() { read.map(|()| events) } else { Ok(events) }
    }

    fn scan(&self, after: Position, see: &mut dyn FnMut(Recorded) -> ControlFlow<()>) -> Result<(), LogError> {
        let mut decoder = Decoder::default();
        visit(&self.shared.storage, after, self.head(), |position, bytes| {
            decoder.decode(position, bytes).map(&mut *see).map_err(|error| undecodable(position, &error))
        })
    }

    fn read_stream(&self, stream: &StreamId, after_version: u64, events_max: usize) -> Result<Vec<Arc<Recorded>>, LogError> {
        let Some(head) = self.stream_head(stream) else { return Ok(Vec::new()) };
        let newest_wanted = after_version.saturating_add(events_max as u64);
        streams::Reading { shared: &self.shared, remembered: &self.remembered, stream }.versions(head, after_version, newest_wanted)
    }

    fn stream_head(&self, stream: &StreamId) -> Option<StreamHead> {
        self.shared.index.read().heads.get(StreamKey::of(stream))
    }

    fn head(&self) -> Position {
        self.shared.head_now()
    }

    fn follow(&self) -> watch::Receiver<Position> {
        self.shared.head.subscribe()
    }

    fn read_only(&self) -> Option<String> {
        let stuck = || self.shared.is_stuck.load(Ordering::Relaxed).then(|| self.shared.storage.journals.trouble()).flatten();
        self.fault().or_else(|| stuck().map(|trouble| format!("the log has no room: {}", trouble.reason)))
    }

    fn close(&self) -> Result<(), LogError> {
        let mut threads = self.threads.lock();
        if !threads.is_empty() {
            self.queue.close();
            let mut threads = threads.drain(..);
            let written = threads.next().map_or(Ok(()), Worker::join);
            if let (Err(reason), Some(answers)) = (&written, self.shared.in_flight.take()) {
                tracing::error!(reason, "the log is closed without its writer");
                watchdog::give_up(&self.shared, &self.queue, answers);
            }
            self.shared.storage.journals.close();
            self.shared.news.close();
            for ended in threads.map(Worker::join) {
                if let Err(reason) = ended {
                    tracing::warn!(reason, "closing the log without waiting for it");
                }
            }
            written.map_err(LogError::Storage)?;
            if self.shared.fault.get().is_none()
                && let Err(error) = heads::save(&self.shared.folder.heads(), &self.shared.log, &self.shared.index, Pace::AtOnce, || Ok(()))
            {
                tracing::warn!(%error, "the stream heads cannot be saved; the next start reads more");
            }
        }
        self.shared.fault.get().map_or(Ok(()), |reason| Err(LogError::Storage(reason.clone())))
    }
}

impl DiskLog {
    /// Why no append will be recorded any more.
    fn fault(&self) -> Option<String> {
        self.shared.fault.get().cloned().or_else(|| self.queue.is_closed().then(|| CLOSED.to_owned()))
    }

    pub(super) fn job(&self, append: Append) -> Result<(Job, Pending), AppendError> {
        if let Some(reason) = self.fault() {
            return Err(AppendError::ReadOnly(reason));
        }
        let mut bodies = Vec::with_capacity(256 * append.events.len());
        let mut ends = Vec::with_capacity(append.events.len());
        let mut version = append.expected_version;
        let Append { stream, who, by, command, client, .. } = &append;
        let author = Author { stream, who, by: by.as_ref(), command: command.as_ref(), client: client.as_ref() };
        for event in &append.events {
            version += 1;
            write_body(&mut bodies, version, event, &author);
            ends.push(bodies.len());
        }
        check_size(&bodies)?;
        let (answer, pending) = Pending::channel();
        Ok((Job { key: StreamKey::of(&append.stream), append, bodies, ends, answer }, pending))
    }

    fn enqueue(&self, append: Append, push: impl FnOnce(Job) -> Result<(), Refused>) -> Pending {
        let (job, pending) = match self.job(append) {
            Ok(ready) => ready,
            Err(error) => return Pending::ready(Err(error)),
        };
        match push(job) {
            Ok(()) => pending,
            Err(Refused::Full) => Pending::ready(Err(AppendError::Overloaded { queue_max: self.queue.appends_max() })),
            Err(Refused::Closed) => Pending::ready(Err(AppendError::ReadOnly(CLOSED.into()))),
        }
    }
}
