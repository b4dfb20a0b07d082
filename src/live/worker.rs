//! The hub's part on one HTTP worker: it hands each publication to the sessions of this worker, sends slowed states when due, and
//! ends sessions that cannot end themselves. A blocked socket stops its session actor, timers included, so this runs next to the actors.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
    future::poll_fn,
    rc::{Rc, Weak},
    sync::Arc,
    time::{Duration, Instant},
};

use ahash::AHashMap;
use tokio::time::{Interval, MissedTickBehavior, interval, sleep_until};

use super::{
    channel::Channel,
    close::Close,
    counters::Limit,
    follower::{Delivered, Follower},
    hub::Hub,
    inbox::{Delivery, Inbox, Queue, Whose},
    member::{Member, Overdue},
    notice::{Closing, Notice},
    publication::Publication,
    topic::Topic,
};
use crate::domain::Principal;

/// How often every session is checked. It bounds how late a stalled socket is noticed, not how late a delivery is.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);
/// Deliveries in a row before the sessions may write: the more, the more pushes share a write; the fewer, the sooner the first leaves.
const DELIVERIES_IN_A_ROW: usize = 8_192;

/// The hub's part on one worker.
pub struct Worker {
    hub: Arc<Hub>,
    inbox: Arc<Inbox>,
    rooms: RefCell<AHashMap<Arc<Channel>, Vec<Rc<Follower>>>>,
    members: RefCell<AHashMap<u64, Rc<Member>>>,
    /// Members that came without a principal, the oldest first; some may have one by now.
    strangers: RefCell<VecDeque<u64>>,
    deadlines: RefCell<BinaryHeap<Reverse<Deadline>>>,
}

/// Something due at a moment.
struct Deadline {
    at: Instant,
    what: What,
}

enum What {
    /// A slowed state is due.
    Send(Weak<Follower>),
    /// A token ends, or was not sent.
    Look(u64),
    /// The server stops, and this session is to be closed.
    Farewell(u64),
}

thread_local! {
    /// The workers of this thread, one for each hub it serves.
    static WORKERS: RefCell<Vec<Rc<Worker>>> = const { RefCell::new(Vec::new()) };
}

impl Worker {
    /// This thread's worker of a hub; the first call starts it.
    #[must_use]
    pub fn of(hub: &Arc<Hub>) -> Rc<Self> {
        WORKERS.with_borrow_mut(|workers| {
            if let Some(worker) = workers.iter().find(|worker| Arc::ptr_eq(&worker.hub, hub)) {
                return Rc::clone(worker);
            }
            let worker = Rc::new(Self::new(hub));
            actix_web::rt::spawn(run(Rc::clone(&worker)));
            workers.push(Rc::clone(&worker));
            worker
        })
    }

    fn new(hub: &Arc<Hub>) -> Self {
        let (hub, inbox) = (Arc::clone(hub), hub.new_inbox());
        Self {
            hub,
            inbox,
            rooms: RefCell::default(),
            members: RefCell::default(),
            strangers: RefCell::default(),
            deadlines: RefCell::default(),
        }
    }

    /// Its hub.
    #[must_use]
    pub fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// The queue of its publications.
    #[must_use]
    pub fn inbox(&self) -> &Arc<Inbox> {
        &self.inbox
    }

    pub(super) fn add(&self, member: &Rc<Member>) {
        self.members.borrow_mut().insert(member.id, Rc::clone(member));
        self.expect(member);
    }

    /// Lets a session in that must still send a token. Where too many wait already, the one that had the longest time for it is closed.
    pub(super) fn make_room_for_stranger(&self, id: u64) {
        let mut strangers = self.strangers.borrow_mut();
        if strangers.len() >= self.hub.limits().strangers_per_worker_max {
            let members = self.members.borrow();
            strangers.retain(|id| members.get(id).is_some_and(|member| member.identity.borrow().is_none()));
            if strangers.len() >= self.hub.limits().strangers_per_worker_max
                && let Some(oldest) = strangers.pop_front().and_then(|oldest| members.get(&oldest))
            {
                self.hub.counters().met_by_close(Close::AuthenticationTimeout);
                oldest.outbox.close(Close::AuthenticationTimeout);
            }
        }
        strangers.push_back(id);
    }

    pub(super) fn remove(&self, member: &Member) {
        self.members.borrow_mut().remove(&member.id);
    }

    /// Checks a session exactly when its token ends. A later end is scheduled only when it is near, so that
    /// short sessions leave nothing for long.
    pub(super) fn expect(&self, member: &Member) {
        if let Some(at) = member.deadline().filter(|at| *at <= Instant::now() + 2 * LOOK_INTERVAL) {
            self.at(at, What::Look(member.id));
        }
    }

    /// Sends a follower's slowed states when they are due.
    pub(super) fn expect_states(&self, follower: &Rc<Follower>, moments: Vec<Instant>) {
        moments.into_iter().for_each(|at| self.expect_state(follower, at));
    }

    fn expect_state(&self, follower: &Rc<Follower>, at: Instant) {
        if follower.expects(at) {
            self.at(at, What::Send(Rc::downgrade(follower)));
        }
    }

    pub(super) fn enter(&self, follower: &Rc<Follower>) {
        self.rooms.borrow_mut().entry(Arc::clone(follower.channel())).or_default().push(Rc::clone(follower));
    }

    pub(super) fn exit(&self, follower: &Rc<Follower>) {
        let mut rooms = self.rooms.borrow_mut();
        let Some(room) = rooms.get_mut(follower.channel()) else { return };
        if let Some(place) = room.iter().position(|one| Rc::ptr_eq(one, follower)) {
            room.swap_remove(place);
        }
        if room.is_empty() {
            rooms.remove(follower.channel());
        } else if room.capacity() > 4 * room.len() {
            room.shrink_to(2 * room.len());
        }
    }

    /// Hands a publication to its followers here, at a cost per follower. Returns how many deliveries in a row that
    /// it costs: where one is short of room, all of them, so that no reader counts as slow that had no chance to write.
    pub(super) fn deliver(&self, channel: &Channel, publication: &Arc<Publication>, now: Instant) -> usize {
        let rooms = self.rooms.borrow();
        let Some(room) = rooms.get(channel) else { return 0 };
        let (mut too_slow, mut pressed) = (0, false);
        for follower in room {
            match follower.deliver(publication, now) {
                Delivered::Done => {}
                Delivered::TooMuch => too_slow += 1,
                Delivered::Later(at) => self.expect_state(follower, at),
            }
            pressed |= follower.is_pressed();
        }
        let counters = self.hub.counters();
        counters.deliveries.increment(room.len() as u64);
        if too_slow > 0 {
            counters.met(Limit::OutboxBytes, too_slow);
        }
        if pressed { DELIVERIES_IN_A_ROW } else { room.len() }
    }

    /// Accepts one delivery. Returns how many deliveries in a row it costs.
    fn take(&self, delivery: &Delivery, now: Instant) -> usize {
        match delivery {
            Delivery::Publication(channel, publication) => self.deliver(channel, publication, now),
            Delivery::Recheck(who) => self.recheck(who),
            Delivery::SignedOut(whose) => self.end_those(whose),
            Delivery::Farewell(within) => self.farewell(*within, now),
            Delivery::End(close) => self.end_all(*close),
        }
    }

    /// Removes topics that a principal may no longer follow.
    fn recheck(&self, who: &Principal) -> usize {
        let members = self.members_where(|member| {
            member.identity.borrow().as_ref().is_some_and(|identity| identity.who == *who || identity.lent_by.as_ref() == Some(who))
        });
        for member in &members {
            let lost: Vec<Topic> = {
                let topics = member.topics.borrow();
                let identity = member.identity.borrow();
                let may = |topic: &&Topic| identity.as_ref().is_some_and(|identity| self.hub.rights().may_follow(identity, topic));
                topics.keys().filter(|topic| !may(topic)).cloned().collect()
            };
            for topic in &lost {
                self.leave(member, topic);
            }
            if !lost.is_empty() {
                member.outbox.notify(Notice::Revoked(lost));
            }
        }
        members.len()
    }

    /// Closes the sessions that were signed out.
    fn end_those(&self, whose: &Whose) -> usize {
        let members = self.members_where(|member| member.identity.borrow().as_ref().is_some_and(|identity| whose.is(identity)));
        members.iter().for_each(|member| member.outbox.close(Close::SignedOut));
        members.len()
    }

    /// Removes a session from a topic: nothing of it is delivered from now on. Returns whether it followed it.
    pub(super) fn leave(&self, member: &Member, topic: &Topic) -> bool {
        let Some(follower) = member.topics.borrow_mut().remove(topic) else { return false };
        self.exit(&follower);
        self.hub.exit(&follower, self, member.outbox.wire().encoding);
        follower.forget();
        if let (Topic::List(list), Some(identity)) = (topic, member.identity.borrow().as_ref()) {
            self.hub.presence().leave(list, &identity.who);
        }
        true
    }

    /// Notifies every session that it will be closed, and spreads the closes over the available time.
    fn farewell(&self, within: Duration, now: Instant) -> usize {
        let members = self.members_where(|_| true);
        for member in &members {
            let millis = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            member.outbox.notify(Notice::Closing(Closing::soon(Close::GoingAway, millis)));
            self.at(now + within.mul_f64(self.hub.chance(member.id)), What::Farewell(member.id));
        }
        members.len()
    }

    /// Closes every session at once.
    fn end_all(&self, close: Close) -> usize {
        let members = self.members_where(|_| true);
        members.iter().for_each(|member| member.outbox.close(close));
        members.len()
    }

    /// Does what is due, and returns when the next is.
    fn do_due(&self, now: Instant) -> Option<Instant> {
        loop {
            let due = {
                let mut deadlines = self.deadlines.borrow_mut();
                match deadlines.peek() {
                    Some(Reverse(first)) if first.at <= now => deadlines.pop(),
                    next => return next.map(|Reverse(next)| next.at),
                }
            };
            let Reverse(Deadline { at, what }) = due?;
            match what {
                What::Send(follower) => {
                    if let Some(follower) = follower.upgrade().filter(|follower| follower.is_expected(at))
                        && let Some(next) = follower.send_due(now)
                    {
                        self.expect_state(&follower, next);
                    }
                }
                What::Look(id) => self.member(id).into_iter().for_each(|member| self.look_at(&member, now)),
                What::Farewell(id) => self.member(id).into_iter().for_each(|member| member.outbox.close(Close::GoingAway)),
            }
        }
    }

    /// Checks every session: pings it, or ends it if it must end.
    pub(super) fn look(&self, now: Instant) {
        for member in self.members_where(|_| true) {
            self.look_at(&member, now);
            self.expect(&member);
        }
    }

    fn look_at(&self, member: &Member, now: Instant) {
        match member.overdue(now, self.hub.limits()) {
            None => member.ping(now, self.hub.limits()),
            Some(Overdue::Close(close)) => self.close(member, close),
            Some(Overdue::Stuck) => self.shut_down(member),
        }
    }

    fn close(&self, member: &Member, close: Close) {
        if member.outbox.closing().is_none() {
            self.hub.counters().met_by_close(close);
            member.outbox.close(close);
        }
    }

    fn shut_down(&self, member: &Member) {
        self.hub.counters().met(Limit::Stalled, 1);
        member.outbox.close(Close::TooSlow);
        tracing::debug!(session = member.id, "shutting down a stalled session");
        if let Some(socket) = &member.arrival.socket {
            socket.shutdown();
        }
    }

    /// Publications were dropped: no session here can be sure to have everything.
    fn start_all_anew(&self) {
        tracing::warn!("a worker could not keep up with publications; its sessions resume from their positions");
        self.members_where(|_| true).iter().for_each(|member| self.close(member, Close::ServerTooSlow));
    }

    fn at(&self, at: Instant, what: What) {
        self.deadlines.borrow_mut().push(Reverse(Deadline { at, what }));
        self.inbox.nudge();
    }

    fn member(&self, id: u64) -> Option<Rc<Member>> {
        self.members.borrow().get(&id).cloned()
    }

    fn members_where(&self, fits: impl Fn(&Member) -> bool) -> Vec<Rc<Member>> {
        self.members.borrow().values().filter(|member| fits(member)).cloned().collect()
    }

    /// Scheduled moments.
    #[cfg(test)]
    pub(super) fn deadline_count(&self) -> usize {
        self.deadlines.borrow().len()
    }

    /// Does what is due by then; for tests without a running task.
    #[cfg(test)]
    pub(super) fn do_due_by(&self, now: Instant) {
        self.do_due(now);
    }

    /// Accepts what waits; for tests without a running task.
    #[cfg(test)]
    pub(super) fn take_in_now(&self) {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        if let std::task::Poll::Ready(queue) = self.inbox.poll_take(&mut context) {
            if queue.overflowed {
                self.start_all_anew();
            }
            for delivery in &queue.deliveries {
                self.take(delivery, Instant::now());
            }
        }
    }

    async fn take_in(&self, queue: Queue) {
        if queue.overflowed {
            self.start_all_anew();
        }
        let (now, mut in_a_row) = (Instant::now(), 0);
        for delivery in queue.deliveries {
            in_a_row += self.take(&delivery, now);
            if in_a_row >= DELIVERIES_IN_A_ROW {
                in_a_row = 0;
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Runs as long as the worker's thread does.
async fn run(worker: Rc<Worker>) {
    let mut looks = look_interval();
    loop {
        let next = worker.do_due(Instant::now());
        let due = async {
            match next {
                Some(at) => sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        // Whatever comes first; a nudge about a new deadline ends the wait with nothing to take.
        tokio::select! {
            queue = woken(&worker.inbox) => if let Some(queue) = queue { worker.take_in(queue).await },
            () = due => {}
            _ = looks.tick() => worker.look(Instant::now()),
        }
    }
}

/// Waits for deliveries, or for a nudge.
async fn woken(inbox: &Inbox) -> Option<Queue> {
    let mut first = true;
    poll_fn(|context| match inbox.poll_take(context) {
        std::task::Poll::Ready(queue) => std::task::Poll::Ready(Some(queue)),
        std::task::Poll::Pending if std::mem::take(&mut first) => std::task::Poll::Pending,
        std::task::Poll::Pending => std::task::Poll::Ready(None),
    })
    .await
}

fn look_interval() -> Interval {
    let mut looks = interval(LOOK_INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    looks
}

impl PartialEq for Deadline {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}

impl Eq for Deadline {}

impl PartialOrd for Deadline {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Deadline {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}
