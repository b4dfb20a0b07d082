//! Coming back: exactly what was missed, or a snapshot.

use serde_json::{Value, json};

use crate::shop::{connect, estimated, follow, follow_since, price, rename, shop};

#[test]
fn coming_back_gives_exactly_what_was_missed() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    drop(live);
    for number in 0..40 {
        rename(&app, &format!("Name {number}"));
    }
    price(&app, "1.00");
    let (mut live, _) = connect(&app);
    let again = follow_since(&mut live, "list:weekly", start["position"].as_str().unwrap(), &hello["epoch"]);
    assert_eq!(again["recovered"], true, "{again}");
    let events = again["events"].as_array().unwrap();
    assert_eq!(events.len(), 40);
    let mut last = &start["position"];
    for (number, event) in events.iter().enumerate() {
        assert_eq!(&event["previous"], last);
        assert_eq!(event["event"]["data"]["name"], format!("Name {number}"));
        last = &event["position"];
    }
    assert_eq!(last, &again["position"]);
    let total = |value: &Value| (estimated(value) == "2.00").then_some(());
    if total(&again["states"]["totals"]).is_none() {
        live.next_where(|message| message["key"] == "totals" && total(&message["value"]).is_some());
    }
}

#[test]
fn coming_back_with_nothing_missed_gives_no_event() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    let again = follow_since(&mut live, "list:weekly", start["position"].as_str().unwrap(), &hello["epoch"]);
    assert_eq!((&again["recovered"], again["events"].as_array().map(Vec::len)), (&json!(true), Some(0)));
}

#[test]
fn what_cannot_be_continued_starts_from_a_snapshot_and_says_so() {
    let app = shop();
    let (mut live, hello) = connect(&app);
    let here = follow(&mut live, "list:weekly")["position"].as_str().unwrap().to_owned();
    for (since, epoch) in [(&*here, json!("another")), (&here, Value::Null), ("999999999", hello["epoch"].clone())] {
        let again = follow_since(&mut live, "list:weekly", since, &epoch);
        assert_eq!(again["recovered"], false, "{since} {epoch}");
        assert_eq!(again["snapshot"]["name"], "Weekly");
    }
}

#[test]
fn a_restarted_server_continues_the_same_epoch() {
    let mut app = shop();
    let (mut live, hello) = connect(&app);
    let start = follow(&mut live, "list:weekly");
    rename(&app, "Missed");
    app.kill();
    app.restart();
    let (mut live, hello_again) = connect(&app);
    assert_eq!(hello["epoch"], hello_again["epoch"]);
    let again = follow_since(&mut live, "list:weekly", start["position"].as_str().unwrap(), &hello_again["epoch"]);
    assert_eq!(again["recovered"], true);
    assert_eq!(again["events"][0]["event"]["data"]["name"], "Missed");
}

#[test]
fn a_snapshot_taken_under_writes_continues_without_a_gap() {
    let app = shop();
    let writer = std::thread::spawn({
        let client = app.client().clone();
        move || (0..200).for_each(|n| drop(client.patch("/api/v1/lists/weekly", &json!({ "name": format!("{n}") })).ok()))
    });
    let mut done = false;
    while !done {
        done = writer.is_finished();
        let (mut live, _) = connect(&app);
        let start = follow(&mut live, "list:weekly");
        let mut last = start["position"].clone();
        for event in start["events"].as_array().into_iter().flatten() {
            assert_eq!(event["previous"], last);
            last = event["position"].clone();
        }
        live.send(&json!({ "id": "end", "op": "ping" }));
        loop {
            let message = live.next();
            if message["id"] == "end" {
                break;
            }
            if message["type"] == "event" {
                assert_eq!(message["previous"], last, "{message}");
                last = message["position"].clone();
            }
        }
    }
    writer.join().expect("every write is taken");
}
