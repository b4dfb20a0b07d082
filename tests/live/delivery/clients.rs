//! A client that breaks off at any moment: abruptly, properly, or by subscribing again.

use std::sync::atomic::Ordering;

use super::{Scene, TOPICS};
use crate::{
    follower::Follower,
    support::Random,
    wire::{CLOSE, Opening, Wire},
};

/// The most messages between two breaks.
const MESSAGES_MAX: u64 = 400;

/// Follows every topic until each has ended and every state is as HTTP shows it.
pub fn follow_to_the_end(scene: &Scene, mut random: Random, max_rate: Option<u32>) -> Follower {
    let mut follower = Follower::new(&TOPICS);
    let mut wire = connect(scene, &mut follower, max_rate);
    let mut until_break = random.below(MESSAGES_MAX);
    let mut told = 0;
    while !is_at_the_end(scene, &follower) {
        match wire.next_or_end() {
            Ok(message) => follower.take(&message),
            Err(end) => {
                assert!(matches!(end, None | Some(3008)), "the server closed with {end:?}");
                wire = connect(scene, &mut follower, max_rate);
            }
        }
        scene.count(follower.deliveries - told);
        told = follower.deliveries;
        until_break = until_break.saturating_sub(1);
        if until_break == 0 {
            until_break = 1 + random.below(MESSAGES_MAX);
            wire = break_off(wire, scene, &mut follower, &mut random, max_rate);
        }
    }
    follower
}

fn break_off(mut wire: Wire, scene: &Scene, follower: &mut Follower, random: &mut Random, max_rate: Option<u32>) -> Wire {
    scene.breaks.fetch_add(1, Ordering::AcqRel);
    match random.below(5) {
        0 => drop(wire),
        1 => wire.reset(),
        2 => {
            // What is still under way is not read, so it must be sent again.
            wire.send_frame(CLOSE, &1000_u16.to_be_bytes());
            wire.end();
        }
        _ if follower.settled() => {
            let topics: Vec<_> = TOPICS.iter().filter(|_| random.below(2) == 0).map(|topic| (*topic).to_owned()).collect();
            wire.send(&follower.subscribe(topics.iter(), max_rate));
            return wire;
        }
        _ => return wire,
    }
    connect(scene, follower, max_rate)
}

fn connect(scene: &Scene, follower: &mut Follower, max_rate: Option<u32>) -> Wire {
    loop {
        let Ok(mut wire) = Wire::try_open(&scene.url(), Opening::default()) else { continue };
        let Ok(hello) = wire.next_or_end() else { continue };
        follower.greet(&hello);
        wire.send(&follower.subscribe(TOPICS.map(str::to_owned).iter(), max_rate));
        return wire;
    }
}

fn is_at_the_end(scene: &Scene, follower: &Follower) -> bool {
    let Some(end) = scene.end.get() else { return false };
    let kept = |topic: String| &follower.topics[&topic];
    let lists = || end.totals.iter().map(|(list, totals)| (kept(format!("list:{list}")), totals));
    let products = || end.prices.iter().map(|(product, amount)| (kept(format!("product:{product}")), product, amount));
    follower.settled()
        && lists().all(|(list, totals)| list.ended && list.states["totals"]["estimated"] == *totals)
        && lists().all(|(list, _)| {
            products().all(|(_, product, amount)| list.states[&format!("price:{product}")]["price"]["price"]["amount"] == *amount)
        })
        && products().all(|(product, _, amount)| product.ended && product.states["price:billa"]["price"]["price"]["amount"] == *amount)
        && kept("deals:billa".to_owned()).deals == end.deals
}
