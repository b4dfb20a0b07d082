//! What a request proves about its sender, whichever way it came.

use std::sync::LazyLock;

use super::CredentialId;
use crate::domain::{Moment, Principal, rights::Power};

/// The principal of the server's first owner: the one that all data has been recorded under since before there were accounts.
pub const OWNER: &str = "local";

/// The sender of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// In whose name it acts.
    pub who: Principal,
    /// The admin who acts for `who`, if anybody.
    pub by: Option<Principal>,
    pub power: Power,
    /// Whether its credential may change anything.
    pub writes: bool,
    /// What it showed; `None` for the local owner and the configured token.
    pub credential: Option<CredentialId>,
    /// When that ends.
    pub until: Option<Moment>,
}

impl Identity {
    /// The server's owner, by reaching it over the loopback or by the configured token.
    #[must_use]
    pub fn owner() -> Self {
        static OWNER_NAME: LazyLock<Principal> =
            LazyLock::new(|| Principal::new(OWNER).expect("the text is a valid id because it has five letters"));
        Self { who: OWNER_NAME.clone(), by: None, power: Power::Admin, writes: true, credential: None, until: None }
    }

    /// Somebody with an account.
    #[must_use]
    pub fn account(who: Principal) -> Self {
        Self { who, power: Power::Account, ..Self::owner() }
    }

    /// Somebody without a credential.
    #[must_use]
    pub fn nobody() -> Self {
        static NOBODY: LazyLock<Principal> =
            LazyLock::new(|| Principal::new("nobody").expect("the text is a valid id because it has six letters"));
        Self { who: NOBODY.clone(), power: Power::Nobody, writes: false, ..Self::owner() }
    }

    /// The same sender acting for somebody else, with that person's rights.
    #[must_use]
    pub fn acting_for(self, who: Principal) -> Self {
        if who == self.who {
            return self;
        }
        Self { by: Some(self.who), who, power: Power::Account, ..self }
    }
}
