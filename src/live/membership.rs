//! A session's handle on its place in the hub. Dropping it leaves every topic.

use std::{
    cell::RefCell,
    ops::Deref,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    channel::Channel,
    close::Close,
    follower::Follower,
    hub::Hub,
    member::{Arrival, Member},
    outbox::Outbox,
    publication::Wire,
    rights::Grant,
    topic::Topic,
    worker::Worker,
};
use crate::{domain::Principal, events::Position, people::Identity};

/// A session's lifetime varies by this much either way, so that those that began together do not end together.
const LIFETIME_JITTER: f64 = 0.1;

/// A session's place in the hub.
#[derive(Debug)]
pub struct Membership(Seat);

/// What a session does with its place; its tasks may hold one for a while.
#[derive(Clone)]
pub struct Seat {
    worker: Rc<Worker>,
    member: Rc<Member>,
}

/// A topic whose gate opens with its answer.
#[derive(Debug)]
pub struct Gate {
    pub topic: Topic,
    /// Up to where its history was told; `None` for one that is left again.
    pub upto: Option<Position>,
    /// The least time between two states of a key.
    pub every: Option<Duration>,
}

impl Deref for Membership {
    type Target = Seat;

    fn deref(&self) -> &Seat {
        &self.0
    }
}

impl Membership {
    /// Adds a session of a history on this thread's worker. Without a principal it must first send a token.
    ///
    /// # Errors
    /// The close reason instead: too many sessions, or the server is stopping.
    pub fn join(hub: &Arc<Hub>, epoch: &str, arrival: Arrival, identity: Option<Identity>, wire: Wire) -> Result<Self, Close> {
        let limits = hub.limits();
        let who = identity.as_ref().map(|identity| &identity.who);
        let id = hub.admission().enter(arrival.address, who, limits).inspect_err(|close| hub.counters().met_by_close(*close))?;
        let (worker, now) = (Worker::of(hub), Instant::now());
        let lifetime = limits.lifetime.mul_f64(1.0 - LIFETIME_JITTER + 2.0 * LIFETIME_JITTER * hub.chance(id));
        let member = Rc::new(Member {
            id,
            arrival,
            outbox: Rc::new(Outbox::new(limits.outbox_bytes_max, wire)),
            authenticate_by: identity.is_none().then(|| now + limits.authenticate_within).into(),
            identity: identity.into(),
            topics: RefCell::default(),
            heard: now.into(),
            pinged: now.into(),
            token_until: None.into(),
            ends_at: now + lifetime,
        });
        if member.identity.borrow().is_none() {
            worker.make_room_for_stranger(id);
        }
        worker.add(&member);
        hub.counters().sessions.increment(1);
        if !hub.is_of(epoch) {
            member.outbox.close(Close::HistoryChanged);
        }
        if hub.takes_presence() {
            actix_web::rt::spawn(super::publish::tell_presence(Arc::clone(hub)));
        }
        Ok(Self(Seat { worker, member }))
    }

    /// Its seat.
    #[must_use]
    pub fn seat(&self) -> &Seat {
        &self.0
    }
}

impl Seat {
    /// The session's outbox.
    #[must_use]
    pub fn outbox(&self) -> &Rc<Outbox> {
        &self.member.outbox
    }

    /// The session's number, for logs.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.member.id
    }

    /// Its principal; `None` until it has sent a token.
    #[must_use]
    pub fn who(&self) -> Option<Principal> {
        self.member.identity.borrow().as_ref().map(|identity| identity.who.clone())
    }

    /// What it proved about its sender; `None` until it has sent a token.
    #[must_use]
    pub fn identity(&self) -> Option<Identity> {
        self.member.identity.borrow().clone()
    }

    /// Records a sign of life.
    pub fn hear(&self) {
        self.member.heard.set(Instant::now());
    }

    /// Applies a grant: the session's sender from now on, and until when.
    ///
    /// # Errors
    /// The reason to close it: the principal has enough sessions.
    pub fn admit(&self, grant: Grant) -> Result<(), Close> {
        let hub = self.worker.hub();
        hub.admission()
            .rename(self.member.arrival.address, self.who().as_ref(), &grant.identity.who, hub.limits())
            .inspect_err(|close| hub.counters().met_by_close(*close))?;
        *self.member.identity.borrow_mut() = Some(grant.identity);
        self.member.authenticate_by.set(None);
        self.member.token_until.set(grant.until);
        self.worker.expect(&self.member);
        Ok(())
    }

    /// How many topics it follows.
    #[must_use]
    pub fn topic_count(&self) -> usize {
        self.member.topics.borrow().len()
    }

    /// Whether it follows a topic.
    #[must_use]
    pub fn follows(&self, topic: &Topic) -> bool {
        self.member.topics.borrow().contains_key(topic)
    }

    /// Holds back a channel that is followed already, until its history is sent again.
    pub fn hold_back(&self, channel: &Channel) {
        if let Some(follower) = self.member.topics.borrow().get(&channel.topic).filter(|follower| **follower.channel() == *channel) {
            follower.close_gate();
        }
    }

    /// Starts to follow, behind a closed gate: read the history, then open the gate at its end. Idempotent; another filter replaces
    /// the one before, and then returns false: the topic does not continue as before.
    pub fn subscribe(&self, channel: Channel) -> bool {
        let known = self.member.topics.borrow().get(&channel.topic).cloned();
        let as_before = known.as_ref().is_none_or(|follower| **follower.channel() == channel);
        match known {
            Some(follower) if as_before => {
                follower.close_gate();
                return as_before;
            }
            Some(_) => _ = self.unsubscribe(&channel.topic),
            None => {}
        }
        let (hub, topic) = (self.worker.hub(), channel.topic.clone());
        let follower = Follower::new(hub.enter(channel, &self.worker, self.outbox().wire().encoding), Rc::clone(self.outbox()));
        self.worker.enter(&follower);
        if let (Topic::List(list), Some(identity)) = (&topic, self.member.identity.borrow().as_ref()) {
            hub.presence().join(list, &identity.who);
        }
        self.member.topics.borrow_mut().insert(topic, follower);
        as_before
    }

    /// Lets a topic's pushes flow, from the end of the history that was sent, with its states paced.
    pub fn open(&self, topic: &Topic, upto: Position, every: Option<Duration>) {
        let follower = self.member.topics.borrow().get(topic).cloned();
        self.worker.hub().told(upto);
        if let Some(follower) = follower {
            let moments = follower.open_gate(upto, every, Instant::now());
            self.worker.expect_states(&follower, moments);
        }
    }

    /// Opens the gates that a part of an answer names.
    pub fn open_gates(&self, gates: Vec<Gate>) {
        for Gate { topic, upto, every } in gates {
            match upto {
                Some(upto) => self.open(&topic, upto, every),
                None => _ = self.unsubscribe(&topic),
            }
        }
    }

    /// Stops following; nothing of the topic is delivered from now on. Returns whether it followed.
    pub fn unsubscribe(&self, topic: &Topic) -> bool {
        self.worker.leave(&self.member, topic)
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        let Seat { worker, member } = &self.0;
        let topics: Vec<_> = member.topics.borrow().keys().cloned().collect();
        for topic in &topics {
            self.0.unsubscribe(topic);
        }
        worker.remove(member);
        let hub = worker.hub();
        hub.admission().leave(member.arrival.address, member.identity.borrow().as_ref().map(|identity| &identity.who));
        hub.counters().sessions.decrement(1);
        let closing = member.outbox.closing().unwrap_or(Close::Normal);
        hub.counters().ended(closing);
        // Waiting entries hold the followers, and they the outbox.
        member.outbox.close(closing);
    }
}

impl std::fmt::Debug for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Seat").field(&self.member).finish()
    }
}
