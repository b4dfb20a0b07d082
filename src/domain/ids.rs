//! Entity ids: short, safe text that a client may choose, typed per entity so that none is mistaken for another.
//! Validated once at the edge; after that the type is the proof.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize};

/// The longest id accepted, in bytes (ids are ASCII, so also in characters).
const ID_BYTES_MAX: usize = 64;

/// [`check_new_id`] as a regular expression, without looking ahead, which not every reader of patterns can.
const ID_PATTERN: &str = r"^([A-Za-z0-9_:-][A-Za-z0-9._:-]{0,63}|\.[A-Za-z0-9_:-][A-Za-z0-9._:-]{0,62}|\.\.[A-Za-z0-9._:-]{1,62})$";

/// Why a text is not an id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    #[error("an id must have 1 to {ID_BYTES_MAX} characters; this one has {0}")]
    Length(usize),
    #[error("an id may contain only A-Z a-z 0-9 . _ : and -; this one contains {0:?}")]
    Character(char),
    #[error("an id must not be \".\" or \"..\": in an address both name a folder")]
    Dots,
    #[error("a stream is a kind and an id, such as list/weekly")]
    Stream,
}

/// Checks a text that a client chose as an id: 1–64 of `A-Z a-z 0-9 . _ : -`, but neither `.` nor `..`, which clients and proxies take out
/// of a path.
///
/// # Errors
/// States which rule is broken.
pub fn check_new_id(text: &str) -> Result<(), IdError> {
    if matches!(text, "." | "..") { Err(IdError::Dots) } else { check_id(text) }
}

/// Checks a text against the rule of stored ids, which once allowed `.` and `..`.
///
/// # Errors
/// States which rule is broken.
pub fn check_id(text: &str) -> Result<(), IdError> {
    if text.is_empty() || text.len() > ID_BYTES_MAX {
        return Err(IdError::Length(text.chars().count()));
    }
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
    match text.bytes().position(|byte| !is_allowed(byte)) {
        // Everything before it is ASCII, so a character begins there.
        Some(at) => Err(IdError::Character(text[at..].chars().next().unwrap_or_default())),
        None => Ok(()),
    }
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Accepts a text that is a valid id, or was one when it was stored; what a client sends is parsed instead.
            ///
            /// # Errors
            /// States which rule of [`check_id`] is broken.
            pub fn new(text: &str) -> Result<Self, IdError> {
                check_id(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // A visitor, because a borrowed text needs no copy of its own on the way: replay reads millions of ids.
                struct Text {
                    /// Stored forms are binary, and hold what was once accepted.
                    is_stored: bool,
                }
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str("an id")
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        if self.is_stored { $name::new(text) } else { text.parse() }.map_err(E::custom)
                    }
                }
                let is_stored = !deserializer.is_human_readable();
                deserializer.deserialize_str(Text { is_stored })
            }
        }

        impl utoipa::PartialSchema for $name {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                utoipa::openapi::ObjectBuilder::new()
                    .schema_type(utoipa::openapi::schema::Type::String)
                    .max_length(Some(ID_BYTES_MAX))
                    .pattern(Some(ID_PATTERN))
                    .into()
            }
        }

        impl utoipa::ToSchema for $name {}

        impl std::str::FromStr for $name {
            type Err = IdError;

            /// Accepts what a client may choose.
            fn from_str(text: &str) -> Result<Self, IdError> {
                check_new_id(text)?;
                Self::new(text)
            }
        }
    };
}

id_type!(/// A shopping list.
    ListId);
id_type!(/// One item of a list; a re-added item gets a new one.
    ItemId);
id_type!(/// A product, as one source or shop knows it.
    ProductId);
id_type!(/// A shop, or one sales channel of it.
    StoreId);
id_type!(/// An order: a basket, receipt or delivery.
    OrderId);
id_type!(/// A household: the people who share lists and a budget.
    HouseholdId);
id_type!(/// An offer announced for a product.
    OfferId);
id_type!(/// Who acts: a person, a device or a job.
    Principal);
id_type!(/// The device or program a command came from, such as `kitchen-tablet` or `firefox`.
    ClientId);
id_type!(/// The text a client names a command by, so that it can be repeated safely.
    CommandId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_alone_name_nothing_new_and_are_still_read_where_they_are_stored() {
        for dots in [".", ".."] {
            assert_eq!(dots.parse::<ListId>(), Err(IdError::Dots));
            assert!(serde_json::from_str::<ItemId>(&format!("{dots:?}")).is_err());
            let stored = rmp_serde::to_vec(dots).expect("text can be stored");
            assert_eq!(rmp_serde::from_slice::<OfferId>(&stored).expect("it was accepted once").as_str(), dots);
        }
        for fine in ["...", "a.", ".a", "1.2"] {
            assert!(fine.parse::<ListId>().is_ok(), "{fine}");
        }
    }
}
