//! What a presented secret opens, held in memory because every request asks.

use std::{
    fmt,
    str::FromStr,
    sync::atomic::{AtomicBool, AtomicI64, Ordering::Relaxed},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{
    errors::CredentialError,
    scopes::Scopes,
    secret::{Kind, SecretHash, random},
};
use crate::{
    domain::{ListId, Moment, Principal},
    people::People,
};

/// The kinds of secrets that [`People::check`] knows.
const CHECKED: [Kind; 3] = [Kind::Session, Kind::Token, Kind::Link];

impl People {
    /// What a presented secret opens now. Costs a hash and a read lock, and writes nothing to disk.
    pub fn check(&self, secret: &str, now: Moment) -> Result<std::sync::Arc<Credential>, CredentialError> {
        let hash = SecretHash::presented(secret, &CHECKED).ok_or(CredentialError::Unknown)?;
        let credential = self.inner.memory.read().credentials.get(&hash).cloned().ok_or(CredentialError::Unknown)?;
        credential.use_at(now)?;
        Ok(credential)
    }
}

/// A session, token or link that is in force.
#[derive(Debug)]
pub struct Credential {
    /// Its public name.
    pub id: CredentialId,
    /// Who it stands for, or what it opens.
    pub grants: Grants,
    /// When it ends at the latest.
    pub until: Option<Moment>,
    /// How long it may rest, in microseconds; zero for any time.
    pub(super) idle: i64,
    /// The last use in microseconds; zero for never.
    seen: AtomicI64,
    /// The last use that is on disk.
    pub(super) written: AtomicI64,
    /// The person who made it is disabled.
    pub(super) blocked: AtomicBool,
}

/// What a credential grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Grants {
    /// All that a person may do.
    Session { who: Principal },
    /// What a person may do, within the scopes. Whether that person is still an admin is asked of the account.
    Token { who: Principal, scopes: Scopes },
    /// To read one list.
    Link { list: ListId, by: Principal },
}

impl Credential {
    /// A credential that was last used, or not yet.
    pub(super) fn new(id: CredentialId, grants: Grants, until: Option<Moment>, idle: i64, seen: Option<Moment>) -> Self {
        let seen = seen.map_or(0, |seen| seen.0);
        Self { id, grants, until, idle, seen: seen.into(), written: seen.into(), blocked: false.into() }
    }

    /// The last use.
    pub fn last_seen(&self) -> Option<Moment> {
        let seen = self.seen.load(Relaxed);
        (seen != 0).then_some(Moment(seen))
    }

    /// Notes a use, if the credential is in force. Nothing is ended here: after a clock that jumped and came back it is in force again.
    fn use_at(&self, now: Moment) -> Result<(), CredentialError> {
        if self.is_over(now) {
            return Err(CredentialError::Expired);
        }
        if self.blocked.load(Relaxed) {
            return Err(CredentialError::Disabled);
        }
        self.seen.store(now.0, Relaxed);
        Ok(())
    }

    /// Returns whether it has ended or rested too long.
    pub(super) fn is_over(&self, now: Moment) -> bool {
        let rested = now.0.saturating_sub(self.seen.load(Relaxed));
        self.until.is_some_and(|until| now >= until) || (self.idle > 0 && rested >= self.idle)
    }
}

/// The public name of a session, token, link or invitation: 16 hexadecimal digits, random.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CredentialId(u64);

impl CredentialId {
    pub(super) fn new() -> Self {
        Self(u64::from_le_bytes(random()))
    }
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A text that is not the name of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a credential is named by 16 hexadecimal digits")]
pub struct CredentialIdError;

impl FromStr for CredentialId {
    type Err = CredentialIdError;

    fn from_str(text: &str) -> Result<Self, CredentialIdError> {
        let is_id = text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f'));
        if is_id { u64::from_str_radix(text, 16).map(Self).map_err(|_| CredentialIdError) } else { Err(CredentialIdError) }
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CredentialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
