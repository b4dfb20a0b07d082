//! Timelines, differences of two moments, and bringing a list or household back.

use serde_json::{Value, json};

use super::rig::Rig;
use crate::{
    commands::{Origin, bring_back},
    domain::{
        ItemId, Quantity, StreamId,
        list::{ListCommand, ListState, Lists},
    },
    events::Position,
};

async fn item(rig: &Rig, id: &str, name: &str) -> String {
    position(&rig.done("POST", "/api/v1/lists/l/items", json!({"id": id, "name": name})).await)
}

async fn change(rig: &Rig, path: &str, body: Value) -> String {
    position(&rig.done("PATCH", path, body).await)
}

fn position(answer: &Value) -> String {
    answer["position"].as_str().expect("a position").to_owned()
}

fn texts<'a>(entries: &'a Value, part: &str) -> Vec<&'a str> {
    entries.as_array().expect("an array").iter().map(|entry| entry[part].as_str().unwrap_or_default()).collect()
}

fn names(list: &Value) -> Vec<&str> {
    texts(&list["items"], "name")
}

#[actix_web::test]
async fn the_timeline_of_a_removed_item_tells_who_what_and_why() {
    let rig = Rig::furnished().await;
    item(&rig, "a", "Apples").await;
    item(&rig, "b", "Bread").await;
    change(&rig, "/api/v1/lists/l/items/a", json!({"name": "Pears"})).await;
    let merged = json!({"id": "c", "name": "Pears", "command_id": "again"});
    rig.done("POST", "/api/v1/lists/l/items", merged).await;
    let removed = position(&rig.done("DELETE", "/api/v1/lists/l/items/a", json!({})).await);
    rig.done("POST", "/api/v1/undo", json!({"position": removed})).await;
    let timeline = rig.get("/api/v1/lists/l/items/a/timeline").await.json();
    let entries = &timeline["entries"];
    let kinds = ["list.item_removed", "list.item_quantity_changed", "list.item_details_changed", "list.item_added"];
    assert_eq!(texts(entries, "type"), kinds);
    assert_eq!(entries[0]["items"], json!([{"id": "a", "name": "Pears"}]));
    assert!(entries[0]["cause"]["undone"].is_string(), "{entries}");
    assert_eq!(entries[1]["cause"], json!({"command_id": "again", "merged": true}));
    assert_eq!(entries[2]["changes"], json!([{"item": "a", "field": "name", "before": "Apples", "after": "Pears"}]));
    assert_eq!(entries[3]["items"], json!([{"id": "a", "name": "Apples"}]));
    assert_eq!(entries[3]["who"], "local");
    assert_eq!(rig.get("/api/v1/lists/l/timeline?item=a").await.json(), timeline, "asked either way");
    let newest = rig.get("/api/v1/lists/l/timeline?limit=1").await.json();
    assert_eq!(newest["entries"][0]["cause"]["undoes"], json!(removed));
}

#[actix_web::test]
async fn a_timeline_is_paged_from_the_newest_within_its_span() {
    let rig = Rig::furnished().await;
    let mut positions = Vec::new();
    for number in 0..5 {
        positions.push(change(&rig, "/api/v1/lists/l", json!({"name": format!("Name {number}")})).await);
    }
    positions.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = rig.get(&format!("/api/v1/lists/l/timeline?limit=2&from={}{cursor}", positions[4])).await.json();
        seen.extend(texts(&page["entries"], "position").into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, positions);
    let until = rig.get(&format!("/api/v1/lists/l/timeline?to={}&from={}", positions[3], positions[4])).await.json();
    assert_eq!(texts(&until["entries"], "position"), positions[3..]);
    assert_eq!(rig.get("/api/v1/lists/l/timeline?from=2200-01-01").await.json()["entries"], json!([]));
    assert_eq!(rig.get("/api/v1/lists/l/timeline?cursor=zz").await.problem().1, "invalid_cursor");
    assert_eq!(rig.get("/api/v1/lists/x/timeline").await.problem().1, "list_not_found");
    assert_eq!(rig.get("/api/v1/lists/l/items/x/timeline").await.problem().1, "item_not_found");
}

#[actix_web::test]
async fn two_moments_of_a_list_differ_by_field_and_by_who_changed_it_last() {
    let rig = Rig::furnished().await;
    item(&rig, "a", "Apples").await;
    item(&rig, "b", "Bread").await;
    let from = item(&rig, "c", "Cheese").await;
    let renamed = change(&rig, "/api/v1/lists/l", json!({"name": "Party"})).await;
    change(&rig, "/api/v1/lists/l/items/a", json!({"checked": true})).await;
    let moved = change(&rig, "/api/v1/lists/l/items/c", json!({"after": null})).await;
    rig.done("DELETE", "/api/v1/lists/l/items/b", json!({})).await;
    item(&rig, "d", "Dates").await;
    let diff = rig.get(&format!("/api/v1/lists/l/diff?from={from}")).await.json();
    let name = &diff["changes"][0];
    assert_eq!((&name["before"], &name["after"], &name["last"]["position"]), (&json!("Weekly"), &json!("Party"), &json!(renamed)));
    let items = |part: &str| texts(&diff[part], "item").join(" ");
    assert_eq!((items("added"), items("removed"), items("changed")), ("d".into(), "b".into(), "a c".into()));
    let place = &diff["changed"][1]["changes"][0];
    assert_eq!((&place["field"], &place["before"], &place["after"]), (&json!("after"), &json!("a"), &Value::Null));
    assert_eq!(place["last"]["position"], json!(moved));
    let nothing = rig.get(&format!("/api/v1/lists/l/diff?from={from}&to={from}")).await.json();
    assert_eq!(nothing["changes"], json!([]));
}

#[actix_web::test]
async fn moments_that_are_not_there_are_refused_by_name() {
    let rig = Rig::furnished().await;
    for (path, expected) in [
        ("/api/v1/lists/l/diff?from=999", (400, "position_unknown", "/from")),
        ("/api/v1/lists/l/diff?from=4&to=999", (400, "position_unknown", "/to")),
        ("/api/v1/lists/l/diff?from=2020-01-01", (404, "before_first_event", "/from")),
        ("/api/v1/lists/l/diff?from=0", (404, "before_first_event", "/from")),
        ("/api/v1/lists/l/diff?from=3", (404, "list_not_found", "")),
        ("/api/v1/lists/x/diff?from=3", (404, "list_not_found", "")),
        ("/api/v1/lists/l/diff?from=4&to=3", (400, "time_reversed", "/from")),
        ("/api/v1/lists/l/diff?from=yesterday", (400, "invalid_parameter", "/from")),
        ("/api/v1/lists/l/diff", (400, "missing_parameter", "/from")),
    ] {
        let (status, code, pointer) = rig.get(path).await.problem();
        assert_eq!((status, code.as_str(), pointer.as_str()), expected, "{path}");
    }
    let body = json!({"at": "3"});
    let refused = rig.write("POST", "/api/v1/lists/l/restore", body).await;
    assert_eq!(refused.problem(), (404, "list_not_found".into(), String::new()));
    assert_eq!(refused.json()["detail"], "list l exists now, but did not exist yet at 3");
    let unknown = rig.write("POST", "/api/v1/lists/x/restore", json!({"at": "3"})).await;
    assert_eq!(unknown.problem().1, "list_not_found");
}

#[actix_web::test]
async fn a_list_is_brought_back_as_previewed_by_one_append_that_can_be_undone() {
    let rig = Rig::furnished().await;
    item(&rig, "a", "Apples").await;
    let at = item(&rig, "b", "Bread").await;
    rig.done("DELETE", "/api/v1/lists/l/items/a", json!({})).await;
    item(&rig, "c", "Cheese").await;
    change(&rig, "/api/v1/lists/l", json!({"name": "Party"})).await;
    let head = rig.app.log.head();
    let preview = rig.done("POST", "/api/v1/lists/l/restore", json!({"at": at, "preview": true})).await;
    assert_eq!(rig.app.log.head(), head);
    let done = rig.done("POST", "/api/v1/lists/l/restore", json!({"at": at})).await;
    assert_eq!((&done["changes"], &done["commands"]), (&preview["changes"], &json!(4)));
    let list = rig.get("/api/v1/lists/l").await.json();
    assert_eq!((names(&list), &list["name"]), (vec!["Apples", "Bread"], &json!("Weekly")));
    let recorded = rig.get("/api/v1/events?stream=system/admin").await.json();
    assert_eq!((&recorded["type"], &recorded["data"]["stream"]), (&json!("system.stream_restored"), &json!("list/l")));
    let entry = rig.get("/api/v1/lists/l/timeline?limit=1").await.json();
    assert_eq!(entry["entries"][0]["cause"]["restores"], json!(at));
    let again = rig.done("POST", "/api/v1/lists/l/restore", json!({"at": at})).await;
    assert_eq!(again["commands"], 0, "it is so already");
    rig.done("POST", "/api/v1/undo", json!({"position": position(&done)})).await;
    let list = rig.get("/api/v1/lists/l").await.json();
    assert_eq!((names(&list), &list["name"]), (vec!["Bread", "Cheese"], &json!("Party")));
}

#[actix_web::test]
async fn a_list_too_long_for_one_append_is_brought_back_in_several() {
    let rig = Rig::furnished().await;
    let add = |number: usize| ListCommand::AddItem {
        item: ItemId::new(&format!("i{number}")).expect("an id"),
        name: format!("Thing {number}"),
        product: None,
        specification: None,
        quantity: Quantity::each(1),
        note: None,
    };
    let check = |number: usize| ListCommand::Check { item: ItemId::new(&format!("i{number}")).expect("an id") };
    rig.tell("ann", (0..450).map(add).chain((0..450).map(check)).collect()).await;
    let at = rig.app.log.head().to_string();
    rig.done("POST", "/api/v1/lists/l/clear-checked", json!({})).await;
    let done = rig.done("POST", "/api/v1/lists/l/restore", json!({"at": at})).await;
    assert_eq!(done["notes"], json!([]));
    let list = rig.get("/api/v1/lists/l").await.json();
    let expected: Vec<_> = (0..450).map(|number| format!("Thing {number}")).collect();
    assert_eq!(names(&list), expected);
    let diff = rig.get(&format!("/api/v1/lists/l/diff?from={at}")).await.json();
    assert_eq!(diff["changed"], json!([]));
}

#[actix_web::test]
async fn a_list_of_a_snapshot_is_made_again_without_what_nobody_knows_here() {
    let there = Rig::furnished().await;
    there.done("POST", "/api/v1/lists/l/items", json!({"id": "milk", "name": "Milk", "product": "p"})).await;
    let past: ListState = there.app.registry.load::<Lists>("l").await.expect("it is there").state.clone();
    let here = Rig::empty();
    let stream: StreamId = "list/l".parse().expect("a stream");
    let origin = Origin { position: Position(7), snapshot: Some("nightly") };
    let restore = |preview| {
        let (past, stream, here) = (past.clone(), stream.clone(), &here);
        async move {
            let caller = here.caller().await;
            bring_back::<Lists>(&here.app, &caller, &stream, past, origin, preview).await.expect("it can be brought back")
        }
    };
    let preview = restore(true).await;
    assert_eq!(here.app.log.head(), Position::START);
    let restored = restore(false).await;
    assert_eq!((restored.commands, &restored.notes, &restored.changes), (2, &preview.notes, &preview.changes));
    let notes = ["store s is unknown here: no store is chosen", "product p is unknown here: “Milk” is not matched to a product"];
    assert_eq!(restored.notes, notes);
    assert_eq!(names(&here.get("/api/v1/lists/l").await.json()), ["Milk"]);
    let recorded = here.get("/api/v1/events?stream=system/admin").await.json();
    assert_eq!((&recorded["data"]["snapshot"], &recorded["data"]["position"]), (&json!("nightly"), &json!(7)));
}

#[actix_web::test]
async fn a_household_is_brought_back_and_compared() {
    let rig = Rig::empty();
    rig.done("POST", "/api/v1/households", json!({"id": "h", "name": "Home"})).await;
    let tell = |body: Value| rig.done("POST", "/api/v1/households/h/commands", body);
    let at = position(&tell(json!({"op": "join", "member": "ben", "role": "editor"})).await);
    tell(json!({"op": "leave", "member": "ben"})).await;
    tell(json!({"op": "set_budget", "monthly": {"amount": "5.00", "currency": "EUR"}})).await;
    let diff = rig.get(&format!("/api/v1/households/h/diff?from={at}")).await.json();
    assert_eq!(texts(&diff["changes"], "field"), ["members/ben", "monthly_budget"]);
    let done = rig.done("POST", "/api/v1/households/h/restore", json!({"at": at})).await;
    assert_eq!(done["commands"], 2);
    let diff = rig.get(&format!("/api/v1/households/h/diff?from={at}")).await.json();
    assert_eq!(diff["changes"], json!([]));
    let timeline = rig.get("/api/v1/households/h/timeline").await.json();
    assert_eq!(timeline["entries"].as_array().expect("entries").len(), 6);
}
