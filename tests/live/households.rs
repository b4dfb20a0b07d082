//! The roles of real households on open sessions: what each may follow and command, and what happens when that changes.

use serde_json::{Value, json};

use crate::{
    stream::Feed,
    support::{Answer, TestApp},
    wire::{Opening, Wire},
};

const TOPICS: [&str; 3] = ["list:hid-list-1", "household:hid-house", "orders:hid-house"];
const BROWSER: [(&str, &str); 1] = [("User-Agent", "Mozilla/5.0")];

/// Anna's household with Ben, Cleo, Vera and the guest Gus, and Eve's. Each has a list, an item and an order.
pub fn homes() -> TestApp {
    let app = TestApp::start_with(&["--durability", "flush"]);
    app.post("/api/v1/stores", &json!({ "id": "s", "name": "Shop", "currency": "EUR" })).ok();
    app.post("/api/v1/products", &json!({ "id": "p", "name": "Tea" })).ok();
    for (owner, prefix) in [("anna", "hid"), ("eve", "far")] {
        let [house, list, item, order] = ["house", "list-1", "item-1", "order-1"].map(|kind| format!("{prefix}-{kind}"));
        post_as(&app, owner, "households", &json!({ "id": house, "name": house })).ok();
        post_as(&app, owner, "lists", &json!({ "id": list, "name": list, "household": house })).ok();
        post_as(&app, owner, &format!("lists/{list}/items"), &json!({ "id": item, "name": item })).ok();
        let line = json!({ "line": 1, "name": "Tea", "quantity": { "amount": "1", "unit": "each" }, "charged": { "amount": "2.00", "currency": "EUR" } });
        post_as(&app, owner, "orders", &json!({ "id": order, "household": house, "store": "s", "lines": [line] })).ok();
    }
    for (member, role) in [("ben", "adult"), ("cleo", "child"), ("vera", "viewer"), ("gus", "guest")] {
        app.post("/api/v1/households/hid-house/commands", &json!({ "op": "join", "member": member, "role": role })).ok();
    }
    app
}

pub fn post_as(app: &TestApp, who: &str, path: &str, body: &Value) -> Answer {
    app.client().post_with(&format!("/api/v1/{path}"), &[("x-aisled-as", who)], body)
}

/// A command of Anna to her household.
fn household(app: &TestApp, command: &Value) {
    post_as(app, "anna", "households/hid-house/commands", command).ok();
}

fn rename(app: &TestApp, name: &str) {
    post_as(app, "anna", "lists/hid-list-1/commands", &json!({ "op": "rename", "name": name })).ok();
}

pub fn session(app: &TestApp, who: &str) -> Wire {
    let headers = [("X-Aisled-As", who)];
    Wire::greeted(app.server().url(), Opening { headers: &headers, ..Opening::default() }).0
}

fn list_command(wire: &mut Wire, command: &Value) -> Value {
    wire.ask(&json!({ "id": 9, "op": "command", "entity": "list", "entity_id": "hid-list-1", "command": command }))
}

/// All pushes until the answer to a ping: whatever was published before it has arrived.
fn until_pong(wire: &mut Wire) -> Vec<Value> {
    wire.send(&json!({ "id": "ping", "op": "ping" }));
    let mut pushes = Vec::new();
    loop {
        match wire.next() {
            message if message["type"] == "pong" => return pushes,
            message => pushes.push(message),
        }
    }
}

fn revoked(wire: &mut Wire) -> Vec<String> {
    let notice = wire.next_where(|message| message["type"] == "revoked");
    let mut topics: Vec<_> = notice["topics"].as_array().unwrap().iter().map(|topic| topic.as_str().unwrap().to_owned()).collect();
    topics.sort();
    topics
}

#[test]
fn a_member_who_is_removed_loses_every_topic_of_the_household_at_once() {
    let app = homes();
    let (mut anna, mut ben) = (session(&app, "anna"), session(&app, "ben"));
    for topic in TOPICS {
        assert_eq!(ben.follow(topic)["recovered"], false, "{topic}");
    }
    anna.follow(TOPICS[0]);
    anna.next_where(|message| message["key"] == "presence" && message["value"]["present"].as_array().is_some_and(|all| all.len() == 2));
    household(&app, &json!({ "op": "leave", "member": "ben" }));
    rename(&app, "Unheard");
    let mut expected = TOPICS.map(str::to_owned);
    expected.sort();
    assert_eq!(revoked(&mut ben), expected);
    anna.next_where(|message| message["event"]["data"]["name"] == "Unheard");
    let gone = json!([{ "who": "anna", "sessions": 1 }]);
    anna.next_where(|message| message["key"] == "presence" && message["value"]["present"] == gone);
    assert_eq!(until_pong(&mut ben), Vec::<Value>::new(), "nothing comes after the notice");
    for topic in TOPICS {
        assert_eq!(ben.follow(topic)["error"]["code"], "forbidden", "{topic}");
    }
    assert_eq!(list_command(&mut ben, &json!({ "op": "rename", "name": "Mine" }))["code"], "list_not_found");
}

#[test]
fn who_becomes_a_child_may_only_do_what_a_child_may_on_the_open_socket() {
    let app = homes();
    let mut ben = session(&app, "ben");
    TOPICS.iter().for_each(|topic| assert_eq!(ben.follow(topic)["recovered"], false, "{topic}"));
    household(&app, &json!({ "op": "change_role", "member": "ben", "role": "child" }));
    let removed = list_command(&mut ben, &json!({ "op": "remove", "item": "hid-item-1" }));
    assert_eq!((&removed["type"], &removed["code"]), (&json!("error"), &json!("not_permitted")), "{removed}");
    assert_eq!(list_command(&mut ben, &json!({ "op": "check", "item": "hid-item-1" }))["type"], "done");
    assert_eq!(ben.follow("orders:hid-house")["error"]["code"], "forbidden", "what is bought is not for children");
    assert_eq!(ben.follow("list:hid-list-1")["recovered"], false, "the list still is");
    household(&app, &json!({ "op": "change_role", "member": "ben", "role": "adult" }));
    assert_eq!(list_command(&mut ben, &json!({ "op": "remove", "item": "hid-item-1" }))["type"], "done");
}

#[test]
fn a_stranger_is_told_of_a_hidden_topic_what_is_told_of_one_that_is_not_there() {
    let app = homes();
    let mut eve = session(&app, "eve");
    for topic in TOPICS {
        let missing = topic.replace("hid-", "non-");
        let (seen, unseen) = (eve.follow(topic)["error"].clone(), eve.follow(&missing)["error"].clone());
        assert_eq!(seen["code"], "forbidden");
        assert_eq!(seen.to_string().replace("hid-", "non-"), unseen.to_string());
    }
    let asked = |topics: &str| {
        let path = format!("/api/v1/live/ndjson?topics={topics}");
        app.client().get_with(&path, &[("x-aisled-as", "eve")]).ok().text
    };
    let (seen, unseen) = (asked(&TOPICS.join(",")), asked(&TOPICS.join(",").replace("hid-", "non-")));
    let without_cursors = |text: &str| text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()["message"].clone()).collect();
    let (seen, unseen): (Vec<Value>, Vec<Value>) = (without_cursors(&seen), without_cursors(&unseen));
    assert_eq!(json!(seen).to_string().replace("hid-", "non-"), json!(unseen).to_string());
    let headers = [("X-Aisled-As", "eve")];
    let path = format!("/api/v1/live/sse?topics={},list:far-list-1", TOPICS[0]);
    let mut feed = Feed::open(app.server().url(), &path, Opening { headers: &headers, ..Opening::default() });
    let start = feed.event().expect("the feed starts").message;
    assert_eq!(start["topics"][0]["error"]["code"], "forbidden");
    rename(&app, "Unheard");
    post_as(&app, "eve", "lists/far-list-1/commands", &json!({ "op": "rename", "name": "Heard" })).ok();
    let event = feed.event_where(|message| message["type"] == "event").message;
    assert_eq!(event["event"]["data"]["name"], "Heard");
    assert_eq!(until_pong(&mut eve), Vec::<Value>::new());
}

#[test]
fn who_is_not_signed_in_gets_nothing_in_any_way() {
    let app = homes();
    let mut nobody = Wire::open(app.server().url(), Opening { headers: &BROWSER, ..Opening::default() });
    assert_eq!(nobody.next()["type"], "authenticate");
    for topic in TOPICS {
        let refused = nobody.ask(&json!({ "id": topic, "op": "subscribe", "topics": [{ "topic": topic }] }));
        assert_eq!((&refused["type"], &refused["code"]), (&json!("error"), &json!("not_authenticated")));
    }
    assert_eq!(list_command(&mut nobody, &json!({ "op": "rename", "name": "Mine" }))["code"], "not_authenticated");
    for way in ["sse", "ndjson"] {
        let path = format!("/api/v1/live/{way}?topics={}", TOPICS.join(","));
        assert_eq!(app.client().get_with(&path, &BROWSER).expect(401).code(), "not_authenticated");
    }
}
