//! What every answer says to browsers, proxies and caches, so that they make of it only what is meant.

use actix_web::{
    dev::ServiceResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
};

/// What a document may load and do that is no page of ours, such as a problem that a browser shows.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'";
/// The page that shows the description of the API: its library sets styles of its own and draws its images from data.
const DOCS: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; \
                    base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// Where that page is.
const DOCS_PLACE: &str = "/api/v1/docs/";

/// Completes the headers of an answer; what a handler set stays.
pub fn complete<B>(response: &mut ServiceResponse<B>) {
    let status = response.status();
    if status == StatusCode::SWITCHING_PROTOCOLS {
        return;
    }
    let is_read = matches!(*response.request().method(), Method::GET | Method::HEAD);
    let is_docs = response.request().path().starts_with(DOCS_PLACE);
    let headers = response.headers_mut();
    insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    insert(headers, header::CACHE_CONTROL, keeping(is_read, status));
    if is_read {
        add_vary(headers, "Accept-Encoding");
    }
    if is_document(headers) {
        insert(headers, header::CONTENT_SECURITY_POLICY, if is_docs { DOCS } else { NOTHING });
        insert(headers, header::X_FRAME_OPTIONS, "DENY");
        insert(headers, header::REFERRER_POLICY, "no-referrer");
    }
}

/// What was read may be kept by the reader alone, and asked for again by its tag; anything else is not kept. Handlers that know more say more.
fn keeping(is_read: bool, status: StatusCode) -> &'static str {
    if is_read && (status.is_success() || status == StatusCode::NOT_MODIFIED) { "private, no-cache" } else { "no-store" }
}

/// Whether a browser shows it as a document.
fn is_document(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"))
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    if !headers.contains_key(&name) {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// Says that the answer depends on a header of the request.
pub fn add_vary(headers: &mut HeaderMap, name: &'static str) {
    let is_named =
        |value: &HeaderValue| value.to_str().is_ok_and(|value| value.split(',').any(|one| one.trim().eq_ignore_ascii_case(name)));
    if !headers.get_all(header::VARY).any(is_named) {
        headers.append(header::VARY, HeaderValue::from_static(name));
    }
}
