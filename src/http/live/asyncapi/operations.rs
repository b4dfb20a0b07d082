//! The operations: what a client may request, with its replies, and what the server sends by itself.

use serde_json::{Map, Value, json};

use super::{channels::query, messages::FEED, reference};
use crate::http::live::feed::FeedQuery;

/// Every request with the messages that may answer it; after the first token a hello follows too.
const REQUESTS: [(&str, &[&str], &str); 5] = [
    ("subscribe", &["subscribed", "error"], "Follow topics, each from a position on if one is named."),
    ("unsubscribe", &["unsubscribed", "error"], "Leave topics: no push of them follows the answer."),
    ("command", &["done", "error"], "Do what the HTTP write does."),
    ("ping", &["pong", "error"], "Learn that the connection works, and the newest position."),
    ("refresh", &["refreshed", "error"], "Show a token: the first, or a new one before the old one expires."),
];

/// What the server sends by itself.
const SAID: [(&str, &str); 6] = [
    ("hello", "Greets a session, once it is known whose it is."),
    ("authenticate", "Asks for a token, where the handshake had none."),
    ("event", "Sends an event of a topic: never merged, never dropped, in log order."),
    ("state", "Sends the latest value of a key of a topic."),
    ("revoked", "Unsubscribes topics because the right to them is gone."),
    ("closing", "Announces that the session will be closed."),
];

/// All operations by name.
pub fn operations() -> Value {
    let live = reference("channels/live");
    let asked = REQUESTS.iter().map(|&(op, replies, summary)| {
        let operation = json!({
            "action": "receive",
            "channel": live,
            "summary": summary,
            "messages": of("live", [op]),
            "reply": { "channel": live, "messages": of("live", replies.iter().copied()) },
        });
        (op.to_owned(), operation)
    });
    let said = SAID.iter().map(|&(name, summary)| {
        let operation = json!({ "action": "send", "channel": live, "summary": summary, "messages": of("live", [name]) });
        (name.to_owned(), operation)
    });
    let mut operations: Map<String, Value> = asked.chain(said).collect();
    operations.insert("sse".into(), feed("sse", "Sends the same feed as Server-Sent Events.", FEED));
    operations.insert("ndjson".into(), feed("ndjson", "Sends the same feed as NDJSON, up to now or without end.", ["line"]));
    Value::Object(operations)
}

fn feed<'a>(channel: &str, summary: &str, messages: impl IntoIterator<Item = &'a str>) -> Value {
    json!({
        "action": "send",
        "channel": reference(format_args!("channels/{channel}")),
        "summary": summary,
        "messages": of(channel, messages),
        "bindings": { "http": { "method": "GET", "query": query::<FeedQuery>(), "bindingVersion": "0.3.0" } },
    })
}

fn of<'a>(channel: &str, messages: impl IntoIterator<Item = &'a str>) -> Vec<Value> {
    messages.into_iter().map(|name| reference(format_args!("channels/{channel}/messages/{name}"))).collect()
}
