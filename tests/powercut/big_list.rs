//! One person brings a list of 900 items back repeatedly: each time a few very large appends.

use std::{sync::mpsc, thread};

use serde_json::json;

use crate::{
    known::{BroughtBack, number},
    support::{Client, TestApp},
};

const LIST: &str = "big";
const ITEMS: usize = 900;
/// Clients that fill it together.
const HANDS: usize = 6;

/// Makes the list, and returns the positions at which it was empty and full.
pub fn make(app: &TestApp) -> (u64, u64) {
    let made = app.post("/api/v1/lists", &json!({"id": LIST, "name": "Big"})).ok().body;
    let fill = |client: Client, hand: usize| (hand..ITEMS).step_by(HANDS).map(|item| add(&client, item)).max().unwrap_or_default();
    let full = thread::scope(|scope| {
        let hands: Vec<_> = (0..HANDS)
            .map(|hand| {
                let client = app.client().clone();
                scope.spawn(move || fill(client, hand))
            })
            .collect();
        hands.into_iter().map(|hand| hand.join().expect("nobody panics")).max()
    });
    (number(&made["position"]), full.unwrap_or_default())
}

fn add(client: &Client, item: usize) -> u64 {
    let body = json!({"id": format!("item-{item}"), "name": format!("Thing number {item}"), "note": "as grandmother has always bought it"});
    number(&client.post(&format!("/api/v1/lists/{LIST}/items"), &body).ok().body["position"])
}

/// Brings the list back to where it was empty and where it was full, in turn.
pub fn bring_back_until_the_server_dies(client: &Client, (empty, full): (u64, u64), tell: &mpsc::Sender<()>) -> Vec<BroughtBack> {
    let mut done = Vec::new();
    for (at, items) in [(empty, 0), (full, ITEMS)].into_iter().cycle() {
        let path = format!("/api/v1/lists/{LIST}/restore");
        let answer = client.send("POST", &path, &[], Some(json!({"at": at.to_string()}).to_string()));
        let Some(answer) = answer.ok().filter(|answer| answer.status < 500) else { break };
        let answer = answer.ok().body;
        // If nothing differed, nothing was recorded: the answer then holds the log's head.
        if answer["commands"] != 0 {
            let (position, version) = (number(&answer["position"]), number(&answer["version"]));
            done.push(BroughtBack { list: LIST, position, version, items });
        }
        // The receiver stops when the power is cut.
        let _ = tell.send(());
    }
    done
}
