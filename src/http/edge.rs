//! What happens around every request: who may ask from where, its id, its time, its count, compression where it pays.
//! One layer without spans and with few allocations, because it runs for every one of tens of thousands of requests a second.

use std::{
    cell::Cell,
    convert::Infallible,
    fmt::Write,
    future::{Ready, ready},
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use actix_http::{ConnectionType, encoding::Encoder};
use actix_web::{
    Error, HttpMessage, HttpResponse,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready},
    http::{
        Method,
        header::{self, ContentEncoding, HeaderMap, HeaderName, HeaderValue},
    },
    web::Bytes,
};
use futures_util::future::LocalBoxFuture;

use super::{
    access::{Access, Proven},
    error::Problem,
    hygiene,
    openapi::{codes, walk},
    route::RouteNumber,
    routes::Counted,
    site::{self, Site},
    tags,
};
use crate::{
    app::Current,
    domain::rights::Power,
    events::{Scope, served::HISTORY_CHANGED},
    live::counters::Limit,
};

/// The id of a request; kept if the client sent a valid one.
pub static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
static RESPONSE_TIME: HeaderName = HeaderName::from_static("x-response-time");
static SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");
/// Names the history that a request is about; the answer to who is known names the one that is served.
pub static EPOCH: HeaderName = HeaderName::from_static("x-aisled-epoch");
/// The longest request id taken over from a client.
const REQUEST_ID_BYTES_MAX: usize = 64;
/// Smaller answers are sent uncompressed: they fit one packet anyway.
const COMPRESS_BYTES_MIN: u64 = 1_400;

/// The layer around all routes.
#[derive(Debug, Clone)]
pub struct Edge {
    site: Arc<Site>,
    access: Arc<Access>,
}

impl Edge {
    #[must_use]
    pub fn new(site: Arc<Site>, access: Arc<Access>) -> Self {
        Self { site, access }
    }
}

type Answer = ServiceResponse<EitherBody<Encoder<BoxBody>>>;

impl<S> Transform<S, ServiceRequest> for Edge
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = Answer;
    type Error = Error;
    type Transform = EdgeService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        let (site, access) = (Arc::clone(&self.site), Arc::clone(&self.access));
        ready(Ok(EdgeService { service: Rc::new(service), site, access, counted: Rc::new(Counted::new()) }))
    }
}

/// The layer of one worker.
pub struct EdgeService<S> {
    service: Rc<S>,
    site: Arc<Site>,
    access: Arc<Access>,
    counted: Rc<Counted>,
}

impl<S> Service<ServiceRequest> for EdgeService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<BoxBody>, Error = Error> + 'static,
{
    type Response = Answer;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Answer, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let began = Instant::now();
        let request_id = request_id(request.headers());
        let encoding = wanted_encoding(request.headers());
        let (site, counted) = (Arc::clone(&self.site), Rc::clone(&self.counted));
        if let Some(response) = self.answer_at_once(&request, &request_id) {
            return Box::pin(ready(Ok(finish(request.into_response(response), request_id, began, encoding, &site, &counted))));
        }
        let scope = match self.enter_history(&request) {
            Ok(scope) => scope,
            Err(problem) => {
                let response = request.into_response(problem.answer(request_id.to_str().ok()));
                return Box::pin(ready(Ok(finish(response, request_id, began, encoding, &site, &counted))));
            }
        };
        self.access.identify(&request);
        let answering = scope.enter(|| self.service.call(request));
        Box::pin(async move {
            let response = name_the_request(scope.within(answering).await?, &request_id);
            Ok(finish(response, request_id, began, encoding, &site, &counted))
        })
    }
}

impl<S> EdgeService<S> {
    /// Keeps the history that is served for the whole request, and refuses a request that names another one.
    fn enter_history(&self, request: &ServiceRequest) -> Result<Scope, Problem> {
        let app = Current::keep(request)?;
        let named = request.headers().get(&EPOCH).map(HeaderValue::as_bytes).filter(|named| !named.trim_ascii().is_empty());
        let scope = Scope::new(&app.served, named.is_some());
        if named.is_some_and(|named| named.trim_ascii() != app.epoch.as_bytes()) {
            return Err(
                scope.enter(|| Problem::history_changed(format!("{HISTORY_CHANGED} than the one that the header names: read again")))
            );
        }
        Ok(scope)
    }

    /// Answers what no route sees: what may not pass, and the questions of browsers for pages of other origins.
    fn answer_at_once(&self, request: &ServiceRequest, request_id: &HeaderValue) -> Option<HttpResponse> {
        let refused = |problem: Problem| Some(problem.answer(request_id.to_str().ok()));
        if let Err(problem) = self.site.check(request) {
            count_origin(request, &problem);
            return refused(problem);
        }
        self.site.preflight(request)
    }
}

/// Counts the sockets that pages of other sites tried to open.
fn count_origin(request: &ServiceRequest, problem: &Problem) {
    if problem.code() == site::FOREIGN_ORIGIN
        && site::is_handshake(request.headers())
        && let Ok(app) = Current::of(request.request())
    {
        app.hub.counters().met(Limit::Origin, 1);
    }
}

/// Rewrites a problem with the request's id in it.
fn name_the_request(response: ServiceResponse, request_id: &HeaderValue) -> ServiceResponse {
    let Some(error) = response.response().error() else { return response };
    let request_id = request_id.to_str().ok();
    let answer = match error.as_error::<Problem>() {
        Some(problem) => listed(&response, problem).answer(request_id),
        None => listed(&response, &foreign(error)).answer(request_id),
    };
    response.into_response(answer)
}

/// In a debug build, a code that the operation's description does not list is a fault: every test that meets one finds it.
fn listed<'p>(response: &ServiceResponse, problem: &'p Problem) -> &'p Problem {
    debug_assert!(
        RouteNumber::of(response.request()).and_then(walk::row).is_none_or(|row| codes::lists(
            row,
            problem.status().as_u16(),
            problem.code()
        )),
        "{} does not list {} {}: add it in src/http/openapi/codes",
        response.request().path(),
        problem.status(),
        problem.code()
    );
    problem
}

/// A problem for an error that the framework made. Its sentence is for programmers, so it goes to the log.
fn foreign(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    if status.is_server_error() {
        return Problem::internal(error);
    }
    tracing::debug!(%error, "the framework refused a request");
    Problem::new(status, "bad_request", "the request cannot be understood")
}

fn finish(
    mut response: ServiceResponse,
    request_id: HeaderValue,
    began: Instant,
    encoding: Option<ContentEncoding>,
    site: &Site,
    counted: &Counted,
) -> Answer {
    let took = began.elapsed();
    let status = response.status();
    counted.count(RouteNumber::of(response.request()), status, took);
    if status.is_server_error() {
        tracing::warn!(status = status.as_u16(), path = response.request().path(), request_id = ?request_id, "request answered with a server error");
    }
    site.share(&mut response);
    name_the_history(&mut response);
    hygiene::complete(&mut response);
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID.clone(), request_id);
    let (response_time, server_timing) = timings(took.as_micros());
    headers.insert(RESPONSE_TIME.clone(), response_time);
    headers.insert(SERVER_TIMING.clone(), server_timing);
    let is_worth_it = worth_compressing(response.response().body().size()) && !response.headers().contains_key(header::CONTENT_ENCODING);
    let encoding = encoding.filter(|_| is_worth_it);
    if *response.request().method() == Method::HEAD {
        return without_body(response);
    }
    match encoding {
        Some(encoding) => encoded(response, encoding),
        None => response.map_body(|_, body| EitherBody::right(body)),
    }
}

/// Says which history is served, to who is known here.
fn name_the_history(response: &mut ServiceResponse) {
    let is_known = |proven: &Proven| proven.identity.as_ref().is_ok_and(|identity| identity.power != Power::Nobody);
    let extensions = response.request().extensions();
    let epoch = extensions.get::<Proven>().filter(|proven| is_known(proven)).and_then(|_| extensions.get::<Current>());
    let value = epoch.and_then(|app| HeaderValue::from_str(&app.epoch).ok());
    drop(extensions);
    if let Some(value) = value {
        response.headers_mut().insert(EPOCH.clone(), value);
    }
}

/// The headers alone. Nothing of the body is made: it may have no end. The client is told to close, because the library decides by the
/// newest request that it has read whether a body is written, and another one may have been sent without waiting for this answer.
fn without_body(mut response: ServiceResponse) -> Answer {
    response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    let size = response.response().body().size();
    response.map_body(|_, _| EitherBody::right(BoxBody::new(Headers(size))))
}

/// A body of which only the size is sent.
struct Headers(BodySize);

impl MessageBody for Headers {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Poll::Ready(None)
    }
}

/// The library names the header that it looked at once more.
fn encoded(mut response: ServiceResponse, encoding: ContentEncoding) -> Answer {
    tags::encode(response.headers_mut(), encoding);
    let varies: Vec<_> = response.headers().get_all(header::VARY).cloned().collect();
    let mut answer = response.map_body(|head, body| EitherBody::left(Encoder::response(encoding, head, body)));
    answer.headers_mut().remove(header::VARY);
    varies.into_iter().for_each(|value| answer.headers_mut().append(header::VARY, value));
    hygiene::add_vary(answer.headers_mut(), "Accept-Encoding");
    answer
}

fn worth_compressing(size: BodySize) -> bool {
    match size {
        BodySize::None => false,
        BodySize::Sized(bytes) => bytes >= COMPRESS_BYTES_MIN,
        BodySize::Stream => true,
    }
}

/// The supported encodings that a client accepts, best first.
fn wanted_encoding(headers: &HeaderMap) -> Option<ContentEncoding> {
    let accepted = headers.get(header::ACCEPT_ENCODING)?.to_str().ok()?;
    let accepts = |name: &str| {
        accepted.split(',').any(|offer| {
            let (offer, weight) = offer.split_once(';').unwrap_or((offer, ""));
            offer.trim().eq_ignore_ascii_case(name) && !matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000")
        })
    };
    [("zstd", ContentEncoding::Zstd), ("gzip", ContentEncoding::Gzip)].into_iter().find(|(name, _)| accepts(name)).map(|(_, e)| e)
}

fn timings(micros: u128) -> (HeaderValue, HeaderValue) {
    let mut text = String::with_capacity(24);
    let _ = write!(text, "app;dur={}.{:03}", micros / 1_000, micros % 1_000);
    let server_timing = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("app"));
    text.drain(..8);
    text.push_str("ms");
    let response_time = HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("0ms"));
    (response_time, server_timing)
}

fn request_id(headers: &HeaderMap) -> HeaderValue {
    match headers.get(&REQUEST_ID) {
        Some(given) if is_sane(given.as_bytes()) => given.clone(),
        _ => new_request_id(),
    }
}

fn is_sane(id: &[u8]) -> bool {
    (1..=REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.iter().all(|b| b.is_ascii_alphanumeric() || b"._:-".contains(b))
}

/// A version 7 UUID whose random part is counted up from a random start of this thread: unique without a system call each time.
fn new_request_id() -> HeaderValue {
    thread_local! {
        static NEXT: Cell<u128> = Cell::new(uuid::Uuid::new_v7(uuid::Timestamp::now(uuid::NoContext)).as_u128() & ((1 << 74) - 1));
    }
    let number = NEXT.get().wrapping_add(1);
    NEXT.set(number);
    let milliseconds = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |t| t.as_millis());
    let random: [u8; 16] = number.to_be_bytes();
    let tail: &[u8; 10] = random.last_chunk().expect("16 bytes hold 10 because an array has a fixed length");
    let id = uuid::Builder::from_unix_timestamp_millis(u64::try_from(milliseconds).unwrap_or(0), tail).into_uuid();
    let mut buffer = uuid::Uuid::encode_buffer();
    HeaderValue::from_str(id.hyphenated().encode_lower(&mut buffer)).unwrap_or_else(|_| HeaderValue::from_static("none"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_differ_and_are_kept_when_sane() {
        assert_ne!(new_request_id(), new_request_id());
        assert!(is_sane(new_request_id().as_bytes()));
        assert!(!is_sane(b"a b") && !is_sane(b"") && !is_sane(&[b'a'; 65]));
    }

    #[test]
    fn compression_is_only_what_the_client_asks_for() {
        let encoding = |text: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(text));
            wanted_encoding(&headers)
        };
        assert_eq!(encoding("gzip, deflate, br, zstd"), Some(ContentEncoding::Zstd));
        assert_eq!(encoding("gzip;q=1.0, zstd;q=0"), Some(ContentEncoding::Gzip));
        assert_eq!(encoding("br"), None);
    }

    #[test]
    fn times_are_milliseconds_with_three_decimals() {
        let (response_time, server_timing) = timings(1_234);
        assert_eq!(response_time, "1.234ms");
        assert_eq!(server_timing, "app;dur=1.234");
    }
}
