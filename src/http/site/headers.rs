//! The headers that the rules look at, read strictly.

use actix_web::{
    HttpRequest,
    dev::ServiceRequest,
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

use super::authority::Authority;
use crate::http::input::given;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a page of another site must not send this: it may change something, or open a socket that may.
pub fn needs_own_origin(request: &ServiceRequest) -> bool {
    let is_safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    !is_safe || is_handshake(request.headers())
}

/// Returns whether a request asks for another protocol, as a WebSocket does.
#[must_use]
pub fn is_handshake(headers: &HeaderMap) -> bool {
    given(headers, header::UPGRADE).is_some()
}

/// Whether the browser says that another site's page sent this.
pub fn is_from_other_site(headers: &HeaderMap) -> bool {
    headers.get_all(SEC_FETCH_SITE).any(is_other_site)
}

fn is_other_site(value: &HeaderValue) -> bool {
    let value = value.as_bytes().trim_ascii();
    value.eq_ignore_ascii_case(b"cross-site") || value.eq_ignore_ascii_case(b"same-site")
}

/// A header that may be there once is there twice.
pub struct Doubled;

/// The one value of a header, if any. An empty one is a value here, and no origin: who may write is not decided by what is missing.
pub fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a HeaderValue>, Doubled> {
    let mut values = headers.get_all(name);
    let first = values.next();
    if values.next().is_some() { Err(Doubled) } else { Ok(first) }
}

/// The one `Host`. A target with a host of its own must name the same, else two readers of the request would differ.
pub fn one_host(request: &HttpRequest) -> Option<Authority<'_>> {
    let host = one(request.headers(), &header::HOST).ok().flatten()?;
    let host = Authority::parse(host.as_bytes())?;
    let target = request.uri().authority().map(|target| Authority::parse(target.as_str().as_bytes()));
    target.is_none_or(|target| target.is_some_and(|target| target.is_same(&host))).then_some(host)
}
