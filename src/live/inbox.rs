//! From the publishers to one worker: a publication crosses threads once per worker, however many sessions it has there.

use std::{
    sync::Arc,
    task::{Context, Poll},
};

use futures_util::task::AtomicWaker;
use parking_lot::Mutex;

use super::{channel::Channel, close::Close, publication::Publication};
use crate::{
    domain::Principal,
    people::{CredentialId, Identity},
};

/// Whose sessions are meant.
#[derive(Debug, Clone)]
pub enum Whose {
    /// Those that a credential opened.
    Credential(CredentialId),
    /// Those of a person, also where somebody acts for or through it.
    Person(Principal),
}

impl Whose {
    /// Whether a sender is meant.
    #[must_use]
    pub fn is(&self, identity: &Identity) -> bool {
        match self {
            Self::Credential(id) => identity.credential == Some(*id),
            Self::Person(who) => identity.who == *who || identity.by.as_ref() == Some(who),
        }
    }
}

/// A message to a worker.
#[derive(Debug)]
pub enum Delivery {
    Publication(Arc<Channel>, Arc<Publication>),
    /// A principal's rights changed: topics that may no longer be followed are left.
    Recheck(Principal),
    /// Its sessions are closed.
    SignedOut(Whose),
    /// The server stops: every session is notified, and closed within the given time.
    Farewell(std::time::Duration),
    /// Every session is closed at once.
    End(Close),
}

/// The queue of one worker, bounded in bytes.
#[derive(Debug)]
pub struct Inbox {
    queue: Mutex<Queue>,
    waker: AtomicWaker,
    bytes_max: usize,
}

#[derive(Debug, Default)]
pub struct Queue {
    pub deliveries: Vec<Delivery>,
    bytes: usize,
    /// The queue overflowed: publications were dropped, and every session of this worker must restart.
    pub overflowed: bool,
}

impl Inbox {
    /// An empty queue for this many bytes of publications.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self { queue: Mutex::default(), waker: AtomicWaker::new(), bytes_max }
    }

    /// Adds publications that belong together; never blocks. Returns true on overflow.
    pub fn publish(&self, publications: impl IntoIterator<Item = (Arc<Channel>, Arc<Publication>)>) -> bool {
        let mut queue = self.queue.lock();
        for (channel, publication) in publications {
            queue.bytes += publication.bytes_of_all();
            queue.deliveries.push(Delivery::Publication(channel, publication));
        }
        let too_much = queue.bytes > self.bytes_max;
        if too_much {
            queue.deliveries.retain(|delivery| !matches!(delivery, Delivery::Publication(..)));
            queue.bytes = 0;
            queue.overflowed = true;
        }
        drop(queue);
        self.waker.wake();
        too_much
    }

    /// Adds something that is never dropped.
    pub fn tell(&self, delivery: Delivery) {
        self.queue.lock().deliveries.push(delivery);
        self.waker.wake();
    }

    /// Wakes the worker, even if nothing waits.
    pub fn nudge(&self) {
        self.waker.wake();
    }

    /// Takes everything waiting, or registers to be woken.
    pub fn poll_take(&self, context: &mut Context<'_>) -> Poll<Queue> {
        if let Some(queue) = self.take() {
            return Poll::Ready(queue);
        }
        self.waker.register(context.waker());
        // It may have arrived between the two.
        self.take().map_or(Poll::Pending, Poll::Ready)
    }

    fn take(&self) -> Option<Queue> {
        let mut queue = self.queue.lock();
        (!queue.deliveries.is_empty() || queue.overflowed).then(|| std::mem::take(&mut *queue))
    }
}
