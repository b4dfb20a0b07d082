//! The messages: who sends which, the schema of each, and examples of it.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::reference;

/// What the server sends: the `type` of each message and its schema.
pub const FROM_SERVER: [(&str, &str); 12] = [
    ("hello", "Hello"),
    ("authenticate", "Authenticate"),
    ("refreshed", "Refreshed"),
    ("subscribed", "Subscribed"),
    ("unsubscribed", "Unsubscribed"),
    ("done", "Done"),
    ("pong", "Pong"),
    ("error", "ErrorReply"),
    ("event", "EventPush"),
    ("state", "StatePush"),
    ("revoked", "Revoked"),
    ("closing", "Closing"),
];

/// What clients send: the `op` of each request and its schema.
pub const FROM_CLIENT: [(&str, &str); 5] = [
    ("subscribe", "SubscribeRequest"),
    ("unsubscribe", "UnsubscribeRequest"),
    ("command", "CommandRequest"),
    ("ping", "PingRequest"),
    ("refresh", "RefreshRequest"),
];

/// What a reader without WebSocket receives.
pub const FEED: [&str; 5] = ["subscribed", "event", "state", "revoked", "closing"];

/// Real messages, by name.
static EXAMPLES: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("examples.json")).expect("the examples are JSON, because a test validates each of them")
});

/// Every message by its name.
pub fn messages() -> Value {
    let all = FROM_SERVER.iter().chain(&FROM_CLIENT).chain(&[("line", "FeedLine")]);
    let message = |&(name, schema): &(&str, &str)| {
        let content_type = if name == "line" { "application/x-ndjson" } else { "application/json" };
        let message = json!({
            "name": name,
            "title": schema,
            "contentType": content_type,
            "payload": reference(format_args!("components/schemas/{schema}")),
            "examples": EXAMPLES[name],
        });
        (name.to_owned(), message)
    };
    Value::Object(all.map(message).collect())
}

/// The messages of a channel.
pub fn of_channel<'a>(names: impl IntoIterator<Item = &'a str>) -> Value {
    let entry = |name: &str| (name.to_owned(), reference(format_args!("components/messages/{name}")));
    Value::Object(names.into_iter().map(entry).collect::<Map<_, _>>())
}
