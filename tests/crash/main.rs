//! The promise that matters most, tested on the real binary: killed with -9 at random moments under concurrent writes,
//! it keeps every acknowledged command exactly once, and each of the rest whole or not at all.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

mod ledger;
#[path = "../support/mod.rs"]
mod support;
mod writer;

use std::{
    env,
    str::FromStr,
    sync::{Arc, mpsc},
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use ledger::Ledger;
use serde_json::json;
use support::{PATIENCE, Random, TestApp};
use writer::{Command, Fate, Writer};

/// Concurrent clients, each with one command under way.
const WRITERS: usize = 6;
/// The most acknowledgements before the kill of a round; the number is drawn again each round, zero included.
const ACKNOWLEDGED_MAX: u64 = 250;
const ROUNDS_DEFAULT: u64 = 25;

#[test]
fn a_server_killed_at_any_moment_keeps_every_acknowledged_command_exactly_once() {
    let rounds = setting("AISLED_CRASH_ROUNDS").unwrap_or(ROUNDS_DEFAULT);
    let seed = setting("AISLED_CRASH_SEED").unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into());
    println!("{rounds} rounds; repeat them with AISLED_CRASH_SEED={seed}");
    let mut random = Random(seed);
    let mut app = TestApp::start();
    prepare(&app);
    let mut ledger = Ledger::default();
    for round in 0..rounds {
        let moment = random.below(ACKNOWLEDGED_MAX + 1);
        let commands = write_until_killed(&mut app, round, moment, &mut random);
        verify(&app);
        app.restart();
        let applied = ledger.check(&app, &commands);
        retry_and_check(&app, &mut ledger, &commands);
        let unknown = commands.iter().filter(|command| command.fate == Fate::Unknown).count();
        println!(
            "round {round}: killed after {moment}, {} acknowledged, {applied} of {unknown} unacknowledged were applied",
            commands.len() - unknown
        );
    }
    ledger.check_everything_again(&app);
    assert_eq!(app.stop(), Some(0), "a clean stop ends with 0");
    verify(&app);
}

/// A store, and a product for each writer to price.
fn prepare(app: &TestApp) {
    app.post("/api/v1/stores", &json!({"id": "corner", "name": "Corner shop", "currency": "EUR"})).ok();
    for writer in 0..WRITERS {
        app.post("/api/v1/products", &json!({"id": writer::product(writer), "name": "Something"})).ok();
    }
}

/// Lets the writers work until the moment has come, then kills the server under them.
fn write_until_killed(app: &mut TestApp, round: u64, moment: u64, random: &mut Random) -> Vec<Command> {
    let list = format!("list-{round}");
    app.post("/api/v1/lists", &json!({"id": list, "name": "Weekly", "store": "corner"})).ok();
    let (acknowledged, heard) = mpsc::channel();
    let list: Arc<str> = list.into();
    let writers: Vec<_> = (0..WRITERS)
        .map(|number| {
            let writer = Writer::new(number, round, Arc::clone(&list), app.client().clone(), Random(random.draw()), acknowledged.clone());
            thread::spawn(move || writer.write_until_the_server_dies())
        })
        .collect();
    drop(acknowledged);
    for _ in 0..moment {
        heard.recv_timeout(PATIENCE).expect("the server acknowledges commands");
    }
    app.kill();
    writers.into_iter().flat_map(|writer| writer.join().expect("a writer ends with the server")).collect()
}

/// Repeats every command whose fate is unknown, and one that was acknowledged: each must be there once in the end.
fn retry_and_check(app: &TestApp, ledger: &mut Ledger, commands: &[Command]) {
    let mut repeated: Vec<_> = commands.iter().filter(|command| command.fate == Fate::Unknown).cloned().collect();
    for command in &mut repeated {
        let there_before = ledger.position_of(&command.id).is_some();
        let answer = command.send(app.client()).expect("the server answers").ok();
        assert_eq!(answer.body["repeated"] == true, there_before, "a retry reports whether it was applied before: {}", answer.text);
        command.acknowledge(&answer);
    }
    if let Some(acknowledged) = commands.iter().find(|command| command.fate != Fate::Unknown) {
        let answer = acknowledged.send(app.client()).expect("the server answers").ok();
        let mut again = acknowledged.clone();
        again.acknowledge(&answer);
        assert_eq!(again.fate, acknowledged.fate, "a retry of an acknowledged command gets the first outcome");
    }
    ledger.check(app, &repeated);
}

fn verify(app: &TestApp) {
    let verified = app.run(&["verify"]);
    assert_eq!(verified.code, Some(0), "verify finds fault: {}", verified.said());
}

fn setting<T: FromStr>(name: &str) -> Option<T> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name}={text} is no number")))
}
