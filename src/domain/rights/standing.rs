//! What somebody is to the thing in question: a household, one of its lists or orders, or what the server shares.

use super::HouseholdRole;
use crate::domain::list::Role;

/// The columns of the permission table, most powerful first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Standing {
    /// An admin of this server, the local owner, and the server's own work.
    Admin,
    Owner,
    Adult,
    Child,
    Viewer,
    Guest,
    /// Holds a link to the list.
    Link,
    /// Is signed in, and has nothing to do with the thing.
    Stranger,
    /// Is not signed in.
    Nobody,
}

impl Standing {
    pub const ALL: [Self; 9] =
        [Self::Admin, Self::Owner, Self::Adult, Self::Child, Self::Viewer, Self::Guest, Self::Link, Self::Stranger, Self::Nobody];

    /// As documents and refusals name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Admin => "server admin",
            Self::Owner => "owner",
            Self::Adult => "adult",
            Self::Child => "child",
            Self::Viewer => "viewer",
            Self::Guest => "guest",
            Self::Link => "link",
            Self::Stranger => "stranger",
            Self::Nobody => "not signed in",
        }
    }

    /// The more powerful of two.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.min(other)
    }
}

impl From<HouseholdRole> for Standing {
    fn from(role: HouseholdRole) -> Self {
        match role {
            HouseholdRole::Owner => Self::Owner,
            HouseholdRole::Adult | HouseholdRole::Editor => Self::Adult,
            HouseholdRole::Child => Self::Child,
            HouseholdRole::Viewer => Self::Viewer,
            HouseholdRole::Guest => Self::Guest,
        }
    }
}

/// With whom a list is shared by name: its editors are to it what adults are to a household.
impl From<Role> for Standing {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Editor => Self::Adult,
            Role::Viewer => Self::Viewer,
        }
    }
}
