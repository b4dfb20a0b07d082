//! Power cuts during the work of an admin: a snapshot, a restore, and its undo. The one or the other history is served then, and it is whole.

use std::{
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use crate::{
    admin::{UNDO, answered, snapshot, verify_snapshots, work},
    fork::{Fork, is_restored},
    load::{Clients, Load, prepare},
    machine::Machine,
    shopper::{shop, shop_once, shop_until_the_server_dies},
};

const SHOPPERS: u64 = 2;

/// Cuts the power while a snapshot is made under load.
pub fn cut_a_snapshot(machine: &mut Machine) {
    boot(machine);
    let (cutter, longest) = (machine.disk.arm(), longest(machine, |machine| drop(snapshot(machine))));
    let clients = Clients::start(machine, Load::Small);
    clients.hear(machine.random.below(20));
    let client = machine.app().client().clone();
    let maker = thread::spawn(move || work(&client, "/api/v1/admin/snapshots", &json!({})));
    let time = machine.moment(longest);
    machine.cut_after(cutter, time);
    clients.end(machine);
    let made = maker.join().expect("nobody panics");
    machine.known.snapshots.extend(made.and_then(|manifest| manifest["name"].as_str().map(str::to_owned)));
    machine.recover();
    verify_snapshots(machine.app());
    machine.end();
}

/// Cuts the power while a snapshot is restored under load.
pub fn cut_a_restore(machine: &mut Machine) {
    boot(machine);
    let fork = Fork::prepare(machine);
    let longest = longest(machine, |machine| {
        fork.restore(machine.app().client()).unwrap();
        answered(machine.app().client(), UNDO, &json!({}));
    });
    let cutter = machine.disk.arm();
    let shoppers: Vec<_> = (0..SHOPPERS)
        .map(|number| {
            let (client, name) = (machine.app().client().clone(), format!("{}-during-{number}", machine.round));
            thread::spawn(move || shop_until_the_server_dies(&client, &name))
        })
        .collect();
    let (own, client, name) = (fork.clone(), machine.app().client().clone(), format!("{}-restored", machine.round));
    let restorer = thread::spawn(move || own.restore(&client).map(|_| vec![shop_once(&client, &name)]));
    let time = machine.moment(longest);
    machine.cut_after(cutter, time);
    machine.known.commands.extend(shoppers.into_iter().flat_map(|shopper| shopper.join().expect("nobody panics")));
    let restored = restorer.join().expect("nobody panics");
    machine.disk.remount();
    machine.boot();
    assert!(restored.is_none() || is_restored(machine), "a restore that was answered is served");
    fork.go_back(machine, restored.unwrap_or_default());
}

/// Cuts the power while a restore is undone.
pub fn cut_an_undo(machine: &mut Machine) {
    boot(machine);
    let fork = Fork::prepare(machine);
    fork.restore(machine.app().client()).unwrap();
    let fresh = shop(machine.app().client(), &format!("{}-restored", machine.round), 3);
    let (cutter, client) = (machine.disk.arm(), machine.app().client().clone());
    let undoer = thread::spawn(move || work(&client, UNDO, &json!({})));
    let time = machine.moment(Duration::from_millis(60));
    machine.cut_after(cutter, time);
    let undone = undoer.join().expect("nobody panics");
    machine.disk.remount();
    machine.boot();
    assert!(undone.is_none() || !is_restored(machine), "an undo that was answered is served");
    fork.go_back(machine, fresh);
}

fn boot(machine: &mut Machine) {
    machine.boot();
    if machine.cuts == 0 {
        prepare(machine, Load::Small);
        machine.app().post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).ok();
    }
}

/// How long the work takes without a cut, and a little more. Measured once.
fn longest(machine: &mut Machine, work: impl FnOnce(&mut Machine)) -> Duration {
    if machine.longest.is_none() {
        let begun = Instant::now();
        work(machine);
        machine.longest = Some(begun.elapsed() * 5 / 4);
    }
    machine.longest.expect("it was just tried")
}
