//! Streams and the closed set of everything that can happen.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    household::HouseholdEvent,
    ids::{IdError, check_id},
    list::ListEvent,
    order::OrderEvent,
    product::ProductEvent,
    store::StoreEvent,
    system::SystemEvent,
};

/// The kinds of entity, each with its own streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum StreamKind {
    List,
    Product,
    Order,
    Household,
    Store,
    /// The server itself, as its admins see it.
    System,
}

impl StreamKind {
    pub const ALL: [Self; 6] = [Self::List, Self::Product, Self::Order, Self::Household, Self::Store, Self::System];

    /// The text before the slash in a stream's name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Product => "product",
            Self::Order => "order",
            Self::Household => "household",
            Self::Store => "store",
            Self::System => "system",
        }
    }
}

/// The name of one entity's stream, such as `list/weekly`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    kind: StreamKind,
    id: Arc<str>,
}

impl StreamId {
    /// The stream of an entity; the id must already be checked (an id type's `as_str`).
    ///
    /// # Errors
    /// States which rule of an id is broken.
    pub fn new(kind: StreamKind, id: &str) -> Result<Self, IdError> {
        check_id(id)?;
        Ok(Self { kind, id: Arc::from(id) })
    }

    #[must_use]
    pub fn kind(&self) -> StreamKind {
        self.kind
    }

    /// The entity's id, without the kind.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.as_str(), self.id)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for StreamId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (kind, id) = text.split_once('/').ok_or(IdError::Stream)?;
        let kind = StreamKind::ALL.into_iter().find(|k| k.as_str() == kind).ok_or(IdError::Stream)?;
        Self::new(kind, id)
    }
}

impl Serialize for StreamId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StreamId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Everything that can be recorded: the closed set of event types.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    List(ListEvent),
    Product(ProductEvent),
    Order(OrderEvent),
    Household(HouseholdEvent),
    Store(StoreEvent),
    System(SystemEvent),
}

macro_rules! from_event {
    ($($variant:ident($event:ty)),*) => {$(
        impl From<$event> for Event {
            fn from(event: $event) -> Self {
                Self::$variant(event)
            }
        }
    )*};
}
from_event!(List(ListEvent), Product(ProductEvent), Order(OrderEvent), Household(HouseholdEvent), Store(StoreEvent), System(SystemEvent));

impl Event {
    /// The kind of stream it belongs to.
    #[must_use]
    pub fn kind(&self) -> StreamKind {
        match self {
            Self::List(_) => StreamKind::List,
            Self::Product(_) => StreamKind::Product,
            Self::Order(_) => StreamKind::Order,
            Self::Household(_) => StreamKind::Household,
            Self::Store(_) => StreamKind::Store,
            Self::System(_) => StreamKind::System,
        }
    }
}
