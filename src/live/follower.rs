//! One session's place in one channel: what was sent, what is held back while its history is read, and how fast it wants states.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    channel::Channel,
    outbox::Outbox,
    pace::{Pace, Turn},
    publication::{Class, Publication},
};
use crate::events::Position;

/// One session's place in one channel.
#[derive(Debug)]
pub struct Follower {
    channel: Arc<Channel>,
    outbox: Rc<Outbox>,
    /// The newest event sent, in the history or as a push. Events up to here are dropped: the log may be ahead of what is published.
    told: Cell<Position>,
    /// While the history is read: what was published meanwhile.
    gate: RefCell<Option<Vec<Arc<Publication>>>>,
    /// Absent if states are not slowed.
    pace: RefCell<Option<Box<Pace>>>,
    /// When its worker will check for due states.
    expected: Cell<Option<Instant>>,
}

/// The fate of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// It waits to be written, or was already sent.
    Done,
    /// Too much waits: the session is closing.
    TooMuch,
    /// A state that is due later.
    Later(Instant),
}

impl Follower {
    /// A place behind a closed gate.
    #[must_use]
    pub fn new(channel: Arc<Channel>, outbox: Rc<Outbox>) -> Rc<Self> {
        Rc::new(Self {
            channel,
            outbox,
            told: Cell::new(Position::START),
            gate: RefCell::new(Some(Vec::new())),
            pace: RefCell::new(None),
            expected: Cell::new(None),
        })
    }

    /// What it follows.
    #[must_use]
    pub fn channel(&self) -> &Arc<Channel> {
        &self.channel
    }

    /// Accepts a publication.
    pub fn deliver(self: &Rc<Self>, publication: &Arc<Publication>, now: Instant) -> Delivered {
        if let Some(gate) = self.gate.borrow_mut().as_mut() {
            gate.push(Arc::clone(publication));
            return done_unless(self.outbox.hold(self.bytes(publication)));
        }
        self.pass(publication, now)
    }

    /// Holds everything back while the history is read again. What waits in the outbox is held back too, so that a repeated
    /// subscription neither repeats nor loses an event.
    pub fn close_gate(self: &Rc<Self>) {
        let mut held = self.outbox.take_back(self);
        held.extend(self.pace.borrow_mut().as_mut().map(|pace| pace.take_all()).unwrap_or_default().into_iter().inspect(|one| {
            self.outbox.release(self.bytes(one));
        }));
        let bytes = held.iter().map(|publication| self.bytes(publication)).sum();
        let mut gate = self.gate.borrow_mut();
        match gate.as_mut() {
            // Behind a gate that is closed already, order is kept.
            Some(gate) => gate.splice(0..0, held).for_each(drop),
            None => *gate = Some(held),
        }
        drop(gate);
        self.outbox.hold(bytes);
    }

    /// Lets pushes flow from the end of the history just sent. Returns the moments at which states become due.
    pub fn open_gate(self: &Rc<Self>, upto: Position, every: Option<Duration>, now: Instant) -> Vec<Instant> {
        self.told.set(upto);
        *self.pace.borrow_mut() = every.map(|every| Box::new(Pace::new(every)));
        let held = self.gate.borrow_mut().take().unwrap_or_default();
        self.outbox.release(held.iter().map(|publication| self.bytes(publication)).sum());
        let later = |delivered| if let Delivered::Later(at) = delivered { Some(at) } else { None };
        held.iter().filter_map(|publication| later(self.pass(publication, now))).collect()
    }

    /// Sends the states that are due. Returns when the next one is.
    pub fn send_due(self: &Rc<Self>, now: Instant) -> Option<Instant> {
        let (due, next) = self.pace.borrow_mut().as_mut().map(|pace| pace.take_due(now))?;
        for publication in due {
            self.outbox.release(self.bytes(&publication));
            self.outbox.push(self, &publication);
        }
        next
    }

    /// Whether its worker must check at this moment; false if it checks before anyway. Each follower is scheduled at most once.
    pub fn expects(&self, at: Instant) -> bool {
        let sooner = self.expected.get().is_none_or(|expected| at < expected);
        if sooner {
            self.expected.set(Some(at));
        }
        sooner
    }

    /// Whether this is its scheduled moment; an earlier one replaces others.
    pub fn is_expected(&self, at: Instant) -> bool {
        let expected = self.expected.get() == Some(at);
        if expected {
            self.expected.set(None);
        }
        expected
    }

    /// Drops what waits: the channel was left.
    pub fn forget(self: &Rc<Self>) {
        self.close_gate();
        let held = self.gate.borrow_mut().replace(Vec::new()).unwrap_or_default();
        self.outbox.release(held.iter().map(|publication| self.bytes(publication)).sum());
    }

    /// Whether so much waits for its session that it should write before more comes.
    pub fn is_pressed(&self) -> bool {
        self.outbox.is_pressed()
    }

    fn pass(self: &Rc<Self>, publication: &Arc<Publication>, now: Instant) -> Delivered {
        match &publication.class {
            Class::Event if publication.position <= self.told.get() => return Delivered::Done,
            Class::Event => self.told.set(publication.position),
            Class::State(key) => {
                if let Some(pace) = self.pace.borrow_mut().as_mut()
                    && let Turn::Later { at, replaced } = pace.offer(key, publication, now)
                {
                    replaced.iter().for_each(|older| self.outbox.release(self.bytes(older)));
                    let too_much = self.outbox.hold(self.bytes(publication));
                    // A replacing state is already scheduled.
                    return if too_much || replaced.is_some() { done_unless(too_much) } else { Delivered::Later(at) };
                }
            }
        }
        done_unless(self.outbox.push(self, publication))
    }

    fn bytes(&self, publication: &Publication) -> usize {
        publication.bytes(self.outbox.wire().encoding)
    }
}

fn done_unless(too_much: bool) -> Delivered {
    if too_much { Delivered::TooMuch } else { Delivered::Done }
}
