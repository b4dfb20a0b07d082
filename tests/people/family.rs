//! A family of three, a guest, somebody with a link, and the neighbours.

use serde_json::{Value, json};

use crate::{
    browser::Browser,
    support::{Answer, TestApp},
};

/// The family's server: Anna owns, Ben is a child, Gus is a guest with one list; Eve has a household of her own.
pub struct Family {
    pub app: TestApp,
    pub anna: Browser,
    pub ben: Browser,
    pub gus: Browser,
    pub eve: Browser,
}

impl Family {
    pub fn start() -> Self {
        let app = TestApp::start_with(&["--require-sign-in"]);
        let anna = Browser::of_owner(&app);
        anna.post("/api/v1/households", &json!({ "id": "home", "name": "Our home" })).expect(201);
        anna.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly", "household": "home" })).expect(201);
        anna.post("/api/v1/lists", &json!({ "id": "party", "name": "Party", "household": "home" })).expect(201);
        anna.post("/api/v1/lists/weekly/items", &json!({ "id": "milk", "name": "Milk" })).expect(201);
        let ben = Browser::invited(&app, &anna, "home", "ben", &json!({ "role": "child" }));
        let gus = Browser::invited(&app, &anna, "home", "gus", &json!({ "role": "guest", "lists": ["party"] }));
        anna.post("/api/v1/users", &json!({ "login": "eve", "password": crate::browser::PASSWORD })).expect(201);
        let eve = Browser::of(&app);
        eve.sign_in("eve", crate::browser::PASSWORD).expect(201);
        eve.post("/api/v1/households", &json!({ "id": "next-door", "name": "Next door" })).expect(201);
        Self { app, anna, ben, gus, eve }
    }
}

fn refused(answer: Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.code()), (status, code), "{}", answer.text);
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.body["entries"].as_array().unwrap().iter().map(|entry| entry["id"].as_str().unwrap()).collect()
}

#[test]
fn a_child_ticks_but_does_not_share_and_a_guest_sees_one_list_and_a_stranger_nothing() {
    let Family { app: _app, anna, ben, gus, eve, .. } = Family::start();
    let tick = json!({ "op": "check", "item": "milk" });
    ben.post("/api/v1/lists/weekly/commands", &tick).expect(200);
    let list = anna.get("/api/v1/lists/weekly").expect(200).body;
    assert_eq!(list["items"][0]["checked_by"], "ben", "{list}");
    refused(ben.post("/api/v1/lists/weekly/members", &json!({ "member": "eve", "role": "editor" })), 403, "not_permitted");
    refused(ben.delete("/api/v1/lists/weekly/items/milk"), 403, "not_permitted");
    refused(ben.post("/api/v1/households/home/invitations", &json!({ "role": "child" })), 403, "not_permitted");
    refused(ben.get("/api/v1/households/home/spend"), 403, "not_permitted");

    assert_eq!(ids(&gus.get("/api/v1/lists").expect(200)), ["party"]);
    gus.post("/api/v1/lists/party/items", &json!({ "name": "Chips" })).expect(201);
    refused(gus.get("/api/v1/lists/weekly"), 404, "list_not_found");
    refused(gus.get("/api/v1/households/home"), 404, "household_not_found");
    assert!(ids(&gus.get("/api/v1/households").expect(200)).is_empty());

    assert!(ids(&eve.get("/api/v1/lists").expect(200)).is_empty());
    assert_eq!(ids(&eve.get("/api/v1/households").expect(200)), ["next-door"]);
    for path in ["/api/v1/lists/weekly", "/api/v1/lists/weekly/timeline", "/api/v1/lists/weekly/events", "/api/v1/lists/weekly/totals"] {
        let (hidden, missing) = (eve.get(path), eve.get(&path.replace("weekly", "nowhere")));
        let alike = |answer: &Answer| answer.body["detail"].as_str().unwrap().replace("nowhere", "weekly");
        assert_eq!((hidden.status, hidden.code(), alike(&hidden)), (404, missing.code(), alike(&missing)), "{path}");
    }
    refused(eve.post("/api/v1/lists/weekly/commands", &tick), 404, "list_not_found");
    refused(eve.post("/api/v1/lists", &json!({ "name": "x", "household": "home" })), 422, "household_not_found");
    refused(eve.get("/api/v1/events"), 403, "not_permitted");
    refused(eve.get("/metrics"), 403, "not_permitted");
}

#[test]
fn who_leaves_sees_nothing_more_and_the_last_owner_stays() {
    let Family { app: _app, anna, ben, .. } = Family::start();
    ben.get("/api/v1/lists/weekly").expect(200);
    let leave = json!({ "op": "leave", "member": "ben" });
    ben.post("/api/v1/households/home/commands", &leave).expect(200);
    refused(ben.get("/api/v1/lists/weekly"), 404, "list_not_found");
    refused(anna.post("/api/v1/households/home/commands", &json!({ "op": "leave", "member": "local" })), 409, "last_owner");
    let demote = json!({ "op": "change_role", "member": "local", "role": "child" });
    refused(anna.post("/api/v1/households/home/commands", &demote), 409, "last_owner");
    refused(anna.patch("/api/v1/users/local", &json!({ "admin": false })), 409, "last_admin");
    refused(anna.patch("/api/v1/users/local", &json!({ "disabled": true })), 409, "last_admin");
}

#[test]
fn two_owners_can_change_each_other_but_never_leave_a_household_without_one() {
    let Family { app, anna, .. } = Family::start();
    let cleo = Browser::invited(&app, &anna, "home", "cleo", &json!({ "role": "owner" }));
    let role = |member: &str, role: &str| json!({ "op": "change_role", "member": member, "role": role });
    cleo.post("/api/v1/households/home/commands", &role("local", "viewer")).expect(200);
    refused(cleo.post("/api/v1/households/home/commands", &role("cleo", "adult")), 409, "last_owner");
    refused(anna.post("/api/v1/households/home/commands", &role("nobody", "adult")), 404, "member_not_found");
    for odd in ["editor-in-chief", "", "OWNER"] {
        assert_eq!(cleo.post("/api/v1/households/home/commands", &role("local", odd)).status, 422, "{odd:?}");
    }
}

#[test]
fn a_link_reads_one_list_until_it_is_revoked() {
    let Family { app, anna, ben, .. } = Family::start();
    refused(ben.post("/api/v1/lists/weekly/links", &json!({})), 403, "not_permitted");
    let made = anna.post("/api/v1/lists/weekly/links", &json!({})).expect(201);
    let (id, link) = (made.body["id"].as_str().unwrap(), made.body["link"].as_str().unwrap());
    let token = format!("Bearer {}", link.split('#').nth(1).unwrap());
    let read = |path: &str| app.client().get_with(path, &[("authorization", &token)]);
    assert_eq!(read("/api/v1/lists/weekly").expect(200).body["name"], "Weekly");
    assert_eq!(ids(&read("/api/v1/lists").expect(200)), ["weekly"]);
    refused(read("/api/v1/lists/party"), 404, "list_not_found");
    refused(read("/api/v1/lists/weekly/timeline"), 403, "not_permitted");
    refused(read("/api/v1/households"), 200, "");
    let tick = json!({ "op": "check", "item": "milk" });
    let write = app.client().post_with("/api/v1/lists/weekly/commands", &[("authorization", &token)], &tick);
    refused(write, 403, "scope_missing");
    let listed = anna.get("/api/v1/lists/weekly/links").expect(200);
    assert!(!listed.text.contains("aisled_l_"), "a link is shown once");
    anna.delete(&format!("/api/v1/lists/weekly/links/{id}")).expect(204);
    refused(read("/api/v1/lists/weekly"), 401, "credential_unknown");
}

#[test]
fn an_event_names_whoever_a_session_or_token_belongs_to() {
    let Family { app, anna, ben, .. } = Family::start();
    let token = ben.post("/api/v1/tokens", &json!({ "name": "shelf", "scopes": "read write" })).expect(201).body["token"].clone();
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let add = |name: &str| json!({ "name": name });
    app.client().post_with("/api/v1/lists/weekly/items", &[("authorization", &bearer)], &add("Bread")).expect(201);
    ben.send_with("POST", "/api/v1/lists/weekly/items", &[("x-aisled-client", "b"), ("x-aisled-as", "ben")], Some(add("Eggs").to_string()))
        .expect(201);
    let other = ben.send_with(
        "POST",
        "/api/v1/lists/weekly/items",
        &[("x-aisled-client", "b"), ("x-aisled-as", "local")],
        Some(add("x").to_string()),
    );
    refused(other, 403, "acting_not_permitted");
    let acted = anna.send_with(
        "POST",
        "/api/v1/lists/weekly/items",
        &[("x-aisled-client", "b"), ("x-aisled-as", "ben")],
        Some(add("Nuts").to_string()),
    );
    acted.expect(201);
    let events = anna.get("/api/v1/lists/weekly/events").expect(200).lines();
    let of = |name: &str| events.iter().find(|event| event["data"]["name"] == name).unwrap().clone();
    assert_eq!((&of("Bread")["who"], &of("Bread")["by"]), (&json!("ben"), &Value::Null));
    assert_eq!((&of("Eggs")["who"], &of("Eggs")["by"]), (&json!("ben"), &Value::Null));
    assert_eq!((&of("Nuts")["who"], &of("Nuts")["by"]), (&json!("ben"), &json!("local")));
}

#[test]
fn what_the_server_shares_is_changed_by_members_or_by_admins_alone() {
    let Family { app: _app, anna, ben, eve, .. } = Family::start();
    anna.post("/api/v1/stores", &json!({ "id": "markt", "name": "Markt", "currency": "EUR" })).expect(201);
    eve.post("/api/v1/products", &json!({ "id": "milk", "name": "Milk" })).expect(201);
    refused(ben.post("/api/v1/products", &json!({ "name": "Bread" })), 403, "not_permitted");
    ben.get("/api/v1/products/milk").expect(200);
    let app = TestApp::start_with(&["--require-sign-in", "--catalog-writers", "admins"]);
    let owner = Browser::of_owner(&app);
    owner.post("/api/v1/users", &json!({ "login": "eve", "password": crate::browser::PASSWORD })).expect(201);
    let eve = Browser::of(&app);
    eve.sign_in("eve", crate::browser::PASSWORD).expect(201);
    refused(eve.post("/api/v1/products", &json!({ "name": "Bread" })), 403, "not_permitted");
    owner.post("/api/v1/products", &json!({ "name": "Bread" })).expect(201);
    eve.post("/api/v1/households", &json!({ "name": "Next door" })).expect(201);
}

#[test]
fn a_link_shows_nothing_of_the_past_and_ends_with_its_makers_right() {
    let Family { app, anna, .. } = Family::start();
    let cleo = Browser::invited(&app, &anna, "home", "cleo", &json!({ "role": "owner" }));
    let link = cleo.post("/api/v1/lists/weekly/links", &json!({})).expect(201).body["link"].as_str().unwrap().to_owned();
    let token = format!("Bearer {}", link.split('#').nth(1).unwrap());
    let read = |path: &str| app.client().get_with(path, &[("authorization", &token)]);
    let before = anna.get("/api/v1/lists/weekly").expect(200).body["position"].as_str().unwrap().to_owned();
    for past in ["at", "%61t", "x=1&at", "known_at"] {
        refused(read(&format!("/api/v1/lists/weekly?{past}={before}")), 403, "not_permitted");
    }
    let line = read("/api/v1/live/ndjson?topics=list:weekly").expect(200).lines();
    let cursor = line.last().unwrap()["cursor"].as_str().unwrap().to_owned();
    anna.post("/api/v1/lists/weekly/items", &json!({ "name": "Bread" })).expect(201);
    let resumed = read(&format!("/api/v1/live/ndjson?topics=list:weekly&since={cursor}")).expect(200);
    assert!(!resumed.text.contains("list.item_added"), "{}", resumed.text);
    let leave = json!({ "op": "change_role", "member": "cleo", "role": "viewer" });
    anna.post("/api/v1/households/home/commands", &leave).expect(200);
    refused(read("/api/v1/lists/weekly"), 401, "credential_unknown");
}

#[test]
fn nobody_is_put_into_a_household_and_a_child_that_leaves_is_no_adult() {
    let Family { app: _app, anna, ben, eve, .. } = Family::start();
    let join = json!({ "op": "join", "member": "ben", "role": "guest" });
    refused(eve.post("/api/v1/households/next-door/commands", &join), 403, "not_permitted");
    refused(anna.post("/api/v1/households/nowhere/invitations", &json!({ "role": "child" })), 404, "household_not_found");
    ben.post("/api/v1/households/home/commands", &json!({ "op": "leave", "member": "ben" })).expect(200);
    refused(ben.post("/api/v1/stores", &json!({ "name": "Markt", "currency": "EUR" })), 403, "not_permitted");
    refused(ben.post("/api/v1/households", &json!({ "name": "Mine" })), 403, "not_permitted");
}

#[test]
fn a_token_that_may_only_write_reads_nothing_in_any_way() {
    let Family { app, anna, .. } = Family::start();
    let token = anna.post("/api/v1/tokens", &json!({ "name": "t", "scopes": "write" })).expect(201).body["token"].clone();
    let bearer = format!("Bearer {}", token.as_str().unwrap());
    let headers = [("authorization", bearer.as_str())];
    let live = app.client().get_with("/api/v1/live/ndjson?topics=list:weekly,household:home,system", &headers);
    assert!(
        live.lines()[0]["message"]["topics"].as_array().unwrap().iter().all(|topic| topic["error"]["code"] == "forbidden"),
        "{}",
        live.text
    );
    let undo = json!({ "who": "local", "since": "2020-01-01T00:00:00Z", "preview": true });
    refused(app.client().post_with("/api/v1/undo", &headers, &undo), 403, "scope_missing");
    refused(app.client().post_with("/api/v1/lists/weekly/links", &headers, &json!({})), 403, "scope_missing");
    let restore = json!({ "at": "1", "preview": true });
    for path in ["/api/v1/lists/weekly/restore", "/api/v1/households/home/restore"] {
        refused(app.client().post_with(path, &headers, &restore), 403, "scope_missing");
    }
}
