//! The same feed without WebSocket: Server-Sent Events and NDJSON, and continuing them without a gap.

use std::thread;

use serde_json::{Value, json};

use crate::{
    follower::Follower,
    shop::{Bystander, closed, price, rename, shop, shop_with, wait_for_limit},
    stalled::sessions,
    stream::{Feed, Told},
    support::{TestApp, wait_for},
    wire::Opening,
};

fn add_list(app: &TestApp, id: &str) {
    app.post("/api/v1/lists", &json!({ "id": id, "name": id, "store": "billa" })).ok();
}

/// Reads the whole answer to the start: one `subscribed` for each part.
fn start(feed: &mut Feed) -> (Vec<Value>, String) {
    let mut topics = Vec::new();
    loop {
        let Told { cursor, message } = feed.event().expect("the feed starts");
        assert_eq!(message["type"], "subscribed", "{message}");
        topics.extend(message["topics"].as_array().unwrap().iter().cloned());
        if message["more"] == false {
            return (topics, cursor);
        }
    }
}

#[test]
fn a_feed_starts_with_snapshots_and_goes_on_with_events_that_have_ids() {
    let app = shop();
    let mut feed = Feed::events(app.server().url(), "list:weekly,product:milk,list:unheard-of,moon:1", None);
    let (topics, first) = start(&mut feed);
    assert_eq!((&topics[0]["recovered"], &topics[0]["snapshot"]["name"]), (&json!(false), &json!("Weekly")));
    assert_eq!(topics[1]["snapshot"]["product"]["name"], "Milk");
    assert_eq!(topics[2]["error"]["code"], "not_found", "one bad topic leaves the others alone");
    assert_eq!(topics[3]["error"]["code"], "invalid_topic");
    rename(&app, "Heard");
    let event = feed.event_where(|message| message["type"] == "event");
    assert_eq!((&event.message["previous"], &event.message["event"]["data"]["name"]), (&topics[0]["position"], &json!("Heard")));
    assert!(!event.cursor.is_empty() && event.cursor != first);
    price(&app, "1.11");
    let state = feed.event_where(|message| message["key"] == "price:billa");
    assert_eq!((&state.message["topic"], &state.message["value"]["price"]["price"]["amount"]), (&json!("product:milk"), &json!("1.11")));
}

#[test]
fn a_feed_that_breaks_off_again_and_again_misses_nothing_and_repeats_nothing() {
    const EVENTS_PER_TOPIC: usize = 60;
    let app = shop();
    ["a", "b", "c"].iter().for_each(|list| add_list(&app, list));
    let topics = ["list:a", "product:milk", "list:b", "list:c"];
    let (url, asked) = (app.server().url(), topics.join(","));
    let mut follower = Follower::new(&topics);
    let open = |follower: &mut Follower, since: Option<&str>| {
        follower.subscribe(topics.map(str::to_owned).iter(), None);
        Feed::events(url, &asked, since)
    };
    let mut feed = open(&mut follower, None);
    while !follower.settled() {
        follower.take(&feed.event().expect("the feed starts").message);
    }
    let writer = thread::spawn({
        let client = app.client().clone();
        move || {
            for number in 0..EVENTS_PER_TOPIC {
                let name = json!({ "name": format!("N{number}") });
                for path in ["lists/a", "lists/b", "lists/c", "products/milk"] {
                    client.patch(&format!("/api/v1/{path}"), &name).ok();
                }
            }
        }
    });
    let seen = |follower: &Follower| topics.map(|topic| follower.topics[topic].seen.len());
    for read in 1.. {
        let told = feed.event().expect("the feed goes on");
        follower.take(&told.message);
        if seen(&follower).iter().sum::<usize>() == topics.len() * EVENTS_PER_TOPIC {
            break;
        }
        if read % 5 == 0 {
            feed = open(&mut follower, Some(&told.cursor));
        }
    }
    writer.join().expect("every write is taken");
    assert_eq!(seen(&follower), [EVENTS_PER_TOPIC; 4]);
    assert!(follower.topics.values().all(|kept| kept.jumps.is_empty()), "nothing but events: no snapshot took their place");
}

#[test]
fn a_feed_that_breaks_off_amid_its_start_continues_every_topic_where_it_was() {
    let app = shop();
    let lists = ["a", "b"];
    lists.iter().for_each(|list| add_list(&app, list));
    let url = app.server().url();
    let (_, cursor) = start(&mut Feed::events(url, "list:a,list:b", None));
    // The first list missed enough that the answer comes in parts.
    for number in 0..40 {
        app.post(
            "/api/v1/lists/a/items",
            &json!({ "id": format!("i{number}"), "name": format!("Thing {number}"), "note": "x".repeat(900) }),
        )
        .ok();
    }
    app.patch("/api/v1/lists/b", &json!({ "name": "Missed" })).ok();
    let first = Feed::events(url, "list:a,list:b", Some(&cursor)).event().expect("the feed starts");
    assert_eq!(
        (&first.message["more"], first.message["topics"].as_array().map(Vec::len)),
        (&json!(true), Some(1)),
        "only the first topic was told"
    );
    let told = first.message["topics"][0]["events"].as_array().map_or(0, Vec::len);
    assert!(first.message["topics"][0]["partial"] == true && (1..40).contains(&told), "a part of it was told: {told}");
    let (again, _) = start(&mut Feed::events(url, "list:a,list:b", Some(&first.cursor)));
    let events = |place: usize| again[place]["events"].as_array().map_or(usize::MAX, Vec::len);
    assert_eq!((&again[0]["recovered"], events(0)), (&json!(true), 40 - told), "the first topic goes on where its part ended");
    assert_eq!((&again[1]["recovered"], events(1)), (&json!(true), 1), "the second one missed one event, and only that: {}", again[1]);
}

#[test]
fn what_is_no_cursor_is_refused_and_one_of_another_history_starts_anew() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let url = app.server().url();
    let (_, cursor) = start(&mut Feed::events(url, "list:weekly,product:milk", None));
    for bad in ["x", "12", "/", "e/x", "e/1.2.3", "e/-1"] {
        let headers = [("Last-Event-ID", bad)];
        let opening = Opening { headers: &headers, ..Opening::default() };
        assert_eq!(Feed::open(url, "/api/v1/live/sse?topics=list:weekly,product:milk", opening).status, 400, "{bad}");
        let answer = app.get(&format!("/api/v1/live/ndjson?topics=list:weekly,product:milk&since={bad}"));
        assert_eq!((answer.status, answer.code()), (400, "invalid_cursor"), "{bad}");
    }
    let positions = cursor.split_once('/').unwrap().1;
    let (topics, _) = start(&mut Feed::events(url, "list:weekly,product:milk", Some(&format!("another/{positions}"))));
    assert!(topics.iter().all(|topic| topic["recovered"] == false && topic["snapshot"].is_object()), "{topics:?}");
    let epoch = cursor.split_once('/').unwrap().0;
    let (topics, _) = start(&mut Feed::events(url, "list:weekly,product:milk", Some(&format!("{epoch}/99999999"))));
    assert!(topics.iter().all(|topic| topic["recovered"] == false), "a position of the future: {topics:?}");

    let many = (0..101).map(|number| format!("deals:s{number}")).collect::<Vec<_>>().join(",");
    for topics in ["", ",,", &many] {
        let answer = app.get(&format!("/api/v1/live/ndjson?topics={topics}"));
        assert_eq!((answer.status, answer.code()), (400, "invalid_parameter"), "{}", answer.text);
    }
    assert_eq!(app.get("/api/v1/live/sse").status, 400, "topics are missing");
    assert_eq!(app.get("/api/v1/live/ndjson?topics=list:weekly&depth=1").status, 400, "an unknown parameter");
    bystander.notices_nothing("bad cursors");
}

#[test]
fn lines_end_where_now_is_and_the_last_cursor_continues_them() {
    let app = shop();
    let told = |since: &str| {
        let answer = app.get(&format!("/api/v1/live/ndjson?topics=list:weekly{since}")).ok();
        assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
        answer.lines()
    };
    let first = told("");
    assert_eq!((first.len(), &first[0]["message"]["topics"][0]["recovered"]), (1, &json!(false)));
    rename(&app, "A");
    rename(&app, "B");
    let cursor = first[0]["cursor"].as_str().unwrap();
    let second = told(&format!("&since={cursor}"));
    let topic = &second.last().unwrap()["message"]["topics"][0];
    let names: Vec<_> = topic["events"].as_array().unwrap().iter().map(|event| event["event"]["data"]["name"].clone()).collect();
    assert_eq!((&topic["recovered"], names), (&json!(true), vec![json!("A"), json!("B")]));
    let cursor = second.last().unwrap()["cursor"].as_str().unwrap().to_owned();
    assert_eq!(told(&format!("&since={cursor}"))[0]["message"]["topics"][0]["events"], json!([]));

    let mut following =
        Feed::open(app.server().url(), &format!("/api/v1/live/ndjson?topics=list:weekly&follow=true&since={cursor}"), Opening::default());
    assert_eq!(following.told().unwrap().message["topics"][0]["events"], json!([]));
    rename(&app, "C");
    let event = std::iter::from_fn(|| following.told()).find(|told| told.message["type"] == "event").expect("it goes on");
    assert_eq!(event.message["event"]["data"]["name"], "C");
    assert_eq!(
        told(&format!("&since={}", event.cursor))[0]["message"]["topics"][0]["events"],
        json!([]),
        "told with the cursor of the line"
    );
}

#[test]
fn a_reader_that_stalls_is_ended_and_one_that_left_is_forgotten() {
    let app = shop();
    let mut bystander = Bystander::beside(&app);
    let opening = Opening { receive_buffer: Some(2 << 10), ..Opening::default() };
    let mut stalled = Feed::open(app.server().url(), "/api/v1/live/sse?topics=list:weekly", opening);
    start(&mut stalled);
    let gone = Feed::events(app.server().url(), "list:weekly", None);
    wait_for("all to be counted", || (sessions(&app) == 3).then_some(()));
    drop(gone);
    let mut changes = 0;
    while closed(&app, "too_slow") < 1 {
        app.patch("/api/v1/lists/weekly/items/i1", &json!({ "note": format!("{changes}{}", "x".repeat(900)) })).ok();
        changes += 1;
        if changes % 10 == 0 {
            bystander.hears_everything("a stalled feed");
        }
        assert!(changes < 20_000, "the stalled reader was never ended");
    }
    wait_for("only the bystander to be left", || (sessions(&app) == 1).then_some(()));
    while stalled.event().is_some() {}
    bystander.hears_everything("a stalled feed");
}

#[test]
fn a_feed_counts_as_a_session_and_is_told_when_the_server_stops() {
    let mut app = shop_with(&["--sessions-max", "1"]);
    let mut feed = Feed::events(app.server().url(), "list:weekly", None);
    start(&mut feed);
    let refused = app.get("/api/v1/live/sse?topics=list:weekly");
    assert_eq!((refused.status, refused.code()), (503, "too_many_sessions"));
    assert!(refused.header("retry-after").is_some());
    wait_for_limit(&app, "sessions", 1);
    assert_eq!(app.stop(), Some(0));
    let closing = feed.event_where(|message| message["type"] == "closing");
    assert_eq!((&closing.message["code"], &closing.message["reason"]), (&json!(3001), &json!("going_away")));
    while feed.event().is_some() {}
}
