//! Devices, tokens and accounts: listed, ended, disabled, and gone at once.

use serde_json::json;

use crate::{
    browser::{Browser, PASSWORD},
    family::Family,
};

#[test]
fn a_session_that_was_signed_out_opens_nothing_for_whoever_kept_its_cookie() {
    let Family { app: _app, ben, .. } = Family::start();
    let thief = ben.stolen();
    thief.get("/api/v1/lists/weekly").expect(200);
    ben.delete("/api/v1/session").expect(204);
    assert_eq!(thief.get("/api/v1/lists/weekly").expect(401).code(), "credential_unknown");
    assert_eq!(thief.get("/api/v1/session").expect(200).body["who"], json!(null));
    assert!(ben.cookie().is_empty(), "the browser forgets it");
}

#[test]
fn devices_are_listed_and_ended_one_by_one_and_a_new_password_ends_the_others() {
    let Family { app, ben, anna, .. } = Family::start();
    let phone = Browser::of(&app);
    phone.post("/api/v1/session", &json!({ "login": "ben", "password": PASSWORD, "device": "phone" })).expect(201);
    let sessions = ben.get("/api/v1/sessions").expect(200).body["sessions"].clone();
    let of_phone = sessions.as_array().unwrap().iter().find(|session| session["device"] == "phone").unwrap();
    let path = format!("/api/v1/sessions/{}", of_phone["id"].as_str().unwrap());
    assert_eq!(anna.delete(&path).expect(404).code(), "credential_not_found", "nobody ends another's session");
    ben.delete(&path).expect(204);
    assert_eq!(phone.get("/api/v1/lists").status, 401);
    phone.sign_in("ben", PASSWORD).expect(201);
    let change = |current: &str| json!({ "current": current, "password": "another good one" });
    assert_eq!(ben.post("/api/v1/password", &change("wrong one")).expect(401).code(), "sign_in_wrong");
    ben.post("/api/v1/password", &change(PASSWORD)).expect(204);
    assert_eq!((phone.get("/api/v1/lists").status, ben.get("/api/v1/lists").status), (401, 200));
    assert_eq!(Browser::of(&app).sign_in("ben", "another good one").status, 201);
}

#[test]
fn a_token_does_what_its_scopes_say_until_it_ends() {
    let Family { app, anna, ben, .. } = Family::start();
    let make = |by: &Browser, scopes: &str| by.post("/api/v1/tokens", &json!({ "name": "t", "scopes": scopes }));
    let token = |by: &Browser, scopes: &str| make(by, scopes).expect(201).body["token"].as_str().unwrap().to_owned();
    let with = |token: &str, method: &str, path: &str| {
        let bearer = format!("Bearer {token}");
        let body = (method == "POST").then(|| json!({ "name": "Bread" }).to_string());
        app.client().send(method, path, &[("authorization", &bearer)], body).unwrap()
    };
    let (read, write, admin) = (token(&anna, "read"), token(&anna, "write"), token(&anna, "read admin"));
    assert_eq!(with(&read, "GET", "/api/v1/lists/weekly").status, 200);
    assert_eq!(with(&read, "POST", "/api/v1/lists/weekly/items").code(), "scope_missing");
    assert_eq!(with(&write, "GET", "/api/v1/lists/weekly").code(), "scope_missing");
    assert_eq!(with(&write, "POST", "/api/v1/lists/weekly/items").status, 201);
    assert_eq!(with(&read, "GET", "/metrics").code(), "not_permitted", "an admin's token is an admin's with that scope alone");
    assert_eq!(with(&admin, "GET", "/metrics").status, 200);
    assert_eq!(make(&ben, "admin").code(), "scope_missing");
    for odd in ["", "everything", "read,write", "READ"] {
        assert_eq!(make(&ben, odd).status, 422, "{odd:?}");
    }
    assert_eq!(make(&ben, "read").status, 201);
    let past = json!({ "name": "t", "scopes": "read", "expires": "2020-01-01T00:00:00Z" });
    assert_eq!(ben.post("/api/v1/tokens", &past).expect(422).code(), "expiry_invalid");
    for odd in [&read[..20], "aisled_t_", "", "x", &"y".repeat(4_000), &format!("{read}x")] {
        let answer = with(odd, "GET", "/api/v1/lists");
        assert_eq!((answer.status, answer.code()), (401, "credential_unknown"), "{odd:.40}");
    }
    let id = anna.get("/api/v1/tokens").expect(200).body["tokens"].as_array().unwrap().last().unwrap()["id"].clone();
    anna.delete(&format!("/api/v1/tokens/{}", id.as_str().unwrap())).expect(204);
    assert_eq!(with(&read, "GET", "/api/v1/lists").code(), "credential_unknown");
}

#[test]
fn a_disabled_account_is_out_at_once_and_comes_back_with_its_password() {
    let Family { app, anna, ben, .. } = Family::start();
    let bearer = format!(
        "Bearer {}",
        ben.post("/api/v1/tokens", &json!({ "name": "t", "scopes": "read" })).expect(201).body["token"].as_str().unwrap()
    );
    anna.patch("/api/v1/users/ben", &json!({ "disabled": true })).expect(200);
    assert_eq!(ben.get("/api/v1/lists").status, 401);
    assert_eq!(app.client().get_with("/api/v1/lists", &[("authorization", &bearer)]).status, 401);
    assert_eq!(Browser::of(&app).sign_in("ben", PASSWORD).expect(401).code(), "sign_in_wrong");
    anna.patch("/api/v1/users/ben", &json!({ "disabled": false })).expect(200);
    assert_eq!(Browser::of(&app).sign_in("ben", PASSWORD).status, 201);
    assert_eq!(ben.post("/api/v1/users", &json!({ "login": "x" })).expect(401).code(), "credential_unknown");
}

#[test]
fn a_cookie_alone_writes_nothing_and_an_oversized_one_is_none() {
    let Family { app: _app, ben, .. } = Family::start();
    let add = || Some(json!({ "name": "Bread" }).to_string());
    let forged = ben.send_with("POST", "/api/v1/lists/weekly/items", &[], add());
    assert_eq!((forged.status, forged.code()), (403, "custom_header_required"));
    ben.send_with("POST", "/api/v1/lists/weekly/items", &[("x-aisled-client", "b")], add()).expect(201);
    let foreign =
        ben.send_with("POST", "/api/v1/lists/weekly/items", &[("x-aisled-client", "b"), ("origin", "https://evil.example")], add());
    assert_eq!((foreign.status, foreign.code()), (403, "foreign_origin"));
    let large = format!("{}; x={}", ben.cookie(), "y".repeat(9_000));
    ben.set_cookie(&large);
    assert_eq!(ben.get("/api/v1/lists").status, 401);
}
