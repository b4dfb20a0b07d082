//! The log as clients may read it: NDJSON from a position, whole or filtered, to the head or without end.

use std::future::poll_fn;

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, Data},
};
use futures_util::{Stream, StreamExt, stream};
use serde::{Deserialize, Serialize};

use super::{
    error::{Problem, ProblemBody},
    live::feed::join,
    reads::{Id, Query, in_scope},
};
use crate::{
    app::{App, Current, Running},
    commands::stream::blocking,
    domain::{ListId, StreamId, StreamKind},
    events::{
        Position, Recorded, StreamHead,
        codec::{RecordedEvent, event_json},
        feed::{Feed, FeedReader},
        names::{EVENT_NAMES, event_name},
        served::HISTORY_CHANGED,
    },
    live::{close::Close, membership::Membership, outbox::Next, topic::Topic},
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
    responses((status = 200, body = RecordedEvent, content_type = "application/x-ndjson"), (status = "4XX", body = ProblemBody)))]
pub async fn all(
    app: Current,
    running: Data<Running>,
    request: HttpRequest,
    Query(query): Query<EventsQuery>,
) -> Result<HttpResponse, Problem> {
    answer(app, running, &request, query).await
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
    responses((status = 200, body = RecordedEvent, content_type = "application/x-ndjson"), (status = 404, body = ProblemBody)))]
pub async fn of_list(
    app: Current,
    running: Data<Running>,
    request: HttpRequest,
    Id(id): Id<ListId>,
    Query(query): Query<ListEventsQuery>,
) -> Result<HttpResponse, Problem> {
    let stream = StreamId::new(StreamKind::List, id.as_str()).map_err(|error| Problem::internal(&error))?;
    if app.log.stream_head(&stream).is_none() {
        return Err(Problem::not_found("list_not_found", format!("there is no list {id}")));
    }
    let query = EventsQuery { after: query.after, stream: Some(stream), kind: None, limit: query.limit, follow: query.follow };
    answer(app, running, &request, query).await
}

async fn answer(app: Current, running: Data<Running>, request: &HttpRequest, query: EventsQuery) -> Result<HttpResponse, Problem> {
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
        return Ok(response.streaming(in_scope(history.stream(app).await?)));
    }
    if after < head {
        // Once the answer has begun, an unreadable log can only break it off.
        let log = std::sync::Arc::clone(&app.log);
        blocking(move || log.read(after, 1)).await?.map_err(Problem::unreadable)?;
    }
    let reader = Feed::new(std::sync::Arc::clone(&app.log)).reader(after);
    let until = if query.follow { None } else { Some(head) };
    // Who follows holds a place like a live session, with the same limits, signs of life and reasons to end.
    let place = if query.follow { Some(join(&app, request)?) } else { None };
    Ok(response.streaming(in_scope(Following { app, running, reader, until, filter, remaining, place, ended: false }.stream())))
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
    app: Current,
    running: Data<Running>,
    reader: FeedReader,
    until: Option<Position>,
    filter: Filter,
    remaining: u64,
    /// Of a follower without end.
    place: Option<Membership>,
    /// The reason was sent.
    ended: bool,
}

/// The last line of an answer that ends before its end.
#[derive(Debug, Serialize)]
struct EndedEarly<'a> {
    error: &'static str,
    detail: &'a str,
    /// The history that is served now, if it is another.
    #[serde(skip_serializing_if = "Option::is_none")]
    epoch: Option<&'a str>,
}

/// What comes next.
enum Step {
    Events(Vec<std::sync::Arc<Recorded>>),
    SignOfLife,
    End(Close),
    NoRight,
}

impl Following {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Problem>> {
        stream::try_unfold(self, |mut following| async move { Ok(following.next().await?.map(|text| (text, following))) })
    }

    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        while !self.ended && self.remaining > 0 && self.until.is_none_or(|until| self.reader.position() < until) {
            match self.step().await? {
                Step::SignOfLife => return Ok(Some(Bytes::from_static(b"\n"))),
                Step::End(close) => return Ok(Some(self.end(close.name(), close.reason()))),
                Step::NoRight => return Ok(Some(self.end("not_permitted", "you may not follow this any more"))),
                Step::Events(events) => {
                    let text = self.lines(&events);
                    if !text.is_empty() {
                        return Ok(Some(text.into()));
                    }
                }
            }
        }
        Ok(None)
    }

    async fn step(&mut self) -> Result<Step, Problem> {
        let Some(place) = &self.place else {
            let mut ended = self.app.ended.clone();
            return tokio::select! {
                events = self.reader.next() => Ok(Step::Events(events.map_err(Problem::unreadable)?)),
                _ = ended.wait_for(|ended| *ended) => Ok(Step::End(Close::HistoryChanged)),
            };
        };
        // The body takes the next piece only when the socket took the one before.
        place.outbox().took_piece(false);
        if !self.may_still_follow(place) {
            return Ok(Step::NoRight);
        }
        tokio::select! {
            biased;
            live = poll_fn(|context| place.outbox().poll_push(context)) => Ok(match live {
                Some(Next::Close(close)) => Step::End(close),
                // It follows no topic, so nothing else comes than signs of life.
                Some(Next::Notice(_) | Next::Pushes(_)) => Step::SignOfLife,
                None => Step::End(Close::GoingAway),
            }),
            events = self.reader.next() => Ok(Step::Events(events.map_err(Problem::unreadable)?)),
        }
    }

    /// The right to one list's history may end while it is followed; that to the whole log ends with the credential.
    fn may_still_follow(&self, place: &Membership) -> bool {
        let Some(stream) = self.filter.stream.as_ref().filter(|stream| stream.kind() == StreamKind::List) else { return true };
        let topic = format!("list:{}", stream.id()).parse::<Topic>();
        topic.is_ok_and(|topic| place.identity().is_some_and(|identity| self.app.hub.rights().may_follow(&identity, &topic)))
    }

    fn lines(&mut self, events: &[std::sync::Arc<Recorded>]) -> Vec<u8> {
        let mut text = Vec::new();
        for recorded in events.iter().filter(|recorded| self.until.is_none_or(|until| recorded.position <= until)) {
            if self.filter.wants(recorded) {
                push_line(&mut text, recorded, &mut self.remaining);
            }
        }
        text
    }

    /// Says why the answer ends here: else a reader would take what it has for everything.
    fn end(&mut self, error: &'static str, detail: &str) -> Bytes {
        self.ended = true;
        let served = self.running.current();
        let line = if served.epoch == self.app.epoch {
            EndedEarly { error, detail, epoch: None }
        } else {
            EndedEarly { error: "history_changed", detail: HISTORY_CHANGED, epoch: Some(&served.epoch) }
        };
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        text.into()
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
