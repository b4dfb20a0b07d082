//! What waits to be written to one session: pushes shared between all receivers, bounded in bytes. It lives on its session's worker:
//! the worker's hub fills it, the response body drains it. Events wait in order; of a state only the latest waits.

use std::{
    cell::RefCell,
    collections::VecDeque,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};

use super::{
    close::Close,
    follower::Follower,
    notice::Notice,
    publication::{Class, Publication, Wire},
};

/// Waiting frames are joined into chunks near this size: one write for many, and no large buffer kept by the connection.
const CHUNK_BYTES: usize = 8 * 1024;
/// When this part of the outbox is full, the session writes before more comes.
const PRESSED_PART: usize = 4;
/// Notices that may wait; one more closes the session, because its client would not know what it follows. Pings are not repeated while one waits,
/// so only a session whose rights change all the time comes here.
const NOTICES_MAX: usize = 16;

/// A push and its follower.
#[derive(Debug, Clone)]
pub struct Waiting {
    pub follower: Rc<Follower>,
    pub publication: Arc<Publication>,
}

/// What the body finds.
#[derive(Debug)]
pub enum Next<T> {
    Notice(Notice),
    Pushes(T),
    /// Send the reason, then end.
    Close(Close),
}

/// The bounded queue of one session.
#[derive(Debug)]
pub struct Outbox {
    inner: RefCell<Inner>,
    bytes_max: usize,
    wire: Wire,
}

#[derive(Debug, Default)]
struct Inner {
    notices: VecDeque<Notice>,
    queue: VecDeque<Waiting>,
    /// Bytes of the queue, of pushes held behind gates, and of states that wait for their turn.
    bytes: usize,
    waker: Option<Waker>,
    /// Since when something waits and the body takes nothing.
    waiting_since: Option<Instant>,
    closing: Option<(Close, Instant)>,
    ended: bool,
}

impl Outbox {
    /// An empty outbox that may hold this many bytes.
    #[must_use]
    pub fn new(bytes_max: usize, wire: Wire) -> Self {
        Self { inner: RefCell::default(), bytes_max, wire }
    }

    /// The form of the session's frames.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// Adds a push. Returns true on overflow: the session is then closing.
    pub fn push(&self, follower: &Rc<Follower>, publication: &Arc<Publication>) -> bool {
        let mut inner = self.inner.borrow_mut();
        if inner.closing.is_some() {
            return false;
        }
        inner.bytes += publication.bytes(self.wire.encoding);
        if let Some(place) = inner.waiting_state(follower, &publication.class) {
            let older = std::mem::replace(&mut place.publication, Arc::clone(publication));
            inner.bytes -= older.bytes(self.wire.encoding);
        } else {
            if inner.queue.is_empty() {
                inner.waiting_since = Some(Instant::now());
            }
            inner.queue.push_back(Waiting { follower: Rc::clone(follower), publication: Arc::clone(publication) });
        }
        // A reader that keeps up may receive a single push of any size, such as a large order.
        let overflow = inner.queue.len() > 1 && inner.close_if_over(self.bytes_max);
        wake(inner);
        overflow
    }

    /// Counts bytes that wait elsewhere for this session. Returns true on overflow, like `push`.
    pub fn hold(&self, bytes: usize) -> bool {
        let mut inner = self.inner.borrow_mut();
        if inner.closing.is_some() {
            return false;
        }
        inner.bytes += bytes;
        let overflow = inner.close_if_over(self.bytes_max);
        if overflow {
            wake(inner);
        }
        overflow
    }

    /// Subtracts bytes that were held elsewhere.
    pub fn release(&self, bytes: usize) {
        let mut inner = self.inner.borrow_mut();
        inner.bytes = inner.bytes.saturating_sub(bytes);
    }

    /// Sends a notice before everything that waits. Only one ping waits.
    pub fn notify(&self, notice: Notice) {
        let mut inner = self.inner.borrow_mut();
        if inner.closing.is_some() || (notice == Notice::Ping && inner.notices.contains(&notice)) {
            return;
        }
        if inner.notices.len() >= NOTICES_MAX {
            inner.begin_close(Close::TooSlow);
            return wake(inner);
        }
        if inner.waiting_since.is_none() {
            inner.waiting_since = Some(Instant::now());
        }
        inner.notices.push_back(notice);
        wake(inner);
    }

    /// Removes everything that waits for a follower.
    pub fn take_back(&self, follower: &Rc<Follower>) -> Vec<Arc<Publication>> {
        let mut inner = self.inner.borrow_mut();
        if !inner.queue.iter().any(|waiting| Rc::ptr_eq(&waiting.follower, follower)) {
            return Vec::new();
        }
        let (taken, kept): (VecDeque<_>, VecDeque<_>) = inner.queue.drain(..).partition(|waiting| Rc::ptr_eq(&waiting.follower, follower));
        inner.queue = kept;
        inner.bytes -= taken.iter().map(|waiting| waiting.publication.bytes(self.wire.encoding)).sum::<usize>();
        if inner.queue.is_empty() {
            inner.waiting_since = None;
        }
        taken.into_iter().map(|waiting| waiting.publication).collect()
    }

    /// Drops what waits and lets the body send the reason and end. The first reason counts.
    pub fn close(&self, close: Close) {
        let mut inner = self.inner.borrow_mut();
        inner.begin_close(close);
        wake(inner);
    }

    /// Takes what waits as whole frames, about 8 KiB at a time. `None` after the reason to close.
    pub fn poll_frames(&self, context: &mut Context<'_>) -> Poll<Option<Next<Bytes>>> {
        self.poll_next(context, |inner| inner.take_chunk(self.wire))
    }

    /// Takes the next push. `None` after the reason to close.
    pub fn poll_push(&self, context: &mut Context<'_>) -> Poll<Option<Next<Waiting>>> {
        self.poll_next(context, |inner| {
            let waiting = inner.pop(self.wire);
            inner.looked();
            waiting
        })
    }

    /// The body took a piece of something large; `more` of it is still to be taken.
    pub fn took_piece(&self, more: bool) {
        let mut inner = self.inner.borrow_mut();
        inner.looked();
        if more {
            inner.waiting_since = Some(Instant::now());
        }
    }

    /// Whether only shutting down the socket helps: something waits, or the close frame does, and the body does not fetch it.
    #[must_use]
    pub fn is_stuck(&self, now: Instant, stalled_max: Duration, closing_max: Duration) -> bool {
        let inner = self.inner.borrow();
        let longer_than = |since: Instant, max| now.saturating_duration_since(since) > max;
        match (inner.closing, inner.waiting_since) {
            (Some((_, since)), _) => longer_than(since, closing_max),
            (None, Some(since)) => longer_than(since, stalled_max),
            (None, None) => false,
        }
    }

    /// The reason it is closing for, `None` while it is open.
    #[must_use]
    pub fn closing(&self) -> Option<Close> {
        self.inner.borrow().closing.map(|(close, _)| close)
    }

    /// Whether much of the outbox is full.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.inner.borrow().bytes > self.bytes_max / PRESSED_PART
    }

    /// Bytes that wait, here and behind gates.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.inner.borrow().bytes
    }

    fn poll_next<T>(&self, context: &mut Context<'_>, take: impl FnOnce(&mut Inner) -> Option<T>) -> Poll<Option<Next<T>>> {
        let mut inner = self.inner.borrow_mut();
        if inner.ended {
            return Poll::Ready(None);
        }
        if let Some(notice) = inner.notices.pop_front() {
            inner.looked();
            return Poll::Ready(Some(Next::Notice(notice)));
        }
        if let Some((close, _)) = inner.closing {
            inner.ended = true;
            return Poll::Ready(Some(Next::Close(close)));
        }
        if let Some(pushes) = take(&mut inner) {
            return Poll::Ready(Some(Next::Pushes(pushes)));
        }
        inner.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

/// Wakes the body, outside of the borrow: waking may run it.
fn wake(mut inner: std::cell::RefMut<'_, Inner>) {
    let waker = inner.waker.take();
    drop(inner);
    if let Some(waker) = waker {
        waker.wake();
    }
}

impl Inner {
    /// The place of an older state of the same follower and key. Only a slow reader's queue is long, and it is bounded in bytes.
    fn waiting_state(&mut self, follower: &Rc<Follower>, class: &Class) -> Option<&mut Waiting> {
        if *class == Class::Event {
            return None;
        }
        self.queue.iter_mut().rev().find(|waiting| Rc::ptr_eq(&waiting.follower, follower) && waiting.publication.class == *class)
    }

    /// The body took something: what is left has waited since now.
    fn looked(&mut self) {
        self.waiting_since = (!self.queue.is_empty() || !self.notices.is_empty()).then(Instant::now);
    }

    fn take_chunk(&mut self, wire: Wire) -> Option<Bytes> {
        let first = self.pop_frame(wire);
        let chunk = match first {
            Some(first) if self.next_size(wire).is_some_and(|next| first.len() + next <= CHUNK_BYTES) => Some(self.join(&first, wire)),
            first => first,
        };
        self.looked();
        chunk
    }

    fn join(&mut self, first: &Bytes, wire: Wire) -> Bytes {
        let mut chunk = BytesMut::with_capacity(self.bytes.saturating_add(first.len()).min(CHUNK_BYTES));
        chunk.extend_from_slice(first);
        while self.next_size(wire).is_some_and(|next| chunk.len() + next <= CHUNK_BYTES) {
            let Some(frame) = self.pop_frame(wire) else { break };
            chunk.extend_from_slice(&frame);
        }
        chunk.freeze()
    }

    fn next_size(&self, wire: Wire) -> Option<usize> {
        self.queue.front().map(|waiting| waiting.publication.bytes(wire.encoding))
    }

    fn pop_frame(&mut self, wire: Wire) -> Option<Bytes> {
        self.pop(wire).and_then(|waiting| waiting.publication.frame(wire).cloned())
    }

    fn pop(&mut self, wire: Wire) -> Option<Waiting> {
        let waiting = self.queue.pop_front()?;
        self.bytes -= waiting.publication.bytes(wire.encoding);
        Some(waiting)
    }

    fn close_if_over(&mut self, bytes_max: usize) -> bool {
        let over = self.bytes > bytes_max;
        if over {
            self.begin_close(Close::TooSlow);
        }
        over
    }

    fn begin_close(&mut self, close: Close) {
        if self.closing.is_none() {
            self.closing = Some((close, Instant::now()));
        }
        // Notices go first: a close must not overtake its announcement.
        self.queue = VecDeque::new();
        self.bytes = 0;
        self.waiting_since = None;
    }
}
