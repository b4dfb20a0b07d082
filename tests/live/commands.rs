//! Commands over the socket do what HTTP does.

use serde_json::{Value, json};

use crate::{
    shop::{ask, connect, estimated, shop},
    wire::{Opening, Wire},
};

#[test]
fn commands_over_the_socket_do_what_http_does() {
    let app = shop();
    let (mut live, _) = connect(&app);
    let command = |id: &str, command_id: &str, command: Value| json!({ "id": id, "op": "command", "entity": "list", "entity_id": "weekly", "command_id": command_id, "command": command });
    let add = json!({ "op": "add_item", "item": "i2", "name": "Milk", "product": "milk", "quantity": { "amount": "3", "unit": "each" } });
    let done = ask(&mut live, &command("c1", "k1", add.clone()));
    assert_eq!((&done["type"], &done["outcome"], &done["item"]), (&json!("done"), &json!("merged"), &json!("i1")), "{done}");
    assert_eq!(estimated(&done["totals"]), "7.45");
    assert_eq!(app.get("/api/v1/lists/weekly").ok().body["version"], done["version"]);

    let again = ask(&mut live, &command("c2", "k1", add.clone()));
    assert_eq!((&again["outcome"], &again["repeated"], &again["position"]), (&json!("merged"), &json!(true), &done["position"]));
    let mut over_http = add;
    over_http["command_id"] = json!("k1");
    let over_http = app.post("/api/v1/lists/weekly/commands", &over_http).ok().body;
    assert_eq!(
        (&over_http["outcome"], &over_http["repeated"], &over_http["position"]),
        (&json!("merged"), &json!(true), &done["position"])
    );

    let other = ask(&mut live, &command("c3", "k1", json!({ "op": "check", "item": "i1" })));
    assert_eq!((&other["type"], &other["code"]), (&json!("error"), &json!("key_reused")));
}

#[test]
fn a_command_over_the_socket_names_who_sent_it_only_where_somebody_acts_for_another() {
    let app = shop();
    app.post("/api/v1/lists/weekly/members", &json!({ "member": "mia", "role": "editor" })).ok();
    for (who, by) in [("mia", Some("local")), ("local", None)] {
        let headers = [("X-Aisled-As", who)];
        let (mut wire, _) = Wire::greeted(app.server().url(), Opening { headers: &headers, ..Opening::default() });
        wire.follow("list:weekly");
        wire.send(
            &json!({ "id": 2, "op": "command", "entity": "list", "entity_id": "weekly", "command": { "op": "rename", "name": who } }),
        );
        let event = wire.next_where(|message| message["type"] == "event")["event"].clone();
        assert_eq!((event["who"].as_str(), event.get("by").and_then(Value::as_str)), (Some(who), by), "{event}");
    }
}

#[test]
fn a_refused_command_says_what_http_says() {
    let app = shop();
    let (mut live, _) = connect(&app);
    for command in [
        json!({ "op": "check", "item": "nobody" }),
        json!({ "op": "rename", "name": "" }),
        json!({ "op": "add_item", "item": "x", "name": "X", "product": "unheard-of", "quantity": { "amount": "1", "unit": "each" } }),
        json!({ "op": "add_item", "item": "x", "name": "X", "quantity": { "amount": "-1", "unit": "each" } }),
        json!({ "op": "add_item", "item": "x", "name": "X", "quantity": { "amount": 1, "unit": "each" } }),
        json!({ "op": "dance" }),
        json!({}),
    ] {
        let refused = ask(&mut live, &json!({ "id": 1, "op": "command", "entity": "list", "entity_id": "weekly", "command": command }));
        let over_http = app.post("/api/v1/lists/weekly/commands", &command);
        assert_eq!(refused["type"], "error", "{refused}");
        assert_eq!(refused["code"].as_str(), Some(over_http.code()), "{command}: {refused} / {}", over_http.text);
        assert_eq!(refused["temporary"], false);
    }
    let stale = json!({ "id": 2, "op": "command", "entity": "list", "entity_id": "weekly", "command": { "op": "rename", "name": "N" }, "if_version": 1 });
    assert_eq!(ask(&mut live, &stale)["code"], "version_mismatch");
}

#[test]
fn commands_sent_at_once_are_carried_out_in_order() {
    let app = shop();
    let (mut live, _) = connect(&app);
    for number in 0..50 {
        let command = json!({ "op": "rename", "name": format!("Name {number}") });
        live.send(&json!({ "id": number, "op": "command", "entity": "list", "entity_id": "weekly", "command": command }));
    }
    for number in 0..50 {
        let done = live.next();
        assert_eq!((&done["id"], &done["outcome"]), (&json!(number), &json!("applied")));
    }
    assert_eq!(app.get("/api/v1/lists/weekly").ok().body["name"], "Name 49");
}
