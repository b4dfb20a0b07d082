//! What writes answer: outcome, version, position, place; repeatable by key, conditional by version.

use actix_web::http::Method;
use serde_json::{Value, json};

use super::rig::{Rig, local, method_of, price};
use crate::{
    actors::Request,
    commands::execute,
    domain::{
        Context, Principal, StoreId,
        list::{ListCommand, Lists},
    },
};

#[actix_web::test]
async fn a_new_item_is_answered_with_its_place_and_the_new_total() {
    let rig = Rig::furnished().await;
    let body = json!({"id": "i", "name": "Milk", "product": "p", "quantity": {"amount": "3", "unit": "each"}});
    let answer = rig.write("POST", "/api/v1/lists/l/items", body).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, "/api/v1/lists/l/items/i"));
    let body = answer.json();
    assert_eq!((&body["outcome"], &body["item"]), (&json!("applied"), &json!("i")));
    assert_eq!(body["totals"]["estimated"], json!({"amount": "6.00", "currency": "EUR"}), "{body}");
}

#[actix_web::test]
async fn an_item_sent_again_under_its_id_changes_nothing_and_is_named() {
    let rig = Rig::furnished().await;
    let milk = || json!({"id": "milk", "name": "Milk"});
    rig.done("POST", "/api/v1/lists/l/items", milk()).await;
    let again = rig.done("POST", "/api/v1/lists/l/items", milk()).await;
    assert_eq!((&again["outcome"], &again["item"]), (&json!("unchanged"), &json!("milk")));
}

#[actix_web::test]
async fn the_same_item_again_is_merged_and_names_where_it_went() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/lists/l/items", json!({"id": "i", "name": "Milk", "product": "p"})).await;
    let again = rig.write("POST", "/api/v1/lists/l/items", json!({"id": "j", "name": "Milk", "product": "p"})).await;
    assert_eq!((again.status.as_u16(), &again.json()["outcome"], &again.json()["item"]), (200, &json!("merged"), &json!("i")));
}

#[actix_web::test]
async fn a_price_seen_changes_the_totals_of_a_list_that_holds_it() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/lists/l/items", json!({"name": "Milk", "product": "p"})).await;
    let seen = rig.done("POST", "/api/v1/products/p/prices", json!({"store": "s", "price": {"amount": "1.50", "currency": "EUR"}})).await;
    let list = rig.get(&format!("/api/v1/lists/l?after={}", seen["position"].as_str().expect("a position"))).await.json();
    assert_eq!(list["totals"]["estimated"]["amount"], "1.50", "{list}");
}

#[actix_web::test]
async fn a_repetition_under_the_same_key_hits_the_same_thing_once() {
    let rig = Rig::furnished().await;
    let make =
        || local(Method::POST, "/api/v1/lists").set_json(json!({"name": "Party"})).insert_header(("idempotency-key", "a key/with odd"));
    let refused = rig.send(make()).await;
    assert_eq!(refused.problem().1, "invalid_idempotency_key");
    let make = || local(Method::POST, "/api/v1/lists").set_json(json!({"name": "Party"})).insert_header(("idempotency-key", "key/1"));
    let (first, second) = (rig.send(make()).await, rig.send(make()).await);
    assert_eq!((first.status.as_u16(), second.status.as_u16()), (201, 201));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(second.json()["repeated"], json!(true));
    assert_eq!(first.json()["position"], second.json()["position"]);
}

#[actix_web::test]
async fn a_price_without_a_time_may_be_repeated_under_its_key() {
    let rig = Rig::furnished().await;
    let body = json!({"store": "s", "price": {"amount": "1.80", "currency": "EUR"}, "command_id": "c1"});
    let first = rig.done("POST", "/api/v1/products/p/prices", body.clone()).await;
    let second = rig.done("POST", "/api/v1/products/p/prices", body).await;
    assert_eq!((&second["repeated"], &first["position"]), (&json!(true), &second["position"]));
}

#[actix_web::test]
async fn a_write_under_the_tag_of_a_read_is_done_only_once() {
    let rig = Rig::furnished().await;
    let tag = rig.get("/api/v1/lists/l").await.header("etag").to_owned();
    let rename = |name: &str| {
        local(method_of("PATCH"), "/api/v1/lists/l").set_json(json!({ "name": name })).insert_header(("if-match", tag.as_str()))
    };
    assert_eq!(rig.send(rename("One")).await.status, 200);
    assert_eq!(rig.send(rename("Two")).await.status, 412);
}

#[actix_web::test]
async fn a_bulk_intake_answers_every_line_in_order_and_a_bad_one_stops_no_other() {
    let rig = Rig::furnished().await;
    let mut line = price("1.10", "EUR");
    line["product"] = json!("p");
    let mut dollars = price("1.10", "USD");
    dollars["product"] = json!("p");
    let mut unknown = price("1.10", "EUR");
    unknown["product"] = json!("none");
    let text = format!("{line}\nnonsense\n\n{dollars}\n{line}\n{unknown}");
    let request = local(Method::POST, "/api/v1/prices").insert_header(("content-type", "application/x-ndjson")).set_payload(text);
    let answer = rig.send(request).await;
    let lines: Vec<Value> =
        answer.body.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).expect("JSON")).collect();
    let brief: Vec<_> =
        lines.iter().map(|l| (l["line"].as_u64(), l["outcome"].as_str(), l["error"].as_str(), l["pointer"].as_str())).collect();
    assert_eq!(
        brief,
        vec![
            (Some(1), Some("applied"), None, None),
            (Some(2), None, Some("malformed_json"), None),
            (Some(4), None, Some("currency_differs"), Some("/price/currency")),
            (Some(5), Some("unchanged"), None, None),
            (Some(6), None, Some("product_not_found"), Some("/product")),
        ]
    );
}

#[actix_web::test]
async fn a_bulk_intake_under_a_condition_is_refused() {
    let rig = Rig::furnished().await;
    let request = local(Method::POST, "/api/v1/prices").insert_header(("content-type", "application/x-ndjson"));
    let answer = rig.send(request.insert_header(("if-match", "\"1\""))).await;
    assert_eq!(answer.problem().1, "invalid_if_match");
}

#[actix_web::test]
async fn a_bulk_intake_may_answer_only_what_it_refused() {
    let rig = Rig::furnished().await;
    let mut line = price("1.10", "EUR");
    line["product"] = json!("p");
    let request = local(Method::POST, "/api/v1/prices?answers=refused").insert_header(("content-type", "application/x-ndjson"));
    let answer = rig.send(request.set_payload(format!("{line}\n{{}}\n"))).await;
    let lines: Vec<Value> =
        answer.body.split(|b| *b == b'\n').filter(|l| !l.is_empty()).map(|l| serde_json::from_slice(l).expect("JSON")).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0]["error"], "missing_field");
    assert_eq!(lines[1], json!({"lines": 2, "applied": 1, "unchanged": 0, "refused": 1}));
}

#[actix_web::test]
async fn a_family_member_may_be_named_and_is_recorded() {
    let rig = Rig::furnished().await;
    rig.done("POST", "/api/v1/lists/l/members", json!({"member": "anna", "role": "editor"})).await;
    let tick =
        local(Method::POST, "/api/v1/lists/l/items").set_json(json!({"id": "i", "name": "Milk"})).insert_header(("x-aisled-as", "anna"));
    assert_eq!(rig.send(tick).await.status, 201);
    assert_eq!(rig.get("/api/v1/lists/l").await.json()["items"][0]["added_by"], "anna");
}

#[actix_web::test]
async fn every_command_that_is_recorded_with_others_is_checked_for_what_it_names() {
    let rig = Rig::furnished().await;
    let head = rig.app.log.head();
    let context = Context::of_admin(Principal::new("ann").expect("an id"), rig.app.clock.now());
    let unknown = ListCommand::ChooseStore { store: Some(StoreId::new("nowhere").expect("an id")) };
    let command = ListCommand::Rename { name: "Monthly".into() };
    let request = Request { command, more: vec![unknown], context, key: None, client: None, if_version: None };
    let refused = execute::<Lists>(&rig.app, "l", request).await.expect_err("the store is unknown");
    assert_eq!((refused.code(), rig.app.log.head()), ("store_not_found", head));
}
