//! How a follower and its outbox treat publications: nothing lost, nothing twice, states conflated, bytes bounded.

use std::{
    collections::BTreeMap,
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::rig::*;
use crate::{
    events::Position,
    live::{
        Close,
        channel::Channel,
        follower::{Delivered, Follower},
        frame,
        outbox::Outbox,
        publication::{Class, Key, Publication},
    },
};

fn outbox(bytes_max: usize) -> Rc<Outbox> {
    Rc::new(Outbox::new(bytes_max, JSON))
}

fn follower(outbox: &Rc<Outbox>, text: &str) -> Rc<Follower> {
    let follower = Follower::new(Arc::new(Channel::whole(topic(text))), Rc::clone(outbox));
    follower.open_gate(Position::START, None, Instant::now());
    follower
}

fn publication(class: Class, position: u64, text: &str) -> Arc<Publication> {
    Arc::new(Publication::new(class, Position(position), [Some(text_frame(text)), None]))
}

fn event(position: u64) -> Arc<Publication> {
    publication(Class::Event, position, &format!("e{position};"))
}

fn state(key: &'static str, position: u64) -> Arc<Publication> {
    publication(Class::State(Key::PriceOf(key.parse().unwrap())), position, &format!("{key}{position};"))
}

fn give(follower: &Rc<Follower>, publications: &[Arc<Publication>]) {
    publications.iter().for_each(|one| assert_ne!(follower.deliver(one, Instant::now()), Delivered::TooMuch));
}

/// The texts in an outbox, without their frames' headers.
fn texts(outbox: &Rc<Outbox>) -> Vec<String> {
    let mut texts = Vec::new();
    for mut chunk in drain(outbox) {
        while !chunk.is_empty() {
            let length = usize::from(chunk[1]) + 2;
            texts.push(String::from_utf8(frame::payload(&chunk.split_to(length)).to_vec()).unwrap());
        }
    }
    texts
}

#[test]
fn events_leave_in_order_and_of_a_state_only_the_latest() {
    let outbox = outbox(1_000);
    let (a, b) = (follower(&outbox, "list:a"), follower(&outbox, "list:b"));
    give(&a, &[event(1), state("t", 1), event(2), state("t", 2)]);
    give(&b, &[state("t", 2)]);
    give(&a, &[state("t", 3), state("p", 3)]);
    assert_eq!(texts(&outbox), ["e1;", "t3;", "e2;", "t2;", "p3;"]);
    assert_eq!(outbox.bytes(), 0);
    give(&a, &[state("t", 4)]);
    assert_eq!(texts(&outbox), ["t4;"], "a state that left does not swallow the next");
}

#[test]
fn a_gate_drops_what_the_history_held_and_keeps_the_rest() {
    let outbox = outbox(1_000);
    let (a, b) = (follower(&outbox, "list:a"), follower(&outbox, "list:b"));
    give(&b, &[event(1)]);
    give(&a, &[event(2)]);
    a.close_gate();
    give(&a, &[event(3)]);
    give(&b, &[event(4)]);
    give(&a, &[event(5), state("t", 3)]);
    assert_eq!(texts(&outbox), ["e1;", "e4;"], "a topic behind its gate waits, others flow");
    a.open_gate(Position(3), None, Instant::now());
    assert_eq!(texts(&outbox), ["e5;", "t3;"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn an_event_the_history_told_is_dropped_even_if_it_is_published_later() {
    let outbox = outbox(1_000);
    let a = follower(&outbox, "list:a");
    a.close_gate();
    a.open_gate(Position(7), None, Instant::now());
    give(&a, &[event(6), state("t", 6), event(7), event(8), event(8)]);
    assert_eq!(texts(&outbox), ["t6;", "e8;"]);
}

#[test]
fn forgetting_a_topic_leaves_the_others() {
    let outbox = outbox(1_000);
    let (a, b) = (follower(&outbox, "list:a"), follower(&outbox, "list:b"));
    give(&a, &[event(1), state("t", 1)]);
    give(&b, &[event(2), state("t", 2)]);
    a.forget();
    assert_eq!(texts(&outbox), ["e2;", "t2;"]);
    assert_eq!(outbox.bytes(), 0);
}

#[test]
fn a_full_outbox_closes_its_session_and_holds_nothing_any_more() {
    let outbox = outbox(16);
    let a = follower(&outbox, "list:a");
    give(&a, &[event(1), event(2), event(3)]);
    assert_eq!(a.deliver(&event(4), Instant::now()), Delivered::TooMuch);
    assert_eq!(a.deliver(&event(5), Instant::now()), Delivered::Done, "only the first overflow is reported");
    assert_eq!((outbox.closing(), outbox.bytes()), (Some(Close::TooSlow), 0));
}

#[test]
fn a_reader_that_keeps_up_is_given_a_push_of_any_size() {
    let outbox = outbox(16);
    let a = follower(&outbox, "list:a");
    give(&a, &[publication(Class::Event, 1, &"x".repeat(100))]);
    assert_eq!(texts(&outbox).len(), 1);
}

#[test]
fn what_waits_behind_a_gate_or_for_its_turn_counts_too() {
    let gated = outbox(8);
    let a = follower(&gated, "list:a");
    a.close_gate();
    give(&a, &[event(1)]);
    assert_eq!(a.deliver(&event(2), Instant::now()), Delivered::TooMuch);

    let slowed = outbox(16);
    let a = follower(&slowed, "list:a");
    a.close_gate();
    a.open_gate(Position::START, Some(Duration::from_secs(1)), Instant::now());
    for position in 1..100 {
        a.deliver(&state("t", position), Instant::now());
    }
    assert_eq!(slowed.closing(), None, "what waits for its turn is replaced, not piled up");
    a.forget();
    assert_eq!(slowed.bytes(), 0);
}

#[test]
fn many_frames_leave_as_few_chunks() {
    let outbox = outbox(1_000_000);
    let a = follower(&outbox, "list:a");
    for position in 1..=100 {
        a.deliver(&publication(Class::Event, position, &"x".repeat(196)), Instant::now());
    }
    assert_eq!(drain(&outbox).iter().map(bytes::Bytes::len).collect::<Vec<_>>(), [8_000, 8_000, 4_000]);
}

#[test]
fn a_reader_that_takes_nothing_is_stuck_after_a_while() {
    let outbox = outbox(1_000);
    let a = follower(&outbox, "list:a");
    let stuck = |seconds| outbox.is_stuck(Instant::now() + Duration::from_secs(seconds), Duration::from_secs(10), Duration::from_secs(2));
    assert!(!stuck(60), "nothing waits");
    give(&a, &[event(1)]);
    assert!(!stuck(5) && stuck(11));
    texts(&outbox);
    assert!(!stuck(60));
    outbox.close(Close::GoingAway);
    assert!(stuck(3));
}

/// What happens to one session.
#[derive(Debug, Clone)]
enum Step {
    Event,
    State(usize),
    /// The socket takes everything.
    Drain,
    /// Subscribes again, from what it has; `true` slows states down.
    Again(bool),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => Just(Step::Event),
        4 => (0_usize..3).prop_map(Step::State),
        2 => Just(Step::Drain),
        1 => any::<bool>().prop_map(Step::Again),
        2 => (0_u64..80).prop_map(Step::Wait),
    ]
}

proptest! {
    #[test]
    fn events_arrive_once_and_in_order_and_the_last_state_of_each_key_always_arrives(steps in prop::collection::vec(step(), 1..200)) {
        const KEYS: [&str; 3] = ["a", "b", "c"];
        const EVERY: Duration = Duration::from_millis(50);
        let outbox = outbox(1 << 20);
        let one = follower(&outbox, "list:a");
        let (mut now, mut position) = (Instant::now(), 0);
        let (mut events, mut states) = (Vec::new(), BTreeMap::new());
        let (mut got_events, mut got_states) = (Vec::new(), BTreeMap::new());
        let mut take = |got_events: &mut Vec<u64>| {
            for text in texts(&outbox) {
                let (key, number) = text.trim_end_matches(';').split_at(1);
                let number: u64 = number.parse().unwrap();
                if key == "e" { got_events.push(number) } else { got_states.insert(key.to_owned(), number); }
            }
        };
        for step in steps {
            position += 1;
            match step {
                Step::Event => {
                    one.deliver(&event(position), now);
                    events.push(position);
                }
                Step::State(key) => {
                    one.deliver(&state(KEYS[key], position), now);
                    states.insert(KEYS[key].to_owned(), position);
                }
                Step::Drain => take(&mut got_events),
                Step::Again(slow) => {
                    one.close_gate();
                    // The history holds every event up to here that the client lacks.
                    let from = got_events.last().copied().unwrap_or(0);
                    got_events.extend(events.iter().filter(|event| **event > from));
                    one.open_gate(Position(position), slow.then_some(EVERY), now);
                }
                Step::Wait(millis) => {
                    now += Duration::from_millis(millis);
                    one.send_due(now);
                }
            }
        }
        one.send_due(now + EVERY);
        take(&mut got_events);
        prop_assert_eq!(got_events, events);
        prop_assert_eq!(got_states, states);
        prop_assert_eq!(outbox.bytes(), 0);
    }
}
