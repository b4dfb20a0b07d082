//! A server whose clock was wrong, and is right again.

use std::sync::Arc;

use serde_json::{Value, json};

use super::rig::Rig;
use crate::{
    domain::Moment,
    events::{Clock, Log, ManualClock, MemoryLog, SystemClock},
};

const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

#[actix_web::test]
async fn after_a_clock_that_was_ahead_the_start_says_so_and_time_goes_on_from_the_right_one() {
    let clock = Arc::new(ManualClock::at(Moment(SystemClock.now().0 + 365 * DAY_MICROS)));
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(Arc::clone(&clock) as Arc<dyn Clock>));
    let ahead = Rig::on(Arc::clone(&log));
    ahead.done("POST", "/api/v1/lists", json!({"id": "l", "name": "Weekly"})).await;
    assert_eq!(ahead.get("/api/v1/lists/l?at=now").await.status, 200, "also what is stamped with the future is there now");
    clock.set(SystemClock.now());
    let rig = Rig::on(log);
    let ready = rig.get("/readyz").await.json();
    assert!(ready["clock"]["warning"].as_str().is_some_and(|warning| warning.contains("behind the newest event")), "{ready}");
    rig.done("PATCH", "/api/v1/lists/l", json!({"name": "Daily"})).await;
    let lines = rig.get("/api/v1/events").await;
    let events: Vec<Value> = lines.body.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let at = |number: usize| events[number]["at"].as_str().expect("a time").parse::<Moment>().expect("a time");
    assert!(at(1) < at(0) && at(1).0 <= SystemClock.now().0, "{events:#?}");
    for when in ["now", events[1]["at"].as_str().expect("a time")] {
        let shown = rig.get(&format!("/api/v1/lists/l?at={when}")).await;
        assert_eq!((shown.status.as_u16(), &shown.json()["name"]), (200, &json!("Daily")), "{when}");
    }
    assert_eq!(Rig::empty().get("/readyz").await.json()["clock"]["warning"], Value::Null);
}
