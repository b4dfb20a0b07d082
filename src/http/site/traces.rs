//! Signs that a request came through a proxy.

use actix_web::http::{Version, header::HeaderMap};

/// Headers that proxies add, in lower case.
const NAMES: &[&str] =
    &["via", "cdn-loop", "x-real-ip", "true-client-ip", "x-client-ip", "x-cluster-client-ip", "fastly-client-ip", "fly-client-ip"];
/// Beginnings of such headers.
const BEGINNINGS: &[&str] = &["forwarded", "x-forwarded", "x-original-", "x-envoy-", "cf-"];

/// Returns whether anything shows a proxy: a header of one, or HTTP/1.0, which nginx sends unless it is told or newer, and browsers never.
/// A proxy that adds nothing and speaks HTTP/1.1 cannot be told from a program on this machine: `public_url` says that there is one.
pub fn shows_a_proxy(version: Version, headers: &HeaderMap) -> bool {
    version < Version::HTTP_11 || headers.keys().any(|name| is_of_a_proxy(name.as_str()))
}

fn is_of_a_proxy(name: &str) -> bool {
    // Most headers end here.
    matches!(name.as_bytes().first(), Some(b'c' | b'f' | b't' | b'v' | b'x'))
        && (NAMES.contains(&name) || BEGINNINGS.iter().any(|beginning| name.starts_with(beginning)))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn with(name: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static("1"));
        headers
    }

    #[test]
    fn a_header_of_a_proxy_or_an_old_version_shows_one() {
        for name in [
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-proto",
            "x-forwarded-host",
            "x-forwarded-server",
            "x-real-ip",
            "x-original-forwarded-for",
            "x-original-host",
            "via",
            "cf-connecting-ip",
            "cf-ray",
            "true-client-ip",
            "x-client-ip",
            "x-cluster-client-ip",
        ] {
            assert!(shows_a_proxy(Version::HTTP_11, &with(name)), "{name}");
        }
        assert!(shows_a_proxy(Version::HTTP_10, &HeaderMap::new()));
    }

    #[test]
    fn the_headers_of_clients_show_none() {
        for name in ["host", "cookie", "connection", "content-type", "x-aisled-client", "x-aisled-as", "x-request-id", "from", "te"] {
            assert!(!shows_a_proxy(Version::HTTP_11, &with(name)), "{name}");
        }
    }
}
