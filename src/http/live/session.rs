//! The session actor: it owns a connection's requests and its life. The only file that knows actix-web-actors.
//! Pushes do not come through here; they go from the hub to the session's outbox.

use std::{sync::Arc, time::Instant};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use actix_web_actors::ws::{self, CloseCode, CloseReason, Message, ProtocolError};
use futures_util::stream;
use serde::Serialize;

use super::{
    body::SessionBody,
    close::Close,
    commands::{Job, Lanes},
    counters::Limit,
    deflate::{self, Sizes},
    fragments::{Fragments, Joined},
    hub::Membership,
    protocol::{ErrorBody, ErrorReply, Hello, Pong, Request, RequestId, SUBPROTOCOL, Unsubscribed, parse},
    socket::SocketHandle,
    subscribe::{self, Subscription},
    topic::Topic,
};
use crate::{
    app::App,
    domain::Principal,
    http::{
        caller::Caller,
        error::{Problem, ProblemBody},
    },
};

/// One connection.
pub struct Session {
    app: web::Data<App>,
    who: Principal,
    membership: Membership,
    /// When the client last showed a sign of life.
    heard: Instant,
    fragments: Fragments,
    lanes: Lanes,
    /// Unreadable requests since the last readable one.
    bad_requests: u32,
}

type Ctx = ws::WebsocketContext<Session>;

/// Opens a live session: a WebSocket of subprotocol `aisled.v1+json`, described in `docs/live.md`.
///
/// # Errors
/// 400, 403 or 426 for a handshake that cannot be agreed to.
#[utoipa::path(get, path = "/api/v1/live", tag = "live", responses((status = 101, description = "a WebSocket"), (status = "4XX", body = ProblemBody)))]
pub async fn connect(app: web::Data<App>, caller: Caller, request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, Problem> {
    super::handshake::check(&request)?;
    let mut response =
        ws::handshake_with_protocols(&request, &[SUBPROTOCOL]).map_err(|error| Problem::malformed("not_a_websocket", error.to_string()))?;
    let agreed = deflate::negotiate(request.headers()).filter(|_| !request.query_string().split('&').any(|one| one == "compression=off"));
    if let Some(agreed) = agreed {
        response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, agreed.header()));
    }
    let hub = &app.hub;
    hub.watch();
    let membership = match hub.join(request.conn_data::<SocketHandle>().cloned()) {
        Ok(membership) => membership,
        // A browser sees no status of a failed handshake, so the reason is told in a close frame.
        Err(close) => return Ok(response.streaming(stream::iter([Ok::<_, actix_web::Error>(close.frame())]))),
    };
    let (outbox, message_bytes_max) = (Arc::clone(membership.outbox()), hub.limits().message_bytes_max);
    let session = Session {
        who: caller.who,
        membership,
        heard: Instant::now(),
        fragments: Fragments::new(message_bytes_max),
        lanes: Lanes::default(),
        bad_requests: 0,
        app: app.clone(),
    };
    let sizes = Sizes { message_bytes_max, threshold_bytes: deflate::THRESHOLD_BYTES };
    let replies = deflate::around(payload, agreed, sizes, |inbound, codec| ws::WebsocketContext::with_codec(session, inbound, codec));
    Ok(response.streaming(SessionBody::new(replies, outbox)))
}

impl Actor for Session {
    type Context = Ctx;

    fn started(&mut self, ctx: &mut Ctx) {
        let limits = *self.app.hub.limits();
        let hello = Hello {
            kind: "hello",
            epoch: &self.app.epoch,
            position: self.app.log.head(),
            ping_interval_seconds: limits.ping_interval.as_secs(),
            limits: (&limits).into(),
        };
        reply(ctx, &hello);
        ctx.run_interval(limits.ping_interval, Self::ping);
    }
}

impl StreamHandler<Result<Message, ProtocolError>> for Session {
    fn handle(&mut self, message: Result<Message, ProtocolError>, ctx: &mut Ctx) {
        self.heard = Instant::now();
        match message {
            Ok(Message::Text(text)) => self.receive(&text, ctx),
            Ok(Message::Continuation(item)) => match self.fragments.take(item) {
                Ok(Joined::Whole(text)) => self.receive(&text, ctx),
                Ok(Joined::More) => {}
                Err(close) => self.end(close, ctx),
            },
            Ok(Message::Ping(payload)) => ctx.pong(&payload),
            Ok(Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Binary(_)) => self.end(Close::NotText, ctx),
            Ok(Message::Close(_)) => self.end(Close::Normal, ctx),
            Err(error) => self.end(verdict(&error), ctx),
        }
    }
}

impl Session {
    fn receive(&mut self, text: &str, ctx: &mut Ctx) {
        let (id, request) = parse(text);
        match request {
            Ok(request) => {
                self.bad_requests = 0;
                self.answer(id, request, ctx);
            }
            Err(error) => {
                self.app.hub.counters().bad_requests.increment(1);
                self.bad_requests += 1;
                refuse(ctx, id.as_ref(), error);
                if self.bad_requests >= self.app.hub.limits().bad_requests_max {
                    self.end(Close::BadRequests, ctx);
                }
            }
        }
    }

    fn answer(&mut self, id: Option<RequestId>, request: Request, ctx: &mut Ctx) {
        match request {
            Request::Subscribe { topics, epoch } => {
                let continues = epoch.as_deref() == Some(&*self.app.epoch);
                let subscription = Subscription::begin(id, topics, continues, &mut self.membership, &self.app.hub);
                self.subscribe(subscription, ctx);
            }
            Request::Unsubscribe { topics } => self.unsubscribe(id.as_ref(), &topics, ctx),
            Request::Command { entity, entity_id, command, command_id, if_version } => {
                self.command(Job { id, entity, entity_id, command, command_id, if_version }, ctx);
            }
            Request::Ping {} => reply(ctx, &Pong { kind: "pong", id: id.as_ref(), position: self.app.log.head() }),
        }
    }

    /// Answers one part of a subscription, then waits for the next: the actor does nothing else meanwhile, so a later
    /// request never overtakes it, and a blocked socket stops it before its answers pile up.
    fn subscribe(&mut self, subscription: Subscription, ctx: &mut Ctx) {
        let app = self.app.clone();
        let part = async move { subscribe::next_part(&app, subscription).await };
        ctx.wait(part.into_actor(self).map(|(part, rest), session, ctx| {
            ctx.text(part.text);
            for (topic, upto) in part.gates {
                match upto {
                    Some(upto) => session.membership.open(&topic, upto),
                    None => drop(session.membership.unsubscribe(&topic)),
                }
            }
            if let Some(rest) = rest {
                session.subscribe(rest, ctx);
            }
        }));
    }

    fn unsubscribe(&mut self, id: Option<&RequestId>, topics: &[String], ctx: &mut Ctx) {
        let left = |text: &&String| text.parse::<Topic>().is_ok_and(|topic| self.membership.unsubscribe(&topic));
        let topics = topics.iter().filter(left).map(String::as_str).collect();
        reply(ctx, &Unsubscribed { kind: "unsubscribed", id, topics });
    }

    fn command(&mut self, job: Job, ctx: &mut Ctx) {
        let limits = self.app.hub.limits();
        if self.lanes.in_flight() >= limits.requests_in_flight_max {
            self.app.hub.counters().met(Limit::RequestsInFlight, 1);
            let detail = format!("{} commands wait already: send the next when one is answered", limits.requests_in_flight_max);
            return refuse(ctx, job.id.as_ref(), ErrorBody::temporary("too_many_in_flight", detail));
        }
        if let Some(job) = self.lanes.enter(job) {
            self.run(job, ctx);
        }
    }

    /// Runs a command, then the next one for the same entity.
    fn run(&mut self, job: Job, ctx: &mut Ctx) {
        let (app, who) = (self.app.clone(), self.who.clone());
        let running = async move {
            let answer = job.run(&app, who).await;
            (job, answer)
        };
        ctx.spawn(running.into_actor(self).map(|(job, answer), session, ctx| {
            match answer {
                Ok(text) => ctx.text(text),
                Err(error) => refuse(ctx, job.id.as_ref(), error),
            }
            if let Some(next) = session.lanes.leave(&job) {
                session.run(next, ctx);
            }
        }));
    }

    fn ping(&mut self, ctx: &mut Ctx) {
        if self.heard.elapsed() > self.app.hub.limits().ping_interval * 2 {
            self.end(Close::Silent, ctx);
        } else {
            ctx.ping(b"");
        }
    }

    /// Says why and ends. What waits in the outbox is dropped: nobody reads it any more.
    fn end(&mut self, close: Close, ctx: &mut Ctx) {
        if close == Close::MessageTooLarge {
            self.app.hub.counters().met(Limit::MessageBytes, 1);
        }
        self.membership.outbox().close(close);
        ctx.close(Some(CloseReason { code: CloseCode::Other(close.code()), description: Some(close.reason().into()) }));
        ctx.stop();
    }
}

fn verdict(error: &ProtocolError) -> Close {
    match error {
        ProtocolError::Overflow => Close::MessageTooLarge,
        // The library reports a text that is not UTF-8 as an I/O error that says so.
        ProtocolError::Io(error) if error.to_string().contains("utf-8") => Close::NotUtf8,
        // The connection is gone: nobody reads the code, it only counts.
        ProtocolError::Io(error) if error.kind() == std::io::ErrorKind::Other => Close::Normal,
        _ => Close::ProtocolError,
    }
}

fn reply<T: Serialize>(ctx: &mut Ctx, message: &T) {
    match serde_json::to_string(message) {
        Ok(text) => ctx.text(text),
        Err(error) => tracing::error!(%error, "a reply could not be written as JSON"),
    }
}

fn refuse(ctx: &mut Ctx, id: Option<&RequestId>, error: ErrorBody) {
    reply(ctx, &ErrorReply { kind: "error", id, error });
}
