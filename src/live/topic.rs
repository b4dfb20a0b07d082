//! What clients can subscribe to. A topic's text form is `kind:id`, for example `list:weekly`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{HouseholdId, ListId, ProductId, StoreId, StreamId, StreamKind, ids::IdError};

/// One subject that sessions listen to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// Events of a list, and its totals whenever they change.
    List(ListId),
    /// Events of a product, its prices among them.
    Product(ProductId),
    /// Deals of a store that begin, change or end.
    Deals(StoreId),
    /// Events of a household.
    Household(HouseholdId),
    /// Events of all orders of a household.
    Orders(HouseholdId),
    /// What concerns every session of this server.
    System,
}

/// Why a text is not a topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    #[error("unknown topic; the topics are list:<id>, product:<id>, deals:<store>, household:<id>, orders:<household> and system")]
    Unknown,
    #[error(transparent)]
    Id(#[from] IdError),
}

impl Topic {
    /// The topic that a stream's events belong to, `None` if it has no topic of its own.
    #[must_use]
    pub fn of_stream(stream: &StreamId) -> Option<Self> {
        let id = stream.id();
        match stream.kind() {
            StreamKind::List => ListId::new(id).ok().map(Self::List),
            StreamKind::Product => ProductId::new(id).ok().map(Self::Product),
            StreamKind::Household => HouseholdId::new(id).ok().map(Self::Household),
            StreamKind::System => Some(Self::System),
            StreamKind::Order | StreamKind::Store => None,
        }
    }

    /// The stream whose events are exactly this topic's events, `None` if they come from several streams or from none.
    #[must_use]
    pub fn stream(&self) -> Option<StreamId> {
        let (kind, id) = match self {
            Self::List(id) => (StreamKind::List, id.as_str()),
            Self::Product(id) => (StreamKind::Product, id.as_str()),
            Self::Household(id) => (StreamKind::Household, id.as_str()),
            Self::Deals(_) | Self::Orders(_) | Self::System => return None,
        };
        StreamId::new(kind, id).ok()
    }
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(id) => write!(f, "list:{id}"),
            Self::Product(id) => write!(f, "product:{id}"),
            Self::Deals(store) => write!(f, "deals:{store}"),
            Self::Household(id) => write!(f, "household:{id}"),
            Self::Orders(household) => write!(f, "orders:{household}"),
            Self::System => f.write_str("system"),
        }
    }
}

impl FromStr for Topic {
    type Err = TopicError;

    fn from_str(text: &str) -> Result<Self, TopicError> {
        if text == "system" {
            return Ok(Self::System);
        }
        let (kind, id) = text.split_once(':').ok_or(TopicError::Unknown)?;
        Ok(match kind {
            "list" => Self::List(id.parse()?),
            "product" => Self::Product(id.parse()?),
            "deals" => Self::Deals(id.parse()?),
            "household" => Self::Household(id.parse()?),
            "orders" => Self::Orders(id.parse()?),
            _ => return Err(TopicError::Unknown),
        })
    }
}

impl Serialize for Topic {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Topic {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use crate::live::topic::*;

    #[test]
    fn a_topic_reads_back_what_it_writes() {
        for text in ["list:weekly", "product:heissepreise:billa:12", "deals:billa", "household:h-1", "orders:complete-journey:7", "system"]
        {
            assert_eq!(text.parse::<Topic>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_text_that_names_no_topic_is_refused() {
        for text in ["", "list", "list:", "lists:x", "System", "system:", "list:a b", "deals", ":x", "list:\u{0}"] {
            assert!(text.parse::<Topic>().is_err(), "{text:?}");
        }
    }
}
