//! The log as clients may read it: NDJSON from a position, whole or filtered, to the head or without end.

use actix_web::{HttpResponse, web::Bytes};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use tokio::sync::watch;

use super::{
    error::{Problem, ProblemBody},
    reads::{Id, Query},
};
use crate::{
    app::{App, Current},
    commands::stream::blocking,
    domain::{ListId, StreamId, StreamKind},
    events::{
        Position, Recorded, StreamHead,
        codec::event_json,
        feed::{Feed, FeedReader},
        names::{EVENT_NAMES, event_name},
    },
};

/// Events of one stream read at a time.
const STREAM_BATCH_EVENTS_MAX: usize = 256;

/// The events asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only events after this position; from the beginning if not given.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// Only this stream, such as `list/weekly`.
    #[param(value_type = Option<String>)]
    stream: Option<StreamId>,
    /// Only this type, such as `list.item_added`, or all of a kind, such as `list`.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Stop after this many events.
    limit: Option<u64>,
    /// Do not end at the head: send events as they are recorded.
    #[serde(default)]
    follow: bool,
}

/// Reads the log, one event a line, from a position to the head, or without end with `follow`.
#[utoipa::path(get, path = "/api/v1/events", tag = "events", params(EventsQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = "4XX", body = ProblemBody)))]
pub async fn all(app: Current, Query(query): Query<EventsQuery>) -> Result<HttpResponse, Problem> {
    answer(app, query).await
}

/// Which events of a list are asked for.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListEventsQuery {
    /// Only events after this position; from the beginning if not given.
    #[param(value_type = Option<String>)]
    after: Option<Position>,
    /// Stop after this many events.
    limit: Option<u64>,
    /// Do not end at the newest: send events as they are recorded.
    #[serde(default)]
    follow: bool,
}

/// Reads everything that happened to a list, one event a line.
#[utoipa::path(get, path = "/api/v1/lists/{id}/events", tag = "events", params(("id" = ListId, Path), ListEventsQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = 404, body = ProblemBody)))]
pub async fn of_list(app: Current, Id(id): Id<ListId>, Query(query): Query<ListEventsQuery>) -> Result<HttpResponse, Problem> {
    let stream = StreamId::new(StreamKind::List, id.as_str()).map_err(|error| Problem::internal(&error))?;
    if app.log.stream_head(&stream).is_none() {
        return Err(Problem::not_found("list_not_found", format!("there is no list {id}")));
    }
    answer(app, EventsQuery { after: query.after, stream: Some(stream), kind: None, limit: query.limit, follow: query.follow }).await
}

async fn answer(app: Current, query: EventsQuery) -> Result<HttpResponse, Problem> {
    let head = app.log.head();
    let after = query.after.unwrap_or(Position::START);
    if after > head {
        return Err(Problem::malformed("position_unknown", "the log has not reached this position yet").at("/after"));
    }
    if query.limit == Some(0) {
        return Err(Problem::malformed("invalid_parameter", "limit must be at least 1").at("/limit"));
    }
    if let Some(kind) = query.kind.as_deref().filter(|kind| !EVENT_NAMES.iter().any(|name| is_of_kind(name, kind))) {
        return Err(Problem::malformed("invalid_parameter", format!("there is no event type {kind:?}")).at("/type"));
    }
    let filter = Filter { stream: query.stream, kind: query.kind };
    let remaining = query.limit.unwrap_or(u64::MAX);
    let mut response = HttpResponse::Ok();
    response.content_type("application/x-ndjson");
    // The history of one stream is found without reading the whole log.
    if let (Some(stream), false) = (&filter.stream, query.follow) {
        let history = StreamHistory { head: app.log.stream_head(stream), after, version: 0, filter, remaining };
        return Ok(response.streaming(history.stream(app).await?));
    }
    if after < head {
        // Once the answer has begun, an unreadable log can only break it off.
        let log = std::sync::Arc::clone(&app.log);
        blocking(move || log.read(after, 1)).await?.map_err(Problem::unreadable)?;
    }
    let reader = Feed::new(std::sync::Arc::clone(&app.log)).reader(after);
    let until = if query.follow { None } else { Some(head) };
    let ended = app.ended.clone();
    Ok(response.streaming(Following { reader, until, filter, remaining, ended }.stream()))
}

struct Filter {
    stream: Option<StreamId>,
    kind: Option<String>,
}

impl Filter {
    fn wants(&self, recorded: &Recorded) -> bool {
        self.stream.as_ref().is_none_or(|stream| *stream == recorded.stream)
            && self.kind.as_deref().is_none_or(|kind| is_of_kind(event_name(&recorded.event), kind))
    }
}

/// Whether an event of this name matches by its name, or by the kind of its stream.
fn is_of_kind(name: &str, kind: &str) -> bool {
    name == kind || name.strip_prefix(kind.trim_end_matches('.')).is_some_and(|rest| rest.starts_with('.'))
}

/// Adds an event as a line of text while some remain to be sent.
fn push_line(text: &mut Vec<u8>, recorded: &Recorded, remaining: &mut u64) {
    if *remaining > 0 && serde_json::to_writer(&mut *text, &event_json(recorded)).is_ok() {
        text.push(b'\n');
        *remaining -= 1;
    }
}

/// Reads on from a position, past the head if there is no end.
struct Following {
    reader: FeedReader,
    until: Option<Position>,
    filter: Filter,
    remaining: u64,
    /// Becomes true when another history replaces this one: then following ends.
    ended: watch::Receiver<bool>,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Problem>> {
        stream::try_unfold(self, |mut following| async move { Ok(following.next().await?.map(|text| (text, following))) })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while self.remaining > 0 && self.until.is_none_or(|until| self.reader.position() < until) {
            let events = tokio::select! {
                events = self.reader.next() => events.map_err(Problem::unreadable)?,
                _ = self.ended.wait_for(|ended| *ended) => return Ok(None),
            };
            let mut text = Vec::new();
            for recorded in events.iter().filter(|recorded| self.until.is_none_or(|until| recorded.position <= until)) {
                if self.filter.wants(recorded) {
                    push_line(&mut text, recorded, &mut self.remaining);
                }
            }
            if !text.is_empty() {
                return Ok(Some(text.into()));
            }
        }
        Ok(None)
    }
}

/// Reads the events of one stream up to its newest at the time of the request.
struct StreamHistory {
    head: Option<StreamHead>,
    after: Position,
    version: u64,
    filter: Filter,
    remaining: u64,
}

impl StreamHistory {
    /// The first events are read before the answer begins, so that an unreadable log is a proper error.
    async fn stream(mut self, app: Current) -> Result<impl Stream<Item = Result<Bytes, Problem>>, Problem> {
        let first = self.next(&app).await?;
        let rest = stream::try_unfold((self, app), |(mut history, app)| async move {
            Ok(history.next(&app).await?.map(|text| (text, (history, app))))
        });
        Ok(stream::iter(first.map(Ok)).chain(rest))
    }

    async fn next(&mut self, app: &App) -> Result<Option<Bytes>, Problem> {
        let (Some(head), Some(stream)) = (self.head, self.filter.stream.clone()) else { return Ok(None) };
        while self.remaining > 0 && self.version < head.version {
            let (log, stream, version) = (std::sync::Arc::clone(&app.log), stream.clone(), self.version);
            let read = blocking(move || log.read_stream(&stream, version, STREAM_BATCH_EVENTS_MAX)).await?;
            let events = read.map_err(Problem::unreadable)?;
            let Some(last) = events.last() else { return Ok(None) };
            self.version = last.version;
            let mut text = Vec::new();
            for recorded in events.iter().filter(|recorded| recorded.position > self.after && recorded.position <= head.position) {
                if self.filter.wants(recorded) {
                    push_line(&mut text, recorded, &mut self.remaining);
                }
            }
            if !text.is_empty() {
                return Ok(Some(text.into()));
            }
        }
        Ok(None)
    }
}
