//! A provider that does not work harms nobody else.

use std::{net::TcpListener, thread};

use super::{provider::Twist, *};

#[test]
fn while_the_provider_is_down_everything_else_works() {
    // A port that was free a moment ago.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (app, mut browser) = (app_with(&format!("http://127.0.0.1:{port}")), Browser::new());
    assert_eq!(browser.get(&format!("{}/api/v1/oidc/start", app.server().url())).refusal(), (503, "oidc_unavailable"));
    let posted = browser.post(&app, "/api/v1/oidc/start", &json!({}));
    assert_eq!((posted.status, &posted.body()["code"]), (503, &json!("oidc_unavailable")));
    let newcomer = json!({ "invitation": invitation(&app), "login": "eve", "name": "Eve", "password": PASSWORD });
    assert_eq!(browser.post(&app, "/api/v1/invitations/accept", &newcomer).status, 201);
}

#[test]
fn an_endless_answer_is_cut_off() {
    let provider = Provider::start();
    let app = app_with(&provider.url);
    provider.twist(Twist::Endless);
    assert_eq!(sign_in(&mut Browser::new(), &app).refusal(), (503, "oidc_unavailable"));
    assert_eq!(app.get("/readyz").status, 200);
}

#[test]
fn a_provider_that_hangs_blocks_no_worker_and_only_a_few_wait_for_it() {
    let provider = Provider::start();
    let app = app_with(&provider.url);
    provider.twist(Twist::Hanging);
    let held = provider.hold();
    let url = app.server().url();
    let statuses: Vec<u16> = thread::scope(|scope| {
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(|| sign_in_at(&mut Browser::new(), url).status)).collect();
        (0..8).for_each(|_| provider.hangs.recv_timeout(support::PATIENCE).unwrap());
        for _ in 0..50 {
            assert_eq!(app.get("/api/v1/lists").status, 200);
        }
        assert_eq!(sign_in(&mut Browser::new(), &app).refusal(), (503, "oidc_busy"));
        drop(held);
        waiting.into_iter().map(|one| one.join().unwrap()).collect()
    });
    // Nobody of them is invited: the answers came, or were given up.
    assert!(statuses.iter().all(|status| matches!(status, 403 | 503)), "{statuses:?}");
}
