//! Who receives what, and who is closed.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::rig::*;
use crate::{
    events::Position,
    live::{
        Close, Hub, Limits,
        channel::{Channel, DealFilter},
        encoding::Encoding,
        hub::State,
        member::Arrival,
        membership::Membership,
        publication::{Key, Wire},
        worker::Worker,
    },
    people::Identity,
};

#[actix_web::test]
async fn only_followers_of_a_topic_receive_its_events() {
    let hub = hub(Limits::default());
    let (one, other) = (join(&hub), join(&hub));
    publish(&hub, "list:a", 1, None);
    follow(&one, "list:a", 1);
    assert!(hub.wants(&topic("list:a")) && !hub.wants(&topic("list:b")));
    publish(&hub, "list:a", 2, Some(1));
    assert!(received(&one).contains(r#"{"type":"event","topic":"list:a","position":"2","previous":"1","event":"x"}"#));
    assert_eq!(received(&other), "");
}

#[actix_web::test]
async fn a_topic_of_many_streams_states_its_own_previous_position() {
    let hub = hub(Limits::default());
    let one = join(&hub);
    hub.advance(Position(5));
    follow(&one, "deals:s", 5);
    publish(&hub, "deals:s", 8, None);
    publish(&hub, "deals:s", 9, None);
    let text = received(&one);
    assert!(text.contains(r#""position":"8","previous":"5""#) && text.contains(r#""position":"9","previous":"8""#), "{text}");
    assert_eq!(hub.last_event(&Channel::whole(topic("deals:s"))), Some(Position(9)));
}

#[actix_web::test]
async fn each_encoding_gets_the_same_message() {
    let hub = hub(Limits::default());
    let msgpack = Wire { encoding: Encoding::Msgpack, deflate: false };
    let (json, packed) = (join(&hub), try_join(&hub, msgpack).unwrap());
    follow(&json, "list:a", 0);
    follow(&packed, "list:a", 0);
    publish(&hub, "list:a", 1, None);
    let read = |membership: &Membership, encoding: Encoding| {
        let frames = drain(membership.outbox());
        encoding.read(&crate::live::frame::payload(&frames[0])).unwrap()
    };
    assert_eq!(read(&json, Encoding::Json), read(&packed, Encoding::Msgpack));
}

#[actix_web::test]
async fn a_session_that_ends_leaves_nothing_behind() {
    let hub = hub(Limits::default());
    let one = join(&hub);
    follow(&one, "list:a", 0);
    follow(&one, "system", 0);
    publish(&hub, "list:a", 1, None);
    assert!(one.unsubscribe(&topic("system")) && !one.unsubscribe(&topic("system")));
    assert_eq!((hub.admission().sessions(), one.topic_count()), (1, 1));
    let outbox = std::rc::Rc::downgrade(one.outbox());
    drop(one);
    assert_eq!(hub.admission().sessions(), 0);
    assert!(!hub.wants(&topic("list:a")) && hub.is_quiet());
    assert!(outbox.upgrade().is_none(), "the outbox and what waited in it are gone");
}

#[actix_web::test]
async fn a_slow_session_is_closed_and_the_others_go_on() {
    let hub = hub(Limits { outbox_bytes_max: 400, ..Limits::default() });
    let (slow, quick) = (join(&hub), join(&hub));
    follow(&slow, "list:a", 0);
    follow(&quick, "list:a", 0);
    for position in 1..=20 {
        publish(&hub, "list:a", position, position.checked_sub(1));
        assert!(received(&quick).contains(&format!(r#""position":"{position}""#)));
    }
    assert_eq!((slow.outbox().closing(), quick.outbox().closing()), (Some(Close::TooSlow), None));
}

#[actix_web::test]
async fn a_worker_that_cannot_keep_up_sends_its_sessions_back_to_their_positions() {
    let hub = hub(Limits { worker_bytes_max: 1_000, ..Limits::default() });
    let one = join(&hub);
    follow(&one, "list:a", 0);
    for position in 1..=100 {
        hub.publish_event(&topic("list:a"), &recorded(position, None), |_| Some("x"));
    }
    Worker::of(&hub).take_in_now();
    assert_eq!(one.outbox().closing(), Some(Close::ServerTooSlow));
}

#[actix_web::test]
async fn a_right_that_is_taken_away_ends_its_topic_at_once() {
    let rights = Arc::new(TestRights::default());
    let hub = Arc::new(Hub::new(Limits::default(), Arc::clone(&rights) as _));
    let (ana, ben) = (join(&hub), Membership::join(&hub, "", Arrival::default(), Some(Identity::account(who("ben"))), JSON).unwrap());
    for one in [&ana, &ben] {
        follow(one, "list:a", 0);
        follow(one, "list:b", 0);
    }
    publish(&hub, "list:a", 1, None);
    rights.denied.lock().insert((who("ana"), topic("list:a")));
    hub.rights_changed(&who("ana"));
    publish(&hub, "list:a", 2, Some(1));
    publish(&hub, "list:b", 3, None);
    let text = received(&ana);
    assert!(text.contains(r#"{"type":"revoked","topics":["list:a"],"code":"forbidden"}"#), "{text}");
    assert!(!text.contains(r#""topic":"list:a""#), "what waited of it is not sent: {text}");
    assert!(text.contains(r#""topic":"list:b""#));
    assert!(received(&ben).contains(r#""position":"2""#), "others keep their rights");
    assert!(!ana.follows(&topic("list:a")));
}

#[actix_web::test]
async fn a_session_is_ended_for_silence_age_and_a_token_that_ends() {
    let limits = Limits { ping_interval: Duration::from_secs(10), lifetime: Duration::from_secs(1_000), ..Limits::default() };
    let hub = hub(limits);
    let arrive = |who| Membership::join(&hub, "", Arrival { two_way: true, ..Arrival::default() }, who, JSON).unwrap();
    let (named, unnamed, listening) = (arrive(Some(Identity::account(who("ana")))), arrive(None), join(&hub));
    let look = |seconds| Worker::of(&hub).look(Instant::now() + Duration::from_secs(seconds));
    look(11);
    assert_eq!((named.outbox().closing(), unnamed.outbox().closing()), (None, Some(Close::AuthenticationTimeout)));
    assert_eq!((drain(named.outbox()).len(), drain(listening.outbox()).len()), (1, 1), "they are pinged");
    look(21);
    assert_eq!((named.outbox().closing(), listening.outbox().closing()), (Some(Close::Silent), None), "who cannot speak is not silent");
    drain(listening.outbox());
    look(1_101);
    assert_eq!(listening.outbox().closing(), Some(Close::Lifetime));
    let expiring = join(&hub);
    let until = Some(Instant::now() + Duration::from_mins(1));
    expiring.admit(crate::live::Grant { identity: Identity::account(who("ana")), until }).unwrap();
    look(59);
    drain(expiring.outbox());
    assert_eq!(expiring.outbox().closing(), None);
    look(61);
    assert_eq!(expiring.outbox().closing(), Some(Close::TokenExpired));
}

#[actix_web::test]
async fn slowed_states_are_waited_for_once_per_follower_however_many_there_are() {
    let hub = hub(Limits::default());
    let one = join(&hub);
    one.subscribe(Channel::whole(topic("product:p")));
    one.open(&topic("product:p"), Position(0), Some(Duration::from_millis(100)));
    let (worker, begin) = (Worker::of(&hub), Instant::now());
    for step in 1..500_u64 {
        let key = Key::PriceAt(format!("s{}", step % 3).parse().unwrap());
        hub.publish_states(&topic("product:p"), Position(step), &[State { key, value: step }]);
        worker.take_in_now();
        worker.do_due_by(begin + Duration::from_millis(step * 7));
        received(&one);
        assert!(worker.deadline_count() <= 4, "{} moments at step {step}", worker.deadline_count());
    }
}

#[actix_web::test]
async fn a_filter_makes_a_channel_of_its_own() {
    let hub = hub(Limits::default());
    let (all, some) = (join(&hub), join(&hub));
    follow(&all, "deals:s", 0);
    let filter = DealFilter { category: Some("dairy".into()), ..DealFilter::default() };
    some.subscribe(Channel { topic: topic("deals:s"), filter: filter.clone() });
    some.open(&topic("deals:s"), Position(0), None);
    hub.publish_event(&topic("deals:s"), &recorded(1, None), |wanted| (*wanted == DealFilter::default()).then_some("bread"));
    hub.publish_event(&topic("deals:s"), &recorded(2, None), |_| Some("milk"));
    Worker::of(&hub).take_in_now();
    assert!(received(&all).contains("bread"));
    let text = received(&some);
    assert!(text.contains(r#""position":"2","previous":"0","event":"milk""#), "{text}");
    follow(&some, "deals:s", 2);
    assert_eq!(hub.last_event(&Channel { topic: topic("deals:s"), filter }), None, "the other filter took its place");
}

#[actix_web::test]
async fn a_stopping_server_tells_everybody_and_lets_nobody_in() {
    let hub = hub(Limits { farewell: Duration::from_millis(20), closing_max: Duration::from_millis(20), ..Limits::default() });
    let one = join(&hub);
    hub.say_farewell().await;
    assert_eq!(one.outbox().closing(), Some(Close::GoingAway));
    assert_eq!(try_join(&hub, JSON).unwrap_err(), Close::GoingAway);
}
