//! What reads share: ids in the path, checked queries, waiting for a position, entity tags and pages.

use std::{
    future::{Ready, ready},
    str::FromStr,
    time::Duration,
};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
    web::Bytes,
};
use futures_util::{Stream, future::Either};
use serde::{Deserialize, Serialize};

pub use super::input::{Query, parse_query};
use super::{
    body::render,
    error::{Problem, RETRY_AFTER_SECONDS},
    tags,
};
use crate::{
    app::App,
    domain::ids::IdError,
    events::{At, Mark, Position, Scope, Seen, served},
};

/// How long a read with `after` waits for the views to get there; then it is answered 503.
pub const AFTER_WAIT: Duration = Duration::from_secs(5);
/// The default number of entries of a page.
const PAGE_DEFAULT: usize = 50;
/// The largest page.
pub const PAGE_MAX: usize = 500;

/// The `{id}` of a path.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// The `{item}` of a path.
#[derive(Debug)]
pub struct Item<T>(pub T);

impl<T: FromStr<Err = IdError> + 'static> FromRequest for Id<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(request, "id", "/id").map(Self))
    }
}

impl<T: FromStr<Err = IdError> + 'static> FromRequest for Item<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(segment(request, "item", "/item").map(Self))
    }
}

/// An id in the path.
///
/// # Errors
/// 400 if it is not an id.
pub fn segment<T: FromStr<Err = IdError>>(request: &HttpRequest, name: &str, pointer: &str) -> Result<T, Problem> {
    let text = request.match_info().get(name).unwrap_or_default();
    text.parse().map_err(|error: IdError| Problem::malformed("invalid_id", error.to_string()).at(pointer))
}

/// The query of a read without parameters of its own.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct AfterQuery {
    /// Wait until this position (from the answer to a write) is visible.
    #[param(value_type = Option<String>)]
    pub after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    pub at: Option<At>,
}

/// The query of a plain listing.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// Where the previous page ended: its `next`.
    pub cursor: Option<String>,
    /// Entries of the page, 1 to 500; 50 if not given.
    pub limit: Option<usize>,
    /// Wait until this position (from the answer to a write) is visible.
    #[param(value_type = Option<String>)]
    pub after: Option<Position>,
    /// The state at this position or time; a response header names the position.
    #[param(value_type = Option<String>)]
    pub at: Option<At>,
}

/// One page of a listing.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Page<T> {
    pub entries: Vec<T>,
    /// Send it as `cursor` to get the next page; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page from one entry more than it may show: the extra one only shows that there is a next page.
    #[must_use]
    pub fn cut(mut entries: Vec<T>, limit: usize, mark: impl Fn(&T) -> String) -> Self {
        let more = entries.len() > limit;
        entries.truncate(limit);
        let next = entries.last().filter(|_| more).map(|last| cursor_of(&mark(last)));
        Self { entries, next }
    }
}

/// How many entries a page shows.
///
/// # Errors
/// 400 outside 1 to [`PAGE_MAX`].
pub fn page_limit(asked: Option<usize>) -> Result<usize, Problem> {
    let limit = asked.unwrap_or(PAGE_DEFAULT);
    if (1..=PAGE_MAX).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::malformed("invalid_parameter", format!("limit must be from 1 to {PAGE_MAX}")).at("/limit"))
}

/// Cursors are opaque to clients: hex keeps them from being built by hand, and safe in a URL. After a restore they end with the mark of the
/// history, because a page of another one would leave out what this one has.
#[must_use]
pub fn cursor_of(mark: &str) -> String {
    let hex: String = mark.bytes().map(|byte| format!("{byte:02x}")).collect();
    served::newest_mark().map_or_else(|| hex.clone(), |history| format!("{hex}~{history}"))
}

/// What a cursor stands for.
///
/// # Errors
/// 400 if it is not one of ours, 409 if it is of another history.
pub fn mark_of(cursor: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(cursor) = cursor else { return Ok(None) };
    let (cursor, history) = match cursor.split_once('~') {
        None => (cursor, None),
        Some((cursor, mark)) => (cursor, Some(mark.parse::<Mark>().map_err(|_| invalid_cursor())?)),
    };
    if history != served::newest_mark() {
        return Err(
            Problem::history_changed("this page is of another history than the one served now: start again without a cursor").at("/cursor")
        );
    }
    let byte = |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
    let bytes: Option<Vec<u8>> = cursor.as_bytes().chunks(2).map(byte).collect();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).map(Some).ok_or_else(invalid_cursor)
}

/// The cursor is not one of ours (400).
#[must_use]
pub fn invalid_cursor() -> Problem {
    Problem::malformed("invalid_cursor", "a cursor must come from the page before: it is named “next” there").at("/cursor")
}

/// What a cursor stands for, as an id.
///
/// # Errors
/// 400 if it is not one of ours.
pub fn id_mark<T: FromStr>(cursor: Option<&str>) -> Result<Option<T>, Problem> {
    let Some(mark) = mark_of(cursor)? else { return Ok(None) };
    mark.parse().map(Some).map_err(|_| invalid_cursor())
}

/// Waits until the views show a position.
///
/// # Errors
/// 503 when they do not get there in time, 400 when the log has no such position.
pub async fn wait_until(app: &App, after: Option<Position>) -> Result<(), Problem> {
    let Some(after) = after else { return Ok(()) };
    let mut applied = app.applied.clone();
    if *applied.borrow() >= after {
        return Ok(());
    }
    if after > app.log.head() {
        return Err(Problem::malformed("position_unknown", "the log has not reached this position yet").at("/after"));
    }
    let arrived = tokio::time::timeout(AFTER_WAIT, applied.wait_for(|position| *position >= after)).await;
    if matches!(arrived, Ok(Ok(_))) {
        return Ok(());
    }
    Err(Problem::unavailable("position_not_reached", "the views have not reached this position yet: try again", RETRY_AFTER_SECONDS))
}

/// Answers with JSON.
///
/// # Errors
/// Only for an internal fault.
pub fn json<T: Serialize>(value: &T) -> Result<HttpResponse, Problem> {
    Ok(HttpResponse::Ok().content_type("application/json").body(render(value)?))
}

/// Answers with rendered JSON and its tag, or 304 if the client has it.
pub fn tagged(request: &HttpRequest, tag: &str, body: impl FnOnce() -> Result<Bytes, Problem>) -> Result<HttpResponse, Problem> {
    let tag_value = HeaderValue::from_str(tag).map_err(|error| Problem::internal(&error))?;
    let (mut answer, tag_value) = match tags::known(request.headers(), &tag_value) {
        Some(known) => (HttpResponse::new(StatusCode::NOT_MODIFIED), known),
        None => (HttpResponse::Ok().content_type("application/json").body(body()?), tag_value),
    };
    answer.headers_mut().insert(header::ETAG, tag_value);
    Ok(answer)
}

/// The items of an answer's body, each made in the history of its request.
pub fn in_scope<S: Stream + 'static>(items: S) -> impl Stream<Item = S::Item> {
    let scope = Scope::current();
    match scope {
        Some(scope) => Either::Left(scope.stream(items)),
        None => Either::Right(items),
    }
}

/// The tag of an entity at a version, for `ETag` and `If-Match`: after a restore with the mark of the history that its newest event is of.
#[must_use]
pub fn version_tag(app: &App, version: u64, newest: Position) -> String {
    Seen::new(version, app.served.lineage.mark_at(newest)).to_string()
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wrong_parameter_is_named() {
        let refused = |text: &str| {
            let problem = parse_query::<PageQuery>(text).expect_err("is refused");
            (problem.code(), problem.pointer().unwrap_or_default().to_owned())
        };
        assert_eq!(refused("limit=many"), ("invalid_parameter", "/limit".into()));
        assert_eq!(refused("cursor=a&after=x"), ("invalid_parameter", "/after".into()));
        assert_eq!(refused("colour=red"), ("unknown_parameter", "/colour".into()));
    }

    #[test]
    fn a_cursor_comes_back_as_what_it_stood_for_and_a_made_up_one_is_refused() {
        let cursor = cursor_of("weekly");
        assert_eq!(mark_of(Some(&cursor)).expect("is ours"), Some("weekly".into()));
        assert_eq!(mark_of(Some("zz")).expect_err("is refused").code(), "invalid_cursor");
    }

    #[test]
    fn a_page_says_where_the_next_begins_only_if_there_is_one() {
        assert_eq!(Page::cut(vec![1, 2, 3], 2, ToString::to_string).next, Some(cursor_of("2")));
        assert_eq!(Page::cut(vec![1, 2], 2, ToString::to_string).next, None);
    }
}
