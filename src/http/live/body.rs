//! The response body of a live session: the actor's own replies first, then the outbox.

use std::{
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};

use actix_web::Error;
use bytes::Bytes;
use futures_util::{Stream, task::AtomicWaker};

use crate::live::outbox::{Next, Outbox};

/// Bytes given to the connection at a time: it may hold this much besides what the socket takes, and each piece it fetches
/// shows that the socket took the one before.
pub const PIECE_BYTES: usize = 8 * 1024;

/// Merges the frames of the session actor with prepared frames. Ends with the actor, or after the outbox's close frame.
pub struct SessionBody<S> {
    /// Polling it runs the actor; absent after the close frame, so that the actor ends with it.
    replies: Option<Pin<Box<S>>>,
    /// Whether the actor has something to do: a push alone does not run it.
    call: Arc<Call>,
    /// Of `call`, for whatever the actor waits for.
    call_waker: Waker,
    outbox: Rc<Outbox>,
    /// What is left of a large chunk; nothing may come between its pieces.
    rest: Bytes,
}

/// Wakes the connection, and remembers that it is for the actor. Nearly every wake of a listening session is a push, and running the
/// actor for each would cost more than the delivery.
struct Call {
    is_for_actor: AtomicBool,
    connection: AtomicWaker,
}

impl Wake for Call {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.is_for_actor.store(true, Ordering::Release);
        self.connection.wake();
    }
}

impl<S> SessionBody<S> {
    /// The body of one session.
    pub fn new(replies: S, outbox: Rc<Outbox>) -> Self {
        let call = Arc::new(Call { is_for_actor: AtomicBool::new(true), connection: AtomicWaker::new() });
        let call_waker = Waker::from(Arc::clone(&call));
        Self { replies: Some(Box::pin(replies)), call, call_waker, outbox, rest: Bytes::new() }
    }

    fn piece(&mut self) -> Bytes {
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        self.outbox.took_piece(!self.rest.is_empty());
        piece
    }
}

impl<S: Stream<Item = Result<Bytes, Error>>> SessionBody<S> {
    /// The next whole frames, however many.
    fn poll_chunk(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let Some(replies) = &mut self.replies else { return Poll::Ready(None) };
        self.call.connection.register(context.waker());
        // The actor releases an answer's pushes together with the answer, so they cannot overtake it here.
        if self.call.is_for_actor.swap(false, Ordering::AcqRel)
            && let ready @ Poll::Ready(_) = replies.as_mut().poll_next(&mut Context::from_waker(&self.call_waker))
        {
            // It may have more to send.
            self.call.is_for_actor.store(true, Ordering::Release);
            return ready;
        }
        loop {
            return match self.outbox.poll_frames(context) {
                Poll::Ready(Some(Next::Pushes(frames))) => Poll::Ready(Some(Ok(frames))),
                Poll::Ready(Some(Next::Notice(notice))) => match notice.frame(self.outbox.wire().encoding) {
                    Some(frame) => Poll::Ready(Some(Ok(frame))),
                    None => continue,
                },
                Poll::Ready(Some(Next::Close(close))) => {
                    self.replies = None;
                    Poll::Ready(Some(Ok(close.frame())))
                }
                Poll::Ready(None) => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            };
        }
    }
}

impl<S: Stream<Item = Result<Bytes, Error>>> Stream for SessionBody<S> {
    type Item = Result<Bytes, Error>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = self.get_mut();
        if !this.rest.is_empty() {
            return Poll::Ready(Some(Ok(this.piece())));
        }
        match this.poll_chunk(context) {
            Poll::Ready(Some(Ok(chunk))) if chunk.len() > 2 * PIECE_BYTES => {
                this.rest = chunk;
                Poll::Ready(Some(Ok(this.piece())))
            }
            chunk @ (Poll::Ready(_) | Poll::Pending) => chunk,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        cell::{Cell, RefCell},
        time::{Duration, Instant},
    };

    use futures_util::{StreamExt, stream};

    use super::*;
    use crate::{
        events::Position,
        live::{
            channel::Channel,
            close::Close,
            encoding::Encoding,
            follower::Follower,
            notice::{Closing, Notice},
            publication::{Class, Publication, Wire},
            topic::Topic,
        },
    };

    fn outbox() -> Rc<Outbox> {
        Rc::new(Outbox::new(1_000, Wire { encoding: Encoding::Json, deflate: false }))
    }

    fn push(outbox: &Rc<Outbox>, text: &'static str) {
        let follower = Follower::new(Arc::new(Channel::whole(Topic::System)), Rc::clone(outbox));
        let publication = Publication::new(Class::Event, Position(1), [Some(Bytes::from_static(text.as_bytes())), None]);
        outbox.push(&follower, &Arc::new(publication));
    }

    fn next<S: Stream<Item = Result<Bytes, Error>>>(body: &mut SessionBody<S>) -> Poll<Option<Bytes>> {
        let polled = body.poll_next_unpin(&mut Context::from_waker(Waker::noop()));
        polled.map(|item| item.map(|bytes| bytes.expect("no error was put in")))
    }

    #[test]
    fn replies_go_before_pushes_and_pushes_do_not_wait_for_the_actor() {
        let outbox = outbox();
        push(&outbox, "push");
        let replies = stream::iter([Ok(Bytes::from_static(b"reply"))]).chain(stream::pending());
        let mut body = SessionBody::new(replies, Rc::clone(&outbox));
        assert_eq!(next(&mut body), Poll::Ready(Some(Bytes::from_static(b"reply"))));
        assert_eq!(next(&mut body), Poll::Ready(Some(Bytes::from_static(b"push"))));
        assert_eq!(next(&mut body), Poll::Pending);
    }

    #[test]
    fn a_session_closed_from_outside_says_why_and_ends() {
        let outbox = outbox();
        let mut body = SessionBody::new(stream::pending(), Rc::clone(&outbox));
        push(&outbox, "never sent");
        outbox.close(Close::GoingAway);
        assert_eq!(next(&mut body), Poll::Ready(Some(Close::GoingAway.frame())));
        assert_eq!(next(&mut body), Poll::Ready(None));
    }

    #[test]
    fn the_actor_runs_when_something_is_for_it_and_not_for_each_push() {
        let outbox = outbox();
        let (runs, waker) = (Rc::new(Cell::new(0)), Rc::new(RefCell::new(None::<Waker>)));
        let replies = stream::poll_fn({
            let (runs, waker) = (Rc::clone(&runs), Rc::clone(&waker));
            move |context| {
                runs.set(runs.get() + 1);
                *waker.borrow_mut() = Some(context.waker().clone());
                Poll::Pending
            }
        });
        let mut body = SessionBody::new(replies, Rc::clone(&outbox));
        assert_eq!((next(&mut body), runs.get()), (Poll::Pending, 1), "it runs once to begin with");
        push(&outbox, "push");
        assert_eq!(next(&mut body), Poll::Ready(Some(Bytes::from_static(b"push"))));
        assert_eq!((next(&mut body), runs.get()), (Poll::Pending, 1));
        waker.take().expect("it waits").wake();
        assert_eq!((next(&mut body), runs.get()), (Poll::Pending, 2));
    }

    #[test]
    fn a_notice_goes_before_the_pushes_that_wait() {
        let outbox = outbox();
        let mut body = SessionBody::new(stream::pending(), Rc::clone(&outbox));
        push(&outbox, "push");
        outbox.notify(Notice::Ping);
        outbox.notify(Notice::Ping);
        assert_eq!(next(&mut body), Poll::Ready(Some(Bytes::from_static(&[0x89, 0]))), "one ping, however often it was due");
        assert_eq!(next(&mut body), Poll::Ready(Some(Bytes::from_static(b"push"))));
    }

    #[test]
    fn a_large_reply_leaves_in_pieces_with_nothing_between_them_and_each_is_a_sign_of_life() {
        let outbox = outbox();
        let large = Bytes::from(vec![b'x'; 5 * PIECE_BYTES + 1]);
        let mut body = SessionBody::new(stream::iter([Ok(large.clone())]).chain(stream::pending()), Rc::clone(&outbox));
        push(&outbox, "push");
        let stuck = || outbox.is_stuck(Instant::now() + Duration::from_secs(5), Duration::from_secs(4), Duration::from_secs(4));
        let mut joined = Vec::new();
        while joined.len() < large.len() {
            let Poll::Ready(Some(piece)) = next(&mut body) else { panic!("there is more of it") };
            assert!(piece.len() <= PIECE_BYTES);
            joined.extend_from_slice(&piece);
            assert!(stuck(), "from here on the socket must take something");
        }
        assert_eq!(joined, large);
        assert_eq!(next(&mut body), Poll::Ready(Some(Bytes::from_static(b"push"))));
        assert!(!stuck());
    }

    #[test]
    fn a_close_never_overtakes_its_announcement() {
        let outbox = outbox();
        let mut body = SessionBody::new(stream::pending(), Rc::clone(&outbox));
        push(&outbox, "never sent");
        outbox.notify(Notice::Closing(Closing::soon(Close::GoingAway, 0)));
        outbox.close(Close::GoingAway);
        let Poll::Ready(Some(announced)) = next(&mut body) else { panic!("it is announced") };
        assert!(String::from_utf8_lossy(&announced).contains(r#""type":"closing""#));
        assert_eq!(next(&mut body), Poll::Ready(Some(Close::GoingAway.frame())));
        assert_eq!(next(&mut body), Poll::Ready(None));
    }

    #[test]
    fn the_body_ends_with_its_actor() {
        let mut body = SessionBody::new(stream::empty(), outbox());
        assert_eq!(next(&mut body), Poll::Ready(None));
    }
}
