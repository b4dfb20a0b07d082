//! A text that must never be printed.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::ADMIN_TOKEN_CHARS_MIN;

/// A token. Debug and serialized forms hide it; compare with [`Secret::matches`].
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns whether a presented text is the secret. The time taken does not tell how much of it was right.
    pub fn matches(&self, presented: &str) -> bool {
        blake3::hash(self.0.as_bytes()) == blake3::hash(presented.as_bytes())
    }

    /// The text itself, for handing it on to a server.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Why the secret is too weak to protect anything, `None` if it is not.
    pub(super) fn weakness(&self) -> Option<String> {
        if let Some(odd) = self.0.chars().find(|c| !c.is_ascii_graphic()) {
            return Some(format!("holds {odd:?}; use visible ASCII characters without spaces"));
        }
        let chars = self.0.len();
        (chars < ADMIN_TOKEN_CHARS_MIN).then(|| format!("has {chars} characters, it must have at least {ADMIN_TOKEN_CHARS_MIN}"))
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
