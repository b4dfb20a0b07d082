//! The actor of one entity: load, decide, append at the expected version, evolve only what the log committed, answer.

use std::{
    sync::{Arc, OnceLock, atomic::Ordering},
    time::Duration,
};

use actix::{
    Actor, ActorContext, ActorFutureExt, AsyncContext, AtomicResponse, Context, ContextFutureSpawner, Handler, SpawnHandle, WrapFuture,
    fut::LocalBoxActorFuture,
};
use tokio::sync::oneshot;

use super::{
    failure::Failure,
    handle::Handle,
    hosted::{Environment, Hosted},
    hydrate::{Hydrated, catch_up, hydrate},
    memos::Memo,
    message::{Done, Execute, Expected, Load, Loaded, NewsWaits, Request, Rest},
    recent::{Answered, Recall},
    room::weight,
    shared::{CONFLICT_RETRIES_MAX, MAILBOX_MAX, MEMO_EVERY_EVENTS, Shared, count},
};
use crate::{
    domain::{Decision, Moment, Outcome, Refusal, StreamId, decide_all},
    events::{Append, AppendError, CommandMark, Position, log::Appended, served::HistoryChanged},
};

/// A stale view is checked again no sooner than this, so that a stopped clock causes no busy loop.
const LOOK_SOONEST: Duration = Duration::from_millis(10);
/// A timer runs no longer than this; then the actor checks whether the moment has come.
const LOOK_LATEST: Duration = Duration::from_hours(24);

type Answer<E> = Result<Done<<E as Hosted>::View>, Failure>;
type Work<E> = LocalBoxActorFuture<EntityActor<E>, Answer<E>>;

/// The one environment where commands for an entity are decided, one at a time.
pub struct EntityActor<E: Hosted> {
    stream: StreamId,
    handle: Arc<Handle<E>>,
    shared: Arc<Shared>,
    /// The fold of the stream's committed events.
    entity: Hydrated<E>,
    /// What the entity keeps next to its state; absent until it is awake.
    derived: Option<E::Derived>,
    /// Up to where the view takes other streams into account; never decreases.
    as_of: Position,
    /// Why the entity cannot serve: its own history cannot be replayed.
    poison: Option<Failure>,
    /// When it checks again because its view changes by time alone, and the timer for that.
    expiry: Option<(Moment, SpawnHandle)>,
    /// Dropped with the actor: the sender that put it to rest learns that it is gone.
    farewell: Option<oneshot::Sender<()>>,
}

impl<E: Hosted> EntityActor<E> {
    pub(super) fn new(stream: StreamId, handle: Arc<Handle<E>>, shared: Arc<Shared>) -> Self {
        // Counted here and not at its start, because `drop` subtracts it even if it never starts.
        shared.counters.alive.fetch_add(1, Ordering::Relaxed);
        Self {
            stream,
            handle,
            shared,
            entity: Hydrated::default(),
            derived: None,
            as_of: Position::START,
            poison: None,
            expiry: None,
            farewell: None,
        }
    }
}

impl<E: Hosted> Actor for EntityActor<E> {
    type Context = Context<Self>;

    /// Reads the entity before any message is handled. Reading blocks, so it happens on a thread that may.
    fn started(&mut self, context: &mut Context<Self>) {
        context.set_mailbox_capacity(MAILBOX_MAX);
        count(&self.shared.counters.started);
        if self.shared.log.stream_head(&self.stream).is_none() {
            return self.wake(Ok(Hydrated::default()));
        }
        let (shared, stream) = (Arc::clone(&self.shared), self.stream.clone());
        let reading =
            actix::fut::wrap_future::<_, Self>(tokio::task::spawn_blocking(move || hydrate::<E>(&*shared.log, &shared.memos, &stream)));
        reading.map(|read, actor, _| actor.wake(read.unwrap_or_else(|error| Err(Failure::Internal(error.to_string()))))).wait(context);
    }

    fn stopped(&mut self, _context: &mut Context<Self>) {
        count(&self.shared.counters.rested);
    }
}

impl<E: Hosted> Drop for EntityActor<E> {
    /// Runs after a panic too, when `stopped` does not: a dead actor's last view must not be served.
    fn drop(&mut self) {
        self.handle.forget_loaded();
        self.handle.place.leave(&self.shared.counters.usage);
        if let Some(mut derived) = self.derived.take() {
            E::release(&mut derived, &self.environment());
        }
        self.shared.counters.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

impl<E: Hosted> Handler<Execute<E>> for EntityActor<E> {
    type Result = AtomicResponse<Self, Answer<E>>;

    fn handle(&mut self, Execute(request, waiting): Execute<E>, _context: &mut Context<Self>) -> Self::Result {
        let answered = self.attempt(request, 0).map(move |answer, actor, context| {
            actor.look_when_stale(context);
            drop(waiting);
            answer
        });
        AtomicResponse::new(Box::pin(answered))
    }
}

impl<E: Hosted> Handler<Load<E>> for EntityActor<E> {
    type Result = Result<Arc<Loaded<E>>, Failure>;

    fn handle(&mut self, Load(_waiting): Load<E>, context: &mut Context<Self>) -> Self::Result {
        if let Some(poison) = &self.poison {
            return Err(poison.clone());
        }
        self.take_in_news();
        self.look_when_stale(context);
        let loaded = Arc::new(Loaded {
            state: self.entity.state.clone(),
            version: self.entity.version,
            position: self.as_of,
            view: self.view(),
            fresh_until: self.derived.as_ref().and_then(E::fresh_until),
            rendered: OnceLock::new(),
        });
        self.handle.keep_loaded(&loaded);
        Ok(loaded)
    }
}

impl<E: Hosted> Handler<NewsWaits> for EntityActor<E> {
    type Result = ();

    fn handle(&mut self, _: NewsWaits, context: &mut Context<Self>) {
        self.take_in_news();
        self.look_when_stale(context);
    }
}

impl<E: Hosted> Handler<Rest> for EntityActor<E> {
    type Result = ();

    fn handle(&mut self, Rest(farewell): Rest, context: &mut Context<Self>) {
        self.farewell = Some(farewell);
        if self.entity.version >= self.entity.memo_version + MEMO_EVERY_EVENTS {
            let state = std::mem::take(&mut self.entity.state);
            let recent = std::mem::take(&mut self.entity.recent);
            let memo = Memo::new(self.stream.clone(), self.entity.version, self.entity.position, self.entity.at, state, recent);
            self.shared.memos.save(&memo);
        }
        context.stop();
    }
}

impl<E: Hosted> EntityActor<E> {
    /// Decides and appends; retries at most this many lost races.
    fn attempt(&mut self, request: Request<E::Command>, tries: u32) -> Work<E> {
        match self.decide(&request) {
            Ok((append, outcome)) => {
                let pending = self.shared.log.append(append);
                Box::pin(pending.into_actor(self).then(move |answer, actor, _| actor.settle(answer, outcome, request, tries)))
            }
            Err(answer) => Box::pin(actix::fut::ready(*answer)),
        }
    }

    /// What to append, or the answer if nothing is to be recorded.
    fn decide(&mut self, request: &Request<E::Command>) -> Result<(Append, Outcome), Box<Answer<E>>> {
        if let Some(answer) = self.answer_early(request) {
            return Err(Box::new(answer));
        }
        let decision = E::check_own(self.stream.id(), &request.command).and_then(|()| self.decide_by_rules(request));
        let Decision { outcome, events } = match decision {
            Ok(decision) => decision,
            Err(refusal) => return Err(Box::new(Err(refusal.into()))),
        };
        if events.is_empty() {
            return Err(Box::new(Ok(self.unchanged(request, outcome))));
        }
        let append = Append {
            stream: self.stream.clone(),
            expected_version: self.entity.version,
            who: request.context.who.clone(),
            by: request.context.by.clone(),
            command: request.key.as_ref().map(|key| CommandMark { id: key.id.clone(), digest: key.digest, outcome }),
            client: request.client.clone(),
            events: events.into_iter().map(Into::into).collect(),
        };
        Ok((append, outcome))
    }

    /// A single command is by far the most common case, and needs no copy of the state.
    fn decide_by_rules(&self, request: &Request<E::Command>) -> Result<Decision<E::Event>, Refusal> {
        if request.more.is_empty() {
            return E::decide(&self.entity.state, &request.command, &request.context);
        }
        let commands: Vec<_> = std::iter::once(&request.command).chain(&request.more).cloned().collect();
        decide_all::<E>(&self.entity.state, &commands, &request.context)
    }

    /// The answers that need no decision: poison, a repetition, a stale `If-Match`. Only who may command learns of the last two.
    fn answer_early(&self, request: &Request<E::Command>) -> Option<Answer<E>> {
        if let Some(poison) = &self.poison {
            return Some(Err(poison.clone()));
        }
        if let Err(refusal) = E::check_right(&self.entity.state, &request.command, &request.context) {
            return Some(Err(refusal.into()));
        }
        if let Some(key) = &request.key {
            match self.entity.recent.recall(key) {
                Recall::New => {}
                Recall::Repeated(first) => return Some(Ok(self.repeated(first))),
                Recall::Reused => return Some(Err(Failure::KeyReused { id: key.id.clone() })),
            }
        }
        self.check_version(request.if_version?).err().map(Err)
    }

    /// A version that was seen counts only with the mark of the entity's newest event: another history may have had that number too.
    fn check_version(&self, expected: Expected) -> Result<(), Failure> {
        let (actual, mark) = (self.entity.version, self.shared.lineage.mark_at(self.entity.position));
        let number = match expected {
            Expected::Here(number) => number,
            Expected::Seen(seen) if seen.mark == mark => seen.number,
            Expected::Seen(seen) => return Err(Failure::HistoryChanged(HistoryChanged(seen))),
        };
        if number == actual { Ok(()) } else { Err(Failure::VersionMismatch { expected: number, actual }) }
    }

    /// Continues after the log's answer.
    fn settle(&mut self, answer: Result<Appended, AppendError>, outcome: Outcome, request: Request<E::Command>, tries: u32) -> Work<E> {
        let failure = match answer {
            Ok(recorded) => return Box::pin(actix::fut::ready(Ok(self.commit(&recorded, outcome)))),
            Err(AppendError::Conflict { .. }) if tries < CONFLICT_RETRIES_MAX => {
                count(&self.shared.counters.conflicts);
                return self.reload(move |actor| actor.attempt(request, tries + 1));
            }
            Err(AppendError::Unknown(reason)) => {
                tracing::warn!(stream = %self.stream, reason, "the outcome of an append is unknown; reading the stream again");
                return self.reload(move |actor| actor.after_unknown(&request, reason));
            }
            Err(AppendError::Conflict { .. }) => Failure::Overloaded { what: "the entity's stream", retry_after_seconds: 1 },
            Err(AppendError::Overloaded { .. }) => Failure::Overloaded { what: "the log's queue", retry_after_seconds: 1 },
            Err(AppendError::ReadOnly(reason)) => Failure::ReadOnly(reason),
            Err(AppendError::NoRoom(reason)) => Failure::NoRoom(reason),
            Err(error @ AppendError::TooLarge { .. }) => Failure::Refused(too_large(&error)),
        };
        Box::pin(actix::fut::ready(Err(failure)))
    }

    /// Reads what was recorded meanwhile, then continues.
    fn reload(&mut self, go_on: impl FnOnce(&mut Self) -> Work<E> + 'static) -> Work<E> {
        let (shared, stream) = (Arc::clone(&self.shared), self.stream.clone());
        let mut entity = std::mem::take(&mut self.entity);
        let reading = tokio::task::spawn_blocking(move || catch_up(&*shared.log, &stream, &mut entity).map(|()| entity));
        Box::pin(reading.into_actor(self).then(move |read, actor, _| {
            actor.wake(read.unwrap_or_else(|error| Err(Failure::Internal(error.to_string()))));
            go_on(actor)
        }))
    }

    /// A named command found in the stream was recorded; for any other it stays unknown.
    fn after_unknown(&mut self, request: &Request<E::Command>, reason: String) -> Work<E> {
        let answer = match request.key.as_ref().map(|key| self.entity.recent.recall(key)) {
            Some(Recall::Repeated(first)) if self.poison.is_none() => Ok(Done { repeated: false, ..self.repeated(first) }),
            _ => Err(Failure::OutcomeUnknown(reason)),
        };
        Box::pin(actix::fut::ready(answer))
    }

    /// Applies what the log committed, and only now.
    fn commit(&mut self, recorded: &Appended, outcome: Outcome) -> Done<E::View> {
        self.handle.forget_loaded();
        let mut subject = None;
        for event in recorded {
            self.entity.record(event);
            subject = subject.or_else(|| E::subject(&event.event));
            if let Some(mut derived) = self.derived.take() {
                E::recorded(&mut derived, &self.entity.state, event, &self.environment());
                self.derived = Some(derived);
            }
        }
        self.as_of = self.as_of.max(self.entity.position);
        self.handle.place.grow(recorded.len(), &self.shared.counters.usage);
        self.announce();
        Done { outcome, version: self.entity.version, position: self.entity.position, subject, repeated: false, view: self.brief() }
    }

    fn unchanged(&mut self, request: &Request<E::Command>, outcome: Outcome) -> Done<E::View> {
        let (version, position) = (self.entity.version, self.entity.position);
        if let Some(key) = &request.key {
            let answer = Answered { digest: key.digest, outcome, version, position, subject: None };
            self.entity.recent.remember(&key.id, answer);
        }
        Done { outcome, version, position, subject: None, repeated: false, view: self.brief() }
    }

    fn repeated(&self, first: Answered) -> Done<E::View> {
        Done {
            outcome: first.outcome,
            version: first.version,
            position: first.position,
            subject: first.subject,
            repeated: true,
            view: self.brief(),
        }
    }

    /// Starts over from the log.
    fn wake(&mut self, read: Result<Hydrated<E>, Failure>) {
        match read {
            Ok(entity) => {
                self.handle.place.weigh(weight(&(&entity.state, &entity.recent)), &self.shared.counters.usage);
                self.entity = entity;
                self.as_of = self.as_of.max(self.entity.position);
                self.derive();
            }
            Err(failure) => {
                tracing::error!(stream = %self.stream, %failure, "an entity cannot be read and refuses commands");
                self.poison = Some(failure);
            }
        }
    }

    /// Sets the derived up; listeners are notified if it replaces one that missed events.
    fn derive(&mut self) {
        let missed = self.derived.take();
        let again = missed.is_some();
        if let Some(mut derived) = missed {
            E::release(&mut derived, &self.environment());
            self.handle.forget_loaded();
        }
        self.derived = Some(E::derive(&self.entity.state, &self.environment()));
        if again {
            self.announce();
        }
    }

    fn take_in_news(&mut self) {
        let Some(mut derived) = self.derived.take() else { return };
        // Read before the news is taken: what arrives meanwhile must not count as applied.
        let told = self.handle.news_position();
        let changed = E::read_news(&mut derived, &self.entity.state, &self.environment());
        self.derived = Some(derived);
        self.as_of = self.as_of.max(told);
        if changed {
            self.announce();
        }
    }

    /// Checks again when the view changes by time alone, so that listeners hear of it like any other change.
    fn look_when_stale(&mut self, context: &mut Context<Self>) {
        let until = self.derived.as_ref().and_then(E::fresh_until);
        if self.expiry.as_ref().map(|(at, _)| *at) == until {
            return;
        }
        if let Some((_, timer)) = self.expiry.take() {
            context.cancel_future(timer);
        }
        self.expiry = until.map(|until| {
            let micros = u64::try_from(until.0.saturating_sub(self.shared.clock.now().0)).unwrap_or(0);
            let wait = Duration::from_micros(micros).clamp(LOOK_SOONEST, LOOK_LATEST);
            let timer = context.run_later(wait, |actor, context| {
                actor.expiry = None;
                actor.take_in_news();
                actor.look_when_stale(context);
            });
            (until, timer)
        });
    }

    fn announce(&mut self) {
        let Some(mut derived) = self.derived.take() else { return };
        E::announce(&mut derived, &self.entity.state, self.as_of, &self.environment());
        self.derived = Some(derived);
    }

    fn view(&self) -> E::View {
        E::view(self.derived(), &self.entity.state)
    }

    fn brief(&self) -> E::View {
        E::brief(self.derived(), &self.entity.state)
    }

    fn derived(&self) -> &E::Derived {
        self.derived.as_ref().expect("the derived is open, because commands are answered early while the entity is poisoned")
    }

    fn environment(&self) -> Environment<'_, E> {
        Environment { id: self.stream.id(), handle: &self.handle, shared: &self.shared }
    }
}

fn too_large(error: &AppendError) -> crate::domain::Refusal {
    crate::domain::Refusal::new(crate::domain::RefusalKind::Invalid, "command_too_large", error.to_string())
}
