//! What others must know at once: open sockets of an ended credential are closed by them.

use std::sync::Arc;

use super::{People, credential::CredentialId};
use crate::domain::Principal;

/// What has ended. Told after it is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// A session, token or link no longer opens anything.
    Credential(CredentialId),
    /// An account was disabled; each of its credentials is named as well.
    Account(Principal),
}

/// One who is told.
pub(super) type Listener = Arc<dyn Fn(&Ended) + Send + Sync>;

impl People {
    /// Has something called after each end. It runs on the thread that made the change, without any lock, and must not block.
    pub fn on_end(&self, listener: impl Fn(&Ended) + Send + Sync + 'static) {
        self.inner.listeners.write().push(Arc::new(listener));
    }

    pub(super) fn tell(&self, ended: &[Ended]) {
        // A copy, so that a listener may add another.
        let listeners = self.inner.listeners.read().clone();
        ended.iter().for_each(|ended| listeners.iter().for_each(|listener| listener(ended)));
    }
}
