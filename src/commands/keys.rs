//! What makes a command repeatable: the digest that tells commands under one id apart, and ids that a repetition makes again.

use serde::Serialize;

/// Tells one command from another under the same id: of the entity and the command's JSON.
#[must_use]
pub fn digest<C: Serialize>(entity: &str, command: &C) -> u64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(entity.as_bytes());
    hasher.update(&[0]);
    // A command is plain data, so writing it cannot fail; an empty text would only make repetitions look different.
    hasher.update(&serde_json::to_vec(command).unwrap_or_default());
    let hash = hasher.finalize();
    u64::from_le_bytes(*hash.as_bytes().first_chunk().expect("32 bytes hold 8 because a hash has a fixed length"))
}

/// An id that the same parts always make again; `kind` keeps ids of different things apart.
#[must_use]
pub fn derived_id(kind: &str, who: &str, key: &str) -> String {
    let mut hasher = blake3::Hasher::new_derive_key("aisled 2026 id of a thing made under an idempotency key");
    for part in [kind, who, key] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let hash = hasher.finalize();
    let bytes = *hash.as_bytes().first_chunk().expect("32 bytes hold 16 because a hash has a fixed length");
    uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_command_has_the_same_digest_only_for_the_same_entity() {
        assert_eq!(digest("a", &1), digest("a", &1));
        assert_ne!(digest("a", &1), digest("b", &1));
        assert_ne!(digest("a", &1), digest("a", &2));
    }

    #[test]
    fn an_id_made_under_a_key_is_made_again_by_a_repetition() {
        assert_eq!(derived_id("list", "local", "k1"), derived_id("list", "local", "k1"));
        assert_ne!(derived_id("list", "local", "k1"), derived_id("item", "local", "k1"));
        assert!(crate::domain::ids::check_id(&derived_id("list", "local", "k1")).is_ok());
    }
}
