//! What people do: join, sign in again, link and unlink.

use super::*;

#[test]
fn an_invited_person_joins_by_the_provider_and_signs_in_again_and_no_secret_is_logged() {
    let (provider, mut browser) = (Provider::start(), Browser::new());
    let mut app = app_with(&provider.url);
    let invitation = invitation(&app);
    let joined = join(&mut browser, &app, &invitation);
    assert_eq!((joined.status, joined.location()), (303, "/people"), "{joined:?}");
    let session = browser.session(&app);
    assert_eq!((&session["who"], &session["name"], &session["oidc"]), (&json!("ann"), &json!("Ann"), &json!("Home ID")));
    assert_eq!((session["oidc_linked"].as_bool(), session["households"].as_object().unwrap().len()), (Some(true), 1));
    assert!(!browser.cookies.contains_key("aisled_oidc"), "the cookie of the sign-in is gone");
    assert!(!browser.seen.iter().any(|url| url.contains(&invitation)), "no address shows the invitation");

    let mut other = Browser::new();
    assert_eq!(sign_in(&mut other, &app).status, 303);
    assert_eq!(other.session(&app)["who"], "ann");

    let sessions: Vec<_> = [&browser, &other].iter().flat_map(|browser| browser.cookies.values().cloned()).collect();
    let said = app.stop_and_tell().said();
    assert!(said.contains("TRACE"), "the server logs all it can");
    for secret in provider.secrets().iter().chain(&sessions).map(String::as_str).chain([SECRET, &invitation]) {
        assert!(!said.contains(secret), "{secret} is logged: {}", said.lines().find(|line| line.contains(secret)).unwrap_or_default());
    }
}

#[test]
fn who_is_not_invited_gets_no_account_whatever_the_address_says() {
    let (provider, mut browser) = (Provider::start(), Browser::new());
    let app = app_with(&provider.url);
    join(&mut browser, &app, &invitation(&app));
    for stranger in [json!({ "sub": "b" }), json!({ "sub": "b", "email": "ann@home.example", "preferred_username": "ann", "name": "Ann" })]
    {
        provider.be(stranger);
        let mut other = Browser::new();
        assert_eq!(sign_in(&mut other, &app).refusal(), (403, "oidc_not_invited"));
        assert_eq!(other.session(&app)["who"], json!(null));
    }
}

#[test]
fn a_login_that_is_taken_gets_a_number_and_an_invitation_works_once() {
    let provider = Provider::start();
    let app = app_with(&provider.url);
    let first = invitation(&app);
    join(&mut Browser::new(), &app, &first);
    provider.be(json!({ "sub": "b", "preferred_username": "Ann" }));
    let mut other = Browser::new();
    assert_eq!(join(&mut other, &app, &first).refusal(), (410, "invitation_used"));
    assert_eq!(join(&mut other, &app, &invitation(&app)).status, 303);
    assert_eq!(other.session(&app)["login"], "ann-2");
}

#[test]
fn an_account_with_a_password_is_linked_and_unlinked_by_its_own_person() {
    let (provider, mut browser) = (Provider::start(), Browser::new());
    let app = app_with(&provider.url);
    let newcomer = json!({ "invitation": invitation(&app), "login": "eve", "name": "Eve", "password": PASSWORD });
    assert_eq!(browser.post(&app, "/api/v1/invitations/accept", &newcomer).status, 201);
    let url = browser.post(&app, "/api/v1/oidc/link", &json!({})).body()["url"].as_str().unwrap().to_owned();
    let back = browser.get(&url).location().to_owned();
    // Another browser cannot finish it.
    assert_eq!(Browser::new().get(&back).refusal(), (400, "oidc_state"));
    assert_eq!(browser.get(&back).status, 303);
    assert_eq!(browser.session(&app)["oidc_linked"], true);
    assert_eq!(browser.delete(&app, "/api/v1/oidc/link").status, 204);
    // Neither can this one after signing out.
    let url = browser.post(&app, "/api/v1/oidc/link", &json!({})).body()["url"].as_str().unwrap().to_owned();
    let (back, session) = (browser.get(&url).location().to_owned(), browser.cookies.remove("aisled_session").unwrap());
    assert_eq!(browser.get(&back).refusal(), (400, "oidc_state"));
    browser.cookies.insert("aisled_session".to_owned(), session);
    assert_eq!(browser.session(&app)["oidc_linked"], json!(null));
    let url = browser.post(&app, "/api/v1/oidc/link", &json!({})).body()["url"].as_str().unwrap().to_owned();
    let back = browser.get(&url).location().to_owned();
    assert_eq!(browser.get(&back).status, 303);
    let mut other = Browser::new();
    assert_eq!(sign_in(&mut other, &app).status, 303);
    assert_eq!(other.session(&app)["who"], "eve");
    assert_eq!(other.delete(&app, "/api/v1/oidc/link").status, 204);
    assert_eq!(sign_in(&mut Browser::new(), &app).refusal(), (403, "oidc_not_invited"));
}

#[test]
fn the_only_way_in_is_not_unlinked() {
    let (provider, mut browser) = (Provider::start(), Browser::new());
    let app = app_with(&provider.url);
    join(&mut browser, &app, &invitation(&app));
    let refused = browser.delete(&app, "/api/v1/oidc/link");
    assert_eq!((refused.status, &refused.body()["code"]), (409, &json!("last_way_in")));
    assert_eq!(Browser::new().post(&app, "/api/v1/oidc/link", &json!({})).status, 401);
}

#[test]
fn a_server_without_a_provider_shows_none() {
    let (app, mut browser) = (TestApp::start(), Browser::new());
    assert_eq!(browser.session(&app)["oidc"], json!(null));
    assert_eq!(browser.get(&format!("{}/api/v1/oidc/start", app.server().url())).refusal(), (404, "oidc_off"));
    assert_eq!(browser.get(&format!("{}/api/v1/oidc/callback?code=a&state=b", app.server().url())).refusal(), (404, "oidc_off"));
}
