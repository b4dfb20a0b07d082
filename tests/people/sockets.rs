//! Open sockets follow the rights of their people.

use serde_json::{Value, json};

use crate::{browser::Browser, family::Family, support::Live};

fn open(browser: &Browser, family: &Family) -> Live {
    let token = browser.post("/api/v1/tokens", &json!({ "name": "socket", "scopes": "read write" })).expect(201).body["token"].clone();
    let mut live = Live::connect_with(family.app.server().url(), &[("authorization", &format!("Bearer {}", token.as_str().unwrap()))]);
    assert_eq!(live.next()["type"], "hello");
    live
}

fn follow(live: &mut Live, topic: &str) -> Value {
    live.send(&json!({ "id": 1, "op": "subscribe", "topics": [{ "topic": topic }] }));
    let answer = live.next_where(|message| message["type"] == "subscribed");
    answer["topics"][0].clone()
}

fn command(live: &mut Live, command: Value) -> Value {
    live.send(&json!({ "id": 2, "op": "command", "entity": "list", "entity_id": "weekly", "command": command }));
    live.next_where(|message| message["id"] == 2)
}

#[test]
fn a_member_follows_the_family_and_a_stranger_is_told_nothing() {
    let family = Family::start();
    let (mut ben, mut eve, mut gus) = (open(&family.ben, &family), open(&family.eve, &family), open(&family.gus, &family));
    assert_eq!(follow(&mut ben, "list:weekly")["snapshot"]["name"], "Weekly");
    assert!(follow(&mut ben, "household:home").get("error").is_none());
    for topic in ["list:weekly", "list:nowhere", "household:home", "orders:home", "system"] {
        assert_eq!(follow(&mut eve, topic)["error"]["code"], "forbidden", "{topic}");
    }
    assert_eq!(follow(&mut gus, "list:party")["snapshot"]["name"], "Party");
    assert_eq!(follow(&mut gus, "list:weekly")["error"]["code"], "forbidden");
    assert_eq!(command(&mut eve, json!({ "op": "check", "item": "milk" }))["code"], "list_not_found");
    assert_eq!(command(&mut ben, json!({ "op": "check", "item": "milk" }))["outcome"], "applied");
    assert_eq!(command(&mut ben, json!({ "op": "remove", "item": "milk" }))["code"], "not_permitted");
    assert_eq!(family.anna.get("/api/v1/lists/weekly").expect(200).body["items"][0]["checked_by"], "ben");
}

#[test]
fn who_is_put_out_of_the_household_loses_its_topics_at_once() {
    let family = Family::start();
    let mut ben = open(&family.ben, &family);
    follow(&mut ben, "list:weekly");
    family.anna.post("/api/v1/households/home/commands", &json!({ "op": "leave", "member": "ben" })).expect(200);
    let revoked = ben.next_where(|message| message["type"] == "revoked");
    assert_eq!((&revoked["topics"], &revoked["code"]), (&json!(["list:weekly"]), &json!("forbidden")));
    family.anna.post("/api/v1/lists/weekly/items", &json!({ "name": "Secret" })).expect(201);
    assert_eq!(command(&mut ben, json!({ "op": "check", "item": "milk" }))["code"], "list_not_found");
}

#[test]
fn a_revoked_token_and_a_disabled_account_close_what_they_opened() {
    let family = Family::start();
    let mut socket = open(&family.ben, &family);
    let tokens = family.ben.get("/api/v1/tokens").expect(200).body["tokens"].clone();
    family.ben.delete(&format!("/api/v1/tokens/{}", tokens[0]["id"].as_str().unwrap())).expect(204);
    assert_eq!(socket.closed(), Some(4005));
    let mut other = open(&family.gus, &family);
    family.anna.patch("/api/v1/users/gus", &json!({ "disabled": true })).expect(200);
    assert_eq!(other.closed(), Some(4005));
}
