//! Rest and waking: an entity that rests loses nothing, and a long one wakes from its memo.

use super::rig::{Rig, add};
use crate::{
    actors::memos::Memos,
    domain::{
        Moment, StreamId, StreamKind,
        list::{ListCommand, ListState},
    },
};

#[actix_rt::test]
async fn an_entity_that_rested_wakes_with_the_same_state() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.list(add("bread")).await.expect("added");
    let before = rig.loaded().await;
    rig.registry.rest_everybody().await;
    assert_eq!(rig.registry.counters().alive, 0);
    let after = rig.loaded().await;
    assert_eq!((&after.state, after.version), (&before.state, before.version));
}

#[actix_rt::test]
async fn an_entity_does_not_rest_while_a_command_is_on_its_way_even_if_nobody_waits_for_it() {
    let rig = Rig::new();
    rig.furnish().await;
    let (held, release) = rig.log.hold_next();
    tokio::select! {
        biased;
        _ = held => {}
        answer = rig.list(add("bread")) => panic!("the log holds it back: {answer:?}"),
    }
    rig.registry.rest_idle(Moment(i64::MAX));
    assert!(rig.registry.counters().alive > 0, "the list's actor still has a command to settle");
    release.send(()).expect("the log waits");
    assert_eq!(rig.loaded().await.version, 2, "a load is answered after the command, by the same actor");
    assert_eq!(rig.registry.counters().started, 3, "a store, a product and a list: none was woken twice");
}

#[actix_rt::test]
async fn a_long_lived_list_wakes_from_its_memo_with_the_same_state() {
    let folder = tempfile::tempdir().expect("a folder");
    let rig = Rig::on(super::rig::FaultyLog::new(), Memos::at(folder.path()));
    rig.furnish().await;
    for n in 0..200 {
        rig.list(ListCommand::Rename { name: format!("List {n}") }).await.expect("renamed");
    }
    let before = rig.loaded().await;
    rig.registry.rest_everybody().await;
    let stream = StreamId::new(StreamKind::List, "weekly").expect("a valid id");
    let memo = Memos::at(folder.path()).load::<ListState>(&stream).expect("a memo was written");
    assert_eq!(memo.version, 201);
    assert_eq!(rig.loaded().await.state, before.state);
}

#[actix_rt::test]
async fn a_memo_of_a_log_that_lost_its_end_and_grew_again_is_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in ["Lost", "New"] {
        let rig = Rig::on(super::rig::FaultyLog::new(), Memos::at(folder.path()));
        rig.furnish().await;
        for n in 0..200 {
            rig.list(ListCommand::Rename { name: format!("{kind} {n}") }).await.expect("renamed");
        }
        let before = rig.loaded().await;
        if kind == "Lost" {
            rig.registry.rest_everybody().await;
            continue;
        }
        let restarted = Rig::on(rig.log.clone(), Memos::at(folder.path()));
        assert_eq!(restarted.loaded().await.state, before.state);
    }
}

#[actix_rt::test]
async fn a_damaged_memo_is_ignored() {
    let folder = tempfile::tempdir().expect("a folder");
    let rig = Rig::on(super::rig::FaultyLog::new(), Memos::at(folder.path()));
    rig.furnish().await;
    for n in 0..200 {
        rig.list(ListCommand::Rename { name: format!("List {n}") }).await.expect("renamed");
    }
    let before = rig.loaded().await;
    rig.registry.rest_everybody().await;
    damage_every_file(folder.path());
    assert_eq!(rig.loaded().await.state, before.state);
}

fn damage_every_file(folder: &std::path::Path) {
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            damage_every_file(&path);
        } else {
            let mut bytes = std::fs::read(&path).expect("readable");
            let last = bytes.len() - 1;
            bytes[last] ^= 0x40;
            std::fs::write(&path, bytes).expect("writable");
        }
    }
}
