//! Given a log, then its state at any of its positions.

use std::{sync::Arc, time::Duration};

use super::*;
use crate::{
    domain::{
        Entity, StreamId,
        list::{ListEvent, ListState, Lists},
    },
    events::{Append, Log, Position, clock::SystemClock, contract, memory::MemoryLog},
    projections::Views,
};

fn stream(id: &str) -> StreamId {
    format!("list/{id}").parse().unwrap()
}

/// Two lists in turn, so long that states are kept between.
fn log() -> MemoryLog {
    let log = MemoryLog::new(Arc::new(SystemClock));
    let created = ListEvent::Created { name: "Weekly".into(), household: None, store: None };
    log.append(Append { events: vec![created.into()], ..contract::append("a", 0, &[]) }).wait().unwrap();
    for version in 1..600 {
        contract::put(&log, "a", version, &[&format!("item {version}")]).unwrap();
        if version % 3 == 0 {
            contract::put(&log, "b", version / 3 - 1, &["milk"]).unwrap();
        }
    }
    log
}

#[test]
fn a_list_at_every_position_is_the_fold_of_its_prefix() {
    let log = log();
    let histories = PastStates::<Lists>::of_at_most(1 << 30);
    let (mut state, mut version) = (ListState::default(), 0);
    for recorded in log.read(Position::START, 10_000).unwrap() {
        if recorded.stream == stream("a") {
            Lists::evolve(&mut state, Lists::own(&recorded.event).unwrap(), &recorded.fact());
            version = recorded.version;
        }
        let then = histories.read(&log, &stream("a"), recorded.position).unwrap().unwrap().at(recorded.position).unwrap();
        assert_eq!((then.version, &then.state), (version, &state), "at {}", recorded.position);
    }
    assert!(histories.read(&log, &stream("b"), Position(1)).unwrap().unwrap().at(Position(1)).is_none(), "it began later");
    assert!(histories.read(&log, &stream("nobody"), Position(1)).unwrap().is_none());
}

#[test]
fn a_history_grows_with_its_stream() {
    let log = log();
    let histories = PastStates::<Lists>::of_at_most(1 << 30);
    let before = histories.read(&log, &stream("a"), log.head()).unwrap().unwrap();
    contract::put(&log, "a", 600, &["one more"]).unwrap();
    let read = histories.read(&log, &stream("a"), log.head()).unwrap().unwrap();
    assert_eq!(read.at(log.head()).unwrap().version, 601);
    let earlier = Position(log.head().0 - 1);
    assert_eq!(read.at(earlier).map(|then| then.state), before.at(earlier).map(|then| then.state));
}

#[test]
fn what_is_kept_stays_bounded_and_right() {
    let log = MemoryLog::new(Arc::new(SystemClock));
    for id in 0..200 {
        contract::put(&log, &id.to_string(), 0, &["milk", "bread"]).unwrap();
    }
    let histories = PastStates::<Lists>::of_at_most(20_000);
    for round in 0..3 {
        for id in 0..200 {
            let history = histories.read(&log, &stream(&id.to_string()), log.head()).unwrap().unwrap();
            assert_eq!(history.at(log.head()).unwrap().version, 2, "{round}");
            assert!(histories.bytes() <= 20_000);
        }
    }
    assert!(histories.bytes() > 5_000, "it keeps something");
}

#[test]
fn a_board_of_any_position_equals_a_fresh_replay_and_is_freed_when_idle() {
    let (log, boards) = (log(), Boards::default());
    for position in [5, 700, 701, 3, 800].map(Position) {
        let digests = boards.ask(&log, position, Views::digests).unwrap();
        let mut fresh = Views::default();
        for recorded in log.read(Position::START, usize::try_from(position.0).unwrap()).unwrap() {
            fresh.apply(&recorded);
        }
        assert_eq!(digests, fresh.digests());
    }
    assert!(boards.forget_idle(Duration::from_hours(1)));
    assert!(!boards.forget_idle(Duration::ZERO));
}

#[test]
fn too_many_reads_of_the_past_are_refused() {
    let past = Past::default();
    let entered: Vec<_> = (0..READS_MAX).map_while(|_| past.enter()).collect();
    assert_eq!(entered.len(), READS_MAX);
    assert!(past.enter().is_none());
    drop(entered);
    assert!(past.enter().is_some());
}
