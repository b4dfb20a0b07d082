//! What a request proves about its sender, whichever way it came.

use std::sync::LazyLock;

use super::{Credential, CredentialId, Grants, Scope};
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
    /// Who made the link that it holds: the link is worth what its maker may do now.
    pub lent_by: Option<Principal>,
    pub power: Power,
    /// Whether its credential may read.
    pub reads: bool,
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
        Self {
            who: OWNER_NAME.clone(),
            by: None,
            lent_by: None,
            power: Power::Admin,
            reads: true,
            writes: true,
            credential: None,
            until: None,
        }
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
        Self { who: NOBODY.clone(), power: Power::Nobody, reads: false, writes: false, ..Self::owner() }
    }

    /// What a session, token or link stands for. `is_admin` tells the accounts of admins.
    #[must_use]
    pub fn of(credential: &Credential, is_admin: impl Fn(&Principal) -> bool) -> Self {
        let (id, until) = (Some(credential.id), credential.until);
        let power = |who: &Principal, admin: bool| if admin && is_admin(who) { Power::Admin } else { Power::Account };
        let (who, power, reads, writes) = match &credential.grants {
            Grants::Session { who } => (who.clone(), power(who, true), true, true),
            Grants::Token { who, scopes } => {
                (who.clone(), power(who, scopes.has(Scope::Admin)), scopes.has(Scope::Read), scopes.has(Scope::Write))
            }
            Grants::Link { list, .. } => (guest(credential.id), Power::Link(list.clone()), true, false),
        };
        let lent_by = match &credential.grants {
            Grants::Link { by, .. } => Some(by.clone()),
            Grants::Session { .. } | Grants::Token { .. } => None,
        };
        Self { who, by: None, lent_by, power, reads, writes, credential: id, until }
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

/// How somebody who only holds a link is called.
fn guest(id: CredentialId) -> Principal {
    Principal::new(&format!("link-{id}")).expect("the text is a valid id because it has 21 letters, digits and a hyphen")
}
