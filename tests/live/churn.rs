//! Sessions that come and go leave nothing.

use serde_json::json;

use crate::{
    shop::{shop, wait_for_closed},
    stalled::{memory_kib, sessions},
    support::wait_for,
    wire::{Opening, Wire},
};

const ROUNDS: u64 = 12;
const SESSIONS_PER_ROUND: u64 = 60;
/// Rounds before memory is compared: by then the allocator and the threads have what they need.
const ROUNDS_TO_WARM_UP: u64 = 3;
const GROWTH_KIB_MAX: u64 = 8 << 10;

#[test]
fn memory_is_flat_over_sessions_that_come_and_go() {
    let app = shop();
    let url = app.server().url();
    let mut warm = 0;
    for round in 1..=ROUNDS {
        let mut wires: Vec<_> = (0..SESSIONS_PER_ROUND).map(|_| Wire::greeted(url, Opening::default()).0).collect();
        for (number, wire) in wires.iter_mut().enumerate() {
            let topics: Vec<_> = (0..40).map(|topic| json!({ "topic": format!("deals:r{round}-{number}-{topic}") })).collect();
            wire.send(&json!({ "id": 1, "op": "subscribe", "topics": topics }));
            wire.next_where(|message| message["id"] == 1 && message["more"] == false);
            wire.follow("list:weekly");
            wire.follow_with("product:milk", &json!({ "max_rate": 0.01 }));
        }
        for (number, wire) in wires.into_iter().enumerate() {
            // As clients leave: without a word, with a reset, or properly.
            match number % 3 {
                0 => drop(wire),
                1 => wire.reset(),
                _ => assert_eq!(close(wire), Some(1000)),
            }
        }
        wait_for("all sessions to be gone", || (sessions(&app) == 0).then_some(()));
        if round == ROUNDS_TO_WARM_UP {
            warm = memory_kib(&app);
        }
    }
    wait_for_closed(&app, "normal", ROUNDS * SESSIONS_PER_ROUND);
    let after = memory_kib(&app);
    assert!(after < warm + GROWTH_KIB_MAX, "{warm} KiB grew to {after} KiB");
}

/// Closes and returns the answer.
fn close(mut wire: Wire) -> Option<u16> {
    wire.send_frame(crate::wire::CLOSE, &1000_u16.to_be_bytes());
    wire.end()
}
