//! Who follows what, across all workers. The projector and the list actors publish here; each publication is encoded once per encoding,
//! only if it has followers, and sent once to each worker that has some. The workers' own hubs do the rest.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
};

use ahash::{AHashMap, RandomState};
use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use serde::Serialize;
use smallvec::SmallVec;
use tokio::sync::Semaphore;

use super::{
    admission::Admission,
    channel::{Channel, DealFilter},
    close::Close,
    counters::{Counters, Limit},
    encoding::Encoding,
    follower::Follower,
    inbox::{Delivery, Inbox, Whose},
    limits::Limits,
    presence::Presence,
    publication::{Class, Key, Publication},
    push::{EventPush, StatePush},
    rights::Rights,
    topic::Topic,
    worker::Worker,
};
use crate::{
    domain::Principal,
    events::{Position, Recorded},
    sharded::Sharded,
};

/// The rooms of a topic, one for each filter in use; nearly always one.
type Rooms = SmallVec<[Room; 1]>;

/// All topics and sessions of one server.
pub struct Hub {
    shards: Sharded<RwLock<AHashMap<Topic, Rooms>>>,
    hasher: RandomState,
    /// Channels with at least one follower: while it is zero, publishing costs one load.
    channels: AtomicUsize,
    inboxes: Mutex<Vec<Arc<Inbox>>>,
    admission: Admission,
    presence: Presence,
    presence_told: AtomicBool,
    /// Histories that are read from storage at the same time: more threads would only wait for each other and hold memory.
    readers: Semaphore,
    /// The history whose events are published.
    epoch: RwLock<Arc<str>>,
    /// The newest event handed to `publish_event`.
    position: AtomicU64,
    /// The newest position sent to any session.
    newest: AtomicU64,
    limits: Limits,
    counters: Counters,
    rights: Arc<dyn Rights>,
}

/// The followers of one channel, counted.
#[derive(Debug)]
struct Room {
    channel: Arc<Channel>,
    /// The position of the channel's newest event; before the first one, of the log when the room opened.
    last: AtomicU64,
    workers: SmallVec<[WorkerFollowers; 2]>,
}

/// The followers on one worker, by encoding.
#[derive(Debug)]
struct WorkerFollowers {
    inbox: Arc<Inbox>,
    by_encoding: [u32; 2],
}

/// A state to publish.
#[derive(Debug)]
pub struct State<V> {
    pub key: Key,
    pub value: V,
}

impl Hub {
    /// A hub without sessions.
    #[must_use]
    pub fn new(limits: Limits, rights: Arc<dyn Rights>) -> Self {
        Self {
            shards: Sharded::default(),
            hasher: RandomState::new(),
            channels: AtomicUsize::new(0),
            inboxes: Mutex::default(),
            admission: Admission::default(),
            presence: Presence::default(),
            presence_told: AtomicBool::new(false),
            readers: Semaphore::new(limits.readers_max),
            epoch: RwLock::new(Arc::from("")),
            position: AtomicU64::new(0),
            newest: AtomicU64::new(0),
            limits,
            counters: Counters::new(),
            rights,
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

    /// Who may follow what.
    #[must_use]
    pub fn rights(&self) -> &dyn Rights {
        &*self.rights
    }

    /// The sessions, and their limits.
    #[must_use]
    pub fn admission(&self) -> &Admission {
        &self.admission
    }

    /// Who has which list open.
    #[must_use]
    pub fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Removes topics that a principal may no longer follow. What is published after this call does not reach it.
    pub fn rights_changed(&self, who: &Principal) {
        self.tell_all(|| Delivery::Recheck(who.clone()));
    }

    /// Closes the sessions of a credential that ended, or of a person whose power changed.
    pub fn sign_out(&self, whose: Whose) {
        self.tell_all(|| Delivery::SignedOut(whose.clone()));
    }

    /// Announces the stop to every session, admits no more, and waits until all are gone or their time is over.
    pub async fn say_farewell(&self) {
        self.admission.close();
        self.tell_all(|| Delivery::Farewell(self.limits.farewell));
        let last = tokio::time::Instant::now() + self.limits.farewell + self.limits.closing_max;
        while self.admission.sessions() > 0 && tokio::time::Instant::now() < last {
            tokio::time::sleep(self.limits.farewell / 20).await;
        }
    }

    /// Begins another history: positions restart at its head. Nothing of the one before may be published any more.
    pub fn begin_history(&self, epoch: Arc<str>, head: Position) {
        *self.epoch.write() = epoch;
        self.position.store(head.0, Ordering::Release);
        self.newest.store(head.0, Ordering::Release);
        for shard in self.shards.iter() {
            shard.read().values().flatten().for_each(|room| room.last.store(head.0, Ordering::Release));
        }
    }

    /// Closes every session and asks it to come back and start from a snapshot.
    pub fn end_sessions(&self) {
        self.tell_all(|| Delivery::End(Close::HistoryChanged));
    }

    /// Whether this is the history whose events are published. Check after joining: a session that joined before another began is notified.
    #[must_use]
    pub fn is_of(&self, epoch: &str) -> bool {
        **self.epoch.read() == *epoch
    }

    /// Whether a topic has followers.
    #[must_use]
    pub fn wants(&self, topic: &Topic) -> bool {
        !self.is_quiet() && self.shard(topic).read().contains_key(topic)
    }

    /// Records that events up to here were published. Call it before publishing them, so that a room opened meanwhile
    /// never claims that an older position was its last.
    pub fn advance(&self, position: Position) {
        self.position.store(position.0, Ordering::Release);
    }

    /// Publishes an event to a topic's followers; it is encoded only if there are any, for each filter in use that lets it through.
    /// Events of one topic must come in log order, from one thread.
    pub fn publish_event<E: Serialize>(&self, topic: &Topic, recorded: &Recorded, event: impl Fn(&DealFilter) -> Option<E>) {
        if self.is_quiet() {
            return;
        }
        let shard = self.shard(topic).read();
        for room in shard.get(topic).into_iter().flatten() {
            let Some(event) = event(&room.channel.filter) else { continue };
            let previous = room.advance(topic, recorded);
            let push = EventPush { kind: "event", topic, position: recorded.position, previous, event };
            self.send(room, [room.publication(Class::Event, recorded.position, |encoding| encoding.frame(&push))]);
        }
    }

    /// Publishes states to a topic's followers together, so that they leave together. Of the same key only the latest waits.
    /// Returns how many followers there are.
    pub fn publish_states<V: Serialize>(&self, topic: &Topic, position: Position, states: &[State<V>]) -> usize {
        if self.is_quiet() {
            return 0;
        }
        self.told(position);
        let mut followers = 0;
        let shard = self.shard(topic).read();
        for room in shard.get(topic).into_iter().flatten() {
            followers += room.followers();
            self.send(
                room,
                states.iter().map(|State { key, value }| {
                    let push = StatePush { kind: "state", topic, key, position, value };
                    room.publication(Class::State(key.clone()), position, |encoding| encoding.frame(&push))
                }),
            );
        }
        followers
    }

    /// The position of a channel's newest event, as far as its room knows: nothing happened in it since.
    /// `None` if it has no followers.
    #[must_use]
    pub fn last_event(&self, channel: &Channel) -> Option<Position> {
        let shard = self.shard(&channel.topic).read();
        let room = shard.get(&channel.topic)?.iter().find(|room| *room.channel == *channel)?;
        Some(Position(room.last.load(Ordering::Acquire)))
    }

    /// Whether there are no followers at all.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.channels.load(Ordering::Acquire) == 0
    }

    pub(super) fn new_inbox(&self) -> Arc<Inbox> {
        let inbox = Arc::new(Inbox::new(self.limits.worker_bytes_max));
        self.inboxes.lock().push(Arc::clone(&inbox));
        inbox
    }

    /// Opens the channel if it is not, and counts one more follower of it on a worker.
    pub(super) fn enter(&self, channel: Channel, worker: &Worker, encoding: Encoding) -> Arc<Channel> {
        let mut shard = self.shard(&channel.topic).write();
        let rooms = shard.entry(channel.topic.clone()).or_default();
        let place = rooms.iter().position(|room| *room.channel == channel).unwrap_or_else(|| {
            self.channels.fetch_add(1, Ordering::AcqRel);
            let last = AtomicU64::new(self.position.load(Ordering::Acquire));
            rooms.push(Room { channel: Arc::new(channel), last, workers: SmallVec::new() });
            rooms.len() - 1
        });
        rooms[place].count(worker.inbox(), encoding);
        Arc::clone(&rooms[place].channel)
    }

    pub(super) fn exit(&self, follower: &Follower, worker: &Worker, encoding: Encoding) {
        let channel = follower.channel();
        let mut shard = self.shard(&channel.topic).write();
        let Some(rooms) = shard.get_mut(&channel.topic) else { return };
        if let Some(room) = rooms.iter_mut().find(|room| room.channel == *channel) {
            room.discount(worker.inbox(), encoding);
        }
        let before = rooms.len();
        rooms.retain(|room| !room.workers.is_empty());
        self.channels.fetch_sub(before - rooms.len(), Ordering::AcqRel);
        if rooms.is_empty() {
            shard.remove(&channel.topic);
        }
    }

    /// A turn at reading a history from storage.
    pub fn readers(&self) -> &Semaphore {
        &self.readers
    }

    /// Records a position that is sent to sessions.
    pub(super) fn told(&self, position: Position) {
        self.newest.fetch_max(position.0, Ordering::AcqRel);
    }

    /// At or after every position that was sent so far: for states that no event causes.
    pub(super) fn newest(&self) -> Position {
        Position(self.newest.load(Ordering::Acquire).max(self.position.load(Ordering::Acquire)))
    }

    /// The newest event that was published.
    pub fn published(&self) -> Position {
        Position(self.position.load(Ordering::Acquire))
    }

    /// An unpredictable number from 0 to 1, different for each seed.
    pub(super) fn chance(&self, seed: u64) -> f64 {
        let thousandths = self.hasher.hash_one(seed) % 1_000;
        f64::from(u16::try_from(thousandths).unwrap_or(0)) / 1_000.0
    }

    /// Whether the caller is the one that sends presence.
    pub(super) fn takes_presence(&self) -> bool {
        !self.presence_told.swap(true, Ordering::AcqRel)
    }

    fn send(&self, room: &Room, publications: impl IntoIterator<Item = Arc<Publication>>) {
        let publications: SmallVec<[_; 4]> = publications.into_iter().collect();
        for followers in &room.workers {
            let each = publications.iter().map(|publication| (Arc::clone(&room.channel), Arc::clone(publication)));
            if followers.inbox.publish(each) {
                self.counters.met(Limit::WorkerBytes, 1);
            }
        }
    }

    fn tell_all(&self, delivery: impl Fn() -> Delivery) {
        self.inboxes.lock().iter().for_each(|inbox| inbox.tell(delivery()));
    }

    fn shard(&self, topic: &Topic) -> &RwLock<AHashMap<Topic, Rooms>> {
        self.shards.of(topic)
    }
}

impl Room {
    /// The position of the channel's event before this one.
    fn advance(&self, topic: &Topic, recorded: &Recorded) -> Option<Position> {
        let last = Position(self.last.swap(recorded.position.0, Ordering::AcqRel));
        match topic {
            Topic::List(_) | Topic::Household(_) => recorded.previous,
            // Not every event of the streams is an event of these topics.
            Topic::Product(_) | Topic::Deals(_) | Topic::Orders(_) | Topic::System => {
                Some(last.min(Position(recorded.position.0.saturating_sub(1))))
            }
        }
    }

    fn followers(&self) -> usize {
        self.workers.iter().flat_map(|followers| followers.by_encoding).map(|count| usize::try_from(count).unwrap_or(0)).sum()
    }

    fn publication(&self, class: Class, position: Position, encode: impl Fn(Encoding) -> Option<Bytes>) -> Arc<Publication> {
        let wanted = |encoding: Encoding| self.workers.iter().any(|followers| followers.by_encoding[encoding as usize] > 0);
        let frames = Encoding::ALL.map(|encoding| wanted(encoding).then(|| encode(encoding)).flatten());
        Arc::new(Publication::new(class, position, frames))
    }

    fn count(&mut self, inbox: &Arc<Inbox>, encoding: Encoding) {
        let place = self.workers.iter().position(|followers| Arc::ptr_eq(&followers.inbox, inbox)).unwrap_or_else(|| {
            self.workers.push(WorkerFollowers { inbox: Arc::clone(inbox), by_encoding: [0; 2] });
            self.workers.len() - 1
        });
        self.workers[place].by_encoding[encoding as usize] += 1;
    }

    fn discount(&mut self, inbox: &Arc<Inbox>, encoding: Encoding) {
        if let Some(followers) = self.workers.iter_mut().find(|followers| Arc::ptr_eq(&followers.inbox, inbox)) {
            let count = &mut followers.by_encoding[encoding as usize];
            *count = count.saturating_sub(1);
        }
        self.workers.retain(|followers| followers.by_encoding.iter().any(|count| *count > 0));
    }
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").field("sessions", &self.admission.sessions()).finish_non_exhaustive()
    }
}
