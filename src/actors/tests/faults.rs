//! What happens when the log fails, another writer appends, an actor panics or a history cannot be read.

use std::sync::atomic::Ordering;

use super::rig::{FaultyLog, Rig, add, id, named};
use crate::{
    actors::{Failure, memos::Memos},
    domain::{
        StreamId, StreamKind,
        list::{ListEvent, Lists},
    },
    events::{Append, AppendError, Log},
};

#[actix_rt::test]
async fn a_failed_append_leaves_the_state_untouched() {
    let rig = Rig::new();
    rig.furnish().await;
    let before = rig.loaded().await;
    rig.log.fail_next(AppendError::ReadOnly("the disk is full".into()));
    let refused = rig.list(add("bread")).await;
    assert!(matches!(refused, Err(Failure::ReadOnly(_))), "{refused:?}");
    let after = rig.loaded().await;
    assert_eq!((&after.state, after.version), (&before.state, before.version));
    assert_eq!(rig.list(add("bread")).await.expect("the next one is recorded").version, before.version + 1);
}

#[actix_rt::test]
async fn a_full_queue_of_the_log_is_answered_as_overload() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.log.fail_next(AppendError::Overloaded { queue_max: 1 });
    let refused = rig.list(add("bread")).await;
    assert!(matches!(refused, Err(Failure::Overloaded { .. })), "{refused:?}");
}

#[actix_rt::test]
async fn an_append_of_unknown_outcome_is_looked_up_by_its_command_id() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.log.fail_next(AppendError::Unknown("no answer in time".into()));
    let done = rig.registry.execute::<Lists>("weekly", named(add("bread"), "key-1", 7)).await.expect("it was recorded after all");
    assert_eq!(done.version, 2);
    assert_eq!(rig.loaded().await.version, 2);
}

#[actix_rt::test]
async fn an_unnamed_append_of_unknown_outcome_is_told_so_and_the_state_follows_the_log() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.log.fail_next(AppendError::Unknown("no answer in time".into()));
    let answer = rig.list(add("bread")).await;
    assert!(matches!(answer, Err(Failure::OutcomeUnknown(_))), "{answer:?}");
    assert_eq!(rig.list(add("jam")).await.expect("the next is decided on what the log says").version, 3);
}

#[actix_rt::test]
async fn what_was_shown_before_an_append_of_unknown_outcome_is_not_shown_after_it() {
    let rig = Rig::new();
    rig.furnish().await;
    assert_eq!(rig.loaded().await.version, 1);
    rig.log.fail_next(AppendError::Unknown("no answer in time".into()));
    let answer = rig.list(add("bread")).await;
    assert!(matches!(answer, Err(Failure::OutcomeUnknown(_))), "{answer:?}");
    assert_eq!(rig.loaded().await.version, 2);
}

#[actix_rt::test]
async fn a_command_that_loses_a_race_is_decided_anew_on_the_winners_event() {
    let rig = Rig::new();
    rig.furnish().await;
    let rename = Append {
        stream: StreamId::new(StreamKind::List, "weekly").expect("a valid id"),
        expected_version: 1,
        who: id("ben"),
        by: None,
        command: None,
        client: None,
        events: vec![ListEvent::Renamed { name: "Ben's".into() }.into()],
    };
    rig.log.append_blocking(rename).await.expect("the other writer is first");
    assert_eq!(rig.list(add("bread")).await.expect("decided again").version, 3);
    assert_eq!(rig.registry.counters().conflicts, 1);
}

#[actix_rt::test]
async fn an_entity_whose_history_cannot_be_read_refuses_by_position_and_others_go_on() {
    let first = Rig::new();
    first.furnish().await;
    let rig = Rig::on(first.log.clone(), Memos::none());
    rig.log.unreadable.store(true, Ordering::Relaxed);
    let refused = rig.list(add("bread")).await;
    assert!(matches!(&refused, Err(Failure::Poisoned { position, .. }) if position.0 == 2), "{refused:?}");
    let fresh = crate::domain::list::ListCommand::Create { name: "New".into(), household: None, store: None };
    assert!(rig.registry.execute::<Lists>("other", super::rig::request(fresh)).await.is_ok());
}

#[actix_rt::test]
async fn an_actor_that_panics_is_counted_and_the_next_command_finds_it_awake() {
    let rig = Rig::on(FaultyLog::new(), Memos::none());
    rig.furnish().await;
    rig.log.panic_next.store(true, Ordering::Relaxed);
    let answer = rig.list(add("bread")).await;
    assert!(matches!(answer, Err(Failure::OutcomeUnknown(_))), "{answer:?}");
    assert_eq!(rig.registry.counters().panics, 1);
    assert_eq!(rig.list(add("bread")).await.expect("awake again").version, 2);
}
