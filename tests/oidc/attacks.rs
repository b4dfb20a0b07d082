//! What must not sign anybody in.

use super::{
    provider::Twist::{self, AlgNone, Audience, Expired, Hs256, Issuer, Nonce, OtherKey},
    *,
};

/// Goes to the provider; the address that it sends the browser back to.
fn back(browser: &mut Browser, app: &TestApp) -> String {
    let start = browser.get(&format!("{}/api/v1/oidc/start", app.server().url()));
    browser.get(start.location()).location().to_owned()
}

/// A server on which `ann` has an account by the provider.
fn known(provider: &Provider) -> TestApp {
    let app = app_with(&provider.url);
    assert_eq!(join(&mut Browser::new(), &app, &invitation(&app)).status, 303);
    app
}

#[test]
fn a_return_that_was_not_begun_in_this_browser_is_refused() {
    let provider = Provider::start();
    let (app, mut browser) = (known(&provider), Browser::new());
    let good = back(&mut browser, &app);
    let (before, state) = good.split_once("&state=").unwrap();
    for wrong in
        [format!("{before}&state=other"), before.to_owned(), format!("{good}&state={state}"), format!("{good}&iss=https%3A%2F%2Fevil")]
    {
        let mut same = Browser::new();
        same.cookies = browser.cookies.clone();
        // The last one is right but for the provider that it names: it ends the sign-in.
        assert_eq!(same.get(&wrong).refusal(), (400, "oidc_state"), "{wrong}");
    }
    let good = back(&mut browser, &app);
    assert_eq!(Browser::new().get(&good).refusal(), (400, "oidc_state"), "without the cookie");
    let mut other = Browser::new();
    back(&mut other, &app);
    assert_eq!(other.get(&good).refusal(), (400, "oidc_state"), "with the cookie of another sign-in");
    assert_eq!(browser.get(&good).status, 303, "nothing of that disturbs the one who began");
}

#[test]
fn a_state_and_a_code_work_once() {
    let provider = Provider::start();
    let (app, mut browser) = (known(&provider), Browser::new());
    let first = back(&mut browser, &app);
    let cookies = browser.cookies.clone();
    assert_eq!(browser.get(&first).status, 303);
    browser.cookies = cookies;
    assert_eq!(browser.get(&first).refusal(), (400, "oidc_state"));
    let second = back(&mut browser, &app);
    let code = |url: &str| url.split_once("code=").unwrap().1.split('&').next().unwrap().to_owned();
    let replayed = second.replace(&code(&second), &code(&first));
    assert_eq!(browser.get(&replayed).refusal(), (400, "oidc_code_refused"));
}

#[test]
fn a_token_that_proves_nothing_signs_nobody_in() {
    let provider = Provider::start();
    let app = known(&provider);
    for twist in [Nonce, Audience, Issuer, Expired, OtherKey, AlgNone, Hs256] {
        provider.twist(twist);
        let mut browser = Browser::new();
        assert_eq!(sign_in(&mut browser, &app).refusal(), (403, "oidc_token_refused"), "{twist:?}");
        assert_eq!(browser.session(&app)["who"], json!(null), "{twist:?}");
    }
    provider.twist(Twist::None);
    assert_eq!(sign_in(&mut Browser::new(), &app).status, 303);
}

#[test]
fn who_says_no_at_the_provider_is_not_signed_in() {
    let provider = Provider::start();
    let (app, mut browser) = (known(&provider), Browser::new());
    let good = back(&mut browser, &app);
    let (before, state) = good.split_once("&state=").unwrap();
    let denied = format!("{}?error=access_denied&state={state}", before.split('?').next().unwrap());
    assert_eq!(browser.get(&denied).refusal(), (403, "oidc_denied"));
}

#[test]
fn a_disabled_account_stays_out() {
    let provider = Provider::start();
    let app = known(&provider);
    app.patch("/api/v1/users/ann", &json!({ "disabled": true })).ok();
    let mut browser = Browser::new();
    assert_eq!(sign_in(&mut browser, &app).refusal(), (403, "account_inactive"));
    assert_eq!(join(&mut browser, &app, &invitation(&app)).refusal(), (403, "account_inactive"));
}
