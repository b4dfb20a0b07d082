//! The messages of the live protocol `aisled.v1+json`. `docs/live.md` walks through them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{limits::Limits, topic::Topic};
use crate::{domain::Outcome, events::Position};

/// The WebSocket subprotocol, the default if the client names none.
pub const SUBPROTOCOL: &str = "aisled.v1+json";
/// The longest request id, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// A client's own name of a request; the answer carries it. A text of at most 64 bytes, or an integer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestId {
    Number(i64),
    Text(String),
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// Listen to topics, each from a position on if the client names one.
    Subscribe {
        topics: Vec<TopicRequest>,
        /// The epoch the positions are of; without it, or with another, every topic starts from a snapshot.
        #[serde(default)]
        epoch: Option<String>,
    },
    Unsubscribe {
        topics: Vec<String>,
    },
    /// A write, with the same rules and outcome as over HTTP.
    Command {
        entity: EntityKind,
        entity_id: String,
        /// As the body of the HTTP command: an object with `op`.
        command: Value,
        /// Makes it repeatable: the same id is applied once.
        #[serde(default)]
        command_id: Option<String>,
        /// Refused unless the entity is at this version.
        #[serde(default)]
        if_version: Option<u64>,
    },
    Ping {},
}

/// One topic of a subscription.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicRequest {
    pub topic: String,
    /// The position of the last push the client has of it.
    #[serde(default)]
    pub since: Option<Position>,
}

/// What a command is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    List,
    Product,
    Order,
    Household,
    Store,
}

/// The server's first message.
#[derive(Debug, Serialize)]
pub struct Hello<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Changes when positions start anew, as after a restore: positions of another epoch mean nothing.
    pub epoch: &'a str,
    /// The newest event of the log.
    pub position: Position,
    pub ping_interval_seconds: u64,
    pub limits: HelloLimits,
}

/// The limits a client may want to know.
#[derive(Debug, Serialize)]
pub struct HelloLimits {
    pub message_bytes_max: usize,
    pub topics_max: usize,
    pub requests_in_flight_max: usize,
    pub outbox_bytes_max: usize,
    pub recovery_events_max: usize,
}

impl From<&Limits> for HelloLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            message_bytes_max: limits.message_bytes_max,
            topics_max: limits.topics_per_session_max,
            requests_in_flight_max: limits.requests_in_flight_max,
            outbox_bytes_max: limits.outbox_bytes_max,
            recovery_events_max: limits.recovery_events_max,
        }
    }
}

/// One entry of `topics` in the answer to a subscription, `{"type":"subscribed","id":…,"more":…,"topics":[…]}`.
#[derive(Debug, Serialize)]
pub struct TopicAnswer {
    pub topic: String,
    #[serde(flatten)]
    pub start: TopicStart,
}

/// A topic's history up to where its pushes begin.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum TopicStart {
    /// The client's position continues without a gap: `events` are all it missed.
    Recovered {
        recovered: True,
        position: Position,
        events: Vec<MissedEvent>,
        /// The current states by key, as pushes of class state would give them.
        #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
        states: serde_json::Map<String, Value>,
    },
    /// Everything as it is at `position`. `events` happened while it was read and are not in it.
    Snapshot {
        recovered: False,
        position: Position,
        snapshot: Value,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        events: Vec<MissedEvent>,
    },
    Refused {
        error: ErrorBody,
    },
}

/// The JSON value `true`.
#[derive(Debug, Clone, Copy)]
pub struct True;

/// The JSON value `false`.
#[derive(Debug, Clone, Copy)]
pub struct False;

impl Serialize for True {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(true)
    }
}

impl Serialize for False {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(false)
    }
}

/// An event of a topic's history, as its push would have been.
#[derive(Debug, Serialize)]
pub struct MissedEvent {
    pub position: Position,
    pub previous: Option<Position>,
    pub event: Value,
}

/// The answer to an unsubscription: the topics that were left, no push of them follows.
#[derive(Debug, Serialize)]
pub struct Unsubscribed<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: Option<&'a RequestId>,
    pub topics: Vec<&'a str>,
}

/// The answer to a command: what the HTTP answer says, but `id` is the request's and the entity's is `entity_id`.
#[derive(Debug, Serialize)]
pub struct CommandDone<'a, T> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: Option<&'a RequestId>,
    pub entity_id: &'a str,
    pub outcome: Outcome,
    pub version: u64,
    pub position: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// A list's new totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub totals: Option<T>,
}

/// The answer to a ping.
#[derive(Debug, Serialize)]
pub struct Pong<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: Option<&'a RequestId>,
    pub position: Position,
}

/// A request that failed.
#[derive(Debug, Serialize)]
pub struct ErrorReply<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub id: Option<&'a RequestId>,
    #[serde(flatten)]
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ErrorBody {
    /// Stable; clients may match on it.
    pub code: String,
    /// A sentence that a person can act on.
    pub detail: String,
    /// The same request may succeed later.
    pub temporary: bool,
    /// JSON pointer to the field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
}

impl ErrorBody {
    /// An error that the same request will meet again.
    #[must_use]
    pub fn lasting(code: &str, detail: impl Into<String>) -> Self {
        Self { code: code.into(), detail: detail.into(), temporary: false, pointer: None }
    }

    /// The same error, pointing at the field at fault.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), ..self }
    }

    /// An error that may be gone on another try.
    #[must_use]
    pub fn temporary(code: &str, detail: impl Into<String>) -> Self {
        Self { temporary: true, ..Self::lasting(code, detail) }
    }
}

/// A push of class event: never merged or dropped.
#[derive(Debug, Serialize)]
pub struct EventPush<'a, E> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub topic: &'a Topic,
    pub position: Position,
    /// The topic had no event between this position and `position`: a client that has everything up to it missed nothing.
    pub previous: Option<Position>,
    pub event: E,
}

/// A push of class state: only the latest per topic and key is delivered to a slow reader.
#[derive(Debug, Serialize)]
pub struct StatePush<'a, V> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub topic: &'a Topic,
    pub key: &'a str,
    pub position: Position,
    pub value: &'a V,
}

/// Reads a client's message. The id is found even where the rest cannot be read, so that the error can carry it.
///
/// # Errors
/// The error to reply with: not JSON, or no request.
pub fn parse(text: &str) -> (Option<RequestId>, Result<Request, ErrorBody>) {
    let mut value = match serde_json::from_str::<Value>(text) {
        Ok(value) => value,
        Err(error) => return (None, Err(ErrorBody::lasting("malformed_json", error.to_string()))),
    };
    let id = match value.as_object_mut().and_then(|object| object.remove("id")).map(request_id) {
        Some(Err(error)) => return (None, Err(error)),
        Some(Ok(id)) => id,
        None => None,
    };
    (id, serde_json::from_value(value).map_err(|error| ErrorBody::lasting("invalid_request", error.to_string())))
}

fn request_id(value: Value) -> Result<Option<RequestId>, ErrorBody> {
    match serde_json::from_value::<Option<RequestId>>(value) {
        Ok(Some(RequestId::Text(text))) if text.len() > REQUEST_ID_BYTES_MAX => Err(()),
        Ok(id) => Ok(id),
        Err(_) => Err(()),
    }
    .map_err(|()| ErrorBody::lasting("invalid_request_id", "the id of a request is an integer or a text of at most 64 bytes"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_subscription_is_read_with_its_id() {
        let (id, request) = parse(r#"{"id":7,"op":"subscribe","topics":[{"topic":"list:a","since":"12"},{"topic":"system"}],"epoch":"e"}"#);
        assert_eq!(id, Some(RequestId::Number(7)));
        let Ok(Request::Subscribe { topics, epoch }) = request else { panic!("{request:?}") };
        assert_eq!((topics[0].since, topics[1].since, epoch.as_deref()), (Some(Position(12)), None, Some("e")));
    }

    #[test]
    fn an_unreadable_request_keeps_its_id_and_says_what_is_wrong() {
        for (text, code) in [
            (r#"{"id":"x","op":"dance"}"#, "invalid_request"),
            (r#"{"id":"x"}"#, "invalid_request"),
            (r#"{"id":"x","op":"ping","extra":1}"#, "invalid_request"),
            (r#"{"id":"x","op":"subscribe","topics":[{"topic":"a","since":-1}]}"#, "invalid_request"),
        ] {
            let (id, request) = parse(text);
            assert_eq!(id, Some(RequestId::Text("x".into())), "{text}");
            assert_eq!(request.unwrap_err().code, code, "{text}");
        }
        for (text, code) in [("{", "malformed_json"), ("[]", "invalid_request"), ("7", "invalid_request"), ("", "malformed_json")] {
            assert_eq!(parse(text).1.unwrap_err().code, code, "{text}");
        }
        for id in [json!(1.5), json!({}), json!("x".repeat(65)), json!(true)] {
            let text = json!({"id": id, "op": "ping"}).to_string();
            assert_eq!(parse(&text).1.unwrap_err().code, "invalid_request_id", "{text}");
        }
    }

    #[test]
    fn a_deeply_nested_message_is_refused_not_followed() {
        let text = "[".repeat(60_000);
        assert_eq!(parse(&text).1.unwrap_err().code, "malformed_json");
    }

    #[test]
    fn a_recovered_topic_and_a_snapshot_look_as_documented() {
        let recovered = TopicAnswer {
            topic: "list:a".into(),
            start: TopicStart::Recovered { recovered: True, position: Position(9), events: vec![], states: serde_json::Map::new() },
        };
        assert_eq!(serde_json::to_value(&recovered).unwrap(), json!({"topic":"list:a","recovered":true,"position":"9","events":[]}));
        let snapshot = TopicAnswer {
            topic: "list:a".into(),
            start: TopicStart::Snapshot { recovered: False, position: Position(9), snapshot: json!({}), events: vec![] },
        };
        assert_eq!(serde_json::to_value(&snapshot).unwrap(), json!({"topic":"list:a","recovered":false,"position":"9","snapshot":{}}));
    }
}
