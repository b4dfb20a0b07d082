//! What an ID token must say.

use super::{super::token::*, *};

fn checked(claims: Value) -> Result<Person, OidcError> {
    let expected = Expected { issuer: "https://id.example", client_id: "aisled", nonce: "n1", now: NOW };
    check(serde_json::from_value(claims).map_err(|_| OidcError::Token("unreadable"))?, &expected)
}

/// The good claims with one of them changed; `null` removes it.
fn with(name: &str, value: Value) -> Result<Person, OidcError> {
    let mut claims = good_claims();
    claims[name] = value;
    claims.as_object_mut().expect("an object").retain(|_, value| !value.is_null());
    checked(claims)
}

#[test]
fn a_token_of_now_for_this_server_and_sign_in_names_the_person() {
    let person = checked(good_claims()).expect("all claims are right");
    assert_eq!((person.issuer.as_str(), person.subject.as_str(), person.name.as_deref()), ("https://id.example", "u1", Some("Ann")));
    assert!(with("aud", json!(["aisled"])).is_ok() && with("azp", json!("aisled")).is_ok());
}

#[test]
fn a_token_that_is_for_others_or_from_others_is_refused() {
    for (name, value) in [
        ("iss", json!("https://id.example/")),
        ("iss", json!("https://evil.example")),
        ("aud", json!("other")),
        ("aud", json!([])),
        ("aud", json!(["aisled", "other"])),
        ("azp", json!("other")),
        ("nonce", json!("n2")),
        ("nonce", json!("")),
        ("sub", json!("")),
        ("sub", json!("x".repeat(256))),
    ] {
        assert!(matches!(with(name, value.clone()), Err(OidcError::Token(_))), "{name} {value}");
    }
}

#[test]
fn a_token_without_a_claim_that_must_be_there_is_refused() {
    for name in ["iss", "sub", "aud", "exp", "iat", "nonce"] {
        assert!(matches!(with(name, Value::Null), Err(OidcError::Token(_))), "{name}");
    }
}

#[test]
fn times_may_differ_by_a_minute_and_no_more() {
    for (name, second, is_fine) in [
        ("exp", NOW - 59, true),
        ("exp", NOW - 60, false),
        ("iat", NOW + 60, true),
        ("iat", NOW + 61, false),
        ("nbf", NOW + 60, true),
        ("nbf", NOW + 61, false),
    ] {
        assert_eq!(with(name, json!(second)).is_ok(), is_fine, "{name} {}", second - NOW);
    }
}
