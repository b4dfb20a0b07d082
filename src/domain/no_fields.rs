//! Commands without fields, such as `{"op": "archive"}`, refuse unknown fields like all others.

use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NoFields {}

/// For `deserialize_with` on a variant without fields: by default serde ignores whatever else such a command holds.
///
/// # Errors
/// Names the first field there is.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    NoFields::deserialize(deserializer).map(|NoFields {}| ())
}
