//! What every client checks: each event continues exactly where the last one ended, and no state goes back.

use ahash::AHashMap;

use super::tally::{Tally, add};
use crate::message::{Push, Started};

/// The positions of one client, over all its sessions.
pub struct Checks {
    /// By topic.
    events: AHashMap<u64, Held>,
    /// By topic and key.
    states: AHashMap<u64, u64>,
    hasher: ahash::RandomState,
}

/// Up to where a client has a topic.
#[derive(Clone, Copy)]
struct Held {
    position: u64,
    /// It is an event's; a snapshot may be after the topic's last event.
    exact: bool,
}

impl Checks {
    /// `hasher` is shared, so that a client costs no seed of its own.
    pub fn new(hasher: ahash::RandomState) -> Self {
        Self { events: AHashMap::with_hasher(hasher.clone()), states: AHashMap::with_hasher(hasher.clone()), hasher }
    }

    pub fn event(&mut self, push: &Push<'_>, tally: &Tally) {
        add(&tally.events, 1);
        let topic = self.hasher.hash_one(push.topic);
        self.follow(topic, push.position, push.previous, tally);
    }

    /// An event, pushed or in an answer, must continue what the client has.
    fn follow(&mut self, topic: u64, position: u64, previous: u64, tally: &Tally) {
        let Some(held) = self.events.get_mut(&topic) else { return tally.fail("an event of a topic that was not subscribed") };
        if position <= held.position {
            return add(&tally.duplicates, 1);
        }
        if previous > held.position {
            add(&tally.gaps, 1);
        } else if held.exact && previous < held.position {
            add(&tally.overlaps, 1);
        }
        *held = Held { position, exact: true };
    }

    pub fn state(&mut self, push: &Push<'_>, key: &[u8], tally: &Tally) {
        add(&tally.states, 1);
        let newest = self.states.entry(self.hasher.hash_one((push.topic, key))).or_default();
        if push.position < *newest {
            add(&tally.states_back, 1);
        }
        *newest = push.position;
    }

    /// A topic's answer: what was missed continues what the client has, or everything restarts.
    pub fn started(&mut self, started: &Started<'_>, tally: &Tally) {
        let topic = self.hasher.hash_one(started.topic);
        if started.recovered {
            add(&tally.recovered, 1);
            if !self.events.contains_key(&topic) {
                tally.fail("a topic that was never followed was recovered");
            }
        } else {
            add(&tally.snapshots, 1);
            self.states.clear();
            self.events.insert(topic, Held { position: started.position, exact: false });
        }
        for (position, previous) in started.missed() {
            add(&tally.missed, 1);
            self.follow(topic, position, previous, tally);
        }
        let held = self.events.entry(topic).or_insert(Held { position: 0, exact: false });
        if started.position > held.position {
            *held = Held { position: started.position, exact: false };
        }
    }

    /// The position to continue a topic from.
    pub fn since(&self, topic: &str) -> Option<u64> {
        self.events.get(&self.hasher.hash_one(topic.as_bytes())).map(|held| held.position)
    }
}
