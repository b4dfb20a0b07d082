//! What comes with a request: the power of its credential, and the roles that this power stands for.

use std::{collections::BTreeMap, sync::Arc};

use super::{HouseholdRole, Standing};
use crate::domain::{
    HouseholdId, ListId, Principal,
    list::{List, Role},
};

/// What a credential stands for. Constant as long as the credential lasts; the roles behind it are looked up at each request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Power {
    /// An admin of this server, or the local owner.
    Admin,
    /// An account, with the roles that its households gave it.
    Account,
    /// A link to one list, without an account.
    Link(ListId),
    /// No credential.
    Nobody,
}

/// What a request may use: the power of its credential with the roles of this moment.
#[derive(Debug, Clone)]
pub enum Rights {
    Admin,
    Account(Arc<Roles>),
    Link(ListId),
    Nobody,
}

/// Who reads, with which rights.
#[derive(Debug, Clone)]
pub struct Reader {
    pub who: Principal,
    pub rights: Rights,
}

impl Reader {
    /// Of the server's own work, and of its admins: sees everything.
    #[must_use]
    pub fn admin(who: Principal) -> Self {
        Self { who, rights: Rights::Admin }
    }
}

/// An account's roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roles {
    pub households: BTreeMap<HouseholdId, HouseholdRole>,
    /// Its best role. In no household, an account that an admin made is its own master, and one that was invited is a stranger.
    pub best: Standing,
    /// What it is to the catalogue that the server shares.
    pub catalog: Standing,
}

impl Rights {
    /// An account that is in no household.
    #[must_use]
    pub fn alone() -> Self {
        Self::Account(Arc::new(Roles::new(BTreeMap::new(), false, false)))
    }

    /// What somebody with these rights is to a household.
    #[must_use]
    pub fn in_household(&self, household: &HouseholdId) -> Standing {
        match self {
            Self::Admin => Standing::Admin,
            Self::Account(roles) => roles.households.get(household).map_or(Standing::Stranger, |role| (*role).into()),
            Self::Link(_) => Standing::Stranger,
            Self::Nobody => Standing::Nobody,
        }
    }

    /// What somebody is to a list: by its household, and by its own members. Deciders do not know the list's id; a link, which
    /// changes nothing, is a stranger to them.
    #[must_use]
    pub fn on_list(&self, who: &Principal, list: &List) -> Standing {
        self.on_list_of(list.household.as_ref(), list.members.get(who).copied())
    }

    /// As `on_list`, of the list's household and of what the list's own members say of somebody.
    #[must_use]
    pub fn on_list_of(&self, household: Option<&HouseholdId>, own: Option<Role>) -> Standing {
        match self {
            Self::Admin => Standing::Admin,
            Self::Account(_) => {
                let own = own.map_or(Standing::Stranger, Standing::from);
                household.map_or(Standing::Stranger, |household| self.through(household)).or(own)
            }
            Self::Link(_) => Standing::Stranger,
            Self::Nobody => Standing::Nobody,
        }
    }

    /// What somebody is to a thing of a household; a guest of the household is a stranger to it.
    #[must_use]
    pub fn through(&self, household: &HouseholdId) -> Standing {
        match self.in_household(household) {
            Standing::Guest => Standing::Stranger,
            other @ (Standing::Admin
            | Standing::Owner
            | Standing::Adult
            | Standing::Child
            | Standing::Viewer
            | Standing::Link
            | Standing::Stranger
            | Standing::Nobody) => other,
        }
    }

    /// What somebody is to an order: by its household. One without a household, as imports make them, is the admins' alone.
    #[must_use]
    pub fn on_order(&self, household: Option<&HouseholdId>) -> Standing {
        match (self, household) {
            (Self::Account(_), Some(household)) => self.through(household),
            (Self::Account(_) | Self::Link(_), _) => Standing::Stranger,
            (Self::Admin, _) => Standing::Admin,
            (Self::Nobody, _) => Standing::Nobody,
        }
    }

    /// What somebody is where there is no thing yet: to found a household or a list of one's own.
    #[must_use]
    pub fn by_itself(&self) -> Standing {
        match self {
            Self::Account(roles) => roles.best,
            other @ (Self::Admin | Self::Link(_) | Self::Nobody) => other.to_catalog(),
        }
    }

    /// What somebody is to what the server shares.
    #[must_use]
    pub fn to_catalog(&self) -> Standing {
        match self {
            Self::Admin => Standing::Admin,
            Self::Account(roles) => roles.catalog,
            Self::Link(_) => Standing::Link,
            Self::Nobody => Standing::Nobody,
        }
    }
}

impl Roles {
    /// The roles of an account; its best one counts for the catalogue. `admins_only` keeps everybody else from changing the catalogue.
    #[must_use]
    pub fn new(households: BTreeMap<HouseholdId, HouseholdRole>, invited: bool, admins_only: bool) -> Self {
        let best = households.values().map(|role| Standing::from(*role)).min();
        // A child who leaves its household does not become an adult by that.
        let best = best.unwrap_or(if invited { Standing::Stranger } else { Standing::Adult });
        let catalog = if admins_only { best.max(Standing::Child) } else { best };
        Self { households, best, catalog }
    }
}
