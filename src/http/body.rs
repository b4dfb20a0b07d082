//! Reads JSON from a request, bounded in bytes and time. What it may look like is the matter of `input/`.

use std::{cell::Cell, future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web::Bytes,
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::{
    budget,
    error::Problem,
    input::{encoding, given, parse, parse_query},
};
pub use crate::http::input::encoding::cut_short;
use crate::{app::Current, config::Config, domain::CommandId};

/// How long a client may take to send a body; then it is answered 408 and the connection closed.
pub const BODY_SECONDS_MAX: u64 = 30;

/// A JSON body of a known shape. It holds everything: a query in addition is refused, because its author meant something by it.
#[derive(Debug)]
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (no_query, reading) = (check_no_query(request), read(request, payload));
        Box::pin(async move {
            no_query?;
            reading.await.map(Self)
        })
    }
}

type Reading<T> = Pin<Box<dyn Future<Output = Result<T, Problem>>>>;

/// Reads a body that must be there.
fn read<T: DeserializeOwned + 'static>(request: &HttpRequest, payload: &mut Payload) -> Reading<T> {
    let checked = check_content_type(request, &["application/json"]);
    let bytes_max = Current::of(request).map_or_else(|_| Config::default().body_bytes_max, |app| app.config.body_bytes_max);
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let payload = payload.take();
    Box::pin(async move {
        checked?;
        if announced.is_some_and(|bytes: usize| bytes > bytes_max) {
            return Err(too_large(bytes_max));
        }
        let reading = read_all(payload, bytes_max);
        let bytes = tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), reading).await.map_err(|_| too_slow())??;
        parse(&bytes)
    })
}

/// Like [`Json`], but the body may be absent: then it is the default.
#[derive(Debug)]
pub struct OptionalJson<T>(pub T);

impl<T: DeserializeOwned + Default + 'static> FromRequest for OptionalJson<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (no_query, reading) = (check_no_query(request), read_optional(request, payload));
        Box::pin(async move {
            no_query?;
            reading.await.map(Self)
        })
    }
}

/// No body, or an empty object, beside a query that holds everything.
#[derive(Debug)]
pub struct NoBody;

impl FromRequest for NoBody {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let reading = read_optional::<Nothing>(request, payload);
        Box::pin(async move { reading.await.map(|Nothing {}| Self) })
    }
}

/// Reads a body that may be absent.
fn read_optional<T: DeserializeOwned + Default + 'static>(request: &HttpRequest, payload: &mut Payload) -> Reading<T> {
    let headers = request.headers();
    let empty = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0") && !headers.contains_key(header::TRANSFER_ENCODING);
    if empty {
        return Box::pin(std::future::ready(Ok(T::default())));
    }
    if given(headers, header::CONTENT_TYPE).is_none() {
        // Some clients announce a body in pieces and then send none.
        let refused = check_content_type(request, &["application/json"]);
        let payload = payload.take();
        return Box::pin(async move {
            let reading = tokio::time::timeout(Duration::from_secs(BODY_SECONDS_MAX), read_all(payload, 1));
            match reading.await.map_err(|_| too_slow())? {
                Ok(bytes) if bytes.is_empty() => Ok(T::default()),
                _ => refused.map(|()| T::default()),
            }
        });
    }
    read(request, payload)
}

/// Nothing: the body or query of a request that only has a path.
#[derive(Debug, Default, serde::Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// A command in its wire form: an object with its `op` and fields, and a `command_id` next to them.
#[derive(Debug)]
pub struct Tagged<C> {
    pub command: C,
    pub command_id: Option<CommandId>,
}

impl<'de, C: DeserializeOwned> serde::Deserialize<'de> for Tagged<C> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fields = serde_json::Map::deserialize(deserializer)?;
        let command_id = fields.remove("command_id").filter(|id| !id.is_null()).map(serde_json::from_value).transpose();
        let command_id = command_id.map_err(serde::de::Error::custom)?;
        let command = serde_json::from_value(serde_json::Value::Object(fields)).map_err(serde::de::Error::custom)?;
        Ok(Self { command, command_id })
    }
}

fn check_no_query(request: &HttpRequest) -> Result<(), Problem> {
    match request.query_string() {
        "" => Ok(()),
        query => parse_query(query).map(|Nothing {}| ()),
    }
}

/// Refuses any other content type: it also keeps pages of other sites from posting forms here.
///
/// # Errors
/// 415, naming what is expected.
pub fn check_content_type(request: &HttpRequest, accepted: &[&str]) -> Result<(), Problem> {
    let given = request.content_type();
    if accepted.iter().any(|name| name.eq_ignore_ascii_case(given)) {
        return Ok(());
    }
    let detail = format!("send the body as content-type: {}", accepted.join(" or "));
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail))
}

async fn read_all(mut payload: Payload, bytes_max: usize) -> Result<Bytes, Problem> {
    // Nearly every body arrives in one piece, which is then used directly.
    let Some(first) = payload.next().await else { return Ok(Bytes::new()) };
    let first = first.map_err(|error| encoding::broken(&error))?;
    let mut whole: Option<Vec<u8>> = None;
    let mut share = budget::share();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| encoding::broken(&error))?;
        let whole = whole.get_or_insert_with(|| first.to_vec());
        let bytes = whole.len() + piece.len();
        if bytes > bytes_max {
            return Err(too_large(bytes_max));
        }
        if bytes > whole.capacity() {
            // Doubled, as a vector grows: that much is taken of the budget first.
            let room = (2 * bytes).min(bytes_max);
            share.grow(room)?;
            whole.reserve_exact(room - whole.len());
        }
        whole.extend_from_slice(&piece);
    }
    let body = whole.map_or(first, Bytes::from);
    if body.len() > bytes_max { Err(too_large(bytes_max)) } else { Ok(body) }
}

fn too_large(bytes_max: usize) -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", format!("a body may have at most {bytes_max} bytes"))
}

/// The body takes too long (408).
#[must_use]
pub fn too_slow() -> Problem {
    let detail = format!("the body did not arrive within {BODY_SECONDS_MAX} seconds");
    Problem::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", detail)
        .with_header(header::CONNECTION, header::HeaderValue::from_static("close"))
}

/// Distinguishes an absent field (unchanged) from `null` (removed).
///
/// # Errors
/// Those of the value's own type.
pub fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: serde::Deserialize<'de>,
    D: serde::Deserializer<'de>,
{
    serde::Deserialize::deserialize(deserializer).map(Some)
}

thread_local! {
    /// The size of the last JSON answer of this thread, as a first guess at the next one.
    static LAST_BYTES: Cell<usize> = const { Cell::new(512) };
}

/// Writes a value as JSON.
///
/// # Errors
/// Only when the value cannot be JSON, which is our fault.
pub fn render<T: serde::Serialize>(value: &T) -> Result<Bytes, Problem> {
    let mut text = Vec::with_capacity(LAST_BYTES.get().min(64 << 10));
    serde_json::to_writer(&mut text, value).map_err(|error| Problem::internal(&error))?;
    LAST_BYTES.set(text.len());
    Ok(Bytes::from(text))
}
