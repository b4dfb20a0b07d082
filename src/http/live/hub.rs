//! Who listens to what. The projector and the list actors publish here; each publication is encoded once, only if somebody
//! listens, and the same bytes go to every subscriber's outbox.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use ahash::{AHashMap, AHashSet, RandomState};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use serde::Serialize;

use super::{
    close::Close,
    counters::{Counters, Limit},
    frame,
    limits::Limits,
    outbox::{Class, Outbox, Publication},
    protocol::{EventPush, StatePush},
    socket::SocketHandle,
    topic::Topic,
};
use crate::events::{Position, Recorded};

/// Locks are spread over so many parts, by hash of the topic.
const SHARDS: usize = 64;

/// All topics and sessions of one server.
#[derive(Debug)]
pub struct Hub {
    shards: Box<[RwLock<AHashMap<Topic, Room>>]>,
    hasher: RandomState,
    /// Topics with at least one subscriber: while it is zero, publishing costs one load.
    rooms: AtomicUsize,
    pub(super) sessions: Mutex<AHashMap<u64, Listener>>,
    next_session: AtomicU64,
    /// The newest event handed to `publish_event`.
    position: AtomicU64,
    closing: AtomicBool,
    pub(super) watched: AtomicBool,
    limits: Limits,
    counters: Counters,
}

/// The subscribers of one topic.
#[derive(Debug)]
struct Room {
    subscribers: AHashMap<u64, Arc<Outbox>>,
    /// Where the topic's newest event is; before the first one, where the log was when the room opened.
    last: AtomicU64,
}

/// One session as the hub and its watchdog know it.
#[derive(Debug, Clone)]
pub struct Listener {
    pub outbox: Arc<Outbox>,
    /// Absent where the connection is no TCP stream.
    pub socket: Option<SocketHandle>,
}

/// A session's place in the hub; dropping it leaves every topic.
#[derive(Debug)]
pub struct Membership {
    hub: Arc<Hub>,
    id: u64,
    outbox: Arc<Outbox>,
    topics: AHashSet<Topic>,
}

impl Hub {
    /// A hub without sessions.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| RwLock::default()).collect(),
            hasher: RandomState::new(),
            rooms: AtomicUsize::new(0),
            sessions: Mutex::default(),
            next_session: AtomicU64::new(1),
            position: AtomicU64::new(0),
            closing: AtomicBool::new(false),
            watched: AtomicBool::new(false),
            limits,
            counters: Counters::new(),
        }
    }

    /// The limits its sessions keep.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What it counts.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Adds a session.
    ///
    /// # Errors
    /// The close reason it must be given instead: too many sessions, or the server is stopping.
    pub fn join(self: &Arc<Self>, socket: Option<SocketHandle>) -> Result<Membership, Close> {
        let mut sessions = self.sessions.lock();
        if self.closing.load(Ordering::SeqCst) {
            return Err(Close::GoingAway);
        }
        if sessions.len() >= self.limits.sessions_max {
            self.counters.met(Limit::Sessions, 1);
            return Err(Close::TooManySessions);
        }
        let id = self.next_session.fetch_add(1, Ordering::Relaxed);
        let outbox = Arc::new(Outbox::new(self.limits.outbox_bytes_max));
        sessions.insert(id, Listener { outbox: Arc::clone(&outbox), socket });
        self.counters.sessions.increment(1);
        Ok(Membership { hub: Arc::clone(self), id, outbox, topics: AHashSet::new() })
    }

    /// Ends every session, and every one that comes later, because the server stops.
    pub fn close_all(&self) {
        let sessions = self.sessions.lock();
        self.closing.store(true, Ordering::SeqCst);
        for listener in sessions.values() {
            listener.outbox.close(Close::GoingAway);
        }
    }

    /// Sessions connected now.
    #[must_use]
    pub fn session_count(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Whether anybody listens to a topic.
    #[must_use]
    pub fn wants(&self, topic: &Topic) -> bool {
        !self.is_quiet() && self.shard(topic).read().contains_key(topic)
    }

    /// Notes that events up to here were published. Call it before publishing them, so that a room opened meanwhile
    /// never claims that an older position was its last.
    pub fn advance(&self, position: Position) {
        self.position.store(position.0, Ordering::Release);
    }

    /// Pushes an event to a topic's subscribers; its JSON is made only if there are any. Returns how many got it.
    /// Events of one topic must come in log order, from one thread.
    pub fn publish_event<E: Serialize>(&self, topic: &Topic, recorded: &Recorded, event: impl FnOnce() -> E) -> usize {
        self.publish(topic, |room| {
            let last = Position(room.last.swap(recorded.position.0, Ordering::AcqRel));
            let previous = match topic.stream() {
                Some(_) => recorded.previous,
                None => Some(last.min(Position(recorded.position.0.saturating_sub(1)))),
            };
            let push = EventPush { kind: "event", topic, position: recorded.position, previous, event: event() };
            frame::json(&push).map(|frame| (Class::Event, recorded.position, frame))
        })
    }

    /// Pushes a state to a topic's subscribers; of the same topic and key only the latest waits. Returns how many got it.
    pub fn publish_state<V: Serialize>(&self, topic: &Topic, key: &'static str, position: Position, value: &V) -> usize {
        self.publish(topic, |_| {
            let push = StatePush { kind: "state", topic, key, position, value };
            frame::json(&push).map(|frame| (Class::State(key), position, frame))
        })
    }

    /// Where a topic's newest event is, as far as its room knows: nothing happened in the topic between it and now.
    /// `None` if nobody listens.
    #[must_use]
    pub fn last_event(&self, topic: &Topic) -> Option<Position> {
        self.shard(topic).read().get(topic).map(|room| Position(room.last.load(Ordering::Acquire)))
    }

    /// Whether anybody listens to anything.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.rooms.load(Ordering::Acquire) == 0
    }

    fn publish(&self, topic: &Topic, encode: impl FnOnce(&Room) -> Option<(Class, Position, Bytes)>) -> usize {
        if self.is_quiet() {
            return 0;
        }
        let shard = self.shard(topic).read();
        let Some(room) = shard.get(topic) else { return 0 };
        let Some((class, position, frame)) = encode(room) else {
            tracing::error!(%topic, "a publication could not be written as JSON");
            return 0;
        };
        let publication = Arc::new(Publication { topic: topic.clone(), class, position, frame });
        let too_slow = room.subscribers.values().filter(|outbox| outbox.push(&publication)).count();
        let receivers = room.subscribers.len();
        drop(shard);
        self.counters.deliveries.increment(receivers as u64);
        if too_slow > 0 {
            self.counters.met(Limit::OutboxBytes, too_slow);
        }
        receivers
    }

    fn shard(&self, topic: &Topic) -> &RwLock<AHashMap<Topic, Room>> {
        let hash = usize::try_from(self.hasher.hash_one(topic) % SHARDS as u64).unwrap_or(0);
        &self.shards[hash]
    }

    fn enter(&self, topic: &Topic, id: u64, outbox: &Arc<Outbox>) {
        let mut shard = self.shard(topic).write();
        let room = shard.entry(topic.clone()).or_insert_with(|| {
            self.rooms.fetch_add(1, Ordering::AcqRel);
            Room { subscribers: AHashMap::new(), last: AtomicU64::new(self.position.load(Ordering::Acquire)) }
        });
        room.subscribers.insert(id, Arc::clone(outbox));
    }

    fn exit(&self, topic: &Topic, id: u64) {
        let mut shard = self.shard(topic).write();
        if let Some(room) = shard.get_mut(topic) {
            room.subscribers.remove(&id);
            if room.subscribers.is_empty() {
                shard.remove(topic);
                self.rooms.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}

impl Membership {
    /// The session's outbox.
    #[must_use]
    pub fn outbox(&self) -> &Arc<Outbox> {
        &self.outbox
    }

    /// The session's number, for logs.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// How many topics it listens to.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// Whether it listens to a topic.
    #[must_use]
    pub fn listens_to(&self, topic: &Topic) -> bool {
        self.topics.contains(topic)
    }

    /// Starts to listen, behind a closed gate: read the history, then open the outbox's gate at its end. Idempotent.
    pub fn subscribe(&mut self, topic: &Topic) {
        self.outbox.close_gate(topic);
        if self.topics.insert(topic.clone()) {
            self.hub.enter(topic, self.id, &self.outbox);
        }
    }

    /// Lets a topic's pushes flow, from behind the end of the history that was told.
    pub fn open(&self, topic: &Topic, upto: Position) {
        let published = Position(self.hub.position.load(Ordering::Acquire));
        self.outbox.open_gate(topic, upto, published);
    }

    /// Stops listening; nothing of the topic is delivered from now on. Returns whether it listened.
    pub fn unsubscribe(&mut self, topic: &Topic) -> bool {
        let listened = self.topics.remove(topic);
        if listened {
            self.hub.exit(topic, self.id);
            self.outbox.forget(topic);
        }
        listened
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        for topic in std::mem::take(&mut self.topics) {
            self.hub.exit(&topic, self.id);
        }
        self.hub.sessions.lock().remove(&self.id);
        self.hub.counters.sessions.decrement(1);
        self.hub.counters.ended(self.outbox.closing().unwrap_or(Close::Normal));
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::*;
    use crate::{
        domain::{Event, Moment, Principal, StreamId, list::ListEvent},
        http::live::outbox::Drained,
    };

    fn hub(limits: Limits) -> Arc<Hub> {
        Arc::new(Hub::new(limits))
    }

    fn topic(text: &str) -> Topic {
        text.parse().unwrap()
    }

    fn recorded(list: &str, position: u64, previous: Option<u64>) -> Recorded {
        Recorded {
            position: Position(position),
            stream: format!("list/{list}").parse::<StreamId>().unwrap(),
            version: 1,
            previous: previous.map(Position),
            at: Moment(0),
            who: Principal::new("local").unwrap(),
            command: None,
            event: Event::List(ListEvent::Archived {}),
        }
    }

    fn publish(hub: &Hub, topic_text: &str, position: u64, previous: Option<u64>) -> usize {
        hub.advance(Position(position));
        hub.publish_event(&topic(topic_text), &recorded("a", position, previous), || "x")
    }

    fn received(membership: &Membership) -> String {
        let mut text = String::new();
        while let Poll::Ready(Some(Drained::Frames(frames))) = membership.outbox().poll_drain(&mut Context::from_waker(Waker::noop())) {
            text.push_str(&String::from_utf8_lossy(&frames));
        }
        text
    }

    #[test]
    fn only_subscribers_of_a_topic_receive_its_events() {
        let hub = hub(Limits::default());
        let (mut one, other) = (hub.join(None).unwrap(), hub.join(None).unwrap());
        assert_eq!(publish(&hub, "list:a", 1, None), 0, "nobody listens yet");
        one.subscribe(&topic("list:a"));
        one.open(&topic("list:a"), Position(1));
        assert!(hub.wants(&topic("list:a")) && !hub.wants(&topic("list:b")));
        assert_eq!(publish(&hub, "list:a", 2, Some(1)), 1);
        assert!(received(&one).contains(r#"{"type":"event","topic":"list:a","position":"2","previous":"1","event":"x"}"#));
        assert_eq!(received(&other), "");
    }

    #[test]
    fn a_topic_of_many_streams_states_its_own_previous_position() {
        let hub = hub(Limits::default());
        let mut one = hub.join(None).unwrap();
        hub.advance(Position(5));
        one.subscribe(&topic("deals:s"));
        one.open(&topic("deals:s"), Position(5));
        publish(&hub, "deals:s", 8, None);
        publish(&hub, "deals:s", 9, None);
        let text = received(&one);
        assert!(text.contains(r#""position":"8","previous":"5""#) && text.contains(r#""position":"9","previous":"8""#), "{text}");
        assert_eq!(hub.last_event(&topic("deals:s")), Some(Position(9)));
    }

    #[test]
    fn a_session_that_ends_leaves_nothing_behind() {
        let hub = hub(Limits::default());
        let mut one = hub.join(None).unwrap();
        one.subscribe(&topic("list:a"));
        one.subscribe(&topic("system"));
        assert!(one.unsubscribe(&topic("system")) && !one.unsubscribe(&topic("system")));
        assert_eq!((hub.session_count(), one.topic_count()), (1, 1));
        drop(one);
        assert_eq!(hub.session_count(), 0);
        assert!(!hub.wants(&topic("list:a")));
        assert_eq!(hub.rooms.load(Ordering::Acquire), 0);
    }

    #[test]
    fn one_session_too_many_is_told_to_come_back() {
        let hub = hub(Limits { sessions_max: 1, ..Limits::default() });
        let first = hub.join(None).unwrap();
        assert_eq!(hub.join(None).unwrap_err(), Close::TooManySessions);
        drop(first);
        let second = hub.join(None).unwrap();
        hub.close_all();
        assert_eq!(second.outbox().closing(), Some(Close::GoingAway));
        assert_eq!(hub.join(None).unwrap_err(), Close::GoingAway);
    }

    #[test]
    fn a_slow_session_is_closed_and_the_others_go_on() {
        let hub = hub(Limits { outbox_bytes_max: 400, ..Limits::default() });
        let (mut slow, mut quick) = (hub.join(None).unwrap(), hub.join(None).unwrap());
        for session in [&mut slow, &mut quick] {
            session.subscribe(&topic("list:a"));
            session.open(&topic("list:a"), Position::START);
        }
        for position in 1..=20 {
            publish(&hub, "list:a", position, position.checked_sub(1));
            assert!(received(&quick).contains(&format!(r#""position":"{position}""#)));
        }
        assert_eq!((slow.outbox().closing(), quick.outbox().closing()), (Some(Close::TooSlow), None));
    }
}
