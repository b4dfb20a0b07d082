//! What the server itself sends to a session, before anything that waits: never dropped and never late.

use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{close::Close, encoding::Encoding, frame, topic::Topic};

/// A message of the server to one session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    /// A ping; for a reader without WebSocket a sign of life.
    Ping,
    /// The session will be closed soon.
    Closing(Closing),
    /// Topics that may no longer be followed.
    Revoked(Vec<Topic>),
}

/// `{"type":"closing",…}`: the server is about to close the session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Closing {
    #[serde(rename = "type")]
    pub kind: &'static str,
    pub code: u16,
    /// The name of the code.
    pub reason: &'static str,
    /// The close frame follows within this many milliseconds.
    pub within_ms: u64,
    /// Wait a random part of this before coming back; absent where coming back is of no use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub come_back_within_ms: Option<u64>,
}

/// `{"type":"revoked",…}`: these topics were unsubscribed because the right to them is gone.
#[derive(Debug, Serialize, ToSchema)]
pub struct Revoked<'a> {
    #[serde(rename = "type")]
    pub kind: &'static str,
    #[schema(value_type = Vec<String>)]
    pub topics: &'a [Topic],
    pub code: &'static str,
}

/// Clients that are closed together must not come back at the same moment.
const COME_BACK_WITHIN_MS: u64 = 5_000;

impl Closing {
    /// Announces a close within this many milliseconds.
    #[must_use]
    pub fn soon(close: Close, within_ms: u64) -> Self {
        let come_back_within_ms = close.come_back().then_some(COME_BACK_WITHIN_MS);
        Self { kind: "closing", code: close.code(), reason: close.name(), within_ms, come_back_within_ms }
    }
}

impl Notice {
    /// The frame of a WebSocket session.
    #[must_use]
    pub fn frame(&self, encoding: Encoding) -> Option<Bytes> {
        match self {
            Self::Ping => Some(frame::ping()),
            Self::Closing(closing) => encoding.frame(closing),
            Self::Revoked(topics) => encoding.frame(&Revoked { kind: "revoked", topics, code: "forbidden" }),
        }
    }

    /// The message as JSON; `None` for a mere sign of life.
    #[must_use]
    pub fn json(&self) -> Option<Vec<u8>> {
        match self {
            Self::Ping => None,
            Self::Closing(closing) => Encoding::Json.write(closing),
            Self::Revoked(topics) => Encoding::Json.write(&Revoked { kind: "revoked", topics, code: "forbidden" }),
        }
    }
}
