//! The registry's end of an actor: its address, its newest view, and the news that waits for it.

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
};

use actix::Addr;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use super::{
    entity::EntityActor,
    hosted::Hosted,
    message::{Loaded, NewsWaits},
    room::{Place, Turn},
};
use crate::{
    domain::{Moment, ProductId, StoreId},
    events::Position,
};

/// Set in the count of those inside once the entity leaves: nobody enters after that.
const LEAVING: usize = 1 << (usize::BITS - 1);

/// A fact of another stream that an entity's view depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum News {
    Price(ProductId, StoreId),
    Details(ProductId),
    /// The household compares other stores.
    Compared,
}

/// What waits for an actor: each fact once, however often it changed, so this is bounded by what the entity refers to.
#[derive(Debug, Default)]
struct NewsQueue {
    news: HashSet<News>,
    position: Position,
}

/// One active entity, shared by the registry, the projector and its actor.
#[derive(Debug)]
pub struct Handle<E: Hosted> {
    pub id: Arc<str>,
    address: OnceLock<Addr<EntityActor<E>>>,
    /// The newest view, as long as nothing changed since it was last read.
    loaded: ArcSwapOption<Loaded<E>>,
    queue: Mutex<NewsQueue>,
    /// Commands and loads not yet answered, which bounds the mailbox; with `LEAVING` set, no more may come.
    waiting: AtomicUsize,
    last_used_micros: AtomicI64,
    pub(super) place: Place,
}

/// Why a message may not enter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Closed {
    /// The mailbox is full.
    Full,
    /// The entity is going to rest; its successor serves.
    Leaving,
}

impl<E: Hosted> Handle<E> {
    pub(super) fn new(id: &str, now: Moment) -> Self {
        Self {
            id: Arc::from(id),
            address: OnceLock::new(),
            loaded: ArcSwapOption::empty(),
            queue: Mutex::default(),
            waiting: AtomicUsize::new(0),
            last_used_micros: AtomicI64::new(now.0),
            place: Place::default(),
        }
    }

    pub(super) fn set_address(&self, address: Addr<EntityActor<E>>) {
        let _ = self.address.set(address);
    }

    pub(super) fn address(&self) -> &Addr<EntityActor<E>> {
        self.address.get().expect("the address is set before the handle is shared, because the registry does both under its lock")
    }

    /// The newest view, if nothing changed since it was made and it has not expired.
    #[must_use]
    pub fn loaded(&self, now: Moment) -> Option<Arc<Loaded<E>>> {
        self.loaded.load_full().filter(|loaded| loaded.fresh_until.is_none_or(|until| now < until))
    }

    /// Keeps a view for the next reader, unless news arrived meanwhile.
    pub(super) fn keep_loaded(&self, loaded: &Arc<Loaded<E>>) {
        let queue = self.queue.lock();
        if queue.news.is_empty() {
            self.loaded.store(Some(Arc::clone(loaded)));
        }
    }

    pub(super) fn forget_loaded(&self) {
        self.loaded.store(None);
    }

    /// Adds news for the actor and wakes it unless it was already woken.
    pub(super) fn tell(&self, news: News, position: Position) {
        let first = {
            let mut queue = self.queue.lock();
            let first = queue.news.is_empty();
            queue.news.insert(news);
            queue.position = queue.position.max(position);
            self.loaded.store(None);
            first
        };
        if first {
            // `do_send` ignores the mailbox's capacity. Safe here: at most one wake-up is under way per actor.
            self.address().do_send(NewsWaits);
        }
    }

    /// The newest position named by news so far.
    pub(super) fn news_position(&self) -> Position {
        self.queue.lock().position
    }

    /// Takes everything waiting.
    pub fn take_news(&self) -> HashSet<News> {
        let mut queue = self.queue.lock();
        std::mem::take(&mut queue.news)
    }

    /// Reserves a place in the mailbox. Its holder keeps the entity from going to rest, so that a command is never
    /// decided by one actor after its successor has read the log.
    pub(super) fn enter(self: &Arc<Self>, max: usize, now: Moment) -> Result<Waiting<E>, Closed> {
        let one_more = |inside: usize| (inside < max.min(LEAVING)).then_some(inside + 1);
        match self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more) {
            Ok(_) => {
                self.touch(now);
                Ok(Waiting(Arc::clone(self)))
            }
            Err(inside) if inside & LEAVING == 0 => Err(Closed::Full),
            Err(_) => Err(Closed::Leaving),
        }
    }

    pub(super) fn touch(&self, now: Moment) {
        self.last_used_micros.store(now.0, Ordering::Relaxed);
    }

    /// When it has to rest.
    pub(super) fn turn(&self) -> Turn {
        self.place.turn(self.last_used_micros.load(Ordering::Relaxed))
    }

    /// Leaves if nobody is inside. After that nobody enters.
    pub(super) fn leave_if_empty(&self) -> bool {
        self.waiting.compare_exchange(0, LEAVING, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }

    /// Leaves if nobody used it since `before` and nobody is inside. After that nobody enters.
    pub(super) fn leave_idle(&self, before: Moment) -> bool {
        self.last_used_micros.load(Ordering::Relaxed) < before.0 && self.leave_if_empty()
    }

    /// Waits for those inside: they are answered first, nobody else enters.
    pub(super) fn leave(&self) {
        self.waiting.fetch_or(LEAVING, Ordering::AcqRel);
    }
}

/// A place in an actor's mailbox. It travels with the message and is released when that is answered, even if nobody waits
/// for the answer any more.
#[derive(Debug)]
pub(super) struct Waiting<E: Hosted>(Arc<Handle<E>>);

impl<E: Hosted> Drop for Waiting<E> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
