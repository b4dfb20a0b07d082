//! Undo over HTTP: previews, refusals, whole commands, and a person's recent commands.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::rig::{Answer, Rig, local, method_of};
use crate::domain::list::ListCommand;

/// Sends a command as a family member, from a device, under an id.
async fn told(rig: &Rig, who: &str, method: &str, path: &str, body: Value) -> Value {
    let request = local(method_of(method), path).set_json(body).insert_header(("x-aisled-as", who));
    let answer = rig.send(request.insert_header(("x-aisled-client", "phone"))).await;
    assert!(answer.status.is_success(), "{path}: {:?}", answer.body);
    answer.json()
}

async fn undo(rig: &Rig, body: Value) -> Answer {
    rig.write("POST", "/api/v1/undo", body).await
}

async fn undone(rig: &Rig, body: Value) -> Value {
    let answer = undo(rig, body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.json()
}

async fn item_names(rig: &Rig) -> Vec<String> {
    let list = rig.get("/api/v1/lists/l").await.json();
    list["items"].as_array().expect("items").iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
}

/// A list with bread and milk.
async fn shop() -> Rig {
    let rig = Rig::furnished().await;
    for member in ["ann", "ben"] {
        rig.done("POST", "/api/v1/lists/l/members", json!({"member": member, "role": "owner"})).await;
    }
    told(&rig, "ann", "POST", "/api/v1/lists/l/items", json!({"id": "bread", "name": "Bread", "command_id": "c-bread"})).await;
    told(&rig, "ben", "POST", "/api/v1/lists/l/items", json!({"id": "milk", "name": "Milk", "command_id": "c-milk"})).await;
    rig
}

fn outcomes(answer: &Value) -> Vec<(&str, &str)> {
    let commands = answer["commands"].as_array().expect("commands");
    commands.iter().map(|one| (one["outcome"].as_str().unwrap_or_default(), one["code"].as_str().unwrap_or_default())).collect()
}

#[actix_web::test]
async fn a_preview_changes_nothing_and_says_what_the_undo_then_does() {
    let rig = shop().await;
    let removed = told(&rig, "ann", "DELETE", "/api/v1/lists/l/items/bread", json!({})).await;
    let head = rig.app.log.head();
    let preview = undone(&rig, json!({"position": removed["position"], "preview": true})).await;
    assert_eq!((rig.app.log.head(), &preview["preview"]), (head, &json!(true)));
    let real = undone(&rig, json!({"position": removed["position"]})).await;
    assert_eq!(real["commands"][0]["changes"], preview["commands"][0]["changes"]);
    assert_eq!(real["commands"][0]["was"][0]["after"], Value::Null, "the item was taken off");
    assert_eq!(item_names(&rig).await, ["Bread", "Milk"], "it is back in its place");
    assert_eq!(real["totals"], json!({"commands": 1, "undone": 1, "cannot": 0, "already_undone": 0}));
}

#[actix_web::test]
async fn an_undone_command_is_not_undone_again_but_its_undo_can_be() {
    let rig = shop().await;
    let first = undone(&rig, json!({"command_id": "c-milk"})).await;
    assert_eq!(item_names(&rig).await, ["Bread"]);
    let again = undo(&rig, json!({"command_id": "c-milk"})).await;
    let undo_position = first["commands"][0]["undo"].as_str().expect("a position");
    assert_eq!(again.problem(), (409, "already_undone".into(), String::new()));
    let detail = format!("this was undone at position {undo_position}; undo that to restore it");
    assert_eq!(again.json()["detail"], json!(detail));
    let redone = undone(&rig, json!({"position": undo_position})).await;
    assert_eq!(item_names(&rig).await, ["Bread", "Milk"]);
    let redone = redone["commands"][0]["undo"].as_str().expect("a position");
    let detail = format!("this was undone at position {undo_position} and redone at position {redone}; undo that instead");
    assert_eq!(undo(&rig, json!({"command_id": "c-milk"})).await.json()["detail"], json!(detail));
}

#[actix_web::test]
async fn a_command_of_several_events_is_undone_as_a_whole_and_recorded_as_one() {
    let rig = shop().await;
    let more = json!({"id": "more", "name": "Milk", "note": "cold", "quantity": {"amount": "2", "unit": "each"}});
    let merged = told(&rig, "ann", "POST", "/api/v1/lists/l/items", more).await;
    let answer = undone(&rig, json!({"position": merged["position"]})).await;
    assert_eq!(answer["commands"][0]["events"], json!(["list.item_quantity_changed", "list.item_details_changed"]));
    let milk = rig.get("/api/v1/lists/l").await.json()["items"][1].clone();
    assert_eq!((&milk["quantity"]["amount"], milk.get("note").unwrap_or(&Value::Null)), (&json!("1"), &Value::Null));
    let first: u64 = answer["commands"][0]["undo"].as_str().and_then(|text| text.parse().ok()).expect("a position");
    assert_eq!(rig.app.log.head().0, first + 1, "two events, one after the other");
}

#[actix_web::test]
async fn what_somebody_changed_since_is_refused_with_his_name() {
    let rig = shop().await;
    let set = |count: &str| json!({"quantity": {"amount": count, "unit": "each"}});
    let three = told(&rig, "ann", "PATCH", "/api/v1/lists/l/items/milk", set("3")).await;
    let five = told(&rig, "ben", "PATCH", "/api/v1/lists/l/items/milk", set("5")).await;
    let refused = undo(&rig, json!({"position": three["position"], "preview": true})).await;
    assert_eq!(refused.problem().1, "changed_since");
    let detail = refused.json()["detail"].as_str().expect("a sentence").to_owned();
    assert!(detail.starts_with("“Milk” is 5 each by now, not 3 each: ben changed it at "), "{detail}");
    assert!(detail.ends_with(&format!("(position {})", five["position"].as_str().expect("a position"))), "{detail}");
}

#[actix_web::test]
async fn a_persons_last_hour_is_previewed_and_undone_as_previewed() {
    let rig = shop().await;
    told(&rig, "ann", "PATCH", "/api/v1/lists/l", json!({"name": "Party"})).await;
    told(&rig, "ann", "PATCH", "/api/v1/lists/l/items/milk", json!({"change_by": {"amount": "4", "unit": "each"}})).await;
    told(&rig, "ann", "PATCH", "/api/v1/lists/l/items/milk", json!({"checked": true})).await;
    told(&rig, "ann", "DELETE", "/api/v1/lists/l/items/milk", json!({})).await;
    told(&rig, "ann", "POST", "/api/v1/lists/l/members", json!({"member": "cleo", "role": "viewer"})).await;
    told(&rig, "ben", "PATCH", "/api/v1/lists/l", json!({"name": "Picnic"})).await;
    let body = |preview: bool| json!({"who": "ann", "since": "2020-01-01", "preview": preview});
    let preview = undone(&rig, body(true)).await;
    let head = rig.app.log.head();
    let real = undone(&rig, body(false)).await;
    let expected =
        [("cannot", "member_stays"), ("undone", ""), ("undone", ""), ("undone", ""), ("cannot", "changed_since"), ("undone", "")];
    assert_eq!(outcomes(&real), expected);
    for (previewed, done) in preview["commands"].as_array().expect("commands").iter().zip(real["commands"].as_array().expect("commands")) {
        for part in ["position", "outcome", "changes", "was", "code", "reason"] {
            assert_eq!(previewed.get(part), done.get(part), "{part}");
        }
    }
    assert_eq!(preview["totals"], real["totals"]);
    assert_eq!(item_names(&rig).await, ["Milk"], "as ben left it, without what ann did");
    let milk = rig.get("/api/v1/lists/l").await.json()["items"][0].clone();
    assert_eq!((&milk["quantity"]["amount"], &milk["checked"]), (&json!("1"), &json!(false)));
    assert!(rig.app.log.head() > head);
    let again = undone(&rig, body(false)).await;
    assert_eq!(again["totals"]["undone"], 0, "{again}");
    assert_eq!(again["totals"]["already_undone"], 4);
}

#[actix_web::test]
async fn a_command_and_its_undo_in_the_same_time_come_to_nothing() {
    let rig = shop().await;
    let renamed = told(&rig, "ann", "PATCH", "/api/v1/lists/l", json!({"name": "Party"})).await;
    told(&rig, "ann", "POST", "/api/v1/undo", json!({"position": renamed["position"]})).await;
    let answer = undone(&rig, json!({"who": "ann", "since": "2020-01-01", "stream": "list/l"})).await;
    assert_eq!(outcomes(&answer)[..2], [("already_undone", "already_undone"), ("already_undone", "already_undone")]);
    assert_eq!(rig.get("/api/v1/lists/l").await.json()["name"], "Weekly");
}

#[actix_web::test]
async fn only_what_was_done_in_the_time_and_stream_is_undone() {
    let rig = shop().await;
    let nothing = json!({"who": "ann", "since": "2200-01-01", "preview": true});
    assert_eq!(undone(&rig, nothing).await["totals"]["commands"], 0);
    let elsewhere = json!({"who": "ann", "since": "2020-01-01", "stream": "list/other", "preview": true});
    assert_eq!(undone(&rig, elsewhere).await["totals"]["commands"], 0);
    let before = json!({"who": "ann", "since": "2020-01-01", "until": "2020-01-02", "preview": true});
    assert_eq!(undone(&rig, before).await["totals"]["commands"], 0);
}

#[actix_web::test]
async fn prices_stores_orders_and_households_are_undone_too() {
    let rig = Rig::furnished().await;
    let seen = rig.done("POST", "/api/v1/products/p/prices", json!({"store": "s", "price": {"amount": "1.50", "currency": "EUR"}})).await;
    undone(&rig, json!({"position": seen["position"]})).await;
    let renamed = rig.done("PATCH", "/api/v1/stores/s", json!({"name": "Other"})).await;
    undone(&rig, json!({"position": renamed["position"]})).await;
    assert_eq!(rig.get("/api/v1/stores/s").await.json()["name"], "Shop");
    rig.done("POST", "/api/v1/households", json!({"id": "h", "name": "Home"})).await;
    let joined = rig.done("POST", "/api/v1/households/h/commands", json!({"op": "join", "member": "ben", "role": "editor"})).await;
    undone(&rig, json!({"position": joined["position"]})).await;
    let line =
        json!({"line": 1, "name": "Milk", "quantity": {"amount": "1", "unit": "each"}, "charged": {"amount": "2.00", "currency": "EUR"}});
    let placed = rig
        .done("POST", "/api/v1/orders", json!({"id": "o", "store": "s", "placed_at": "2026-01-01", "lines": [line], "source": "x"}))
        .await;
    let answer = undone(&rig, json!({"position": placed["position"]})).await;
    assert_eq!(answer["commands"][0]["changes"], json!([{"field": "phase", "before": "placed", "after": "cancelled"}]));
}

#[actix_web::test]
async fn impossible_undos_are_refused_by_name() {
    let rig = shop().await;
    for (body, expected) in [
        (json!({}), (422, "one_target_only", "")),
        (json!({"position": "1", "command_id": "c"}), (422, "one_target_only", "")),
        (json!({"position": "1", "stream": "list/l"}), (422, "one_target_only", "/stream")),
        (json!({"position": "1", "since": "2020-01-01"}), (422, "who_missing", "/since")),
        (json!({"who": "ann"}), (422, "since_missing", "/since")),
        (json!({"who": "ann", "since": "2026-01-02", "until": "2026-01-01"}), (422, "time_reversed", "/until")),
        (json!({"position": "0"}), (400, "position_unknown", "/position")),
        (json!({"position": "999"}), (400, "position_unknown", "/position")),
        (json!({"command_id": "never"}), (404, "command_not_found", "/command_id")),
        (json!({"command_id": "never", "stream": "list/l"}), (404, "command_not_found", "/command_id")),
        (json!({"position": "1"}), (409, "registration_stays", "")),
        (json!({"position": "4"}), (409, "creation_stays", "")),
    ] {
        let (status, code, pointer) = undo(&rig, body.clone()).await.problem();
        assert_eq!((status, code.as_str(), pointer.as_str()), expected, "{body}");
    }
}

#[actix_web::test]
async fn a_viewer_undoes_nothing() {
    let rig = shop().await;
    rig.done("POST", "/api/v1/lists/l/members", json!({"member": "cleo", "role": "viewer"})).await;
    let request = local(Method::POST, "/api/v1/undo").set_json(json!({"command_id": "c-milk"})).insert_header(("x-aisled-as", "cleo"));
    assert_eq!(rig.send(request).await.problem().1, "not_permitted");
}

#[actix_web::test]
async fn an_id_that_a_client_made_up_is_no_undo() {
    let rig = shop().await;
    let body = json!({"name": "Party", "command_id": "undo:5"});
    told(&rig, "ann", "PATCH", "/api/v1/lists/l", body).await;
    assert_eq!(undo(&rig, json!({"command_id": "c-bread", "preview": true})).await.status, 200, "position 5 was not undone by it");
}

#[actix_web::test]
async fn too_many_commands_are_refused_with_the_limit() {
    let rig = shop().await;
    for number in 0..500 {
        rig.tell("ann", vec![ListCommand::Rename { name: format!("Name {number}") }]).await;
    }
    let refused = undo(&rig, json!({"who": "ann", "since": "2020-01-01"})).await;
    assert_eq!(refused.problem(), (422, "too_many_commands".into(), "/since".into()));
    assert!(refused.json()["detail"].as_str().expect("a sentence").contains("500"));
}
