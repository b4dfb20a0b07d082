//! Commands: done once, in order, at the right version.

use super::rig::{Rig, add, named, request};
use crate::{
    actors::{Failure, memos::Memos},
    domain::{
        Outcome,
        list::{ListCommand, Lists},
    },
    events::{Log, Position},
};

#[actix_rt::test]
async fn an_acknowledged_command_is_in_the_log_at_the_position_it_was_told() {
    let rig = Rig::new();
    rig.furnish().await;
    let done = rig.list(add("bread")).await.expect("added");
    let events = rig.log.read(Position(done.position.0 - 1), 1).expect("readable");
    assert_eq!((done.outcome, done.version, done.subject.as_deref()), (Outcome::Applied, 2, Some("bread")));
    assert_eq!((events[0].stream.to_string().as_str(), events[0].version), ("list/weekly", 2));
}

#[actix_rt::test]
async fn a_repeated_command_is_answered_with_its_first_outcome_and_applied_once() {
    let rig = Rig::new();
    rig.furnish().await;
    let more = || named(add("bread"), "key-1", 7);
    let first = rig.registry.execute::<Lists>("weekly", more()).await.expect("added");
    rig.list(ListCommand::Rename { name: "Later".into() }).await.expect("renamed");
    let again = rig.registry.execute::<Lists>("weekly", more()).await.expect("repeated");
    assert!(again.repeated && !first.repeated);
    assert_eq!(
        (again.outcome, again.version, again.position, again.subject),
        (first.outcome, first.version, first.position, first.subject)
    );
}

#[actix_rt::test]
async fn a_command_repeated_after_a_restart_is_still_applied_once() {
    let rig = Rig::new();
    rig.furnish().await;
    let first = rig.registry.execute::<Lists>("weekly", named(add("bread"), "key-1", 7)).await.expect("added");
    let restarted = Rig::on(rig.log.clone(), Memos::none());
    let again = restarted.registry.execute::<Lists>("weekly", named(add("bread"), "key-1", 7)).await.expect("repeated");
    assert!(again.repeated);
    assert_eq!(again.position, first.position);
    assert_eq!(rig.log.head(), first.position);
}

#[actix_rt::test]
async fn a_command_id_used_for_something_else_is_refused() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.registry.execute::<Lists>("weekly", named(add("bread"), "key-1", 7)).await.expect("added");
    let other = rig.registry.execute::<Lists>("weekly", named(add("jam"), "key-1", 8)).await;
    assert!(matches!(other, Err(Failure::KeyReused { .. })), "{other:?}");
}

#[actix_rt::test]
async fn a_stale_version_is_refused_with_the_version_it_should_have_been() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.list(add("bread")).await.expect("added");
    let mut stale = request(ListCommand::Rename { name: "Late".into() });
    stale.if_version = Some(crate::actors::Expected::Here(1));
    let refused = rig.registry.execute::<Lists>("weekly", stale).await;
    assert!(matches!(refused, Err(Failure::VersionMismatch { expected: 1, actual: 2 })), "{refused:?}");
}

#[actix_rt::test]
async fn commands_sent_at_once_to_one_list_are_each_applied_once_and_gapless() {
    let rig = Rig::new();
    rig.furnish().await;
    let names: Vec<String> = (0..50).map(|n| format!("item-{n}")).collect();
    let done = futures_util::future::join_all(names.iter().map(|name| rig.list(add(name)))).await;
    let mut versions: Vec<u64> = done.into_iter().map(|done| done.expect("added").version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..52).collect::<Vec<u64>>());
}

#[actix_rt::test]
async fn a_refused_command_records_nothing() {
    let rig = Rig::new();
    rig.furnish().await;
    let before = rig.log.head();
    let refused = rig.list(ListCommand::Check { item: super::rig::id("nothing") }).await;
    assert!(matches!(refused, Err(Failure::Refused(_))), "{refused:?}");
    assert_eq!(rig.log.head(), before);
}
