//! The way in: the printed link, the code, the password, and what does not get in.

use serde_json::json;

use crate::{
    browser::{Browser, PASSWORD, code, link},
    support::TestApp,
};

#[test]
fn the_printed_link_signs_the_browser_of_this_machine_in_once_and_curl_needs_nothing() {
    let app = TestApp::start();
    app.post("/api/v1/lists", &json!({ "id": "weekly", "name": "Weekly" })).expect(201);
    let key = link(&app);
    let (owner, other) = (Browser::of(&app), Browser::of(&app));
    assert_eq!(owner.get("/api/v1/lists").expect(401).code(), "not_authenticated");
    let signed_in = owner.post("/api/v1/session", &json!({ "key": key })).expect(201);
    assert_eq!((&signed_in.body["who"], &signed_in.body["admin"]), (&json!("local"), &json!(true)));
    assert_eq!(owner.get("/api/v1/lists/weekly").expect(200).body["name"], "Weekly");
    assert_eq!(other.post("/api/v1/session", &json!({ "key": key })).expect(403).code(), "setup_wrong");
}

#[test]
fn who_must_sign_in_everywhere_also_does_on_this_machine() {
    let app = TestApp::start_with(&["--require-sign-in"]);
    assert_eq!(app.get("/api/v1/lists").expect(401).code(), "not_authenticated");
    assert_eq!(app.get("/healthz").status, 200);
    let key = link(&app);
    let browser = Browser::of(&app);
    assert_eq!(browser.post("/api/v1/session", &json!({ "key": key })).expect(403).code(), "setup_wrong");
    let owner = json!({ "key": key, "login": "anna", "name": "Anna", "password": PASSWORD });
    assert_eq!(browser.post("/api/v1/setup", &owner).expect(201).body["name"], "Anna");
    assert_eq!(browser.get("/api/v1/lists").status, 200);
    assert_eq!(browser.post("/api/v1/setup", &owner).expect(409).code(), "setup_done");
}

#[test]
fn the_code_sets_up_once_and_ten_wrong_ones_spend_it() {
    let app = TestApp::start_with(&["--require-sign-in"]);
    let (right, browser) = (code(&app), Browser::of(&app));
    let with = |key: &str| json!({ "key": key, "login": "anna", "name": "Anna", "password": PASSWORD });
    assert_eq!(browser.post("/api/v1/setup", &with("AAAAA-AAAAA")).expect(403).code(), "setup_wrong");
    assert_eq!(browser.post("/api/v1/setup", &with("")).expect(403).code(), "setup_wrong");
    let twice = browser.post("/api/v1/setup", &with(&right.to_lowercase()));
    assert_eq!(twice.expect(201).body["login"], "anna");
    assert_eq!(Browser::of(&app).post("/api/v1/setup", &with(&right)).expect(409).code(), "setup_done");
}

#[test]
fn a_password_signs_in_and_everything_else_is_refused_in_one_way() {
    let app = TestApp::start_with(&["--require-sign-in"]);
    let owner = Browser::of_owner(&app);
    let before = owner.cookie();
    let phone = Browser::of(&app);
    for (login, password) in
        [("anna", "wrong password"), ("nobody-here", PASSWORD), ("", ""), ("a b", PASSWORD), ("\u{202e}anna", PASSWORD)]
    {
        let refused = phone.sign_in(login, password).expect(401);
        assert_eq!((refused.code(), refused.body["detail"].as_str().unwrap()), ("sign_in_wrong", "login or password is wrong"), "{login}");
    }
    let signed_in = phone.sign_in("Anna", PASSWORD).expect(201);
    let cookie = signed_in.header("set-cookie").unwrap();
    assert!(cookie.starts_with("aisled_session=aisled_s_") && cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
    assert!(!signed_in.text.contains("aisled_s_"), "the secret is in the cookie alone");
    assert_ne!(phone.cookie(), before);
    assert_eq!(owner.sign_in("anna", PASSWORD).expect(201).body["who"], "local");
    let old = Browser::of(&app);
    old.set_cookie(&before);
    assert_eq!(old.get("/api/v1/lists").expect(401).code(), "credential_unknown", "a sign-in ends the session before it");
}

#[test]
fn a_right_password_after_many_wrong_ones_waits_and_others_do_not() {
    let app = TestApp::start_with(&["--require-sign-in"]);
    let owner = Browser::of_owner(&app);
    owner.post("/api/v1/users", &json!({ "login": "ben", "password": PASSWORD })).expect(201);
    let attacker = Browser::of(&app);
    let answers: Vec<_> = (0..12).map(|_| attacker.sign_in("ben", "wrong password")).collect();
    let throttled: Vec<_> = answers.iter().filter(|answer| answer.status == 429).collect();
    assert!(throttled.len() >= 7, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    assert!(throttled.iter().all(|answer| answer.code() == "sign_in_throttled" && answer.header("retry-after").is_some()));
    assert_eq!(Browser::of(&app).sign_in("anna", PASSWORD).status, 201);
}

#[test]
fn what_cannot_be_a_login_a_name_or_a_password_is_refused_with_its_field() {
    let app = TestApp::start_with(&["--require-sign-in"]);
    let (key, browser) = (code(&app), Browser::of(&app));
    let long = "x".repeat(300_000);
    for (login, name, password, code, pointer) in [
        ("", "Anna", PASSWORD, "login_invalid", "/login"),
        ("an na", "Anna", PASSWORD, "login_invalid", "/login"),
        (long.as_str(), "Anna", PASSWORD, "login_invalid", "/login"),
        ("anna", "", PASSWORD, "name_invalid", "/name"),
        ("anna", "An\u{0}na", PASSWORD, "name_invalid", "/name"),
        ("anna", "An\u{202e}na", PASSWORD, "name_invalid", "/name"),
        ("anna", &long, PASSWORD, "name_invalid", "/name"),
        ("anna", "Anna", "short", "password_too_short", "/password"),
        ("anna", "Anna", "password", "password_too_common", "/password"),
        ("anna", "Anna", &long, "password_too_long", "/password"),
    ] {
        let refused = browser.post("/api/v1/setup", &json!({ "key": key, "login": login, "name": name, "password": password }));
        assert_eq!((refused.code(), refused.body["errors"][0]["pointer"].as_str()), (code, Some(pointer)), "{:.200}", refused.text);
        assert_eq!(refused.status, 422);
    }
    let signed = browser.sign_in("anna", &"x".repeat(600_000));
    assert_eq!((signed.status, signed.code()), (401, "sign_in_wrong"));
}
