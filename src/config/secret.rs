//! A text that must never be printed.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::{ADMIN_TOKEN_CHARS_MIN, PASSPHRASE_CHARS_MAX, PASSPHRASE_CHARS_MIN};

/// A token or a passphrase. Debug and serialized forms hide it; compare with [`Secret::matches`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns whether a presented text is the secret. The time taken does not reveal how much of it was right.
    pub fn matches(&self, presented: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(presented.as_bytes())
    }

    /// The text itself, for sending it to a server or sealing with it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns whether the secret is long enough to protect anything, and fits into a header.
    pub(super) fn is_strong(&self) -> bool {
        self.0.len() >= ADMIN_TOKEN_CHARS_MIN && self.0.chars().all(|c| c.is_ascii_graphic())
    }

    /// Returns whether the secret is a passphrase that a backup takes.
    pub(super) fn is_passphrase(&self) -> bool {
        (PASSPHRASE_CHARS_MIN..=PASSPHRASE_CHARS_MAX).contains(&self.0.chars().count())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(hidden)")
    }
}
