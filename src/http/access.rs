//! Who may ask at all: the holder of the admin token or, where none is configured, anyone who reaches the loopback address by name.

use actix_web::{
    HttpMessage,
    dev::ServiceRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

use super::{error::Problem, site};
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
    /// No token is configured: only what comes straight from this machine is served.
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
    /// 401 without the token, 403 from elsewhere where there is none.
    pub fn check(&self, request: &ServiceRequest) -> Result<(), Problem> {
        match self {
            Self::Loopback => site::require_direct_local(request.request()),
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
    fn without_a_token_only_what_is_known_to_be_local_is_served() {
        assert_eq!(answer(&Access::Loopback, &[("host", "localhost")]), 403);
    }

    #[test]
    fn a_configured_token_must_be_presented() {
        let access = Access::Token(blake3::hash(b"a-long-enough-token"));
        assert_eq!(answer(&access, &[("host", "localhost"), ("authorization", "Bearer a-long-enough-token")]), 200);
        assert_eq!(answer(&access, &[("host", "localhost")]), 401);
        assert_eq!(answer(&access, &[("host", "localhost"), ("authorization", "Bearer wrong")]), 401);
        assert_eq!(answer(&access, &[("authorization", "Basic a-long-enough-token")]), 401);
    }
}
