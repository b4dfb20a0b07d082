//! Which signatures count.

use super::{super::signature::claims, *};

fn verdict(token: &str, keys: &[Value]) -> Result<(), OidcError> {
    claims(token, &key_set(keys)).map(drop)
}

#[test]
fn a_token_counts_if_a_key_of_the_provider_signed_it() {
    let signer = Signer::new("k1");
    let token = signer.token(&signer.header(), &good_claims());
    assert_eq!(verdict(&token, &[Signer::new("k0").jwk(), signer.jwk()]), Ok(()));
    let without_kid = signer.token(&json!({ "alg": "ES256" }), &good_claims());
    assert_eq!(verdict(&without_kid, &[Signer::new("k0").jwk(), signer.jwk()]), Ok(()), "each key is tried");
}

#[test]
fn the_rsa_example_of_rfc_7515_is_verified_and_a_changed_one_is_not() {
    // Appendix A.2: its claims are no ID token's, so a right signature is shown by the claims that are missing.
    let modulus = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_\
                   YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uD\
                   Zlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    let key = json!({ "kty": "RSA", "n": modulus, "e": "AQAB" });
    let [header, payload] =
        ["eyJhbGciOiJSUzI1NiJ9", "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"];
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjb\
                     KBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZ\
                     ESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    let keys = key_set(&[key]);
    assert!(verifies(&format!("{header}.{payload}.{signature}"), &keys[0].public));
    assert!(!verifies(&format!("{header}.{}.{signature}", payload.replace("eyJp", "eyJq")), &keys[0].public));
}

fn verifies(token: &str, key: &jsonwebtoken::DecodingKey) -> bool {
    // The provider of cryptography is installed by the first use.
    let _ = claims("", &[]);
    let (message, signature) = token.rsplit_once('.').expect("three parts");
    jsonwebtoken::crypto::verify(signature, message.as_bytes(), key, jsonwebtoken::Algorithm::RS256).expect("it can be checked")
}

#[test]
fn no_signature_and_a_signature_with_the_public_key_as_secret_prove_nothing() {
    let signer = Signer::new("k1");
    let claims = text(good_claims().to_string().as_bytes());
    let headed = |header: Value| format!("{}.{claims}", text(header.to_string().as_bytes()));
    for name in ["none", "None", "NONE", ""] {
        let none = headed(json!({ "alg": name, "kid": "k1" }));
        for token in [format!("{none}."), format!("{none}.{}", text(b"x"))] {
            assert!(matches!(verdict(&token, &[signer.jwk()]), Err(OidcError::Token(_))), "{name}");
        }
    }
    let signed = headed(json!({ "alg": "HS256", "kid": "k1" }));
    let hmac = |secret: &[u8]| text(ring::hmac::sign(&ring::hmac::Key::new(ring::hmac::HMAC_SHA256, secret), signed.as_bytes()).as_ref());
    let secrets = [signer.pair.public_key().as_ref().to_vec(), signer.jwk().to_string().into_bytes(), b"client secret".to_vec()];
    // Not even where the provider publishes a shared secret.
    let shared = json!({ "kty": "oct", "kid": "k1", "k": text(b"client secret") });
    for secret in secrets {
        let token = format!("{signed}.{}", hmac(&secret));
        assert!(matches!(verdict(&token, &[signer.jwk(), shared.clone()]), Err(OidcError::Token(_))));
    }
}

#[test]
fn another_key_a_changed_content_and_an_unknown_extension_are_refused() {
    let (signer, other) = (Signer::new("k1"), Signer::new("k1"));
    let token = other.token(&signer.header(), &good_claims());
    assert!(matches!(verdict(&token, &[signer.jwk()]), Err(OidcError::Token(_))));
    let good = signer.token(&signer.header(), &good_claims());
    let mut parts: Vec<_> = good.split('.').collect();
    let changed = text(good_claims().to_string().replace("u1", "u2").as_bytes());
    parts[1] = &changed;
    assert!(matches!(verdict(&parts.join("."), &[signer.jwk()]), Err(OidcError::Token(_))));
    let critical = signer.token(&json!({ "alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": false }), &good_claims());
    assert!(matches!(verdict(&critical, &[signer.jwk()]), Err(OidcError::Token(_))));
    // A key that comes with the token is the sender's own.
    let own = other.token(&json!({ "alg": "ES256", "jwk": other.jwk() }), &good_claims());
    assert!(matches!(verdict(&own, &[signer.jwk()]), Err(OidcError::Token(_))));
}

#[test]
fn keys_for_encryption_or_another_algorithm_do_not_count() {
    let signer = Signer::new("k1");
    let token = signer.token(&signer.header(), &good_claims());
    for (name, value) in [("use", "enc"), ("alg", "ES384"), ("kid", "k2"), ("kty", "unknown")] {
        let mut key = signer.jwk();
        key[name] = json!(value);
        assert_eq!(verdict(&token, &[key]), Err(OidcError::UnknownKey), "{name}");
    }
    let mut named = signer.jwk();
    named["alg"] = json!("ES256");
    assert_eq!(verdict(&token, &[json!({ "kty": "new" }), named]), Ok(()));
}

#[test]
fn texts_that_are_no_tokens_are_refused() {
    let signer = Signer::new("k1");
    for text in ["", ".", "..", "a.b.c", "....", &"x".repeat(1 << 18)] {
        assert!(matches!(verdict(text, &[signer.jwk()]), Err(OidcError::Token(_))));
    }
}
