//! One push, encoded once for all its receivers and deflated at most once, by the first one that needs it.

use std::{fmt, sync::OnceLock};

use aisled_deflate as deflate;
use bytes::Bytes;
use serde::{Serialize, Serializer};

use super::{encoding::Encoding, frame};
use crate::{
    domain::{ProductId, StoreId},
    events::Position,
};

/// The key of a state; as text `totals`, `presence`, `price:<product>` or `price:<store>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Totals,
    Presence,
    /// Of a list: the price of one of its products.
    PriceOf(ProductId),
    /// Of a product: its price at a store.
    PriceAt(StoreId),
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Totals => f.write_str("totals"),
            Self::Presence => f.write_str("presence"),
            Self::PriceOf(product) => write!(f, "price:{product}"),
            Self::PriceAt(store) => write!(f, "price:{store}"),
        }
    }
}

impl Serialize for Key {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a push may be treated while it waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Class {
    /// Never merged, never dropped.
    Event,
    /// A newer one of the same channel and key replaces it.
    State(Key),
}

/// The form of one session's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wire {
    pub encoding: Encoding,
    /// Whether shared deflated frames may be sent.
    pub deflate: bool,
}

/// One push.
#[derive(Debug)]
pub struct Publication {
    pub class: Class,
    pub position: Position,
    /// The whole frames, by encoding; absent if nobody uses it.
    frames: [Option<Bytes>; 2],
    /// The same deflated; absent if that is not smaller.
    deflated: [OnceLock<Option<Bytes>>; 2],
}

impl Publication {
    /// A push encoded for its followers.
    #[must_use]
    pub fn new(class: Class, position: Position, frames: [Option<Bytes>; 2]) -> Self {
        Self { class, position, frames, deflated: Default::default() }
    }

    /// The frame for a session. `None` if nobody followed in its encoding when it was published: then the session's history includes it.
    #[must_use]
    pub fn frame(&self, wire: Wire) -> Option<&Bytes> {
        let plain = self.frames[wire.encoding as usize].as_ref()?;
        if !wire.deflate || plain.len() < deflate::THRESHOLD_BYTES {
            return Some(plain);
        }
        let deflate = || deflate::deflated(plain, deflate::THRESHOLD_BYTES, deflate::WINDOW_BITS_MAX);
        let deflated = self.deflated[wire.encoding as usize].get_or_init(deflate);
        Some(deflated.as_ref().unwrap_or(plain))
    }

    /// The message itself, as JSON.
    #[must_use]
    pub fn json(&self) -> Option<Bytes> {
        self.frames[Encoding::Json as usize].as_ref().map(frame::payload)
    }

    /// Bytes that it holds while it waits: those of the plain frame, whatever is sent.
    #[must_use]
    pub fn bytes(&self, encoding: Encoding) -> usize {
        self.frames[encoding as usize].as_ref().map_or(0, Bytes::len)
    }

    /// Bytes of all its frames.
    #[must_use]
    pub fn bytes_of_all(&self) -> usize {
        Encoding::ALL.into_iter().map(|encoding| self.bytes(encoding)).sum()
    }
}
