//! Streams and the closed set of everything that can happen.

use std::{fmt, str::FromStr, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    entities::entities,
    ids::{IdError, check_id},
};

macro_rules! closed_sets {
    ($($variant:ident $directory:ident $name:literal $module:ident $entity:ident $event:ident;)*) => {
        /// The kinds of entity, each with its own streams. `System` is the server itself, as its admins see it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum StreamKind {
            $($variant,)*
        }

        impl StreamKind {
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The token before the slash in a stream's name.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }

        /// Everything that can be recorded: the closed set of event types.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Event {
            $($variant(super::$module::$event),)*
        }

        impl Event {
            /// The kind of stream it belongs to.
            #[must_use]
            pub fn kind(&self) -> StreamKind {
                match self {
                    $(Self::$variant(_) => StreamKind::$variant,)*
                }
            }
        }

        $(impl From<super::$module::$event> for Event {
            fn from(event: super::$module::$event) -> Self {
                Self::$variant(event)
            }
        }

        impl EventContent for super::$module::$event {
            fn of(event: &Event) -> Option<&Self> {
                if let Event::$variant(content) = event { Some(content) } else { None }
            }
        })*
    };
}

entities!(each closed_sets);

/// The event of one kind of entity, inside the closed set.
pub trait EventContent: Into<Event> {
    /// The content of an event, `None` if it is of another kind of entity.
    fn of(event: &Event) -> Option<&Self>;
}

impl StreamKind {
    /// The kind of this name.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
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
        Self::new(StreamKind::of_name(kind).ok_or(IdError::Stream)?, id)
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
