//! How sessions end: too slow, with the server, or by themselves.

use serde_json::json;

use crate::{
    shop::{code, connect, follow, metric, shop},
    support::wait_for,
};

#[test]
fn a_slow_reader_is_closed_and_the_others_are_unaffected() {
    let app = shop();
    let (mut slow, _) = connect(&app);
    follow(&mut slow, "list:weekly");
    let (mut quick, _) = connect(&app);
    follow(&mut quick, "list:weekly");
    // Large events: what the kernel takes for a reader that reads nothing, and the outbox behind it, must overflow.
    let note = |number: u32| format!("{number}{}", "x".repeat(900));
    let mut closed = false;
    for number in 0..20_000 {
        app.patch("/api/v1/lists/weekly/items/i1", &json!({ "note": note(number) })).ok();
        let push = quick.next_where(|message| message["type"] == "event");
        assert_eq!(push["event"]["data"]["note"].as_str(), Some(&*note(number)), "the quick reader has every event in order");
        if number % 50 == 0 && metric(&app, "aisled_live_sessions_closed_slow_total") > 0.0 {
            closed = true;
            break;
        }
    }
    assert!(closed, "the slow reader was never closed");
    let close = wait_for("the end of the slow session", || slow.next_or_close().err());
    assert!(close.is_none_or(|close| u16::from(close.code) == 3008));
}

#[test]
fn a_stopping_server_tells_its_sessions_to_come_back() {
    let mut app = shop();
    let (mut live, _) = connect(&app);
    follow(&mut live, "list:weekly");
    assert_eq!(app.stop(), Some(0));
    let end = loop {
        match live.next_or_close() {
            Ok(_) => {}
            end => break end,
        }
    };
    assert_eq!(code(end), Some(3001));
}

#[test]
fn sessions_that_end_are_forgotten() {
    let app = shop();
    let sessions: Vec<_> = (0..20).map(|_| connect(&app).0).collect();
    wait_for("20 sessions to be counted", || (metric(&app, "aisled_live_sessions") > 19.5).then_some(()));
    drop(sessions);
    wait_for("all sessions to be gone", || (metric(&app, "aisled_live_sessions") < 0.5).then_some(()));
}
