//! The session actor: it owns a connection's requests and lifecycle. The only file that knows actix-web-actors.
//! Pushes do not pass through it; they go from the hub to the session's outbox.

use std::rc::Rc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};
use actix_web_actors::ws::{self, CloseCode, CloseReason, Message, ProtocolError};
use aisled_deflate::{self as deflate, Sizes};
use bytestring::ByteString;
use futures_util::stream;
use serde::{Deserialize, Serialize};

use super::{
    body::SessionBody,
    commands::{Job, Lanes, Sender},
    errors::ErrorCode,
    fragments::{Fragments, Joined},
    protocol::{Authenticate, ErrorBody, ErrorReply, Hello, Pong, Refreshed, Request, RequestId, Unsubscribed, parse},
    subscribe::{self, Subscription},
    throttle::Throttle,
};
use crate::{
    actors::Expected,
    app::{App, Current},
    domain::{ClientId, Moment, Principal},
    events::{Seen, served::HISTORY_CHANGED},
    http::{
        access::{acting, named},
        caller::client,
        error::{Problem, ProblemBody},
        reads::Query,
        site::Peer,
    },
    live::{
        close::Close, counters::Limit, encoding::Encoding, member::Arrival, membership::Membership, publication::Wire, rights::Grant,
        socket::SocketHandle, topic::Topic,
    },
};

/// One connection.
pub struct Session {
    app: Current,
    /// Somebody else that the handshake names: an admin may act for that person.
    named: Option<Principal>,
    client: Option<ClientId>,
    membership: Membership,
    wire: Wire,
    compression: bool,
    fragments: Fragments,
    lanes: Lanes,
    throttle: Throttle,
    /// Unreadable requests since the last readable one.
    bad_requests: u32,
}

type Ctx = ws::WebsocketContext<Session>;

/// How the client wants its session.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ConnectQuery {
    /// `off` leaves messages uncompressed, for clients that always offer compression.
    #[param(inline)]
    compression: Option<Compression>,
}

/// Whether messages may be compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Compression {
    On,
    Off,
}

/// Opens a live session: a WebSocket of subprotocol `aisled.v1+json` or `aisled.v1+msgpack`, described in `docs/live.md`.
///
/// # Errors
/// 400, 403 or 426 for a handshake that is not accepted.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", params(ConnectQuery), responses((status = 101, description = "a WebSocket"), (status = "4XX", body = ProblemBody)))]
pub async fn connect(
    app: Current,
    Query(query): Query<ConnectQuery>,
    request: HttpRequest,
    payload: web::Payload,
) -> Result<HttpResponse, Problem> {
    super::handshake::check(&request).inspect_err(|problem| count_refusal(&app, problem))?;
    let subprotocols = Encoding::ALL.map(Encoding::subprotocol);
    let mut response = ws::handshake_with_protocols(&request, &subprotocols)
        .map_err(|_| Problem::malformed("not_a_websocket", "this handshake cannot become a WebSocket"))?;
    let encoding = super::handshake::encoding(request.headers());
    let agreed = deflate::negotiate(request.headers()).filter(|_| query.compression != Some(Compression::Off));
    if let Some(agreed) = agreed {
        response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, agreed.header()));
    }
    let wire = Wire { encoding, deflate: agreed.is_some_and(deflate::Agreed::takes_shared_frames) };
    let grant = super::handshake::grant(&app, &request)?;
    let named = named(request.headers()).map_err(|unproven| unproven.problem())?;
    let arrival = Arrival { address: Peer::of(&request).address, socket: request.conn_data::<SocketHandle>().cloned(), two_way: true };
    let membership = match Membership::join(&app.hub, &app.epoch, arrival, grant.as_ref().map(|grant| grant.identity.clone()), wire) {
        Ok(membership) => membership,
        // A browser sees no status of a failed handshake, so the reason is sent in a close frame.
        Err(close) => return Ok(response.streaming(stream::iter([Ok::<_, actix_web::Error>(close.frame())]))),
    };
    if let Some(Err(close)) = grant.map(|grant| membership.admit(grant)) {
        return Ok(response.streaming(stream::iter([Ok::<_, actix_web::Error>(close.frame())])));
    }
    let (outbox, limits) = (Rc::clone(membership.outbox()), *app.hub.limits());
    let session = Session {
        named,
        client: client(request.headers())?,
        membership,
        wire,
        compression: agreed.is_some(),
        fragments: Fragments::new(encoding, limits.message_bytes_max),
        lanes: Lanes::default(),
        throttle: Throttle::new(&limits),
        bad_requests: 0,
        app: app.clone(),
    };
    let sizes = Sizes { message_bytes_max: limits.message_bytes_max, threshold_bytes: deflate::THRESHOLD_BYTES };
    let replies = deflate::around(payload, agreed, sizes, |inbound, codec| ws::WebsocketContext::with_codec(session, inbound, codec));
    Ok(response.streaming(SessionBody::new(replies, outbox)))
}

fn count_refusal(app: &App, problem: &Problem) {
    if problem.code() == "invalid_key" {
        app.hub.counters().met(Limit::Key, 1);
    }
}

impl Actor for Session {
    type Context = Ctx;

    fn started(&mut self, ctx: &mut Ctx) {
        if self.membership.who().is_some() {
            self.greet(ctx);
        } else {
            let within_seconds = self.app.hub.limits().authenticate_within.as_secs();
            self.reply(ctx, &Authenticate { kind: "authenticate", within_seconds });
        }
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, message: Result<Message, ProtocolError>, ctx: &mut Ctx) {
        self.membership.hear();
        if !self.throttle.takes_message() {
            return self.end(Close::Flood, ctx);
        }
        match message {
            Ok(Message::Text(text)) if self.wire.encoding == Encoding::Json => self.receive(text.as_bytes(), ctx),
            Ok(Message::Binary(bytes)) if self.wire.encoding == Encoding::Msgpack => self.receive(&bytes, ctx),
            Ok(Message::Text(_) | Message::Binary(_)) => self.end(Close::WrongEncoding, ctx),
            Ok(Message::Continuation(item)) => match self.fragments.take(item) {
                Ok(Joined::Whole(message)) => self.receive(&message, ctx),
                Ok(Joined::More) => {}
                Err(close) => self.end(close, ctx),
            },
            Ok(Message::Ping(payload)) => ctx.pong(&payload),
            Ok(Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Close(_)) => self.end(Close::Normal, ctx),
            Err(error) => self.end(verdict(&error), ctx),
        }
    }
}

impl Session {
    fn greet(&self, ctx: &mut Ctx) {
        let limits = self.app.hub.limits();
        let hello = Hello {
            kind: "hello",
            session: self.membership.id().to_string(),
            epoch: &self.app.epoch,
            position: self.app.log.head(),
            ping_interval_seconds: limits.ping_interval.as_secs(),
            lifetime_seconds: limits.lifetime.as_secs(),
            compression: self.compression,
            limits: limits.into(),
        };
        self.reply(ctx, &hello);
    }

    fn receive(&mut self, message: &[u8], ctx: &mut Ctx) {
        let (id, request) = parse(self.wire.encoding, message);
        match request {
            Ok(request) => {
                self.bad_requests = 0;
                self.answer(id, request, ctx);
            }
            Err(error) => {
                self.app.hub.counters().bad_requests.increment(1);
                self.bad_requests += 1;
                self.refuse(ctx, id.as_ref(), error);
                if self.bad_requests >= self.app.hub.limits().bad_requests_max {
                    self.end(Close::BadRequests, ctx);
                }
            }
        }
    }

    fn answer(&mut self, id: Option<RequestId>, request: Request, ctx: &mut Ctx) {
        if self.membership.who().is_none() && !matches!(request, Request::Refresh { .. }) {
            let detail = "send a token first: {\"op\":\"refresh\",\"token\":…}";
            return self.refuse(ctx, id.as_ref(), ErrorBody::new(ErrorCode::NotAuthenticated, detail));
        }
        match request {
            Request::Subscribe { topics, epoch } => {
                let continues = epoch.as_deref() == Some(&*self.app.epoch);
                let subscription = Subscription::begin(id, topics, continues, self.membership.seat());
                self.subscribe(subscription, ctx);
            }
            Request::Unsubscribe { topics } => self.unsubscribe(id.as_ref(), &topics, ctx),
            Request::Command { entity, entity_id, command, command_id, if_version, epoch } => {
                let if_version = if_version.map(|number| expected(number, epoch.as_deref() == Some(&*self.app.epoch)));
                if epoch.is_some_and(|epoch| epoch != *self.app.epoch) {
                    let detail = format!("{HISTORY_CHANGED} than the one that the command names: read again, and decide again");
                    return self.refuse(ctx, id.as_ref(), ErrorBody::new(ErrorCode::HistoryChanged, detail));
                }
                self.command(Job { id, entity, entity_id, command, command_id, if_version }, ctx);
            }
            Request::Refresh { token } => self.refresh(id.as_ref(), &token, ctx),
            Request::Ping {} => self.reply(ctx, &Pong { kind: "pong", id: id.as_ref(), position: self.app.log.head() }),
        }
    }

    /// Accepts a token: the first one, or a new one of the same principal.
    fn refresh(&mut self, id: Option<&RequestId>, token: &str, ctx: &mut Ctx) {
        let Some(grant) = self.app.hub.rights().admit(token) else { return self.end(Close::NotAuthenticated, ctx) };
        let before = self.membership.who();
        let grant = match acting(grant.identity, self.named.clone()) {
            Ok(identity) => Grant { identity, ..grant },
            Err(unproven) => {
                let detail = unproven.problem().detail().to_owned();
                return self.refuse(ctx, id, ErrorBody::new(ErrorCode::Forbidden, detail));
            }
        };
        let who = grant.identity.who.clone();
        if before.as_ref().is_some_and(|before| *before != who) {
            let detail = "this token belongs to another principal: open a new connection to act for it";
            return self.refuse(ctx, id, ErrorBody::new(ErrorCode::Forbidden, detail));
        }
        let expires_at = self.expires_at(&grant);
        if let Err(close) = self.membership.admit(grant) {
            return self.end(close, ctx);
        }
        self.reply(ctx, &Refreshed { kind: "refreshed", id, who: &who, expires_at });
        if before.is_none() {
            self.greet(ctx);
        }
    }

    fn expires_at(&self, grant: &Grant) -> Option<Moment> {
        let left = grant.until?.saturating_duration_since(std::time::Instant::now());
        Some(Moment(self.app.clock.now().0.saturating_add(i64::try_from(left.as_micros()).unwrap_or(i64::MAX))))
    }

    /// Answers one part of a subscription, then waits for the next: the actor does nothing else meanwhile, so a later
    /// request never overtakes it, and a blocked socket stops it before its answers pile up.
    fn subscribe(&mut self, subscription: Subscription, ctx: &mut Ctx) {
        let app = self.app.clone();
        let seat = self.membership.seat().clone();
        let part = async move { subscribe::next_part(&app, &seat, subscription).await };
        ctx.wait(part.into_actor(self).map(|(part, rest), session, ctx| {
            session.send(ctx, part.message);
            session.membership.open_gates(part.gates);
            if let Some(rest) = rest {
                session.subscribe(rest, ctx);
            }
        }));
    }

    fn unsubscribe(&self, id: Option<&RequestId>, topics: &[String], ctx: &mut Ctx) {
        let left = |text: &&String| text.parse::<Topic>().is_ok_and(|topic| self.membership.unsubscribe(&topic));
        let topics = topics.iter().filter(left).map(String::as_str).collect();
        self.reply(ctx, &Unsubscribed { kind: "unsubscribed", id, topics });
    }

    fn command(&mut self, job: Job, ctx: &mut Ctx) {
        let limits = self.app.hub.limits();
        if self.lanes.in_flight() >= limits.requests_in_flight_max {
            self.app.hub.counters().met(Limit::RequestsInFlight, 1);
            let detail = format!("{} commands wait already: send the next when one is answered", limits.requests_in_flight_max);
            return self.refuse(ctx, job.id.as_ref(), ErrorBody::new(ErrorCode::TooManyInFlight, detail));
        }
        if let Err(wait) = self.throttle.take_command() {
            self.app.hub.counters().met(Limit::CommandsPerSecond, 1);
            let detail = format!("at most {} commands per second: slow down", limits.commands_per_second);
            let retry_after_ms = Some(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).saturating_add(1));
            let error = ErrorBody { retry_after_ms, ..ErrorBody::new(ErrorCode::TooManyCommands, detail) };
            return self.refuse(ctx, job.id.as_ref(), error);
        }
        if let Some(job) = self.lanes.enter(job) {
            self.run(job, ctx);
        }
    }

    /// Runs a command, then the next one for the same entity.
    fn run(&mut self, job: Job, ctx: &mut Ctx) {
        let Some(identity) = self.membership.identity() else { return };
        let sender = Sender { identity, client: self.client.clone() };
        let (app, encoding) = (self.app.clone(), self.wire.encoding);
        let running = async move {
            let answer = job.run(&app, &sender, encoding).await;
            (job, answer)
        };
        ctx.spawn(running.into_actor(self).map(|(job, answer), session, ctx| {
            match answer {
                Ok(message) => session.send(ctx, message),
                Err(error) => session.refuse(ctx, job.id.as_ref(), error),
            }
            if let Some(next) = session.lanes.leave(&job) {
                session.run(next, ctx);
            }
        }));
    }

    /// Sends the reason and ends. What waits in the outbox is dropped: nobody reads it any more.
    fn end(&mut self, close: Close, ctx: &mut Ctx) {
        self.app.hub.counters().met_by_close(close);
        self.membership.outbox().close(close);
        ctx.close(Some(CloseReason { code: CloseCode::Other(close.code()), description: Some(close.reason().into()) }));
        ctx.stop();
    }

    fn reply<T: Serialize>(&self, ctx: &mut Ctx, message: &T) {
        if let Some(message) = self.wire.encoding.write(message) {
            self.send(ctx, message);
        }
    }

    fn refuse(&self, ctx: &mut Ctx, id: Option<&RequestId>, error: ErrorBody) {
        self.reply(ctx, &ErrorReply { kind: "error", id, error });
    }

    fn send(&self, ctx: &mut Ctx, message: Vec<u8>) {
        match self.wire.encoding {
            Encoding::Json => match ByteString::try_from(message) {
                Ok(text) => ctx.text(text),
                Err(error) => tracing::error!(%error, "an outgoing message is not text"),
            },
            Encoding::Msgpack => ctx.binary(Bytes::from(message)),
        }
    }
}

/// A version counts as seen in this history if the client says so; else it may be of another one.
fn expected(number: u64, is_of_this: bool) -> Expected {
    if is_of_this { Expected::Here(number) } else { Expected::Seen(Seen::new(number, None)) }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "errors of the library: those that are not named mean the same")]
fn verdict(error: &ProtocolError) -> Close {
    match error {
        ProtocolError::Overflow => Close::MessageTooLarge,
        // The library reports a text that is not UTF-8 as an I/O error.
        ProtocolError::Io(error) if error.to_string().contains("utf-8") => Close::NotUtf8,
        // The connection is gone: nobody reads the code, it is only counted.
        ProtocolError::Io(error) if error.kind() == std::io::ErrorKind::Other => Close::Normal,
        _ => Close::ProtocolError,
    }
}
