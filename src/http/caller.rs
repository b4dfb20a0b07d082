//! The caller, the command id and the condition of a request: read from its headers.

use std::future::{Ready, ready};

use super::{access::identity, error::Problem, input::given_text, site::CLIENT, tags};
use crate::{
    actors::Expected,
    app::Current,
    commands::Caller,
    domain::{ClientId, CommandId, ids::IdError, rights::Reader},
    events::{Seen, served},
};
use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
};

/// Makes a write repeatable.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The longest `Idempotency-Key` accepted, in bytes.
const KEY_BYTES_MAX: usize = 255;

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request))
    }
}

fn read(request: &HttpRequest) -> Result<Caller, Problem> {
    let headers = request.headers();
    let app = Current::of(request)?;
    let identity = identity(request)?;
    Ok(Caller {
        rights: app.authority.rights(&identity),
        who: identity.who.clone(),
        by: identity.by.clone(),
        at: app.clock.now(),
        client: client(headers)?,
        key: idempotency_key(headers)?,
        if_version: if_match(headers)?,
    })
}

impl FromRequest for Reader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Current::of(request).and_then(|app| Ok(app.authority.reader(&*identity(request)?))))
    }
}

/// The client's own name, else the program in its `User-Agent`, without its version.
///
/// # Errors
/// 400 for an invalid name.
pub fn client(headers: &HeaderMap) -> Result<Option<ClientId>, Problem> {
    if let Some(name) = given_text(headers, &CLIENT) {
        return name.parse().map(Some).map_err(|error: IdError| {
            Problem::malformed("invalid_client", format!("X-Aisled-Client is not a valid client name: {error}"))
        });
    }
    let agent = given_text(headers, header::USER_AGENT).unwrap_or_default();
    // Every browser begins with Mozilla; its own name comes later, and some name others after it.
    let browser = ["Edg", "OPR", "Firefox", "Chrome", "Safari"].into_iter().find(|browser| agent.contains(&format!("{browser}/")));
    let program = browser.unwrap_or_else(|| agent.split(['/', ' ']).next().unwrap_or_default());
    Ok(program.to_ascii_lowercase().parse().ok())
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<CommandId>, Problem> {
    let Some(text) = given_text(headers, IDEMPOTENCY_KEY) else { return Ok(None) };
    // Some clients send a structured-field string, in quotes.
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    if text.is_empty() || text.len() > KEY_BYTES_MAX || !text.bytes().all(|b| b.is_ascii_graphic()) {
        let detail = format!("an Idempotency-Key has 1 to {KEY_BYTES_MAX} visible ASCII characters");
        return Err(Problem::malformed("invalid_idempotency_key", detail));
    }
    let id = CommandId::new(text).or_else(|_| CommandId::new(&format!("k:{}", &blake3::hash(text.as_bytes()).to_hex()[..48])));
    id.map(Some).map_err(|error| Problem::internal(&error))
}

/// The version in `If-Match: "<version>"`, with the mark of its history after a restore. A list's tag `"<version>.<hash>"` counts by its
/// version: prices are not edits.
fn if_match(headers: &HeaderMap) -> Result<Option<Expected>, Problem> {
    let Some(text) = given_text(headers, header::IF_MATCH) else { return Ok(None) };
    let version = tags::opaque(text).split('.').next().unwrap_or_default();
    let seen: Result<Seen, _> = version.parse();
    let expected =
        seen.map(|seen| if seen.mark.is_none() && served::is_named() { Expected::Here(seen.number) } else { Expected::Seen(seen) });
    expected.map(Some).map_err(|_| {
        let detail = "If-Match takes one version as it came in an ETag, such as \"7\"";
        Problem::malformed("invalid_if_match", detail)
    })
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).expect("a header value"));
        headers
    }

    #[test]
    fn an_etag_of_any_read_serves_as_a_condition() {
        for text in ["\"7\"", "\"7.12af\"", "\"7.12af-gzip\"", "\"7-zstd\"", "W/\"7\"", "7"] {
            let seen = Expected::Seen(Seen::new(7, None));
            assert_eq!(if_match(&headers("if-match", text)).expect("is a version"), Some(seen));
        }
        let marked = if_match(&headers("if-match", "\"7~1a2b3c4d.12af\"")).expect("is a version");
        assert_eq!(marked, Some(Expected::Seen("7~1a2b3c4d".parse().expect("is one"))));
        assert_eq!(if_match(&headers("if-match", "\"abc\"")).expect_err("is refused").code(), "invalid_if_match");
    }

    #[test]
    fn a_client_is_what_it_calls_itself_or_the_program_it_runs_in() {
        let named = |name: &'static str, value: &str| client(&headers(name, value)).map(|client| client.map(|client| client.to_string()));
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0";
        assert_eq!(named("x-aisled-client", "kitchen-tablet").expect("is an id").as_deref(), Some("kitchen-tablet"));
        assert_eq!(named("user-agent", "curl/8.5.0").expect("is allowed").as_deref(), Some("curl"));
        assert_eq!(named("user-agent", firefox).expect("is allowed").as_deref(), Some("firefox"));
        assert_eq!(named("user-agent", "(odd)").expect("is allowed"), None);
        assert_eq!(named("x-aisled-client", " ").expect("is absent"), None);
        assert_eq!(named("x-aisled-client", "my phone").expect_err("is refused").code(), "invalid_client");
    }

    #[test]
    fn a_key_that_is_no_id_becomes_one_and_stays_the_same() {
        let key = |text: &str| idempotency_key(&headers(IDEMPOTENCY_KEY, text)).expect("is accepted").expect("is there");
        assert_eq!(key("order-17").as_str(), "order-17");
        assert_eq!(key("a/b?c=1"), key("a/b?c=1"));
        assert_ne!(key("a/b?c=1"), key("a/b?c=2"));
    }
}
