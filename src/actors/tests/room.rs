//! Room for the awake: reading fills no memory, nothing takes no place, and who is in use stays.

use super::rig::{FaultyLog, Rig, add, id, request};
use crate::{
    actors::{failure::Failure, memos::Memos, shared::ActorLimits},
    domain::{
        StoreId,
        list::{ListCommand, Lists},
        store::{StoreCommand, StoreDetails, Stores},
    },
};

fn rig(alive_max: usize, bytes_max: usize) -> Rig {
    Rig::within(FaultyLog::new(), Memos::none(), ActorLimits { alive_max, bytes_max, idle_seconds: 300 })
}

async fn register(rig: &Rig, stores: usize) {
    for number in 0..stores {
        register_as(rig, [&format!("s{number}")]).await;
    }
}

#[actix_rt::test]
async fn reading_everything_once_stays_within_the_bytes_and_refuses_nobody() {
    let rig = rig(100_000, 1_000_000);
    register(&rig, 200).await;
    rig.registry.rest_everybody().await;
    for round in 0..2 {
        for number in 0..200 {
            let loaded = rig.registry.load::<Stores>(&format!("s{number}")).await.expect("it can be read");
            assert_eq!(loaded.version, 1, "round {round}");
            let bytes = rig.registry.counters().bytes;
            assert!(bytes <= 1_020_000, "{bytes} bytes after store {number}");
        }
    }
    assert!(rig.registry.counters().started > 400, "they rested and woke");
}

#[actix_rt::test]
async fn more_entities_than_may_be_awake_are_served_one_after_the_other() {
    let rig = rig(20, 64 << 20);
    register(&rig, 100).await;
    for number in 0..100 {
        assert_eq!(rig.registry.load::<Stores>(&format!("s{number}")).await.expect("it can be read").version, 1);
    }
    assert_eq!(rig.registry.counters().mailbox_refusals, 0);
}

#[actix_rt::test]
async fn what_does_not_exist_takes_no_place() {
    let rig = Rig::new();
    rig.furnish().await;
    let before = rig.registry.counters();
    for number in 0..300 {
        let unknown = format!("unknown{number}");
        assert_eq!(rig.registry.load::<Stores>(&unknown).await.expect("read").version, 0);
        let nothing = rig.registry.load::<Lists>(&unknown).await.expect("read");
        assert_eq!((nothing.version, nothing.view.items), (0, 0));
        let refused = rig.registry.execute::<Lists>(&unknown, request(add("bread"))).await;
        assert!(matches!(refused, Err(Failure::Refused(refusal)) if refusal.code == "list_not_found"));
    }
    rig.registry.rest_idle(crate::domain::Moment(0));
    let after = rig.registry.counters();
    assert_eq!(after.bytes, before.bytes);
    let created = ListCommand::Create { name: "New".into(), household: None, store: Some(id::<StoreId>("markt")) };
    rig.registry.execute::<Lists>("unknown7", request(created)).await.expect("it can be created afterwards");
    assert_eq!(rig.registry.load::<Lists>("unknown7").await.expect("read").version, 1);
}

#[actix_rt::test]
async fn who_only_was_read_rests_before_who_was_commanded() {
    let rig = rig(10, 64 << 20);
    register(&rig, 8).await;
    rig.registry.rest_everybody().await;
    let more = rig.registry.execute::<Stores>("s0", request(StoreCommand::Register(details("Another")))).await;
    assert!(matches!(more, Err(Failure::Refused(_))), "it is registered: but it was commanded");
    for number in 1..8 {
        rig.registry.load::<Stores>(&format!("s{number}")).await.expect("read");
    }
    let started = rig.registry.counters().started;
    register_as(&rig, ["new0", "new1", "new2"]).await;
    rig.registry.load::<Stores>("s0").await.expect("read");
    assert_eq!(rig.registry.counters().started, started + 3, "the oldest of all is still awake, because it was commanded");
    rig.registry.load::<Stores>("s1").await.expect("read");
    assert_eq!(rig.registry.counters().started, started + 4, "the first that only was read is not");
}

fn details(name: &str) -> StoreDetails {
    StoreDetails { name: name.into(), currency: super::rig::eur(), chain: None, country: None, time_zone: None }
}

async fn register_as<const N: usize>(rig: &Rig, ids: [&str; N]) {
    for id in ids {
        rig.registry.execute::<Stores>(id, request(StoreCommand::Register(details(id)))).await.expect("a store");
    }
}
