//! What a client keeps of the topics it follows, and how it proves that it missed nothing: by `previous`, by positions, by versions.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::shop::position;

/// Every topic of one client, over all its connections.
#[derive(Default)]
pub struct Follower {
    pub topics: BTreeMap<String, Kept>,
    /// Of the last hello.
    epoch: Value,
    /// Pushes and events that were sent again.
    pub deliveries: u64,
}

/// One topic.
#[derive(Debug, Default)]
pub struct Kept {
    /// Where the topic began for this client.
    pub first: u64,
    /// The position of the last event, or of the answer before it.
    last: u64,
    /// The version of a list's stream.
    version: Option<u64>,
    /// Every event, by position.
    pub seen: Vec<u64>,
    /// Snapshots in place of events: the ranges without events.
    pub jumps: Vec<(u64, u64)>,
    pub states: BTreeMap<String, Value>,
    /// The current deals by product.
    pub deals: BTreeMap<String, Value>,
    /// The last event was the one that marks the end.
    pub ended: bool,
    /// A subscription is under way: what comes before its answer belongs to the one before.
    waiting: bool,
    begun: bool,
}

impl Follower {
    pub fn new(topics: &[&str]) -> Self {
        let topics = topics.iter().map(|topic| ((*topic).to_owned(), Kept::default())).collect();
        Self { topics, ..Self::default() }
    }

    /// Records the history of the positions: it must be the same over a crash.
    pub fn greet(&mut self, hello: &Value) {
        assert_eq!(hello["type"], "hello", "{hello}");
        assert!(self.epoch.is_null() || self.epoch == hello["epoch"], "a crash changes no history");
        self.epoch = hello["epoch"].clone();
    }

    /// A request that follows these topics from where they are.
    pub fn subscribe<'a>(&mut self, topics: impl Iterator<Item = &'a String>, max_rate: Option<u32>) -> Value {
        let wanted: Vec<_> = topics
            .map(|topic| {
                let kept = self.topics.get_mut(topic).expect("a topic of this client");
                kept.waiting = true;
                let mut wanted = Map::from_iter([("topic".to_owned(), json!(topic))]);
                wanted.extend(kept.begun.then(|| ("since".to_owned(), json!(kept.last.to_string()))));
                wanted.extend(max_rate.map(|rate| ("max_rate".to_owned(), json!(rate))));
                wanted
            })
            .collect();
        json!({ "id": "subscribe", "op": "subscribe", "epoch": self.epoch, "topics": wanted })
    }

    /// Whether every subscription was answered.
    pub fn settled(&self) -> bool {
        self.topics.values().all(|kept| !kept.waiting)
    }

    /// Handles a message.
    pub fn take(&mut self, message: &Value) {
        let kept = message["topic"].as_str().and_then(|topic| self.topics.get_mut(topic));
        match (message["type"].as_str(), kept) {
            (Some("subscribed"), _) => {
                for answer in message["topics"].as_array().unwrap() {
                    let topic = answer["topic"].as_str().unwrap();
                    self.deliveries += self.topics.get_mut(topic).expect("a topic of this client").start(topic, answer);
                }
            }
            (Some("event"), Some(kept)) if !kept.waiting => {
                kept.event(message);
                self.deliveries += 1;
            }
            (Some("state"), Some(kept)) if !kept.waiting => {
                kept.states.insert(message["key"].as_str().unwrap().to_owned(), message["value"].clone());
                self.deliveries += 1;
            }
            (Some("event" | "state"), Some(_)) | (Some("closing"), None) => {}
            _ => panic!("unexpected: {message}"),
        }
    }
}

impl Kept {
    /// Handles the answer to a subscription. Returns how many events it had.
    fn start(&mut self, topic: &str, answer: &Value) -> u64 {
        assert!(self.waiting, "{topic} is answered once");
        self.waiting = false;
        assert!(answer.get("error").is_none(), "refused: {answer}");
        let at = position(&answer["position"]);
        if answer["recovered"] == false {
            assert!(answer["snapshot"].is_object(), "{answer}");
            if self.begun {
                self.jumps.push((self.last, at));
            } else {
                self.first = at;
            }
            self.begun = true;
            self.last = at;
            self.version = topic.starts_with("list:").then(|| answer["snapshot"]["version"].as_u64().unwrap());
            self.ended |= answer["snapshot"]["name"] == "The end" || answer["snapshot"]["product"]["name"] == "The end";
            self.states.insert("totals".to_owned(), answer["snapshot"]["totals"].clone());
            let prices = answer["snapshot"]["prices"].as_array().into_iter().flatten();
            self.states.extend(prices.map(|price| (format!("price:{}", price["store"].as_str().unwrap()), json!({ "price": price }))));
            let deals = answer["snapshot"]["deals"].as_array().into_iter().flatten();
            self.deals = deals.map(|deal| (deal["product"].as_str().unwrap().to_owned(), deal["price"].clone())).collect();
        }
        let events = answer["events"].as_array().map_or(&[][..], Vec::as_slice);
        events.iter().for_each(|event| self.event(event));
        self.states.extend(answer["states"].as_object().into_iter().flatten().map(|(key, value)| (key.clone(), value.clone())));
        assert!(self.last <= at || answer["recovered"] == false, "{topic} is at {} and answered at {at}", self.last);
        self.last = self.last.max(at);
        events.len() as u64
    }

    fn event(&mut self, message: &Value) {
        assert!(message["previous"].is_string(), "an event behind another names it: {message}");
        let (previous, at) = (position(&message["previous"]), position(&message["position"]));
        assert!(previous <= self.last, "a gap: behind {} comes {message}", self.last);
        assert!(at > self.last, "a repetition: behind {} comes {message}", self.last);
        let event = &message["event"];
        if let Some(version) = &mut self.version {
            assert_eq!((previous, event["version"].as_u64()), (self.last, Some(*version + 1)), "behind {} comes {message}", self.last);
            *version += 1;
        }
        self.last = at;
        self.seen.push(at);
        self.ended = event["data"]["name"] == "The end";
        for change in event["deals"].as_array().into_iter().flatten() {
            let product = change["deal"]["product"].as_str().unwrap().to_owned();
            match change["change"].as_str() {
                Some("ended") => self.deals.remove(&product),
                _ => self.deals.insert(product, change["deal"]["price"].clone()),
            };
        }
    }
}
