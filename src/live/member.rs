//! One session as its worker knows it: who it is, what it follows, when it was heard and when it must end.

use std::{
    cell::{Cell, RefCell},
    net::IpAddr,
    rc::Rc,
    time::Instant,
};

use ahash::AHashMap;

use super::{close::Close, follower::Follower, limits::Limits, notice::Notice, outbox::Outbox, socket::SocketHandle, topic::Topic};
use crate::people::Identity;

/// How a session connected.
#[derive(Debug, Default)]
pub struct Arrival {
    pub address: Option<IpAddr>,
    /// Absent if the connection is not a TCP stream, or files are scarce: then the kernel's timeout ends a stalled one.
    pub socket: Option<SocketHandle>,
    /// Whether the client can send: a WebSocket can, an event stream cannot, so its silence means nothing.
    pub two_way: bool,
}

/// One session.
#[derive(Debug)]
pub struct Member {
    pub(super) id: u64,
    pub(super) arrival: Arrival,
    pub(super) outbox: Rc<Outbox>,
    /// `None` until it has sent a token.
    pub(super) identity: RefCell<Option<Identity>>,
    pub(super) topics: RefCell<AHashMap<Topic, Rc<Follower>>>,
    /// When the client last showed a sign of life.
    pub(super) heard: Cell<Instant>,
    pub(super) pinged: Cell<Instant>,
    /// When its token ends.
    pub(super) token_until: Cell<Option<Instant>>,
    /// When it must have sent a token.
    pub(super) authenticate_by: Cell<Option<Instant>>,
    /// When its time is over.
    pub(super) ends_at: Instant,
}

impl Member {
    /// What must happen to it at this moment, if anything. `stuck` sessions cannot be notified.
    pub(super) fn overdue(&self, now: Instant, limits: &Limits) -> Option<Overdue> {
        let passed = |at: Option<Instant>| at.is_some_and(|at| now >= at);
        if self.outbox.is_stuck(now, limits.stalled_max, limits.closing_max) {
            return Some(Overdue::Stuck);
        }
        if passed(self.token_until.get()) {
            return Some(Overdue::Close(Close::TokenExpired));
        }
        if passed(self.authenticate_by.get()) {
            return Some(Overdue::Close(Close::AuthenticationTimeout));
        }
        if now >= self.ends_at {
            return Some(Overdue::Close(Close::Lifetime));
        }
        if !self.arrival.two_way && self.arrival.socket.as_ref().is_some_and(SocketHandle::is_left) {
            return Some(Overdue::Close(Close::Normal));
        }
        if self.arrival.two_way && now.saturating_duration_since(self.heard.get()) > limits.ping_interval * 2 {
            return Some(Overdue::Close(Close::Silent));
        }
        None
    }

    /// Pings if it is time to.
    pub(super) fn ping(&self, now: Instant, limits: &Limits) {
        if now.saturating_duration_since(self.pinged.get()) >= limits.ping_interval {
            self.pinged.set(now);
            self.outbox.notify(Notice::Ping);
        }
    }

    /// The next exact deadline.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.token_until.get().into_iter().chain(self.authenticate_by.get()).min()
    }
}

/// Why a session is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    Close(Close),
    /// The socket accepts nothing: only shutting it down helps.
    Stuck,
}
