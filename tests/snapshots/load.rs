//! Snapshots while people shop: each holds exactly what was acknowledged up to its position, and no client waits for it.

use std::{
    collections::BTreeSet,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use crate::{
    admin::{done, furnished, restore, snapshot},
    support::{Client, TestApp, wait_for},
};

const WRITERS: usize = 3;
/// Snapshots that are proved.
const SNAPSHOTS: usize = 3;
/// If nothing were acknowledged during this many, writers would be blocked.
const SNAPSHOTS_MAX: usize = 100;
/// The most items of a list.
const ITEMS_PER_WRITER_MAX: usize = 2_000;

/// What was acknowledged, by position.
#[derive(Default)]
struct Ledger {
    entries: Mutex<BTreeSet<(u64, String)>>,
    count: AtomicUsize,
    ended: AtomicBool,
}

impl Ledger {
    fn write(&self, client: &Client, writer: usize) {
        for number in 0..ITEMS_PER_WRITER_MAX {
            if self.ended.load(Ordering::Relaxed) {
                return;
            }
            let id = format!("w{writer}-{number}");
            let added = client.post(&format!("/api/v1/lists/list-{writer}/items"), &json!({ "id": id, "name": id })).ok().body;
            self.entries.lock().unwrap().insert((position(&added["position"]), id));
            self.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn upto(&self, position: u64) -> BTreeSet<String> {
        self.entries.lock().unwrap().iter().filter(|(at, _)| *at <= position).map(|(_, id)| id.clone()).collect()
    }
}

#[test]
fn snapshots_under_load_hold_all_that_was_acknowledged_and_hold_nobody_up() {
    let app = furnished();
    for writer in 0..WRITERS {
        app.post("/api/v1/lists", &json!({ "id": format!("list-{writer}"), "name": "Busy" })).ok();
    }
    let ledger = Ledger::default();
    let (manifests, meanwhile) = thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (ledger, client) = (&ledger, app.client().clone());
            scope.spawn(move || ledger.write(&client, writer));
        }
        let taken = take_snapshots(&app, &ledger);
        ledger.ended.store(true, Ordering::Relaxed);
        taken
    });
    assert!(meanwhile > 0, "nothing was acknowledged while snapshots were taken");
    assert_eq!(found(&app), ledger.upto(u64::MAX), "the live server lost something");
    for manifest in manifests {
        let restored = restore(&app, &json!({ "snapshot": manifest["name"] }));
        assert_eq!(done(&restored)["proof"]["compared"], "with_snapshot");
        assert_eq!(found(&app), ledger.upto(position(&manifest["position"])), "{manifest}");
    }
}

/// Some snapshots one after the other, until something was acknowledged between the begin and the end of one; and how much was.
fn take_snapshots(app: &TestApp, ledger: &Ledger) -> (Vec<Value>, usize) {
    wait_for("the writers", || (ledger.count.load(Ordering::Relaxed) > 0).then_some(()));
    let (mut taken, mut meanwhile) = (Vec::new(), 0);
    while taken.len() < SNAPSHOTS || (meanwhile == 0 && taken.len() < SNAPSHOTS_MAX) {
        let before = ledger.count.load(Ordering::Relaxed);
        taken.push(snapshot(app));
        meanwhile += ledger.count.load(Ordering::Relaxed) - before;
    }
    (taken, meanwhile)
}

/// Every item of the busy lists.
fn found(app: &TestApp) -> BTreeSet<String> {
    let lists = (0..WRITERS).map(|writer| app.get(&format!("/api/v1/lists/list-{writer}")).ok().body["items"].clone());
    lists.flat_map(|items| items.as_array().unwrap().clone()).map(|item| item["name"].as_str().unwrap().to_owned()).collect()
}

fn position(value: &Value) -> u64 {
    value.as_str().and_then(|text| text.split('~').next()?.parse().ok()).unwrap_or_else(|| panic!("no position: {value}"))
}
