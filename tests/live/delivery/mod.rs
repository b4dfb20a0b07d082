//! The promise of the live protocol, tested as hard as it can be: clients that break off at any moment, on a server that is killed,
//! get every event of every topic once and in order, and in the end have the states that HTTP shows.

mod clients;
mod writers;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Condvar, Mutex, OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use crate::{
    follower::Follower,
    setting,
    shop::shop_with,
    support::{PATIENCE, Random, TestApp},
};

const DELIVERIES_DEFAULT: u64 = 20_000;
const CLIENTS: u64 = 16;
const WRITERS: u64 = 3;
const LISTS: [&str; 4] = ["l0", "l1", "l2", "l3"];
const PRODUCTS: [&str; 2] = ["bread", "butter"];
const TOPICS: [&str; 7] = ["list:l0", "list:l1", "list:l2", "list:l3", "product:bread", "product:butter", "deals:billa"];
/// Fewer missed events are always sent again.
const MISSED_EVENTS_MAX: usize = 1_000;

/// What the threads share.
#[derive(Default)]
struct Scene {
    /// The server's address; `None` while it is dead.
    url: Mutex<Option<String>>,
    back: Condvar,
    deliveries: Mutex<u64>,
    delivered: Condvar,
    /// Connections that a client or the crash ended, and repeated subscriptions.
    breaks: AtomicU64,
    done: AtomicBool,
    end: OnceLock<End>,
}

/// What HTTP shows when nothing changes any more.
struct End {
    /// Of each list.
    totals: BTreeMap<String, Value>,
    /// Of each product.
    prices: BTreeMap<String, Value>,
    deals: BTreeMap<String, Value>,
}

impl Scene {
    fn count(&self, deliveries: u64) {
        *self.deliveries.lock().unwrap() += deliveries;
        self.delivered.notify_all();
    }

    /// The server's address; waits while it is dead.
    fn url(&self) -> String {
        let url = self.url.lock().unwrap();
        self.back.wait_while(url, |url| url.is_none()).unwrap().clone().unwrap()
    }

    fn set_url(&self, url: Option<&str>) {
        *self.url.lock().unwrap() = url.map(str::to_owned);
        self.back.notify_all();
    }
}

#[test]
fn every_event_arrives_once_and_in_order_over_disconnects_and_a_crash() {
    let goal = setting("AISLED_LIVE_DELIVERIES").unwrap_or(DELIVERIES_DEFAULT);
    let seed = setting("AISLED_LIVE_SEED").unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into());
    println!("{goal} deliveries; repeat them with AISLED_LIVE_SEED={seed}");
    let began = Instant::now();
    let mut random = Random(seed);
    let mut app = furnished();
    let scene = Arc::new(Scene::default());
    scene.set_url(Some(app.server().url()));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (scene, random) = (Arc::clone(&scene), Random(random.draw()));
            // Every third asks for its states slowed.
            thread::spawn(move || clients::follow_to_the_end(&scene, random, (number % 3 == 0).then_some(5)))
        })
        .collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|_| {
            let (scene, random) = (Arc::clone(&scene), Random(random.draw()));
            thread::spawn(move || writers::write_until_done(&scene, random))
        })
        .collect();

    reach(&scene, goal / 2);
    scene.set_url(None);
    app.kill();
    app.restart();
    scene.set_url(Some(app.server().url()));
    reach(&scene, goal);
    scene.done.store(true, Ordering::Release);
    writers.into_iter().for_each(|writer| writer.join().expect("a writer writes"));
    finish(&app, &scene);
    let followers: Vec<_> = clients.into_iter().map(|client| client.join().expect("a client gets everything")).collect();
    compare_with_log(&app, &followers);
    let (deliveries, breaks) = (*scene.deliveries.lock().unwrap(), scene.breaks.load(Ordering::Acquire));
    println!("{deliveries} deliveries over {breaks} breaks in {:?}", began.elapsed());
    let deals: usize = followers.iter().map(|follower| follower.topics["deals:billa"].seen.len()).sum();
    assert!(deals > 0, "low prices are deals");
    assert!(deliveries >= goal && breaks > CLIENTS);
    assert!(!app.server().stderr().contains("panicked"), "{}", app.server().stderr());
}

/// Waits until this much was delivered, as long as something is.
fn reach(scene: &Scene, goal: u64) {
    let mut deliveries = scene.deliveries.lock().unwrap();
    while *deliveries < goal {
        let before = *deliveries;
        let (after, timeout) = scene.delivered.wait_timeout_while(deliveries, PATIENCE, |now| *now == before).unwrap();
        assert!(!timeout.timed_out(), "nothing is delivered any more");
        deliveries = after;
    }
}

/// Lists that hold two products, whose prices were the same for long, so that a lower one is a deal.
fn furnished() -> TestApp {
    let app = shop_with(&[]);
    for product in PRODUCTS {
        app.post("/api/v1/products", &json!({ "id": product, "name": product })).ok();
        for at in ["2024-01-01", "2024-03-01"] {
            let price = json!({ "amount": "4.00", "currency": "EUR", "per": "each" });
            app.post(&format!("/api/v1/products/{product}/prices"), &json!({ "store": "billa", "price": price, "observed_at": at })).ok();
        }
    }
    for list in LISTS {
        app.post("/api/v1/lists", &json!({ "id": list, "name": list, "store": "billa" })).ok();
        for product in PRODUCTS {
            let item = json!({ "id": product, "name": product, "product": product, "quantity": { "amount": "1", "unit": "each" } });
            app.post(&format!("/api/v1/lists/{list}/items"), &item).ok();
        }
    }
    app
}

/// Brings everything to its end: the last prices first, then the last event of each topic, which tells the clients.
fn finish(app: &TestApp, scene: &Scene) {
    writers::price(app.client(), "bread", "3.33").expect("the server lives").ok();
    let last = writers::price(app.client(), "butter", "2.22").expect("the server lives").ok().body["position"].clone();
    let after = last.as_str().expect("a position").to_owned();
    let read = |path: String| app.get(&path).ok().body;
    let totals = |list: &&str| ((*list).to_owned(), read(format!("/api/v1/lists/{list}?after={after}"))["totals"]["estimated"].clone());
    let deals = read(format!("/api/v1/deals?store=billa&limit=500&after={after}"));
    let deals = deals["deals"].as_array().expect("deals").iter();
    let end = End {
        totals: LISTS.iter().map(totals).collect(),
        prices: BTreeMap::from([("bread".to_owned(), json!("3.33")), ("butter".to_owned(), json!("2.22"))]),
        deals: deals.map(|deal| (deal["product"].as_str().unwrap().to_owned(), deal["price"].clone())).collect(),
    };
    assert!(scene.end.set(end).is_ok(), "there is one end");
    for list in LISTS {
        app.patch(&format!("/api/v1/lists/{list}"), &json!({ "name": "The end" })).ok();
    }
    for product in PRODUCTS {
        app.patch(&format!("/api/v1/products/{product}"), &json!({ "name": "The end" })).ok();
    }
}

/// Every client has seen exactly the events of the log, except those that a snapshot replaced, which were many.
fn compare_with_log(app: &TestApp, followers: &[Follower]) {
    let mut log: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for event in app.get("/api/v1/events?after=0").expect(200).lines() {
        if event["type"] != "product.price_observed" {
            let topic = event["stream"].as_str().unwrap().replacen('/', ":", 1);
            log.entry(topic).or_default().push(crate::shop::position(&event["position"]));
        }
    }
    for follower in followers {
        for (topic, kept) in follower.topics.iter().filter(|(topic, _)| !topic.starts_with("deals:")) {
            for (from, to) in &kept.jumps {
                let skipped = log[topic].iter().filter(|at| *at > from && *at <= to).count();
                assert!(skipped > MISSED_EVENTS_MAX, "{topic}: {skipped} events between {from} and {to} were not told");
            }
            let told = |at: &u64| *at > kept.first && !kept.jumps.iter().any(|(from, to)| at > from && at <= to);
            let expected: Vec<_> = log[topic].iter().copied().filter(told).collect();
            assert_eq!(kept.seen, expected, "{topic} as the log has it");
        }
    }
}
