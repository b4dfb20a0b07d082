//! Sign-in by an `OpenID` provider: the real binary, a provider of the test's own, and a browser with cookies.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may panic: that is how it fails")]

#[path = "../support/mod.rs"]
mod support;

mod attacks;
mod browser;
mod flow;
mod provider;
mod troubles;

use serde_json::json;

use browser::{Browser, Page};
use provider::Provider;
use support::TestApp;

const SECRET: &str = "client-secret-0123456789";
const PASSWORD: &str = "correct horse battery";

/// A server that knows the provider, and logs all it can.
fn app_with(issuer: &str) -> TestApp {
    let settings = ["--oidc-issuer", issuer, "--oidc-name", "Home ID", "--log-filter", "trace"];
    TestApp::start_in(&settings, &[("AISLED_OIDC_CLIENT_SECRET", SECRET)])
}

/// The secret of a new invitation.
fn invitation(app: &TestApp) -> String {
    let household = app.post("/api/v1/households", &json!({ "name": "Home" })).ok().body["id"].as_str().unwrap().to_owned();
    let made = app.post(&format!("/api/v1/households/{household}/invitations"), &json!({ "role": "adult" })).ok();
    made.body["link"].as_str().unwrap().split_once('#').unwrap().1.to_owned()
}

/// Goes to the provider and back, as far as the callback's answer.
fn sign_in(browser: &mut Browser, app: &TestApp) -> Page {
    sign_in_at(browser, app.server().url())
}

/// The same at an address.
fn sign_in_at(browser: &mut Browser, url: &str) -> Page {
    let start = browser.get(&format!("{url}/api/v1/oidc/start"));
    assert_eq!(start.status, 302, "{}", start.text);
    let back = browser.get(start.location());
    browser.get(back.location())
}

/// Accepts an invitation by the provider.
fn join(browser: &mut Browser, app: &TestApp, invitation: &str) -> Page {
    let url = browser.post(app, "/api/v1/oidc/start", &json!({ "invitation": invitation })).body()["url"].as_str().unwrap().to_owned();
    let back = browser.get(&url);
    browser.get(back.location())
}
