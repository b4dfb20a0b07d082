//! Readers that take nothing, among many that do: they are closed, and cost the others nothing.

use std::thread;

use serde_json::json;

use crate::{
    setting,
    shop::{closed, metric, rename, shop, wait_for_closed},
    support::{TestApp, wait_for},
    wire::{Opening, Wire},
};

const STALLED: usize = 20;
const READERS_DEFAULT: usize = 200;
/// More than a sound server needs for what is left of stalled sessions, and for answers of many readers under way.
const GROWTH_KIB_MAX: u64 = 30 << 10;
/// The most changes before every stalled reader must have been noticed.
const CHANGES_MAX: u32 = 20_000;

#[test]
fn twenty_stalled_readers_among_many_are_sent_away_and_nobody_else_notices() {
    let readers = setting("AISLED_LIVE_READERS").unwrap_or(READERS_DEFAULT);
    let app = shop();
    let url = app.server().url();
    let lively: Vec<_> = (0..readers - STALLED)
        .map(|_| {
            let (mut wire, _) = Wire::greeted(url, Opening::default());
            let last = wire.follow("list:weekly")["position"].clone();
            thread::spawn(move || read_to_the_end(wire, last))
        })
        .collect();
    let mut stalled: Vec<_> = (0..STALLED)
        .map(|_| {
            let (mut wire, _) = Wire::greeted(url, Opening { receive_buffer: Some(2 << 10), ..Opening::default() });
            wire.follow("list:weekly");
            wire
        })
        .collect();
    wait_for("all to be counted", || (sessions(&app) == readers).then_some(()));
    let before = memory_kib(&app);
    let mut changes = 0;
    let slow = || closed(&app, "too_slow");
    while slow() < STALLED as u64 {
        for _ in 0..20 {
            app.patch("/api/v1/lists/weekly/items/i1", &json!({ "note": format!("{changes}{}", "x".repeat(900)) })).ok();
            changes += 1;
        }
        assert!(changes < CHANGES_MAX, "{} of {STALLED} were noticed after {changes} changes", slow());
    }
    rename(&app, "The end");
    for reader in lively {
        let heard = reader.join().expect("a lively reader notices nothing");
        assert_eq!(heard, changes + 1, "every change, once");
    }
    wait_for("all sessions to be gone", || (sessions(&app) == 0).then_some(()));
    wait_for_closed(&app, "too_slow", STALLED as u64);
    assert_eq!(slow(), STALLED as u64, "nobody else was too slow");
    for wire in &mut stalled {
        assert!(matches!(wire.end(), Some(3008) | None), "hung up");
    }
    let after = memory_kib(&app);
    assert!(after < before + GROWTH_KIB_MAX, "{before} KiB grew to {after} KiB");
}

/// Reads until the list is renamed to the end; returns how many events there were.
fn read_to_the_end(mut wire: Wire, mut last: serde_json::Value) -> u32 {
    for heard in 1.. {
        let event = wire.next_where(|message| message["type"] == "event");
        assert_eq!(event["previous"], last, "a gap or a repetition");
        last = event["position"].clone();
        if event["event"]["data"]["name"] == "The end" {
            return heard;
        }
    }
    0
}

pub fn sessions(app: &TestApp) -> usize {
    format!("{:.0}", metric(app, "aisled_live_sessions")).parse().unwrap()
}

/// What the server's process keeps in memory.
pub fn memory_kib(app: &TestApp) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", app.server().id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the process has memory");
    line.trim().trim_end_matches("kB").trim().parse().expect("a number")
}
