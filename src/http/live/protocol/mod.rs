//! The messages of the live protocol. `docs/live.md` walks through them; the AsyncAPI document is made from these types.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, schema::Type},
};

use super::{
    errors::ErrorCode,
    values::{AnySnapshot, Command},
};
use crate::{
    actors::Loaded,
    domain::{
        ListId, Moment, Outcome, Principal,
        entities::entities,
        list::{ListState, Lists},
    },
    events::{
        Position, Recorded,
        codec::{self, RecordedEvent},
    },
    http::{input::in_our_words, protocol::ListView},
    live::{
        channel::DealFilter,
        encoding::{Encoding, Unreadable},
        limits::Limits,
        push::StateValue,
    },
    projections::totals::TotalsView,
};

/// The longest request id, in bytes.
pub const REQUEST_ID_BYTES_MAX: usize = 64;

/// A client's own name of a request; the answer carries it. A text of at most 64 bytes, or an integer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum RequestId {
    Number(i64),
    Text(String),
}

/// What a client requests.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
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
        /// Like the body of the HTTP command: an object with `op`.
        #[schema(value_type = Command)]
        command: Value,
        /// Makes it repeatable: the same id is applied once.
        #[serde(default)]
        command_id: Option<String>,
        /// Refused unless the entity is at this version.
        #[serde(default)]
        if_version: Option<u64>,
        /// The epoch in which the client saw that version; in another one it is refused with `history_changed`.
        #[serde(default)]
        epoch: Option<String>,
    },
    /// Sends a token: the first one if the handshake had none, or a new one before the old one ends.
    Refresh {
        token: String,
    },
    Ping {},
}

/// One topic of a subscription.
#[derive(Debug, Clone, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TopicRequest {
    pub topic: String,
    /// The position of the last push the client has of it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub since: Option<Position>,
    /// At most this many states per second for each key, from 0.01 to 1000; unlimited if absent. The last one always arrives.
    #[serde(default)]
    pub max_rate: Option<f64>,
    /// Only for deals: which of them.
    #[serde(default)]
    pub filter: Option<DealFilter>,
}

macro_rules! entity_kinds {
    ($($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*) => {
        /// The kind of entity a command is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum EntityKind {
            $($variant,)*
        }
    };
}

entities!(clients entity_kinds);

/// The server's first message; if a token was requested, the first after it was sent.
#[derive(Debug, Serialize, ToSchema)]
pub struct Hello<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Names the session in the server's log.
    pub session: String,
    /// Changes when positions restart, as after a restore: positions of another epoch are meaningless.
    pub epoch: &'a str,
    /// The newest event of the log.
    #[schema(value_type = String)]
    pub position: Position,
    pub ping_interval_seconds: u64,
    /// How long the session may last, plus or minus a tenth.
    pub lifetime_seconds: u64,
    /// Whether permessage-deflate was agreed on.
    pub compression: bool,
    pub limits: HelloLimits,
}

/// The limits a client may want to know.
#[derive(Debug, Serialize, ToSchema)]
pub struct HelloLimits {
    pub message_bytes_max: usize,
    pub topics_max: usize,
    pub requests_in_flight_max: usize,
    pub commands_per_second: u32,
    pub messages_per_second: u32,
    pub outbox_bytes_max: usize,
    pub recovery_events_max: usize,
}

impl From<&Limits> for HelloLimits {
    fn from(limits: &Limits) -> Self {
        Self {
            message_bytes_max: limits.message_bytes_max,
            topics_max: limits.topics_per_session_max,
            requests_in_flight_max: limits.requests_in_flight_max,
            commands_per_second: limits.commands_per_second.get(),
            messages_per_second: limits.messages_per_second.get(),
            outbox_bytes_max: limits.outbox_bytes_max,
            recovery_events_max: limits.recovery_events_max,
        }
    }
}

/// Requests a token, if the handshake had none.
#[derive(Debug, Serialize, ToSchema)]
pub struct Authenticate {
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Without a token by then, the session is closed.
    pub within_seconds: u64,
}

/// The answer to a valid token.
#[derive(Debug, Serialize, ToSchema)]
pub struct Refreshed<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(required)]
    pub id: Option<&'a RequestId>,
    #[schema(value_type = Principal)]
    pub who: &'a Principal,
    /// When it ends the session; null if it does not expire.
    #[schema(required)]
    pub expires_at: Option<Moment>,
}

/// The answer to a subscription, or a part of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Subscribed<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(required)]
    pub id: Option<&'a RequestId>,
    /// Another part with the same id follows.
    pub more: bool,
    pub topics: Vec<TopicAnswer>,
}

/// How one topic of a subscription starts.
#[derive(Debug, Serialize, ToSchema)]
pub struct TopicAnswer {
    pub topic: String,
    #[serde(flatten)]
    pub start: TopicStart,
}

/// A topic's history up to where its pushes begin.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum TopicStart {
    /// The client's position continues without a gap: `events` are all it missed.
    Recovered {
        #[schema(inline)]
        recovered: True,
        /// More of this topic follows in the next part: `events` are what was missed up to `position`, and the states come with the last.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(inline)]
        partial: Option<True>,
        #[schema(value_type = String)]
        position: Position,
        events: Vec<MissedEvent>,
        #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
        #[schema(value_type = BTreeMap<String, StateValue>)]
        states: States,
    },
    /// Everything at `position`. `events` happened while it was read and are not in it.
    Snapshot {
        #[schema(inline)]
        recovered: False,
        #[schema(value_type = String)]
        position: Position,
        #[schema(value_type = AnySnapshot)]
        snapshot: Snapshot,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        events: Vec<MissedEvent>,
        #[serde(skip_serializing_if = "serde_json::Map::is_empty")]
        #[schema(value_type = BTreeMap<String, StateValue>)]
        states: States,
    },
    Refused {
        error: ErrorBody,
    },
}

/// Current states by key, like their pushes.
pub type States = serde_json::Map<String, Value>;

/// Everything of a topic at one moment.
#[derive(Debug)]
pub enum Snapshot {
    /// A list as `GET /lists/{id}` shows it, written only when it is sent.
    List(ListId, Arc<Loaded<Lists>>),
    Value(Value),
}

impl Serialize for Snapshot {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (id, loaded) = match self {
            Self::Value(value) => return value.serialize(serializer),
            Self::List(id, loaded) => (id, loaded),
        };
        let (list, archived) = match &loaded.state {
            ListState::Absent => return serializer.serialize_none(),
            ListState::Active(list) => (list, false),
            ListState::Archived(list) => (list, true),
        };
        ListView::of(id.as_str(), loaded.version, loaded.position, list, archived, &loaded.view).serialize(serializer)
    }
}

/// The JSON value `true`.
#[derive(Debug, Clone, Copy)]
pub struct True;

/// The JSON value `false`.
#[derive(Debug, Clone, Copy)]
pub struct False;

impl PartialSchema for True {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true])).into()
    }
}

impl PartialSchema for False {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false])).into()
    }
}

impl ToSchema for True {}

impl ToSchema for False {}

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

/// An event of a topic's history, like its push.
#[derive(Debug, Serialize, ToSchema)]
pub struct MissedEvent {
    #[schema(value_type = String)]
    pub position: Position,
    #[schema(required, value_type = Option<String>)]
    pub previous: Option<Position>,
    #[schema(value_type = RecordedEvent)]
    pub event: EventValue,
}

/// An event that gets its public form when it is written.
#[derive(Debug)]
pub struct EventValue(pub Arc<Recorded>);

impl Serialize for EventValue {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        codec::event_json(&self.0).serialize(serializer)
    }
}

/// The answer to an unsubscription: the topics left; no push of them follows.
#[derive(Debug, Serialize, ToSchema)]
pub struct Unsubscribed<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(required)]
    pub id: Option<&'a RequestId>,
    #[schema(value_type = Vec<String>)]
    pub topics: Vec<&'a str>,
}

/// The answer to a command: like the HTTP answer, but `id` is the request's and the entity's is `entity_id`.
#[derive(Debug, Serialize, ToSchema)]
pub struct CommandDone<'a, T> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(required)]
    pub id: Option<&'a RequestId>,
    pub entity_id: &'a str,
    pub outcome: Outcome,
    pub version: u64,
    #[schema(value_type = String)]
    pub position: Position,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub repeated: bool,
    /// A list's new totals.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<TotalsView>)]
    pub totals: Option<T>,
}

/// The answer to a ping.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pong<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(required)]
    pub id: Option<&'a RequestId>,
    #[schema(value_type = String)]
    pub position: Position,
}

/// A request that failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErrorReply<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(required)]
    pub id: Option<&'a RequestId>,
    #[serde(flatten)]
    pub error: ErrorBody,
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ErrorBody {
    /// Stable; clients may match on it.
    pub code: Cow<'static, str>,
    /// A sentence that a person can act on.
    pub detail: String,
    /// The same request may succeed later.
    pub temporary: bool,
    /// JSON pointer to the field at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// When a temporary one may be over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}

impl ErrorBody {
    /// One of the gateway's own errors.
    #[must_use]
    pub fn new(error: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code: error.code().into(), detail: detail.into(), temporary: error.is_temporary(), pointer: None, retry_after_ms: None }
    }

    /// The same error, pointing at the field at fault.
    #[must_use]
    pub fn at(self, pointer: impl Into<String>) -> Self {
        Self { pointer: Some(pointer.into()), ..self }
    }
}

/// Reads a client's message. The id is found even where the rest cannot be read, so that the error can carry it.
///
/// # Errors
/// The error to reply with: not readable in this encoding, or not a request.
pub fn parse(encoding: Encoding, message: &[u8]) -> (Option<RequestId>, Result<Request, ErrorBody>) {
    let mut value = match encoding.read(message) {
        Ok(value) => value,
        Err(unreadable) => return (None, Err(unreadable.into())),
    };
    let id = match value.as_object_mut().and_then(|object| object.remove("id")).map(request_id) {
        Some(Err(error)) => return (None, Err(error)),
        Some(Ok(id)) => id,
        None => None,
    };
    (id, serde_json::from_value(value).map_err(|error| ErrorBody::new(ErrorCode::InvalidRequest, in_our_words(&error.to_string()))))
}

impl From<Unreadable> for ErrorBody {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Malformed(sentence) => Self::new(ErrorCode::MalformedMessage, sentence),
            Unreadable::Doubled(pointer) => {
                Self::new(ErrorCode::DuplicateField, "this field is there twice, and only one of them could count").at(pointer)
            }
        }
    }
}

fn request_id(value: Value) -> Result<Option<RequestId>, ErrorBody> {
    match serde_json::from_value::<Option<RequestId>>(value) {
        Ok(Some(RequestId::Text(text))) if text.len() > REQUEST_ID_BYTES_MAX => Err(()),
        Ok(id) => Ok(id),
        Err(_) => Err(()),
    }
    .map_err(|()| ErrorBody::new(ErrorCode::InvalidRequestId, "the id of a request is an integer or a text of at most 64 bytes"))
}
