//! States are the latest value and may be skipped, the last one never; events are never merged, never slowed and never lost.

use std::{thread, time::Instant};

use serde_json::{Value, json};

use crate::{
    shop::{estimated, position, price, rename, shop},
    wire::{Opening, Wire},
};

#[test]
fn a_reader_with_a_rate_gets_no_more_states_and_always_the_last_while_events_are_not_slowed() {
    const RATE: u32 = 2;
    let app = shop();
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening::default());
    let began = Instant::now();
    let start = wire.follow_with("list:weekly", &json!({ "max_rate": RATE }));
    let mut last = start["position"].clone();
    for number in 0..60 {
        price(&app, &format!("2.{number:02}"));
        rename(&app, &format!("{number}"));
    }
    price(&app, "9.99");
    let (mut names, mut totals, mut prices) = (Vec::new(), Vec::new(), Vec::new());
    let done = |totals: &Vec<String>, prices: &Vec<Value>| {
        totals.last().is_some_and(|total| total == "19.98") && prices.last() == Some(&json!("9.99"))
    };
    while names.len() < 60 || !done(&totals, &prices) {
        let push = wire.next();
        match (push["type"].as_str(), push["key"].as_str()) {
            (Some("event"), _) => {
                assert_eq!(push["previous"], last);
                last = push["position"].clone();
                names.push(push["event"]["data"]["name"].as_str().unwrap().to_owned());
            }
            (_, Some("totals")) => totals.push(estimated(&push["value"]).to_owned()),
            (_, Some("price:milk")) => prices.push(push["value"]["price"]["price"]["amount"].clone()),
            _ => {}
        }
    }
    assert_eq!(names, (0..60).map(|number| number.to_string()).collect::<Vec<_>>(), "every event, in order");
    let most = 2 + usize::try_from(began.elapsed().as_secs()).unwrap() * RATE as usize + RATE as usize;
    assert!(totals.len() <= most && prices.len() <= most, "{} totals and {} prices where {most} are allowed", totals.len(), prices.len());
}

#[test]
fn a_reader_that_stops_for_a_while_loses_no_event_and_sees_the_last_states() {
    let app = shop();
    let url = app.server().url();
    let opening = Opening { receive_buffer: Some(4 << 10), ..Opening::default() };
    let (mut wire, hello) = Wire::greeted(url, opening);
    let mut last = wire.follow("list:weekly")["position"].clone();
    let mut expected = 0;
    for pause in [5, 40, 200] {
        // Nothing is read meanwhile.
        for number in 0..pause {
            app.patch("/api/v1/lists/weekly/items/i1", &json!({ "note": format!("{number}{}", "x".repeat(400)) })).ok();
            price(&app, &format!("{pause}.{:02}", number % 100));
        }
        let amount = format!("{pause}.00");
        price(&app, "0.50");
        price(&app, &amount);
        rename(&app, &format!("Go on {pause}"));
        expected += pause + 1;
        let (mut seen, mut total, mut cut_off) = (0, Value::Null, false);
        let mut take = |event: &Value, last: &mut Value, expected: &mut u64| {
            assert_eq!(event["previous"], *last, "a gap or a repetition");
            *last = event["position"].clone();
            *expected -= 1;
            seen += 1;
        };
        let wanted = json!(format!("{}.00", 2 * pause));
        while expected > 0 || total["estimated"]["amount"] != wanted {
            match wire.next_or_end() {
                Ok(push) if push["type"] == "event" => take(&push, &mut last, &mut expected),
                Ok(push) if push["key"] == "totals" => total = push["value"].clone(),
                Ok(_) => {}
                Err(end) => {
                    assert!(matches!(end, Some(3008) | None), "{end:?}");
                    cut_off = true;
                    wire = Wire::greeted(url, opening).0;
                    let again = wire.follow_with("list:weekly", &json!({ "since": last, "epoch": hello["epoch"] }));
                    assert_eq!(again["recovered"], true, "{again}");
                    again["events"].as_array().unwrap().iter().for_each(|event| take(event, &mut last, &mut expected));
                    total = again["states"]["totals"].clone();
                }
            }
        }
        assert_eq!(seen, pause + 1);
        println!("after a pause of {pause} the reader was {}", if cut_off { "cut off and came back" } else { "kept" });
    }
    assert_eq!(
        &last,
        &app.get("/api/v1/events?after=0").ok().lines().iter().rev().find(|one| one["stream"] == "list/weekly").unwrap()["position"]
    );
}

#[test]
fn many_prices_while_nobody_reads_are_one_state_in_the_end() {
    let app = shop();
    let (mut wire, _) = Wire::greeted(app.server().url(), Opening { receive_buffer: Some(4 << 10), ..Opening::default() });
    wire.follow("product:milk");
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let client = app.client().clone();
            thread::spawn(move || {
                for number in 0..150 {
                    let price = json!({ "amount": format!("{}.{:02}", 1 + number % 7, number % 100), "currency": "EUR", "per": "each" });
                    client.post("/api/v1/products/milk/prices", &json!({ "store": "billa", "price": price })).ok();
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("every price is taken"));
    price(&app, "77.77");
    let (mut newest, mut states) = (0, 0);
    loop {
        match wire.next_or_end() {
            Ok(push) if push["key"] == "price:billa" => {
                assert!(position(&push["position"]) >= newest, "a state is never replaced by an older one");
                newest = position(&push["position"]);
                states += 1;
                if push["value"]["price"]["price"]["amount"] == "77.77" {
                    break;
                }
            }
            Ok(_) => {}
            Err(end) => {
                // Its socket took nothing for too long; then it comes back, and the last value is there.
                assert!(matches!(end, Some(3008) | None), "{end:?}");
                let start = Wire::greeted(app.server().url(), Opening::default()).0.follow("product:milk");
                assert_eq!(start["snapshot"]["prices"][0]["price"]["amount"], "77.77", "{start}");
                break;
            }
        }
    }
    assert!(states <= 601, "{states} states of 601 prices");
}
