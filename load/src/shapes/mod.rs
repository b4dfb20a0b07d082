//! The requests as bytes: the only place of the load generator that knows the wire.

pub mod people;

use std::{fmt::Display, io::Write, sync::OnceLock};

use crate::offer::{Encoding, Offer};

/// Where the live endpoint is.
pub const LIVE_PATH: &str = "/api/v1/live";
/// Before and after a note's text the item carries the rest of a long one: the longest note.
const NOTE_BYTES_MAX: usize = 950;
/// The longest name of a product.
const NAME_BYTES_MAX: usize = 280;
/// The currency of everything the load generator makes.
const CURRENCY: &str = "EUR";

/// What every request of this process presents, once it is set.
static TOKEN: OnceLock<String> = OnceLock::new();

/// Presents a bearer token with every later request; only the first one counts.
pub fn present(token: &str) {
    TOKEN.get_or_init(|| token.to_owned());
}

pub fn has_token() -> bool {
    TOKEN.get().is_some()
}

pub fn get(request: &mut Vec<u8>, path: impl Display) {
    push(request, format_args!("GET {path} HTTP/1.1\r\nhost: localhost\r\n"));
    end_head(request);
}

/// The last lines of a head.
fn end_head(request: &mut Vec<u8>) {
    if let Some(token) = TOKEN.get() {
        push(request, format_args!("authorization: Bearer {token}\r\n"));
    }
    push(request, "\r\n");
}

/// Places an order of one line that names no product.
pub fn place_order(request: &mut Vec<u8>, order: &str, store: &str) {
    let line = format!(
        r#"{{"line":1,"name":"Milk","quantity":{{"amount":"1","unit":"each"}},"charged":{{"amount":"1.99","currency":"{CURRENCY}"}}}}"#
    );
    post(request, "/api/v1/orders", &format!(r#"{{"id":"{order}","store":"{store}","lines":[{line}]}}"#));
}

/// Posts a JSON body.
pub fn post(request: &mut Vec<u8>, path: impl Display, body: &str) {
    post_with(request, "", path, body);
}

/// Posts a JSON body with more headers, each of which ends its line.
fn post_with(request: &mut Vec<u8>, headers: impl Display, path: impl Display, body: &str) {
    write_json(request, "POST", path, headers, body);
}

fn write_json(request: &mut Vec<u8>, method: &str, path: impl Display, headers: impl Display, body: &str) {
    let length = body.len();
    let head = "host: localhost\r\ncontent-type: application/json";
    push(request, format_args!("{method} {path} HTTP/1.1\r\n{head}\r\ncontent-length: {length}\r\n{headers}"));
    end_head(request);
    push(request, body);
}

pub fn create_store(request: &mut Vec<u8>, store: &str) {
    post(request, "/api/v1/stores", &format!(r#"{{"id":"{store}","name":"Load store","currency":"{CURRENCY}"}}"#));
}

pub fn register_product(request: &mut Vec<u8>, product: &str) {
    post(request, "/api/v1/products", &format!(r#"{{"id":"{product}","name":"Load product {product}"}}"#));
}

/// Posts a price seen just now; `at` is an RFC 3339 moment.
pub fn observe_price(request: &mut Vec<u8>, product: &str, store: &str, cents: u64, at: &str) {
    let amount = amount(cents);
    let body = format!(
        r#"{{"store":"{store}","price":{{"amount":"{amount}","currency":"{CURRENCY}","per":"each"}},"observed_at":"{at}","source":"load"}}"#
    );
    post(request, format_args!("/api/v1/products/{product}/prices"), &body);
}

/// Makes a list, of a household if one is named.
pub fn create_list(request: &mut Vec<u8>, list: &str, store: &str, household: Option<&str>) {
    let household = household.map(|household| format!(r#","household":"{household}""#)).unwrap_or_default();
    post(request, "/api/v1/lists", &format!(r#"{{"id":"{list}","name":"Load list","store":"{store}"{household}}}"#));
}

/// Adds three of a product, as an item of the client's own id.
pub fn add_item(request: &mut Vec<u8>, list: &str, item: &str, product: &str) {
    let body = format!(r#"{{"id":"{item}","name":"Load item","product":"{product}","quantity":{{"amount":"3","unit":"each"}}}}"#);
    post(request, format_args!("/api/v1/lists/{list}/items"), &body);
}

/// Adds an item to a list of the replaced stack.
pub fn add_peer_item(request: &mut Vec<u8>, list: &str) {
    post(request, format_args!("/lists/{list}/items"), r#"{"name":"Load item","quantity":3,"price":1.25}"#);
}

/// Adds an item that is not a product, for notes.
pub fn add_plain_item(request: &mut Vec<u8>, list: &str, item: &str) {
    let body = format!(r#"{{"id":"{item}","name":"Load item","quantity":{{"amount":"1","unit":"each"}}}}"#);
    post(request, format_args!("/api/v1/lists/{list}/items"), &body);
}

/// Writes a note on an item, with its number first; what does not fit into a note becomes the specification.
pub fn annotate(request: &mut Vec<u8>, list: &str, item: &str, number: usize, text_bytes: usize) {
    let note = numbered(number, text_bytes.min(NOTE_BYTES_MAX));
    let more = text_bytes.saturating_sub(NOTE_BYTES_MAX).min(NOTE_BYTES_MAX);
    let specification = if more > 0 { format!(r#","specification":"{}""#, filler(number + 1, more)) } else { String::new() };
    let body = format!(r#"{{"note":"{note}"{specification}}}"#);
    write_json(request, "PATCH", format_args!("/api/v1/lists/{list}/items/{item}"), "", &body);
}

/// Gives a product a name with a number.
pub fn rename_product(request: &mut Vec<u8>, product: &str, number: usize, text_bytes: usize) {
    let body = format!(r#"{{"name":"{}"}}"#, numbered(number, text_bytes.min(NAME_BYTES_MAX)));
    write_json(request, "PATCH", format_args!("/api/v1/products/{product}"), "", &body);
}

/// A text that starts with its number after a `#`, by which its arrival is recognised.
fn numbered(number: usize, text_bytes: usize) -> String {
    let start = format!("#{number} ");
    let rest = filler(number, text_bytes.saturating_sub(start.len()).max(1));
    start + &rest
}

/// Letters that compress about as well as words do.
fn filler(seed: usize, bytes: usize) -> String {
    const SYLLABLES: &[u8; 64] = b"mil kaese brot apfel butter salz joghurt paprika tomate reis tee";
    let mut state = seed as u64 ^ 0x9E37_79B9_7F4A_7C15;
    let mut text = String::with_capacity(bytes + 4);
    while text.len() < bytes {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let at = (state >> 33) as usize % (SYLLABLES.len() - 4);
        text.extend(SYLLABLES[at..at + 4].iter().map(|byte| if *byte == b' ' { '-' } else { char::from(*byte) }));
    }
    text.truncate(bytes);
    text
}

pub fn read_price(request: &mut Vec<u8>, product: &str, store: &str) {
    get(request, format_args!("/api/v1/products/{product}/prices?store={store}&at=2100-01-01T00:00:00Z"));
}

pub fn read_best(request: &mut Vec<u8>, product: &str) {
    get(request, format_args!("/api/v1/products/{product}/best"));
}

/// A subscription to one list.
pub fn subscribe(list: &str) -> String {
    format!(r#"{{"id":1,"op":"subscribe","topics":[{{"topic":"list:{list}"}}]}}"#)
}

/// The upgrade to a WebSocket.
pub fn upgrade(request: &mut Vec<u8>, offer: &Offer) {
    let encoding = match offer.encoding {
        Encoding::Json => "json",
        Encoding::Msgpack => "msgpack",
    };
    push(
        request,
        format_args!(
            "GET {LIVE_PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: aisled.v1+{encoding}\r\n"
        ),
    );
    if offer.deflate {
        push(request, "sec-websocket-extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover\r\n");
    }
    end_head(request);
}

/// The form of a total of this many cents in a push.
pub fn total_in_push(cents: u64) -> String {
    format!("\"amount\":\"{}\"", amount(cents))
}

fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn push(request: &mut Vec<u8>, text: impl Display) {
    write!(request, "{text}").expect("this holds because writing to memory cannot fail");
}
