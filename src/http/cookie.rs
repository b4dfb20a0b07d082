//! The cookie of a browser's session.

use actix_web::http::header::{self, HeaderMap, HeaderValue};

use crate::people::Secret;

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
    let header = headers.get(header::COOKIE)?;
    if header.len() > COOKIE_BYTES_MAX {
        return None;
    }
    let text = header.to_str().ok()?;
    let of =
        |name: &str| text.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value);
    of(SECURE).or_else(|| of(PLAIN)).filter(|value| !value.is_empty())
}

/// Sets the cookie; scripts cannot read it, and other sites' pages do not send it along with their writes.
#[must_use]
pub fn set(secret: &Secret, is_https: bool) -> HeaderValue {
    value(secret.expose(), MAX_AGE_SECONDS, is_https)
}

/// Removes the cookie.
#[must_use]
pub fn remove(is_https: bool) -> HeaderValue {
    value("", 0, is_https)
}

fn value(text: &str, max_age_seconds: u64, is_https: bool) -> HeaderValue {
    let (name, secure) = if is_https { (SECURE, "; Secure") } else { (PLAIN, "") };
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
