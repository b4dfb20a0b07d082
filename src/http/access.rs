//! Who may ask at all: the holder of the admin token or, where none is configured, anyone who reaches the loopback address by name.

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

use super::error::Problem;
use crate::config::Config;

/// Paths that answer without a token: they only show a supervisor whether the server is alive.
const OPEN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// Where live sessions begin.
const LIVE_PATH: &str = "/api/v1/live";

/// Attached to a handshake without a required token.
#[derive(Debug, Clone, Copy)]
pub struct Unauthenticated;

/// The rule of this server.
#[derive(Debug)]
pub enum Access {
    /// No token is configured: only names of the loopback are served, so that a page on a foreign name that resolves to it is refused.
    Loopback,
    /// Hash of the token; hashes are compared in constant time, so that timing reveals nothing.
    Token(blake3::Hash),
}

impl Access {
    #[must_use]
    pub fn of(config: &Config) -> Self {
        config.admin_token.as_ref().map_or(Self::Loopback, |token| Self::Token(blake3::hash(token.expose().as_bytes())))
    }

    /// Lets a request pass.
    ///
    /// # Errors
    /// 401 without the token, 421 under a foreign host name.
    pub fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        match self {
            Self::Loopback => check_host(request.headers()),
            // A page cannot set the header of a WebSocket handshake: its session sends the token in its first message.
            Self::Token(_) if request.path() == LIVE_PATH && !request.headers().contains_key(header::AUTHORIZATION) => {
                request.extensions_mut().insert(Unauthenticated);
                Ok(())
            }
            Self::Token(expected) if !OPEN_PATHS.contains(&request.path()) => check_token(request.headers(), expected),
            Self::Token(_) => Ok(()),
        }
    }
}

fn check_host(headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).map(HeaderValue::as_bytes).unwrap_or_default();
    if is_loopback_name(host) {
        return Ok(());
    }
    let detail = "without an admin token this server only accepts the hosts localhost, 127.0.0.1 and [::1]";
    Err(Problem::new(StatusCode::MISDIRECTED_REQUEST, "foreign_host", detail))
}

fn is_loopback_name(host: &[u8]) -> bool {
    let name = match host.iter().rposition(|b| *b == b':') {
        Some(colon) if host[colon + 1..].iter().all(u8::is_ascii_digit) => &host[..colon],
        _ => host,
    };
    name == b"127.0.0.1" || name.eq_ignore_ascii_case(b"localhost") || name == b"[::1]"
}

fn check_token(headers: &HeaderMap, expected: &blake3::Hash) -> Result<(), Problem> {
    let given = bearer(headers);
    // `blake3::Hash` compares in constant time.
    if given.is_some_and(|token| blake3::hash(token.as_bytes()) == *expected) {
        return Ok(());
    }
    let detail = "send the admin token as Authorization: Bearer <token>";
    Err(Problem::new(StatusCode::UNAUTHORIZED, "not_authenticated", detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"aisled\"")))
}

/// The token that a request presents.
#[must_use]
pub fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn answer(access: &Access, headers: &[(&'static str, &str)]) -> u16 {
        let mut request = TestRequest::get().uri("/api/v1/lists");
        for header in headers {
            request = request.insert_header(*header);
        }
        access.check(&request.to_srv_request()).map_or_else(|problem| problem.status().as_u16(), |()| 200)
    }

    #[test]
    fn a_foreign_name_that_resolves_to_the_loopback_is_not_served() {
        for name in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "[::1]"] {
            assert_eq!(answer(&Access::Loopback, &[("host", name)]), 200, "{name}");
        }
        for name in ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""] {
            assert_eq!(answer(&Access::Loopback, &[("host", name)]), 421, "{name}");
        }
    }

    #[test]
    fn a_configured_token_must_be_presented_whatever_the_name() {
        let access = Access::Token(blake3::hash(b"a-long-enough-token"));
        assert_eq!(answer(&access, &[("host", "evil.example"), ("authorization", "Bearer a-long-enough-token")]), 200);
        assert_eq!(answer(&access, &[("host", "localhost")]), 401);
        assert_eq!(answer(&access, &[("host", "localhost"), ("authorization", "Bearer wrong")]), 401);
        assert_eq!(answer(&access, &[("authorization", "Basic a-long-enough-token")]), 401);
    }
}
