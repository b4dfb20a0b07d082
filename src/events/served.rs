//! The history in which positions are read and written as text: while a request is answered, that of its application. All code that reads a
//! position from a client or writes one for it passes here, so no route can forget the check. Outside of a request no history is
//! known: then a position is its number alone, as in the live protocol, which names the epoch beside it.

use std::{
    cell::RefCell,
    future::{Future, poll_fn},
    pin::{Pin, pin},
    sync::Arc,
};

use futures_util::{Stream, stream};

use super::{
    Position,
    lineage::{Lineage, Mark, Seen},
};

/// How the refusal begins; the one mapping of errors knows it by that.
pub const HISTORY_CHANGED: &str = "this server serves another history";

thread_local! {
    static SCOPE: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

/// A history that is served.
#[derive(Debug, Clone, Default)]
pub struct Served {
    pub epoch: Arc<str>,
    pub lineage: Lineage,
}

/// A history for the time of one request.
#[derive(Debug, Clone)]
pub struct Scope {
    served: Arc<Served>,
    /// The client named the epoch: its numbers are of this history even without marks.
    named: bool,
}

/// What was seen is of another history than the one that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{HISTORY_CHANGED} than the one that {0} is from: read again, and continue from there")]
pub struct HistoryChanged(pub Seen);

impl Scope {
    /// The scope of a request; `named` if it names the epoch of this history.
    #[must_use]
    pub fn new(served: &Arc<Served>, named: bool) -> Self {
        Self { served: Arc::clone(served), named }
    }

    /// That of the running code, for a thread that continues its work; `None` outside of any.
    #[must_use]
    pub fn current() -> Option<Self> {
        SCOPE.with_borrow(Clone::clone)
    }

    /// Runs code in this scope.
    pub fn enter<T>(&self, run: impl FnOnce() -> T) -> T {
        let _before = Restore(SCOPE.replace(Some(self.clone())));
        run()
    }

    /// Runs a future in this scope.
    pub async fn within<F: Future>(self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| self.enter(|| future.as_mut().poll(context))).await
    }

    /// Takes the items of a stream in this scope.
    pub fn stream<S: Stream>(self, items: S) -> impl Stream<Item = S::Item> {
        let mut items: Pin<Box<S>> = Box::pin(items);
        stream::poll_fn(move |context| self.enter(|| items.as_mut().poll_next(context)))
    }
}

/// Puts back what was there before, also when the code panics.
struct Restore(Option<Scope>);

impl Drop for Restore {
    fn drop(&mut self) {
        SCOPE.set(self.0.take());
    }
}

/// A position as the client gets it.
#[must_use]
pub fn written(position: Position) -> Seen {
    let bare = || Seen::new(position.0, None);
    SCOPE.with_borrow(|scope| scope.as_ref().map_or_else(bare, |scope| scope.served.lineage.seen(position)))
}

/// A position that a client sent.
///
/// # Errors
/// It is of another history.
pub fn read(seen: Seen) -> Result<Position, HistoryChanged> {
    let known = SCOPE.with_borrow(|scope| match scope {
        Some(scope) if !(scope.named && seen.mark.is_none()) => scope.served.lineage.position(seen),
        Some(_) | None => Some(Position(seen.number)),
    });
    known.ok_or(HistoryChanged(seen))
}

/// The newest part of the history; what is valid only until the next break, such as a place in a listing, carries it.
#[must_use]
pub fn newest_mark() -> Option<Mark> {
    SCOPE.with_borrow(|scope| scope.as_ref().and_then(|scope| scope.served.lineage.newest()))
}

/// Whether the request names the epoch.
#[must_use]
pub fn is_named() -> bool {
    SCOPE.with_borrow(|scope| scope.as_ref().is_some_and(|scope| scope.named))
}

/// The epoch of the scope.
#[must_use]
pub fn epoch() -> Option<Arc<str>> {
    SCOPE.with_borrow(|scope| scope.as_ref().map(|scope| Arc::clone(&scope.served.epoch)))
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;

    #[test]
    fn a_scope_ends_with_its_code_its_future_or_each_item() {
        let scope = Scope::new(&Arc::new(Served { epoch: "e".into(), lineage: Lineage::default() }), false);
        assert_eq!(scope.enter(epoch).as_deref(), Some("e"));
        let inner = scope.clone().within(async { epoch() }).now_or_never().expect("it is ready");
        assert_eq!((inner.as_deref(), epoch()), (Some("e"), None));
        let items = scope.stream(stream::iter([1]).map(|_| epoch()));
        let first = pin!(items).next().now_or_never().expect("it is ready").expect("there is one");
        assert_eq!((first.as_deref(), epoch()), (Some("e"), None));
    }
}
