//! The registry's end of an actor: its address, its newest view, and the news that waits for it.

use std::{
    collections::HashSet,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering},
    },
};

use actix::Addr;
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;

use super::{
    entity::EntityActor,
    hosted::Hosted,
    message::{Loaded, NewsWaits},
};
use crate::{
    domain::{Moment, ProductId, StoreId},
    events::Position,
};

/// A fact of another stream that an entity's view depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum News {
    Price(ProductId, StoreId),
    Details(ProductId),
}

/// What waits for an actor: each fact once, however often it changed, so this is bounded by what the entity refers to.
#[derive(Debug, Default)]
struct Inbox {
    news: HashSet<News>,
    position: Position,
}

/// One active entity, shared by the registry, the projector and its actor.
#[derive(Debug)]
pub struct Handle<E: Hosted> {
    pub id: Arc<str>,
    address: OnceLock<Addr<EntityActor<E>>>,
    /// The newest view, while nothing changed since somebody asked for it.
    loaded: ArcSwapOption<Loaded<E>>,
    inbox: Mutex<Inbox>,
    /// Commands and loads on their way; bounds the mailbox.
    waiting: AtomicUsize,
    last_used_micros: AtomicI64,
    /// Set before the actor stops on purpose: a closed mailbox without it is a panic.
    resting: AtomicBool,
}

impl<E: Hosted> Handle<E> {
    pub(super) fn new(id: &str, now: Moment) -> Self {
        Self {
            id: Arc::from(id),
            address: OnceLock::new(),
            loaded: ArcSwapOption::empty(),
            inbox: Mutex::default(),
            waiting: AtomicUsize::new(0),
            last_used_micros: AtomicI64::new(now.0),
            resting: AtomicBool::new(false),
        }
    }

    pub(super) fn set_address(&self, address: Addr<EntityActor<E>>) {
        let _ = self.address.set(address);
    }

    pub(super) fn address(&self) -> &Addr<EntityActor<E>> {
        self.address.get().expect("the address is set before the handle is shared, because the registry does both under its lock")
    }

    /// The newest view, if nothing changed since it was made and time has not overtaken it.
    #[must_use]
    pub fn loaded(&self, now: Moment) -> Option<Arc<Loaded<E>>> {
        self.loaded.load_full().filter(|loaded| loaded.fresh_until.is_none_or(|until| now < until))
    }

    /// Keeps a view for the next reader, unless news arrived meanwhile.
    pub(super) fn keep_loaded(&self, loaded: &Arc<Loaded<E>>) {
        let inbox = self.inbox.lock();
        if inbox.news.is_empty() {
            self.loaded.store(Some(Arc::clone(loaded)));
        }
    }

    pub(super) fn forget_loaded(&self) {
        self.loaded.store(None);
    }

    /// Leaves news for the actor and wakes it if it was not yet woken.
    pub(super) fn tell(&self, news: News, position: Position) {
        let first = {
            let mut inbox = self.inbox.lock();
            let first = inbox.news.is_empty();
            inbox.news.insert(news);
            inbox.position = inbox.position.max(position);
            self.loaded.store(None);
            first
        };
        if first {
            // `do_send` ignores the mailbox's capacity. Safe here: at most one wake-up is under way per actor.
            self.address().do_send(NewsWaits);
        }
    }

    /// The newest position that news spoke of so far.
    pub(super) fn news_position(&self) -> Position {
        self.inbox.lock().position
    }

    /// Takes everything that waits.
    pub fn take_news(&self) -> HashSet<News> {
        let mut inbox = self.inbox.lock();
        std::mem::take(&mut inbox.news)
    }

    /// Reserves a place in the mailbox; `None` when `max` are waiting already.
    pub(super) fn enter(self: &Arc<Self>, max: usize, now: Moment) -> Option<Waiting<E>> {
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= max {
            self.waiting.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        self.touch(now);
        Some(Waiting(Arc::clone(self)))
    }

    pub(super) fn touch(&self, now: Moment) {
        self.last_used_micros.store(now.0, Ordering::Relaxed);
    }

    /// Whether nobody used it since `before` and nothing is on its way to it.
    pub(super) fn idle_since(&self, before: Moment) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0 && self.last_used_micros.load(Ordering::Relaxed) < before.0
    }

    pub(super) fn set_resting(&self) {
        self.resting.store(true, Ordering::Release);
    }

    pub(super) fn is_resting(&self) -> bool {
        self.resting.load(Ordering::Acquire)
    }
}

/// A place in an actor's mailbox, given back on drop.
#[derive(Debug)]
pub(super) struct Waiting<E: Hosted>(Arc<Handle<E>>);

impl<E: Hosted> Drop for Waiting<E> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}
