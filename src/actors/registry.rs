//! The registry: finds the actor of an entity or wakes it, keeps it while it is used, lets it rest when it is not.

use std::{
    collections::HashMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use actix::{Actor, MailboxError};
use futures_util::future::LocalBoxFuture;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::{
    entity::EntityActor,
    failure::Failure,
    handle::{Closed, Handle, Waiting},
    hosted::Hosted,
    message::{Done, Execute, Load, Loaded, Request, Rest},
    room::{self, Candidates, Turn},
    shared::{MAILBOX_MAX, RegistryCounters, Shared, count},
    threads::Threads,
};
use crate::{
    domain::{Moment, StreamId, entities::entities},
    sharded::Sharded,
};

/// How often a command that met an actor going to rest is passed to its successor.
const REST_RETRIES_MAX: u32 = 3;
/// How long stopping waits for actors to finish what they do.
const STOP_WAIT: Duration = Duration::from_secs(5);

type Handles<E> = HashMap<Arc<str>, Arc<Handle<E>>, ahash::RandomState>;

/// The active entities of one kind.
pub struct Directory<E: Hosted> {
    shards: Sharded<Mutex<Handles<E>>>,
}

impl<E: Hosted> Default for Directory<E> {
    fn default() -> Self {
        Self { shards: Sharded::default() }
    }
}

macro_rules! directories {
    ($($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*) => {
        /// One directory per kind of entity.
        #[derive(Default)]
        pub struct Directories {
            $(pub $directory: Directory<crate::domain::$module::$entity>,)*
        }

        impl Directories {
            fn rest_idle(&self, before: Moment, shared: &Shared) {
                $(self.$directory.rest_idle(before, shared);)*
            }

            fn candidates(&self, shared: &Shared) -> Candidates {
                let mut all = Candidates::new();
                $(self.$directory.candidates(shared, &mut all);)*
                all
            }

            fn rest_upto(&self, last: Turn, shared: &Shared) {
                $(self.$directory.rest_upto(last, shared);)*
            }

            /// Sends everybody to rest; each future ends when its entity has.
            fn rest_all(&self, shared: &Shared) -> Vec<LocalBoxFuture<'static, ()>> {
                [$(self.$directory.rest_all(shared)),*].into_iter().flatten().collect()
            }
        }

        $(impl Listed for crate::domain::$module::$entity {
            fn directory(directories: &Directories) -> &Directory<Self> {
                &directories.$directory
            }
        })*
    };
}

entities!(each directories);

/// An entity whose active ones are on a directory of the registry.
pub trait Listed: Sized {
    fn directory(directories: &Directories) -> &Directory<Self>
    where
        Self: Hosted;
}

struct Inner {
    directories: Directories,
    shared: Arc<Shared>,
    threads: Arc<Threads>,
    hasher: ahash::RandomState,
    stopping: AtomicBool,
    /// One look for those who can rest at a time: while it goes on, others need not look, too.
    making_room: Mutex<()>,
}

/// Every entity that is awake. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

impl Registry {
    /// An empty registry whose entities run on these threads. Must be called inside an actix system.
    #[must_use]
    pub fn start(shared: Arc<Shared>, threads: Arc<Threads>) -> Self {
        let registry = Self(Arc::new(Inner {
            directories: Directories::default(),
            shared,
            threads,
            hasher: ahash::RandomState::new(),
            stopping: AtomicBool::new(false),
            making_room: Mutex::default(),
        }));
        registry.sweep_regularly();
        registry
    }

    /// Lets the one actor of an entity decide a command.
    ///
    /// # Errors
    /// See [`Failure`]; only `OutcomeUnknown` leaves open whether anything was recorded.
    pub async fn execute<E: Hosted>(&self, id: &str, request: Request<E::Command>) -> Result<Done<E::View>, Failure> {
        let (handle, waiting) = self.enter::<E>(id)?;
        handle.place.command();
        match handle.address().send(Execute(request, waiting)).await {
            Ok(answer) => {
                if answer.is_err() {
                    self.let_go_of_nothing(&handle);
                }
                answer
            }
            // It may have been recorded just before the end.
            Err(MailboxError::Closed | MailboxError::Timeout) => Err(Failure::OutcomeUnknown(self.after_closed(&handle))),
        }
    }

    /// The current entity; version zero if it does not exist. Served without a hop while nothing changed.
    ///
    /// # Errors
    /// `Poisoned` or `Overloaded`.
    pub async fn load<E: Hosted>(&self, id: &str) -> Result<Arc<Loaded<E>>, Failure> {
        let handle = match self.find::<E>(id)? {
            Some(handle) => handle,
            None if !self.has_history::<E>(id)? => return Ok(Arc::new(Loaded::nothing())),
            None => self.find_or_wake::<E>(id)?,
        };
        let now = self.now();
        if let Some(loaded) = handle.loaded(now) {
            handle.touch(now);
            return Ok(loaded);
        }
        let (handle, waiting) = self.enter::<E>(id)?;
        match handle.address().send(Load(waiting)).await {
            Ok(answer) => answer,
            Err(MailboxError::Closed | MailboxError::Timeout) => Err(Failure::Internal(self.after_closed(&handle))),
        }
    }

    /// How many entities are awake, and the counters so far.
    #[must_use]
    pub fn counters(&self) -> RegistryCounters {
        self.0.shared.counters.read()
    }

    /// What the actors share.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.0.shared
    }

    /// Refuses new commands and lets every entity finish and rest.
    pub async fn stop(&self) {
        self.0.stopping.store(true, Ordering::Release);
        let finished = futures_util::future::join_all(self.0.directories.rest_all(&self.0.shared));
        if tokio::time::timeout(STOP_WAIT, finished).await.is_err() {
            tracing::warn!(alive = self.counters().alive, "some entities did not finish in time; everything acknowledged is in the log");
        }
    }

    /// Accepts commands again after a stop.
    pub fn resume(&self) {
        self.0.stopping.store(false, Ordering::Release);
    }

    /// Sends every entity to rest, as if all had been idle for long.
    #[cfg(test)]
    pub(super) async fn rest_everybody(&self) {
        futures_util::future::join_all(self.0.directories.rest_all(&self.0.shared)).await;
    }

    fn now(&self) -> Moment {
        self.0.shared.clock.now()
    }

    /// A place in the mailbox of an entity's actor; one that goes to rest is given up for its successor.
    fn enter<E: Hosted>(&self, id: &str) -> Result<(Arc<Handle<E>>, Waiting<E>), Failure> {
        for _ in 0..REST_RETRIES_MAX {
            let handle = self.find_or_wake::<E>(id)?;
            if !handle.address().connected() {
                // It died with nobody inside, so no command was begun.
                self.after_closed(&handle);
                continue;
            }
            match handle.enter(MAILBOX_MAX, self.now()) {
                Ok(waiting) => return Ok((handle, waiting)),
                Err(Closed::Leaving) => {}
                Err(Closed::Full) => {
                    count(&self.0.shared.counters.mailbox_refusals);
                    return Err(Failure::Overloaded { what: "the entity's mailbox", retry_after_seconds: 1 });
                }
            }
        }
        Err(Failure::Overloaded { what: "the entity", retry_after_seconds: 1 })
    }

    fn find<E: Hosted>(&self, id: &str) -> Result<Option<Arc<Handle<E>>>, Failure> {
        if self.0.stopping.load(Ordering::Acquire) {
            return Err(Failure::Overloaded { what: "the server (stopping or restoring a snapshot)", retry_after_seconds: 5 });
        }
        Ok(self.shard::<E>(id).lock().get(id).cloned())
    }

    fn find_or_wake<E: Hosted>(&self, id: &str) -> Result<Arc<Handle<E>>, Failure> {
        if let Some(handle) = self.find::<E>(id)? {
            return Ok(handle);
        }
        self.room_for_one_more()?;
        let mut shard = self.shard::<E>(id).lock();
        if let Some(handle) = shard.get(id) {
            return Ok(Arc::clone(handle));
        }
        let handle = self.wake::<E>(id)?;
        shard.insert(Arc::clone(&handle.id), Arc::clone(&handle));
        self.0.shared.counters.usage.listed.fetch_add(1, Ordering::Relaxed);
        Ok(handle)
    }

    /// Whether anything ever happened to an entity: a look at the log's heads, which are in memory.
    fn has_history<E: Hosted>(&self, id: &str) -> Result<bool, Failure> {
        Ok(self.0.shared.log.stream_head(&stream_of::<E>(id)?).is_some())
    }

    /// A refused command for something that does not exist leaves nothing behind.
    fn let_go_of_nothing<E: Hosted>(&self, handle: &Arc<Handle<E>>) {
        if self.has_history::<E>(&handle.id).is_ok_and(|has| !has) && handle.leave_if_empty() {
            self.forget(handle);
            drop(rest(handle));
        }
    }

    fn wake<E: Hosted>(&self, id: &str) -> Result<Arc<Handle<E>>, Failure> {
        let stream = stream_of::<E>(id)?;
        let handle = Arc::new(Handle::new(id, self.now()));
        let (inside, shared) = (Arc::clone(&handle), Arc::clone(&self.0.shared));
        let thread = self.0.threads.pick(self.0.hasher.hash_one(id));
        let address = EntityActor::start_in_arbiter(&thread, move |_| EntityActor::new(stream, inside, shared));
        handle.set_address(address);
        Ok(handle)
    }

    /// The limits are checked before a new actor starts; racing starts may exceed them, at most by the number of callers.
    fn room_for_one_more(&self) -> Result<(), Failure> {
        let Shared { limits, counters, .. } = &*self.0.shared;
        if room::is_full(limits.room(), &counters.usage) {
            self.make_room();
        }
        if !room::is_full(limits.room(), &counters.usage) {
            return Ok(());
        }
        count(&counters.mailbox_refusals);
        Err(Failure::Overloaded { what: "the table of active entities", retry_after_seconds: 1 })
    }

    /// Sends some to rest if the limits are reached.
    fn make_room(&self) {
        let Some(_alone) = self.0.making_room.try_lock() else { return };
        let (directories, shared) = (&self.0.directories, &*self.0.shared);
        if room::is_full(shared.limits.room(), &shared.counters.usage)
            && let Some(last) = room::last_to_rest(directories.candidates(shared), shared.limits.room(), &shared.counters.usage)
        {
            directories.rest_upto(last, shared);
        }
    }

    /// A mailbox that closed before it answered: the actor panicked, or the server stops. Nobody who is inside meets one that
    /// went to rest.
    fn after_closed<E: Hosted>(&self, handle: &Arc<Handle<E>>) -> String {
        self.forget(handle);
        if self.0.stopping.load(Ordering::Acquire) {
            return "the server stopped before the entity answered".into();
        }
        count(&self.0.shared.counters.panics);
        tracing::error!(kind = E::KIND.as_str(), id = %handle.id, "an entity's actor panicked; it is reloaded from the log");
        "the entity's actor panicked; it is reloaded from the log".into()
    }

    fn forget<E: Hosted>(&self, handle: &Arc<Handle<E>>) {
        let mut shard = self.shard::<E>(&handle.id).lock();
        if shard.get(&handle.id).is_some_and(|held| Arc::ptr_eq(held, handle)) {
            shard.remove(&handle.id);
            drop(shard);
            handle.place.leave(&self.0.shared.counters.usage);
            self.0.shared.counters.usage.listed.fetch_sub(1, Ordering::Relaxed);
        }
    }

    fn shard<E: Hosted>(&self, id: &str) -> &Mutex<Handles<E>> {
        E::directory(&self.0.directories).shards.of(id)
    }

    /// Lets idle entities rest, from the main thread's timer.
    fn sweep_regularly(&self) {
        let weak = Arc::downgrade(&self.0);
        let every = Duration::from_secs(u64::from((self.0.shared.limits.idle_seconds / 4).clamp(1, 30)));
        actix_rt::spawn(async move {
            let mut ticks = actix_rt::time::interval(every);
            loop {
                ticks.tick().await;
                let Some(inner) = weak.upgrade() else { return };
                Self(inner).sweep();
            }
        });
    }

    fn sweep(&self) {
        self.rest_idle(Moment(self.now().0 - i64::from(self.0.shared.limits.idle_seconds) * 1_000_000));
        self.make_room();
    }

    /// Sends those to rest that were not used since.
    pub(super) fn rest_idle(&self, before: Moment) {
        self.0.directories.rest_idle(before, &self.0.shared);
    }
}

impl<E: Hosted> Directory<E> {
    fn rest_idle(&self, before: Moment, shared: &Shared) {
        let leaves = |handle: &Handle<E>| !E::is_watched(&handle.id, shared) && handle.leave_idle(before);
        self.take(leaves, shared).for_each(|handle| drop(rest(&handle)));
    }

    fn candidates(&self, shared: &Shared, all: &mut Candidates) {
        for shard in self.shards.iter() {
            all.extend(
                shard
                    .lock()
                    .values()
                    .filter(|handle| !E::is_watched(&handle.id, shared))
                    .map(|handle| (handle.turn(), handle.place.bytes())),
            );
        }
    }

    fn rest_upto(&self, last: Turn, shared: &Shared) {
        let leaves = |handle: &Handle<E>| handle.turn() <= last && !E::is_watched(&handle.id, shared) && handle.leave_if_empty();
        self.take(leaves, shared).for_each(|handle| drop(rest(&handle)));
    }

    fn rest_all(&self, shared: &Shared) -> Vec<LocalBoxFuture<'static, ()>> {
        let leave = |handle: &Handle<E>| {
            handle.leave();
            true
        };
        let resting = self.take(leave, shared).map(|handle| -> LocalBoxFuture<'static, ()> {
            let gone = rest(&handle);
            Box::pin(async move {
                let _ = gone.await;
            })
        });
        resting.collect()
    }

    /// Takes leaving handles off the directory.
    fn take(&self, leaves: impl Fn(&Handle<E>) -> bool, shared: &Shared) -> impl Iterator<Item = Arc<Handle<E>>> {
        self.shards.iter().flat_map(move |shard| {
            let gone: Vec<_> = shard.lock().extract_if(|_, handle| leaves(handle)).map(|(_, handle)| handle).collect();
            gone.iter().for_each(|handle| handle.place.leave(&shared.counters.usage));
            shared.counters.usage.listed.fetch_sub(gone.len(), Ordering::Relaxed);
            gone
        })
    }
}

fn stream_of<E: Hosted>(id: &str) -> Result<StreamId, Failure> {
    StreamId::new(E::KIND, id).map_err(|error| Failure::Internal(error.to_string()))
}

/// Sends an actor that left the directory to rest. The returned receiver ends, with an error, when the actor is gone.
fn rest<E: Hosted>(handle: &Handle<E>) -> oneshot::Receiver<()> {
    let (farewell, gone) = oneshot::channel();
    // `do_send` ignores the mailbox's capacity. Safe here: a handle is sent to rest once, as it leaves the directory.
    handle.address().do_send(Rest(farewell));
    gone
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("counters", &self.counters()).finish_non_exhaustive()
    }
}
