//! A stopping server notifies every session, and spreads the closes so that not all come back at once.

use std::{
    thread,
    time::{Duration, Instant},
};

use crate::{
    shop::shop,
    wire::{Opening, Wire},
};

const SESSIONS: usize = 50;
/// Far less than the time over which the closes are spread.
const SPREAD_MIN: Duration = Duration::from_millis(200);

#[test]
fn a_stop_is_announced_to_every_session_and_the_closes_are_spread() {
    let mut app = shop();
    let url = app.server().url().to_owned();
    let sessions: Vec<_> = (0..SESSIONS)
        .map(|_| {
            let (mut wire, _) = Wire::greeted(&url, Opening::default());
            wire.follow("list:weekly");
            thread::spawn(move || {
                let closing = wire.next_where(|message| message["type"] == "closing");
                assert_eq!((&closing["code"], &closing["reason"]), (&3001.into(), &"going_away".into()), "{closing}");
                assert!(closing["within_ms"].as_u64().unwrap() > 0 && closing["come_back_within_ms"].as_u64().unwrap() > 0);
                assert_eq!(wire.end(), Some(3001));
                Instant::now()
            })
        })
        .collect();
    assert_eq!(app.stop(), Some(0), "a clean stop ends with 0");
    let mut ends: Vec<_> = sessions.into_iter().map(|session| session.join().expect("every session is told and closed")).collect();
    ends.sort_unstable();
    let spread = ends[SESSIONS - 1] - ends[0];
    assert!(spread > SPREAD_MIN, "all ended within {spread:?}");
    app.restart();
    Wire::greeted(app.server().url(), Opening::default());
}
