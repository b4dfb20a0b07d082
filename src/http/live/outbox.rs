//! What waits to be written to one session: prepared frames shared between all receivers, bounded in bytes.
//! Publishers push from any thread; the response body drains it. Events wait in order; of a state only the latest waits.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use ahash::AHashMap;
use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;

use super::{close::Close, topic::Topic};
use crate::events::Position;

/// Waiting frames are joined into chunks near this size: one write for many, and no large buffer kept by the connection.
const CHUNK_BYTES: usize = 8 * 1024;

/// How a push may be treated while it waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Never merged, never dropped.
    Event,
    /// A newer one of the same topic and key takes its place.
    State(&'static str),
}

/// One push, encoded once for all its receivers.
#[derive(Debug)]
pub struct Publication {
    pub topic: Topic,
    pub class: Class,
    pub position: Position,
    /// The whole WebSocket frame.
    pub frame: Bytes,
}

/// What a session's body finds when it looks.
#[derive(Debug, PartialEq, Eq)]
pub enum Drained {
    /// One or more whole frames.
    Frames(Bytes),
    /// Write the close frame, then end.
    Close(Close),
}

/// The bounded queue of one session.
#[derive(Debug)]
pub struct Outbox {
    inner: Mutex<Inner>,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Inner {
    queue: VecDeque<Arc<Publication>>,
    /// The number of the queue's first entry; entries are numbered in the order they were pushed.
    first: u64,
    /// Which entry holds the waiting state of a topic and key.
    states: AHashMap<(Topic, &'static str), u64>,
    /// Topics whose history is being read: what is published meanwhile waits here.
    gates: AHashMap<Topic, Vec<Arc<Publication>>>,
    /// Topics whose history may tell events that are still to be published: those up to here fall away when they come.
    floors: AHashMap<Topic, Position>,
    /// Bytes of the queue and of all gates.
    bytes: usize,
    waker: Option<Waker>,
    /// Since when something waits without the body taking any of it.
    waiting_since: Option<Instant>,
    closing: Option<(Close, Instant)>,
    ended: bool,
}

impl Outbox {
    /// An empty outbox that may hold so many bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { inner: Mutex::default(), bytes_max }
    }

    /// Adds a push; never blocks. Returns true if that was too much: the session is closing from now on.
    pub fn push(&self, publication: &Arc<Publication>) -> bool {
        let mut inner = self.inner.lock();
        if inner.closing.is_some() {
            return false;
        }
        if inner.is_below_floor(publication) {
            return false;
        }
        if let Some(gate) = inner.gates.get_mut(&publication.topic) {
            gate.push(Arc::clone(publication));
            inner.bytes += publication.size();
        } else {
            inner.enqueue(Arc::clone(publication));
        }
        let overflow = inner.bytes > self.bytes_max;
        if overflow {
            inner.begin_close(Close::TooSlow);
        }
        let waker = inner.has_news().then(|| inner.waker.take()).flatten();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
        overflow
    }

    /// Holds a topic back while its history is read. What already waits for the topic is held back too,
    /// so that a repeated subscription neither repeats nor loses an event.
    pub fn close_gate(&self, topic: &Topic) {
        let mut inner = self.inner.lock();
        inner.floors.remove(topic);
        let held = inner.remove(topic);
        inner.bytes += held.iter().map(|publication| publication.size()).sum::<usize>();
        inner.gates.entry(topic.clone()).or_default().extend(held);
    }

    /// Lets a topic flow again. Events at or before `upto` are in the history just given and fall away; states stay.
    /// The log is ahead of what was `published`, so such events may come even now.
    pub fn open_gate(&self, topic: &Topic, upto: Position, published: Position) {
        let mut inner = self.inner.lock();
        // Equal is not enough: the newest event may be on its way to its subscribers at this moment.
        if published <= upto {
            inner.floors.insert(topic.clone(), upto);
        }
        let Some(held) = inner.gates.remove(topic) else { return };
        inner.bytes -= held.iter().map(|publication| publication.size()).sum::<usize>();
        for publication in held {
            if publication.class != Class::Event || publication.position > upto {
                inner.enqueue(publication);
            }
        }
        let waker = inner.has_news().then(|| inner.waker.take()).flatten();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Forgets what waits for a topic: it was unsubscribed.
    pub fn forget(&self, topic: &Topic) {
        let mut inner = self.inner.lock();
        inner.remove(topic);
        inner.floors.remove(topic);
        if let Some(held) = inner.gates.remove(topic) {
            inner.bytes -= held.iter().map(|publication| publication.size()).sum::<usize>();
        }
    }

    /// Drops what waits and has the body write this close frame and end. The first reason stays.
    pub fn close(&self, close: Close) {
        let mut inner = self.inner.lock();
        inner.begin_close(close);
        let waker = inner.waker.take();
        drop(inner);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Takes what waits, whole frames near 8 KiB at a time. `None` once the close frame was taken.
    pub fn poll_drain(&self, context: &mut Context<'_>) -> Poll<Option<Drained>> {
        let mut inner = self.inner.lock();
        if inner.ended {
            return Poll::Ready(None);
        }
        if let Some((close, _)) = inner.closing {
            inner.ended = true;
            return Poll::Ready(Some(Drained::Close(close)));
        }
        if let Some(chunk) = inner.take_chunk() {
            return Poll::Ready(Some(Drained::Frames(chunk)));
        }
        inner.waker = Some(context.waker().clone());
        Poll::Pending
    }

    /// Whether only shutting down the socket helps: something waits, or the close frame does, and the body does not come for it.
    #[must_use]
    pub fn is_stuck(&self, now: Instant, stalled_max: Duration, closing_max: Duration) -> bool {
        let inner = self.inner.lock();
        let longer_than = |since: Instant, max| now.saturating_duration_since(since) > max;
        match (inner.closing, inner.waiting_since) {
            (Some((_, since)), _) => longer_than(since, closing_max),
            (None, Some(since)) => longer_than(since, stalled_max),
            (None, None) => false,
        }
    }

    /// The reason it is closing for, `None` while it is open.
    #[must_use]
    pub fn closing(&self) -> Option<Close> {
        self.inner.lock().closing.map(|(close, _)| close)
    }

    /// Bytes that wait.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inner.lock().bytes
    }
}

impl Inner {
    fn has_news(&self) -> bool {
        !self.queue.is_empty() || self.closing.is_some()
    }

    /// Whether the history told it already. The first event above the floor takes the floor away.
    fn is_below_floor(&mut self, publication: &Publication) -> bool {
        if publication.class != Class::Event || self.floors.is_empty() {
            return false;
        }
        match self.floors.get(&publication.topic) {
            Some(floor) if publication.position <= *floor => true,
            Some(_) => self.floors.remove(&publication.topic).is_none(),
            None => false,
        }
    }

    fn enqueue(&mut self, publication: Arc<Publication>) {
        self.bytes += publication.size();
        if self.queue.is_empty() {
            self.waiting_since = Some(Instant::now());
        }
        if let Class::State(key) = publication.class {
            let next = self.first + self.queue.len() as u64;
            let number = *self.states.entry((publication.topic.clone(), key)).or_insert(next);
            if let Some(place) = usize::try_from(number - self.first).ok().and_then(|index| self.queue.get_mut(index)) {
                self.bytes -= place.size();
                *place = publication;
                return;
            }
        }
        self.queue.push_back(publication);
    }

    /// Takes everything that waits for a topic out of the queue.
    fn remove(&mut self, topic: &Topic) -> Vec<Arc<Publication>> {
        if !self.queue.iter().any(|publication| publication.topic == *topic) {
            return Vec::new();
        }
        let (taken, kept): (Vec<_>, Vec<_>) = self.queue.drain(..).partition(|publication| publication.topic == *topic);
        self.bytes -= kept.iter().chain(&taken).map(|publication| publication.size()).sum::<usize>();
        self.states.clear();
        self.first = 0;
        self.waiting_since = None;
        for publication in kept {
            self.enqueue(publication);
        }
        taken
    }

    fn take_chunk(&mut self) -> Option<Bytes> {
        let first = self.pop()?;
        self.waiting_since = (!self.queue.is_empty()).then(Instant::now);
        if self.queue.front().is_none_or(|next| first.len() + next.size() > CHUNK_BYTES) {
            return Some(first);
        }
        let mut chunk = BytesMut::with_capacity(self.bytes.saturating_add(first.len()).min(CHUNK_BYTES));
        chunk.extend_from_slice(&first);
        while self.queue.front().is_some_and(|next| chunk.len() + next.size() <= CHUNK_BYTES) {
            let Some(frame) = self.pop() else { break };
            chunk.extend_from_slice(&frame);
        }
        if self.queue.is_empty() {
            self.waiting_since = None;
        }
        Some(chunk.freeze())
    }

    fn pop(&mut self) -> Option<Bytes> {
        let publication = self.queue.pop_front()?;
        if let Class::State(key) = publication.class {
            self.states.remove(&(publication.topic.clone(), key));
        }
        self.first += 1;
        self.bytes -= publication.size();
        Some(publication.frame.clone())
    }

    fn begin_close(&mut self, close: Close) {
        if self.closing.is_none() {
            self.closing = Some((close, Instant::now()));
        }
        self.queue = VecDeque::new();
        self.states = AHashMap::new();
        self.gates = AHashMap::new();
        self.floors = AHashMap::new();
        self.bytes = 0;
        self.waiting_since = None;
    }
}

impl Publication {
    fn size(&self) -> usize {
        self.frame.len()
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

    fn topic(text: &str) -> Topic {
        text.parse().unwrap()
    }

    fn publication(topic_text: &str, class: Class, position: u64, text: &str) -> Arc<Publication> {
        Arc::new(Publication {
            topic: topic(topic_text),
            class,
            position: Position(position),
            frame: Bytes::copy_from_slice(text.as_bytes()),
        })
    }

    fn event(topic_text: &str, position: u64) -> Arc<Publication> {
        publication(topic_text, Class::Event, position, &format!("e{position};"))
    }

    fn totals(topic_text: &str, position: u64) -> Arc<Publication> {
        publication(topic_text, Class::State("totals"), position, &format!("t{position};"))
    }

    fn drain(outbox: &Outbox) -> String {
        let mut text = String::new();
        while let Poll::Ready(Some(Drained::Frames(chunk))) = outbox.poll_drain(&mut Context::from_waker(Waker::noop())) {
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
        text
    }

    #[test]
    fn events_leave_in_order_and_of_a_state_only_the_latest() {
        let outbox = Outbox::new(1_000);
        for one in
            [event("list:a", 1), totals("list:a", 1), event("list:a", 2), totals("list:a", 2), totals("list:b", 2), totals("list:a", 3)]
        {
            assert!(!outbox.push(&one));
        }
        assert_eq!(drain(&outbox), "e1;t3;e2;t2;");
        assert_eq!(outbox.bytes(), 0);
        outbox.push(&totals("list:a", 4));
        assert_eq!(drain(&outbox), "t4;", "a state that left does not swallow the next");
    }

    #[test]
    fn a_gate_drops_what_the_history_held_and_keeps_the_rest() {
        let outbox = Outbox::new(1_000);
        outbox.push(&event("list:b", 1));
        outbox.push(&event("list:a", 2));
        outbox.close_gate(&topic("list:a"));
        for one in [event("list:a", 3), event("list:b", 4), event("list:a", 5), totals("list:a", 3)] {
            outbox.push(&one);
        }
        assert_eq!(drain(&outbox), "e1;e4;", "a topic behind its gate waits, others flow");
        outbox.open_gate(&topic("list:a"), Position(3), Position(5));
        assert_eq!(drain(&outbox), "e5;t3;");
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn a_history_older_than_what_waits_loses_nothing() {
        let outbox = Outbox::new(1_000);
        outbox.push(&event("list:a", 2));
        outbox.close_gate(&topic("list:a"));
        outbox.open_gate(&topic("list:a"), Position(1), Position(2));
        assert_eq!(drain(&outbox), "e2;");
    }

    #[test]
    fn an_event_the_history_told_is_dropped_even_if_it_is_published_later() {
        let outbox = Outbox::new(1_000);
        outbox.close_gate(&topic("list:a"));
        outbox.open_gate(&topic("list:a"), Position(7), Position(5));
        for one in [event("list:a", 6), totals("list:a", 6), event("list:b", 6), event("list:a", 7), event("list:a", 8)] {
            outbox.push(&one);
        }
        assert_eq!(drain(&outbox), "t6;e6;e8;");
        assert!(outbox.inner.lock().floors.is_empty());
    }

    #[test]
    fn forgetting_a_topic_leaves_the_others() {
        let outbox = Outbox::new(1_000);
        for one in [event("list:a", 1), event("list:b", 2), totals("list:b", 2)] {
            outbox.push(&one);
        }
        outbox.forget(&topic("list:a"));
        outbox.push(&totals("list:b", 3));
        assert_eq!(drain(&outbox), "e2;t3;");
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn a_full_outbox_closes_its_session_and_holds_nothing_any_more() {
        let outbox = Outbox::new(10);
        for position in 1..=3 {
            assert!(!outbox.push(&event("list:a", position)));
        }
        assert!(outbox.push(&event("list:a", 4)), "the fourth is too much");
        assert!(!outbox.push(&event("list:a", 5)), "only the first overflow is reported");
        assert_eq!((outbox.closing(), outbox.bytes()), (Some(Close::TooSlow), 0));
        let context = &mut Context::from_waker(Waker::noop());
        assert_eq!(outbox.poll_drain(context), Poll::Ready(Some(Drained::Close(Close::TooSlow))));
        assert_eq!(outbox.poll_drain(context), Poll::Ready(None));
    }

    #[test]
    fn what_waits_behind_a_gate_counts_too() {
        let outbox = Outbox::new(5);
        outbox.close_gate(&topic("list:a"));
        assert!(!outbox.push(&event("list:a", 1)));
        assert!(outbox.push(&event("list:a", 2)));
    }

    #[test]
    fn many_frames_leave_as_few_chunks() {
        let outbox = Outbox::new(1_000_000);
        for position in 0..100 {
            outbox.push(&publication("list:a", Class::Event, position, &"x".repeat(200)));
        }
        let mut chunks = Vec::new();
        while let Poll::Ready(Some(Drained::Frames(chunk))) = outbox.poll_drain(&mut Context::from_waker(Waker::noop())) {
            chunks.push(chunk.len());
        }
        assert_eq!(chunks, [8_000, 8_000, 4_000]);
    }

    #[test]
    fn a_reader_that_takes_nothing_is_stuck_after_a_while() {
        let outbox = Outbox::new(1_000);
        let (stalled, closing) = (Duration::from_secs(10), Duration::from_secs(2));
        let later = |seconds| Instant::now() + Duration::from_secs(seconds);
        assert!(!outbox.is_stuck(later(60), stalled, closing), "nothing waits");
        outbox.push(&event("list:a", 1));
        assert!(!outbox.is_stuck(later(5), stalled, closing));
        assert!(outbox.is_stuck(later(11), stalled, closing));
        drain(&outbox);
        assert!(!outbox.is_stuck(later(60), stalled, closing));
        outbox.close(Close::GoingAway);
        assert!(outbox.is_stuck(later(3), stalled, closing));
    }
}
