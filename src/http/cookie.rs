//! The cookies of a browser: its session, and for some minutes a sign-in that a provider finishes.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::people::Secret;

/// The same for a sign-in that a provider finishes.
const SECURE_SIGN_IN: &str = "__Host-aisled_oidc";
const PLAIN_SIGN_IN: &str = "aisled_oidc";
/// Seconds for which a browser keeps that; the server forgets it by its own rules.
const SIGN_IN_SECONDS: u64 = 600;
/// On https: a browser takes a cookie of this name only with `Secure`, for this host alone, and no other page can set it
/// (draft-ietf-httpbis-rfc6265bis, section 4.1.3.2).
const SECURE: &str = "__Host-aisled_session";
/// On http, as in a home network without certificates.
const PLAIN: &str = "aisled_session";
/// Seconds for which a browser keeps it; the session ends by its own rules.
const MAX_AGE_SECONDS: u64 = 180 * 86_400;
/// A longer header holds no cookie of ours.
const COOKIE_BYTES_MAX: usize = 8 << 10;

/// The secret that a request shows. The secure cookie counts more: the other can be set by anybody on the network.
#[must_use]
pub fn session(headers: &HeaderMap) -> Option<&str> {
    found(headers, SECURE, PLAIN)
}

/// What a browser shows of the sign-in that it began.
#[must_use]
pub fn sign_in(headers: &HeaderMap) -> Option<&str> {
    found(headers, SECURE_SIGN_IN, PLAIN_SIGN_IN)
}

fn found<'a>(headers: &'a HeaderMap, secure: &str, plain: &str) -> Option<&'a str> {
    let header = headers.get(header::COOKIE)?;
    if header.len() > COOKIE_BYTES_MAX {
        return None;
    }
    let text = header.to_str().ok()?;
    let of =
        |name: &str| text.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value);
    of(secure).or_else(|| of(plain)).filter(|value| !value.is_empty())
}

/// Sets the cookie; scripts cannot read it, and other sites' pages do not send it along with their writes.
#[must_use]
pub fn set(secret: &Secret, is_https: bool) -> HeaderValue {
    value((SECURE, PLAIN), secret.expose(), MAX_AGE_SECONDS, is_https)
}

/// Removes the cookie.
#[must_use]
pub fn remove(is_https: bool) -> HeaderValue {
    value((SECURE, PLAIN), "", 0, is_https)
}

/// Sets the cookie of a sign-in. `Lax`, because the provider's page sends the browser back by a link.
#[must_use]
pub fn set_sign_in(handle: &str, is_https: bool) -> HeaderValue {
    value((SECURE_SIGN_IN, PLAIN_SIGN_IN), handle, SIGN_IN_SECONDS, is_https)
}

/// Removes the cookie of a sign-in.
#[must_use]
pub fn remove_sign_in(is_https: bool) -> HeaderValue {
    value((SECURE_SIGN_IN, PLAIN_SIGN_IN), "", 0, is_https)
}

fn value((secure_name, plain_name): (&str, &str), text: &str, max_age_seconds: u64, is_https: bool) -> HeaderValue {
    let (name, secure) = if is_https { (secure_name, "; Secure") } else { (plain_name, "") };
    let cookie = format!("{name}={text}; Path=/; Max-Age={max_age_seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::from_str(&cookie).expect("a cookie is a header value because its secret is base64url");
    value.set_sensitive(true);
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_str(text).expect("a header value"));
        session(&headers).map(str::to_owned)
    }

    #[test]
    fn the_session_is_found_among_other_cookies_and_the_secure_one_counts_more() {
        assert_eq!(shown("theme=dark; aisled_session=abc; x=1").as_deref(), Some("abc"));
        assert_eq!(shown("aisled_session=abc; __Host-aisled_session=def").as_deref(), Some("def"));
        for none in ["", "aisled_session", "aisled_session=", "xaisled_session=abc", "; ;=;"] {
            assert_eq!(shown(none), None, "{none:?}");
        }
        assert_eq!(shown(&format!("x={}; aisled_session=abc", "y".repeat(COOKIE_BYTES_MAX))), None);
    }

    #[test]
    fn a_cookie_is_for_this_host_and_not_for_scripts() {
        let removed = remove(true);
        assert_eq!(removed, "__Host-aisled_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure");
        assert_eq!(remove(false), "aisled_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    }
}
