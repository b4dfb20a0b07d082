//! The requests as bytes: the only place of the load generator that knows the wire.

use std::{fmt::Display, io::Write};

/// Where the live endpoint is.
pub const LIVE_PATH: &str = "/api/v1/live";
/// The currency of everything the load generator makes.
const CURRENCY: &str = "EUR";

pub fn get(request: &mut Vec<u8>, path: impl Display) {
    push(request, format_args!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n"));
}

/// Posts a JSON body.
pub fn post(request: &mut Vec<u8>, path: impl Display, body: &str) {
    let length = body.len();
    push(
        request,
        format_args!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"),
    );
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

pub fn create_list(request: &mut Vec<u8>, list: &str, store: &str) {
    post(request, "/api/v1/lists", &format!(r#"{{"id":"{list}","name":"Load list","store":"{store}"}}"#));
}

/// Adds three of a product, as an item of the client's own id.
pub fn add_item(request: &mut Vec<u8>, list: &str, item: &str, product: &str) {
    let body = format!(r#"{{"id":"{item}","name":"Load item","product":"{product}","quantity":{{"amount":"3","unit":"each"}}}}"#);
    post(request, format_args!("/api/v1/lists/{list}/items"), &body);
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
pub fn upgrade(request: &mut Vec<u8>) {
    push(
        request,
        format_args!(
            "GET {LIVE_PATH} HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
             sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: aisled.v1+json\r\n\r\n"
        ),
    );
}

/// How a total of so many cents stands in a push.
pub fn total_in_push(cents: u64) -> String {
    format!("\"amount\":\"{}\"", amount(cents))
}

fn amount(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

fn push(request: &mut Vec<u8>, text: impl Display) {
    write!(request, "{text}").expect("this holds because writing to memory cannot fail");
}
