//! The same feed for clients without WebSocket: Server-Sent Events, and NDJSON up to now or without end. No actor: the session
//! would only follow, so the body drains the outbox itself.

use std::future::poll_fn;

use actix_web::{HttpRequest, HttpResponse, http::header, web::Bytes};
use futures_util::{Stream, stream};
use serde::Deserialize;

use super::{
    body::PIECE_BYTES,
    cursor::Cursor,
    protocol::TopicRequest,
    subscribe::{self, Subscription},
};
use crate::{
    app::{App, Current},
    http::{
        access::sign_in_first,
        error::{Problem, ProblemBody, RETRY_AFTER_SECONDS},
        input::given_text,
        reads::Query,
        site::Peer,
    },
    live::{
        channel::DealFilter,
        close::Close,
        encoding::Encoding,
        member::Arrival,
        membership::Membership,
        notice::Closing,
        outbox::Next,
        publication::{Class, Wire},
        socket::SocketHandle,
        topic::Topic,
    },
};

/// Topics of one request; use WebSocket for more.
const TOPICS_MAX: usize = 100;
const LAST_EVENT_ID: &str = "last-event-id";

/// What to follow.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct FeedQuery {
    /// Topics, separated by commas, at most 100.
    topics: String,
    /// Where an earlier answer ended: its `cursor` or `id`.
    since: Option<String>,
    /// At most this many states per second for each key.
    max_rate: Option<f64>,
    /// Only deals of this category.
    category: Option<String>,
    /// Only deals that save at least this many percent.
    min_saving_percent: Option<u8>,
    /// Only deals below the lowest price of the last 30 days.
    honest: Option<bool>,
    /// NDJSON only: continue after everything up to now was sent.
    follow: bool,
}

/// How the messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    EventStream,
    Lines { follow: bool },
}

/// Follows topics as Server-Sent Events. Each has an `id`; the browser sends the last one back as `Last-Event-ID`, and so misses nothing.
#[utoipa::path(get, path = "/api/v1/live/sse", tag = "live", params(FeedQuery),
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn sse(app: Current, Query(query): Query<FeedQuery>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    answer(app, query, &request, Form::EventStream)
}

/// Reads topics from a cursor on, one message a line; with `follow` it continues.
#[utoipa::path(get, path = "/api/v1/live/ndjson", tag = "live", params(FeedQuery),
    responses((status = 200, body = String, content_type = "application/x-ndjson"), (status = "4XX", body = ProblemBody), (status = 503, body = ProblemBody)))]
pub async fn ndjson(app: Current, Query(query): Query<FeedQuery>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let form = Form::Lines { follow: query.follow };
    answer(app, query, &request, form)
}

fn answer(app: Current, query: FeedQuery, request: &HttpRequest, form: Form) -> Result<HttpResponse, Problem> {
    let names: Vec<&str> = query.topics.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if names.is_empty() || names.len() > TOPICS_MAX {
        return Err(
            Problem::malformed("invalid_parameter", format!("topics takes 1 to {TOPICS_MAX} topics, separated by commas")).at("/topics")
        );
    }
    // A browser sends the id of the last message that had one; an empty one is none.
    let last = given_text(request.headers(), LAST_EVENT_ID).or(query.since.as_deref());
    let since = last.map(|text| Cursor::parse(text, names.len()).ok_or_else(no_cursor)).transpose()?;
    // With another filter the positions do not show what the client has.
    let epoch = format!("{}{}", app.epoch, query.filter_mark());
    let since = since.filter(|since| since.epoch() == epoch);
    let cursor = Cursor::start(&epoch, &names, since.as_ref());
    let topics = names.iter().enumerate().map(|(place, name)| query.topic(name, since.as_ref().map(|since| since.at(place)))).collect();
    let membership = join(&app, request)?;
    let subscription = Subscription::begin(None, topics, since.is_some(), membership.seat());
    let feed = Feed { app, membership, subscription: Some(subscription), cursor, form, ended: false, rest: Bytes::new() };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header(("x-accel-buffering", "no"));
    // Each message must leave at once, which a compressor would prevent.
    response.insert_header(header::ContentEncoding::Identity);
    response.content_type(if form == Form::EventStream { "text/event-stream" } else { "application/x-ndjson" });
    Ok(response.streaming(feed.stream()))
}

/// A place among the live sessions for an answer without end.
///
/// # Errors
/// 401 for who must sign in, 503 where a limit is reached.
pub fn join(app: &App, request: &HttpRequest) -> Result<Membership, Problem> {
    let grant = super::handshake::grant(app, request)?.ok_or_else(sign_in_first)?;
    let arrival = Arrival { address: Peer::of(request).address, socket: request.conn_data::<SocketHandle>().cloned(), two_way: false };
    let wire = Wire { encoding: Encoding::Json, deflate: false };
    let membership = Membership::join(&app.hub, &app.epoch, arrival, Some(grant.identity.clone()), wire).map_err(turned_away)?;
    membership.admit(grant).map_err(turned_away)?;
    Ok(membership)
}

fn no_cursor() -> Problem {
    Problem::malformed("invalid_cursor", "this is not a cursor of these topics: omit since and Last-Event-ID to start from a snapshot")
        .at("/since")
}

fn turned_away(close: Close) -> Problem {
    Problem::unavailable(close.name(), close.reason(), RETRY_AFTER_SECONDS)
}

impl FeedQuery {
    /// The requested filter, if any.
    fn filter(&self) -> Option<DealFilter> {
        let asks = self.category.is_some() || self.min_saving_percent.is_some() || self.honest.is_some();
        asks.then(|| DealFilter {
            category: self.category.clone(),
            min_saving_percent: self.min_saving_percent.unwrap_or(0),
            honest: self.honest.unwrap_or(false),
        })
    }

    /// Distinguishes cursors of different filters.
    fn filter_mark(&self) -> String {
        let Some(filter) = self.filter() else { return String::new() };
        let bytes = Encoding::Json.write(&filter).unwrap_or_default();
        format!("~{}", &blake3::hash(&bytes).to_hex()[..8])
    }

    fn topic(&self, name: &str, since: Option<crate::events::Position>) -> TopicRequest {
        let filter = self.filter().filter(|_| matches!(name.parse(), Ok(Topic::Deals(_))));
        TopicRequest { topic: name.to_owned(), since, max_rate: self.max_rate, filter }
    }
}

/// One reader.
struct Feed {
    app: Current,
    membership: Membership,
    /// What remains to be sent of the start.
    subscription: Option<Subscription>,
    cursor: Cursor,
    form: Form,
    ended: bool,
    /// What is left of a large message.
    rest: Bytes,
}

impl Feed {
    fn stream(self) -> impl Stream<Item = Result<Bytes, actix_web::Error>> {
        stream::unfold(self, |mut feed| async move { feed.piece().await.map(|bytes| (Ok(bytes), feed)) })
    }

    /// The next message, or a piece of a large one: each fetched piece shows that the socket took the one before.
    async fn piece(&mut self) -> Option<Bytes> {
        if self.rest.is_empty() {
            self.rest = self.next().await?;
        }
        let piece = self.rest.split_to(self.rest.len().min(PIECE_BYTES));
        self.membership.outbox().took_piece(!self.rest.is_empty());
        Some(piece)
    }

    /// The next message as it is written; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(subscription) = self.subscription.take() {
            return Some(self.start(subscription).await);
        }
        if self.ended || self.form == (Form::Lines { follow: false }) {
            return None;
        }
        loop {
            match poll_fn(|context| self.membership.outbox().poll_push(context)).await? {
                Next::Pushes(waiting) => {
                    if waiting.publication.class == Class::Event {
                        self.cursor.advance(&waiting.follower.channel().topic, waiting.publication.position);
                    }
                    if let Some(message) = waiting.publication.json() {
                        return Some(self.write(&message));
                    }
                }
                Next::Notice(notice) => match notice.json() {
                    Some(message) => return Some(self.write(&message)),
                    // Only a sign of life; an empty line is not an NDJSON message.
                    None if self.form == Form::EventStream => return Some(Bytes::from_static(b": ping\n\n")),
                    None => return Some(Bytes::from_static(b"\n")),
                },
                Next::Close(close) => {
                    self.ended = true;
                    let message = Encoding::Json.write(&Closing::soon(close, 0))?;
                    return Some(self.write(&message));
                }
            }
        }
    }

    async fn start(&mut self, subscription: Subscription) -> Bytes {
        let (part, rest) = subscribe::next_part(&self.app, self.membership.seat(), subscription).await;
        for gate in &part.gates {
            if let Some(upto) = gate.upto {
                self.cursor.advance(&gate.topic, upto);
            }
        }
        for (topic, position) in &part.reached {
            self.cursor.advance(topic, *position);
        }
        self.membership.open_gates(part.gates);
        self.subscription = rest;
        self.write(&part.message)
    }

    fn write(&self, message: &[u8]) -> Bytes {
        let cursor = self.cursor.to_string();
        let (before, middle, after) = match self.form {
            Form::EventStream => ("id: ", "\ndata: ", "\n\n"),
            Form::Lines { .. } => ("{\"cursor\":\"", "\",\"message\":", "}\n"),
        };
        [before.as_bytes(), cursor.as_bytes(), middle.as_bytes(), message, after.as_bytes()].concat().into()
    }
}
