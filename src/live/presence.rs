//! Who has a list open. Changes within an interval are sent once, as they are at its end.

use std::collections::BTreeMap;

use ahash::{AHashMap, AHashSet};
use parking_lot::Mutex;
use serde::Serialize;
use tokio::sync::Notify;
use utoipa::ToSchema;

use crate::domain::{ListId, Principal};

/// People named; the rest is counted.
const NAMED_MAX: usize = 50;

/// Who has which list open.
#[derive(Debug, Default)]
pub struct Presence {
    rooms: Mutex<Rooms>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct Rooms {
    open: AHashMap<ListId, BTreeMap<Principal, u32>>,
    /// Lists whose state has not been sent since it changed.
    changed: AHashSet<ListId>,
}

/// The value of a list's `presence` state.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Present {
    pub present: Vec<Person>,
    /// People beyond the first 50, by name.
    pub more: usize,
}

/// A person who has the list open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Person {
    pub who: Principal,
    /// Devices, or pages, with the list open.
    pub sessions: u32,
}

impl Presence {
    /// A session opened a list. A session that is alone on a list gets no push: the start of the topic shows it.
    pub fn join(&self, list: &ListId, who: &Principal) {
        let mut rooms = self.rooms.lock();
        let people = rooms.open.entry(list.clone()).or_default();
        let is_alone = people.is_empty();
        *people.entry(who.clone()).or_default() += 1;
        if !is_alone {
            rooms.changed.insert(list.clone());
            self.changed.notify_one();
        }
    }

    /// A session closed it.
    pub fn leave(&self, list: &ListId, who: &Principal) {
        let mut rooms = self.rooms.lock();
        let Some(people) = rooms.open.get_mut(list) else { return };
        if let Some(sessions) = people.get_mut(who) {
            *sessions -= 1;
            if *sessions == 0 {
                people.remove(who);
            }
        }
        if people.is_empty() {
            rooms.open.remove(list);
            rooms.changed.remove(list);
        } else {
            rooms.changed.insert(list.clone());
            self.changed.notify_one();
        }
    }

    /// Sends a list again if what was just sent is no longer true.
    pub fn recheck(&self, list: &ListId, told: &Present) {
        if self.of(list) != *told {
            self.rooms.lock().changed.insert(list.clone());
            self.changed.notify_one();
        }
    }

    /// Who has a list open now.
    #[must_use]
    pub fn of(&self, list: &ListId) -> Present {
        let rooms = self.rooms.lock();
        let Some(people) = rooms.open.get(list) else { return Present::default() };
        let present = people.iter().take(NAMED_MAX).map(|(who, sessions)| Person { who: who.clone(), sessions: *sessions }).collect();
        Present { present, more: people.len().saturating_sub(NAMED_MAX) }
    }

    /// Waits until presence changes, and returns the lists concerned.
    pub async fn changed(&self) -> Vec<ListId> {
        loop {
            self.changed.notified().await;
            let lists: Vec<_> = self.rooms.lock().changed.drain().collect();
            if !lists.is_empty() {
                return lists;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use crate::live::presence::*;

    fn who(name: &str) -> Principal {
        Principal::new(name).unwrap()
    }

    #[test]
    fn people_are_named_once_with_their_sessions_and_forgotten_when_they_leave() {
        let (presence, list) = (Presence::default(), ListId::new("weekly").unwrap());
        for name in ["ben", "ana", "ana"] {
            presence.join(&list, &who(name));
        }
        let people = |present: Present| present.present.into_iter().map(|one| (one.who.to_string(), one.sessions)).collect::<Vec<_>>();
        assert_eq!(people(presence.of(&list)), [("ana".to_owned(), 2), ("ben".to_owned(), 1)]);
        presence.leave(&list, &who("ana"));
        presence.leave(&list, &who("ben"));
        assert_eq!(people(presence.of(&list)), [("ana".to_owned(), 1)]);
        presence.leave(&list, &who("ana"));
        assert!(presence.rooms.lock().open.is_empty());
    }

    #[test]
    fn those_who_come_and_go_between_two_looks_are_told_once() {
        let (presence, list) = (Presence::default(), ListId::new("weekly").unwrap());
        presence.join(&list, &who("ana"));
        assert_eq!(presence.changed().now_or_never(), None, "a session that is alone knows it from the start of the topic");
        for _ in 0..100 {
            presence.join(&list, &who("ben"));
            presence.leave(&list, &who("ben"));
        }
        assert_eq!(presence.changed().now_or_never(), Some(vec![list]));
        assert_eq!(presence.changed().now_or_never(), None);
    }

    #[test]
    fn a_crowd_is_counted_beyond_the_first_fifty() {
        let (presence, list) = (Presence::default(), ListId::new("weekly").unwrap());
        (0..60).for_each(|number| presence.join(&list, &who(&format!("p{number:02}"))));
        let present = presence.of(&list);
        assert_eq!((present.present.len(), present.more), (50, 10));
    }
}
