//! Who may follow what: one function of identity and topic, called when a topic is subscribed and again when rights change.

use std::time::Instant;

use super::topic::Topic;
use crate::people::Identity;

/// What a token grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    pub identity: Identity,
    /// When it ends; `None` if it does not.
    pub until: Option<Instant>,
}

/// The authorisation of live sessions. When an answer changes, call [`super::Hub::rights_changed`]; when a credential ends,
/// [`super::Hub::sign_out`]. Calls must be fast and must not block: they run on the HTTP workers.
pub trait Rights: Send + Sync + 'static {
    /// Whether this sender may follow this topic.
    fn may_follow(&self, identity: &Identity, topic: &Topic) -> bool;

    /// What a token grants; `None` if it is wrong or expired.
    fn admit(&self, token: &str) -> Option<Grant>;

    /// Somebody joined or left a household, or got another role there. The views have it already.
    fn memberships_changed(&self);
}
