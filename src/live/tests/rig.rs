//! A hub with sessions whose outboxes are read by hand.

use std::{
    collections::HashSet,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::{
    domain::{Event, Moment, Principal, StreamId, list::ListEvent},
    events::{Position, Recorded},
    live::{
        Close, Grant, Hub, Limits, Rights, Topic,
        channel::Channel,
        encoding::Encoding,
        frame,
        member::Arrival,
        membership::Membership,
        outbox::{Next, Outbox},
        publication::Wire,
        worker::Worker,
    },
    people::Identity,
};

pub const JSON: Wire = Wire { encoding: Encoding::Json, deflate: false };

/// Rights that a test revokes.
#[derive(Debug, Default)]
pub struct TestRights {
    pub denied: Mutex<HashSet<(Principal, Topic)>>,
}

impl Rights for TestRights {
    fn may_follow(&self, Identity { who, .. }: &Identity, topic: &Topic) -> bool {
        !self.denied.lock().contains(&(who.clone(), topic.clone()))
    }

    fn admit(&self, _token: &str) -> Option<Grant> {
        None
    }

    fn memberships_changed(&self) {}
}

pub fn hub(limits: Limits) -> Arc<Hub> {
    Arc::new(Hub::new(limits, Arc::new(TestRights::default())))
}

pub fn topic(text: &str) -> Topic {
    text.parse().unwrap()
}

pub fn who(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

pub fn join(hub: &Arc<Hub>) -> Membership {
    try_join(hub, JSON).unwrap()
}

pub fn try_join(hub: &Arc<Hub>, wire: Wire) -> Result<Membership, Close> {
    Membership::join(hub, "", Arrival::default(), Some(Identity::account(who("ana"))), wire)
}

/// Follows from a position on.
pub fn follow(membership: &Membership, text: &str, upto: u64) {
    membership.subscribe(Channel::whole(topic(text)));
    membership.open(&topic(text), Position(upto), None);
}

pub fn recorded(position: u64, previous: Option<u64>) -> Recorded {
    Recorded {
        position: Position(position),
        stream: "list/a".parse::<StreamId>().unwrap(),
        version: 1,
        previous: previous.map(Position),
        at: Moment(0),
        who: who("local"),
        by: None,
        command: None,
        client: None,
        event: Event::List(ListEvent::Archived {}),
    }
}

/// Publishes an event and has this thread's worker deliver it.
pub fn publish(hub: &Arc<Hub>, text: &str, position: u64, previous: Option<u64>) {
    hub.advance(Position(position));
    hub.publish_event(&topic(text), &recorded(position, previous), |_| Some("x"));
    Worker::of(hub).take_in_now();
}

/// Everything that waits in an outbox, as its body would write it.
pub fn drain(outbox: &Rc<Outbox>) -> Vec<Bytes> {
    let mut chunks = Vec::new();
    loop {
        match outbox.poll_frames(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Some(Next::Pushes(chunk))) => chunks.push(chunk),
            Poll::Ready(Some(Next::Notice(notice))) => chunks.extend(notice.frame(Encoding::Json)),
            Poll::Ready(Some(Next::Close(_)) | None) | Poll::Pending => return chunks,
        }
    }
}

pub fn text(chunks: &[Bytes]) -> String {
    chunks.iter().map(|chunk| String::from_utf8_lossy(chunk).into_owned()).collect()
}

pub fn received(membership: &Membership) -> String {
    text(&drain(membership.outbox()))
}

/// A text frame as a publication holds it.
pub fn text_frame(text: &str) -> Bytes {
    let mut buffer = frame::with_room_for_header();
    buffer.extend(text.as_bytes());
    frame::seal(buffer, frame::TEXT)
}
