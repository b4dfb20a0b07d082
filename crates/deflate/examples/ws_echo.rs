//! Echoes WebSocket messages through the same adapter and codec as live sessions, for `make conformance`. Not part of the server.

use std::io::Error;

use actix::{Actor, ActorContext, StreamHandler};
use actix_http::ws::Item;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, http::header, web};
use actix_web_actors::ws::{self, CloseCode, CloseReason, Message, ProtocolError};
use aisled_deflate::{self as deflate, Sizes};

/// The largest messages of the conformance cases fit; everything is compressed, so that every size is tried.
const SIZES: Sizes = Sizes { message_bytes_max: 32 << 20, threshold_bytes: 0 };

#[derive(Default)]
struct Echo {
    is_text: bool,
    joined: Vec<u8>,
}

type Ctx = ws::WebsocketContext<Echo>;

impl Actor for Echo {
    type Context = Ctx;
}

impl StreamHandler<Result<Message, ProtocolError>> for Echo {
    fn handle(&mut self, message: Result<Message, ProtocolError>, ctx: &mut Ctx) {
        match message {
            Ok(Message::Text(text)) => ctx.text(text),
            Ok(Message::Binary(bytes)) => ctx.binary(bytes),
            Ok(Message::Continuation(item)) => self.join(item, ctx),
            Ok(Message::Ping(payload)) => ctx.pong(&payload),
            Ok(Message::Pong(_) | Message::Nop) => {}
            Ok(Message::Close(reason)) => end(reason, ctx),
            Err(error) => end(Some(verdict(&error).into()), ctx),
        }
    }
}

impl Echo {
    /// The size is bounded by the adapter, over all fragments together; UTF-8 was checked there as well.
    fn join(&mut self, item: Item, ctx: &mut Ctx) {
        match item {
            Item::FirstText(bytes) => (self.is_text, self.joined) = (true, bytes.to_vec()),
            Item::FirstBinary(bytes) => (self.is_text, self.joined) = (false, bytes.to_vec()),
            Item::Continue(bytes) => self.joined.extend_from_slice(&bytes),
            Item::Last(bytes) => {
                self.joined.extend_from_slice(&bytes);
                let whole = std::mem::take(&mut self.joined);
                if self.is_text {
                    ctx.text(String::from_utf8_lossy(&whole).into_owned());
                } else {
                    ctx.binary(whole);
                }
            }
        }
    }
}

fn end(reason: Option<CloseReason>, ctx: &mut Ctx) {
    ctx.close(reason);
    ctx.stop();
}

#[expect(clippy::wildcard_enum_match_arm, reason = "errors of the library: those that are not named mean the same")]
fn verdict(error: &ProtocolError) -> CloseCode {
    match error {
        ProtocolError::Overflow => CloseCode::Size,
        ProtocolError::Io(error) if error.to_string().contains("utf-8") => CloseCode::Invalid,
        _ => CloseCode::Protocol,
    }
}

async fn connect(request: HttpRequest, payload: web::Payload) -> Result<HttpResponse, actix_web::Error> {
    let mut response = ws::handshake(&request)?;
    let agreed = deflate::negotiate(request.headers());
    if let Some(agreed) = agreed {
        response.insert_header((header::SEC_WEBSOCKET_EXTENSIONS, agreed.header()));
    }
    let open = |inbound, codec| ws::WebsocketContext::with_codec(Echo::default(), inbound, codec);
    Ok(response.streaming(deflate::around(payload, agreed, SIZES, open)))
}

#[actix_web::main]
async fn main() -> Result<(), Error> {
    let server = HttpServer::new(|| App::new().route("/", web::get().to(connect)))
        .workers(1)
        // Like the real server: the default lingers a second after a session has ended, and the client times it.
        .client_disconnect_timeout(std::time::Duration::ZERO)
        .tcp_nodelay(true)
        .bind("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("listening on http://{address}");
    }
    server.run().await
}
