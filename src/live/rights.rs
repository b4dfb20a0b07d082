//! Who may follow what: one function of principal and topic, called when a topic is subscribed and again when rights change.

use std::time::Instant;

use super::topic::Topic;
use crate::{config::Config, domain::Principal};

/// What a token grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The principal it names; `None` if the request names it.
    pub who: Option<Principal>,
    /// When it ends; `None` if it does not.
    pub until: Option<Instant>,
}

/// The authorisation of live sessions. When an answer changes, call [`super::Hub::rights_changed`].
/// Calls must be fast and must not block: they run on the HTTP workers.
pub trait Rights: Send + Sync + 'static {
    /// Whether this principal may follow this topic.
    fn may_follow(&self, who: &Principal, topic: &Topic) -> bool;

    /// What a token grants; `None` if it is wrong or expired.
    fn admit(&self, token: &str) -> Option<Grant>;
}

/// The rights without accounts: every holder of the server's token, or everyone where none is needed, may see everything.
#[derive(Debug)]
pub struct OwnerRights {
    /// Hash of the admin token; absent if none is configured, and then none is required.
    token: Option<blake3::Hash>,
}

impl OwnerRights {
    /// The rights of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self { token: config.admin_token.as_ref().map(|token| blake3::hash(token.expose().as_bytes())) }
    }
}

impl Rights for OwnerRights {
    fn may_follow(&self, _who: &Principal, _topic: &Topic) -> bool {
        true
    }

    fn admit(&self, token: &str) -> Option<Grant> {
        // `blake3::Hash` compares in constant time.
        let fits = self.token.is_none_or(|expected| blake3::hash(token.as_bytes()) == expected);
        fits.then_some(Grant { who: None, until: None })
    }
}
