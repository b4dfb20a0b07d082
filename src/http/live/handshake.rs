//! Whether a request may become a WebSocket. The library below checks less than RFC 6455 requires.

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{self, HeaderMap, HeaderValue},
    },
};

use crate::{
    app::App,
    domain::rights::Power,
    http::{
        access::{Unproven, acting, bearer, identity, named},
        error::Problem,
    },
    live::{Grant, encoding::Encoding},
    people::CredentialError,
};

/// Checks upgrade, version and key; the edge has checked the origin.
///
/// # Errors
/// 400 for a request that is not a WebSocket handshake, 426 for another version.
pub fn check(request: &HttpRequest) -> Result<(), Problem> {
    let headers = request.headers();
    if !names(headers, &header::UPGRADE, "websocket") || !names(headers, &header::CONNECTION, "upgrade") {
        let detail = "this address serves WebSocket: connect with ws://, Upgrade: websocket and Connection: Upgrade";
        return Err(Problem::malformed("not_a_websocket", detail));
    }
    if text(headers, &header::SEC_WEBSOCKET_VERSION) != Some("13") {
        let problem = Problem::new(StatusCode::UPGRADE_REQUIRED, "unsupported_version", "only version 13 of the protocol is supported");
        return Err(problem.with_header(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")));
    }
    if !text(headers, &header::SEC_WEBSOCKET_KEY).is_some_and(is_key) {
        return Err(Problem::malformed("invalid_key", "Sec-WebSocket-Key must be 16 bytes in base64"));
    }
    Ok(())
}

/// What a new session may use: by its token, its cookie, or the machine it comes from; `None` if it must first send a token.
///
/// # Errors
/// 401 for a token that proves nothing, 403 for acting for somebody without the right to.
pub fn grant(app: &App, request: &HttpRequest) -> Result<Option<Grant>, Problem> {
    let headers = request.headers();
    if let Some(token) = bearer(headers) {
        let Grant { identity, until } =
            app.hub.rights().admit(token).ok_or_else(|| Unproven::Credential(CredentialError::Unknown).problem())?;
        let identity = named(headers).and_then(|named| acting(identity, named)).map_err(|unproven| unproven.problem())?;
        return Ok(Some(Grant { identity, until }));
    }
    let identity = identity(request)?;
    let known = identity.power != Power::Nobody;
    Ok(known.then(|| app.authority.grant((*identity).clone())))
}

/// The encoding of the subprotocol that the answer chooses: the first the client offers that is ours, JSON if it offers none.
#[must_use]
pub fn encoding(headers: &HeaderMap) -> Encoding {
    let offers = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    offers.map(str::trim).find_map(Encoding::of_subprotocol).unwrap_or(Encoding::Json)
}

/// 16 bytes in base64: 22 letters, of which the last carries two bits, and two signs of padding.
fn is_key(key: &str) -> bool {
    let Some(letters) = key.strip_suffix("==") else { return false };
    letters.len() == 22
        && letters.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
        && letters.ends_with(['A', 'Q', 'g', 'w'])
}

fn text<'a>(headers: &'a HeaderMap, name: &header::HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Whether a header's comma-separated list holds a token, in any case.
fn names(headers: &HeaderMap, name: &header::HeaderName, word: &str) -> bool {
    headers
        .get_all(name)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|one| one.trim().eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn verdict(change: &[(&'static str, &str)]) -> Result<(), (u16, &'static str)> {
        let mut request = TestRequest::get();
        for header in [
            ("host", "localhost:8080"),
            ("upgrade", "WebSocket"),
            ("connection", "keep-alive, Upgrade"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ] {
            request = request.insert_header(header);
        }
        for header in change {
            request = request.insert_header(*header);
        }
        check(&request.to_http_request()).map_err(|problem| (problem.status().as_u16(), problem.code()))
    }

    #[test]
    fn a_proper_handshake_passes() {
        assert_eq!(verdict(&[]), Ok(()));
    }

    #[test]
    fn what_is_no_handshake_is_refused_with_a_reason() {
        assert_eq!(verdict(&[("upgrade", "h2c")]), Err((400, "not_a_websocket")));
        assert_eq!(verdict(&[("connection", "close")]), Err((400, "not_a_websocket")));
        assert_eq!(verdict(&[("sec-websocket-version", "8")]), Err((426, "unsupported_version")));
        for key in ["", "x", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=a", "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25j"] {
            assert_eq!(verdict(&[("sec-websocket-key", key)]), Err((400, "invalid_key")), "{key:?}");
        }
    }
}
