//! Sign-ins under way.

use super::{super::pending::Waiting, *};

fn add(waiting: &mut Waiting, handle: &str, now: i64) -> String {
    let pending = Pending::new(Purpose::SignIn, "https://shop.example/back");
    let state = pending.state().to_owned();
    waiting.add(handle, pending, now);
    state
}

#[test]
fn one_is_taken_once_by_its_browser_with_its_state() {
    let mut waiting = Waiting::default();
    let (one, two) = (add(&mut waiting, "a", NOW), add(&mut waiting, "b", NOW));
    assert!(waiting.take("a", &two, NOW).is_none() && waiting.take("c", &one, NOW).is_none() && waiting.take("a", "", NOW).is_none());
    assert!(waiting.take("a", &one, NOW).is_some());
    assert!(waiting.take("a", &one, NOW).is_none());
    assert!(waiting.take("b", &two, NOW).is_some());
}

#[test]
fn it_may_take_ten_minutes() {
    let mut waiting = Waiting::default();
    let (one, two) = (add(&mut waiting, "a", NOW), add(&mut waiting, "b", NOW));
    assert!(waiting.take("a", &one, NOW + PENDING_SECONDS - 1).is_some());
    assert!(waiting.take("b", &two, NOW + PENDING_SECONDS).is_none());
    assert_eq!(waiting.len(), 0);
}

#[test]
fn one_too_many_drops_the_oldest() {
    let mut waiting = Waiting::default();
    let states: Vec<_> = (0..=PENDING_MAX).map(|number| add(&mut waiting, &number.to_string(), NOW)).collect();
    assert_eq!(waiting.len(), PENDING_MAX);
    assert!(waiting.take("0", &states[0], NOW).is_none());
    assert!(waiting.take("1", &states[1], NOW).is_some());
}

#[test]
fn the_address_names_what_the_return_must_show_and_hides_the_verifier() {
    let loopback = Loopback::with_keys(|| json!({ "keys": [] }));
    let provider = loopback.provider();
    let begun = provider.begin(Purpose::SignIn, "http://127.0.0.1/back", NOW).expect("the provider answers");
    let url = Url::parse(&begun.url).expect("a URL");
    let query: std::collections::HashMap<_, _> = url.query_pairs().into_owned().collect();
    let pending = provider.take(Some(&begun.handle), &query["state"], None, NOW).expect("it was begun");
    assert_eq!(query["code_challenge"], text(digest(&SHA256, pending.verifier().as_bytes()).as_ref()));
    assert_eq!((query["code_challenge_method"].as_str(), query["nonce"].as_str()), ("S256", pending.nonce()));
    assert!(!begun.url.contains(pending.verifier()) && !begun.url.contains(&begun.handle));
    assert!(matches!(provider.take(Some(&begun.handle), &query["state"], None, NOW), Err(OidcError::State)));
}

#[test]
fn an_answer_in_the_name_of_another_provider_is_refused() {
    let loopback = Loopback::with_keys(|| json!({ "keys": [] }));
    let provider = loopback.provider();
    let begun = provider.begin(Purpose::SignIn, "http://127.0.0.1/back", NOW).expect("the provider answers");
    let state = Url::parse(&begun.url).expect("a URL").query_pairs().find(|(name, _)| name == "state").expect("a state").1.into_owned();
    assert!(matches!(provider.take(Some(&begun.handle), &state, Some("https://evil.example"), NOW), Err(OidcError::State)));
}
