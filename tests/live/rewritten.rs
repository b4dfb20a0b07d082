//! A log that lost its end, positions of another history, and absences too long to resume: a gap is never silent.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::{
    shop::{position, rename, shop, shop_with, wait_for_limit},
    support::log_files::{change, only_journal, written_end},
    wire::{Opening, Wire},
};

/// Resumes at a position and returns how the topic starts.
fn resume(wire: &mut Wire, topic: &str, since: &Value, epoch: &Value) -> Value {
    wire.follow_with(topic, &json!({ "since": since, "epoch": epoch }))
}

#[test]
fn a_log_that_lost_its_end_has_another_epoch_and_every_topic_starts_anew() {
    let mut app = shop_with(&["--accept-lost-tail"]);
    app.post("/api/v1/households", &json!({ "id": "home", "name": "Home" })).ok();
    let topics = ["list:weekly", "product:milk", "household:home", "orders:home", "deals:billa"];
    let (mut wire, before) = Wire::greeted(app.server().url(), Opening::default());
    topics.iter().for_each(|topic| assert_eq!(wire.follow(topic)["recovered"], false));
    for number in 0..20 {
        rename(&app, &format!("Name {number} {}", "x".repeat(150)));
    }
    let last = wire.next_where(|message| message["event"]["data"]["name"].as_str().is_some_and(|name| name.starts_with("Name 19 ")));
    app.kill();
    cut_the_log(app.data(), 200);
    app.restart();

    let (mut wire, after) = Wire::greeted(app.server().url(), Opening::default());
    assert_ne!(before["epoch"], after["epoch"], "what was told is not history any more");
    assert!(position(&after["position"]) < position(&last["position"]), "the end is lost");
    for topic in topics {
        let again = resume(&mut wire, topic, &last["position"], &before["epoch"]);
        assert_eq!((&again["recovered"], again["snapshot"].is_object()), (&json!(false), true), "{topic}: {again}");
    }
    // New events take the positions of lost ones: the old epoch must not make them look later.
    let beyond = position(&last["position"]) + 2;
    let written = (0..100).find(|number| position(&rename(&app, &format!("Another history {number}"))["position"]) > beyond);
    let name = format!("Another history {}", written.expect("a rename is an event"));
    let again = resume(&mut wire, "list:weekly", &last["position"], &before["epoch"]);
    assert_eq!(again["recovered"], false, "{again}");
    assert_eq!(again["snapshot"]["name"], *name);
    assert_eq!(app.stop(), Some(0));
    app.restart();
    let (_, hello) = Wire::greeted(app.server().url(), Opening::default());
    assert_eq!(hello["epoch"], after["epoch"], "the new history keeps its name");
}

#[test]
fn positions_of_another_history_or_of_the_future_are_not_continued() {
    let app = shop();
    app.post("/api/v1/households", &json!({ "id": "home", "name": "Home" })).ok();
    let (mut wire, hello) = Wire::greeted(app.server().url(), Opening::default());
    let (epoch, here) = (&hello["epoch"], &hello["position"]);
    for topic in ["list:weekly", "product:milk", "household:home", "orders:home", "deals:billa"] {
        for (since, epoch) in
            [(here, &json!("0192-another")), (here, &Value::Null), (&json!("18446744073709551615"), epoch), (&json!("1000000"), epoch)]
        {
            let start = resume(&mut wire, topic, since, epoch);
            assert_eq!((&start["recovered"], start["snapshot"].is_object()), (&json!(false), true), "{topic} {since} {epoch}: {start}");
        }
        let later = wire.follow(topic)["position"].clone();
        assert_eq!(resume(&mut wire, topic, &later, epoch)["recovered"], true, "{topic}");
    }
    for since in [json!("x"), json!("-1"), json!(""), json!({}), json!("18446744073709551616")] {
        let answer =
            wire.ask(&json!({ "id": 1, "op": "subscribe", "epoch": epoch, "topics": [{ "topic": "list:weekly", "since": since }] }));
        assert_eq!((&answer["type"], &answer["code"]), (&json!("error"), &json!("invalid_request")), "{since}: {answer}");
    }
}

#[test]
fn a_copy_of_the_folder_that_is_put_back_begins_a_new_history() {
    let mut app = shop();
    let spare = tempfile::tempdir().unwrap();
    assert_eq!(app.stop(), Some(0));
    copy(app.data(), spare.path());
    app.restart();
    let (mut wire, hello) = Wire::greeted(app.server().url(), Opening::default());
    (0..5).for_each(|number| drop(rename(&app, &format!("lost {number}"))));
    let told = wire.follow("list:weekly")["position"].clone();
    assert_eq!(app.stop(), Some(0));
    fs::remove_dir_all(app.data()).unwrap();
    copy(spare.path(), app.data());
    app.restart();
    // The same positions, assigned again, and beyond.
    (0..8).for_each(|number| drop(rename(&app, &format!("new {number}"))));
    let (mut wire, again) = Wire::greeted(app.server().url(), Opening::default());
    assert_ne!(again["epoch"], hello["epoch"]);
    let start = resume(&mut wire, "list:weekly", &told, &hello["epoch"]);
    assert_eq!((&start["recovered"], &start["snapshot"]["name"]), (&json!(false), &json!("new 7")), "{start}");
    // From here on it is the folder that was served last.
    let told = start["position"].clone();
    app.kill();
    app.restart();
    let (mut wire, last) = Wire::greeted(app.server().url(), Opening::default());
    assert_eq!(last["epoch"], again["epoch"]);
    assert_eq!(resume(&mut wire, "list:weekly", &told, &last["epoch"])["recovered"], true);
}

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

#[test]
fn a_thousand_missed_events_are_told_again_and_one_more_gives_a_snapshot() {
    let app = shop();
    let (mut wire, hello) = Wire::greeted(app.server().url(), Opening::default());
    let start = wire.follow("list:weekly")["position"].clone();
    drop(wire);
    (0..1_000).for_each(|number| drop(rename(&app, &format!("{number}"))));
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    let again = resume(&mut wire, "list:weekly", &start, &hello["epoch"]);
    assert_eq!(again["recovered"], true);
    let names: Vec<_> = again["events"].as_array().unwrap().iter().map(|event| event["event"]["data"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, (0..1_000).map(|number| number.to_string()).collect::<Vec<_>>());
    rename(&app, "One more");
    let again = resume(&mut wire, "list:weekly", &start, &hello["epoch"]);
    assert_eq!((&again["recovered"], &again["snapshot"]["name"]), (&json!(false), &json!("One more")));
    wait_for_limit(&app, "recovery_events", 1);
}

/// Cuts this many bytes off the end of what was written.
fn cut_the_log(data: &Path, bytes: usize) {
    change(&only_journal(data), |content| content.truncate(written_end(content) - bytes));
}
