//! The provider's public keys (RFC 7517).

use std::sync::Arc;

use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{Jwk, PublicKeyUse},
};
use serde::Deserialize;

use super::{OidcError, discovery::is_fresh, web::Web};

/// Seconds between two fetches because of a key that is not known: anybody may send tokens with such keys.
const AGAIN_SECONDS: i64 = 60;
/// Keys of a provider that are looked at.
const KEYS_MAX: usize = 64;

/// A key with what its owner says of it.
pub struct Key {
    id: Option<String>,
    algorithm: Option<String>,
    pub public: DecodingKey,
}

/// All keys of one fetch.
pub type Keys = Arc<Vec<Key>>;

/// The keys that are kept.
#[derive(Default)]
pub struct Keyring {
    keys: Option<(Keys, i64)>,
    asked: Option<i64>,
}

impl Keyring {
    /// The keys, unless they are too old.
    pub fn fresh(&self, now: i64) -> Option<Keys> {
        self.keys.as_ref().filter(|(_, read)| is_fresh(*read, now)).map(|(keys, _)| Arc::clone(keys))
    }

    /// Whether it is long enough since the last fetch.
    pub fn may_fetch(&self, now: i64) -> bool {
        self.asked.is_none_or(|asked| !(0..AGAIN_SECONDS).contains(&now.saturating_sub(asked)))
    }

    /// Notes a fetch, whether or not it succeeds.
    pub fn asked(&mut self, now: i64) {
        self.asked = Some(now);
    }

    /// Keeps keys.
    pub fn keep(&mut self, keys: &Keys, now: i64) {
        self.keys = Some((Arc::clone(keys), now));
    }
}

impl Key {
    /// Whether the key may have signed a token with this header.
    pub fn fits(&self, id: Option<&str>, algorithm: Algorithm) -> bool {
        let is_named = id.is_none_or(|id| self.id.as_deref() == Some(id));
        let is_for = self.algorithm.as_ref().is_none_or(|own| *own == format!("{algorithm:?}"));
        is_named && is_for && self.public.family() == algorithm.family()
    }

    /// A key that can be read and is for signatures.
    fn of(value: serde_json::Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let is_for_signatures = matches!(jwk.common.public_key_use, None | Some(PublicKeyUse::Signature));
        let public = DecodingKey::from_jwk(&jwk).ok().filter(|_| is_for_signatures)?;
        Some(Self { id: jwk.common.key_id, algorithm: jwk.common.key_algorithm.map(|algorithm| algorithm.to_string()), public })
    }
}

/// The keys of a document; those that cannot be used are left out, so that a new kind of key harms nobody.
pub fn read(document: Document) -> Keys {
    Arc::new(document.keys.into_iter().take(KEYS_MAX).filter_map(Key::of).collect())
}

/// A key set as it is sent.
#[derive(Deserialize)]
pub struct Document {
    keys: Vec<serde_json::Value>,
}

/// Fetches the keys.
pub fn fetch(web: &Web, address: &str) -> Result<Keys, OidcError> {
    web.get(address).map(read)
}
