//! When keys and descriptions are fetched.

use std::sync::Mutex;

use super::*;

#[test]
fn keys_are_kept_for_an_hour() {
    let signer = Signer::new("k1");
    let (token, key) = (signer.token(&signer.header(), &good_claims()), signer.jwk());
    let loopback = Loopback::with_keys(move || json!({ "keys": [key] }));
    let (provider, address) = (loopback.provider(), format!("{}/keys", loopback.url));
    for (second, fetched) in [(0, 1), (1, 1), (3_599, 1), (3_600, 2), (3_601, 2), (-10, 3)] {
        assert!(provider.signed_claims(&address, &token, NOW + second).is_ok());
        assert_eq!(loopback.asked(), fetched, "after {second} s");
    }
}

#[test]
fn an_unknown_key_has_them_fetched_again_once_a_minute_at_most() {
    let (old, new) = (Signer::new("k1"), Signer::new("k2"));
    let published = Arc::new(Mutex::new(vec![old.jwk()]));
    let read = published.clone();
    let loopback = Loopback::with_keys(move || json!({ "keys": *read.lock().expect("no panic") }));
    let (provider, address) = (loopback.provider(), format!("{}/keys", loopback.url));
    let asks = |signer: &Signer, second: i64| {
        let token = signer.token(&signer.header(), &good_claims());
        (provider.signed_claims(&address, &token, NOW + second).is_ok(), loopback.asked())
    };
    assert_eq!(asks(&old, 0), (true, 1));
    assert_eq!(asks(&new, 59), (false, 1), "a minute has not passed");
    assert_eq!(asks(&new, 60), (false, 2));
    published.lock().expect("no panic").push(new.jwk());
    assert_eq!(asks(&new, 119), (false, 2));
    assert_eq!(asks(&new, 120), (true, 3));
    assert_eq!(asks(&old, 121), (true, 3));
}

#[test]
fn the_description_is_kept_for_an_hour() {
    let loopback = Loopback::with_keys(|| json!({ "keys": [] }));
    let provider = loopback.provider();
    for (second, fetched) in [(0, 1), (3_599, 1), (3_600, 2)] {
        assert!(provider.begin(Purpose::SignIn, "http://127.0.0.1/back", NOW + second).is_ok());
        assert_eq!(loopback.asked(), fetched);
    }
}
