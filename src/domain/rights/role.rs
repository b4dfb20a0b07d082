//! What a member is in a household.

use serde::{Deserialize, Serialize};

/// What a member is in a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HouseholdRole {
    /// Everything, members and invitations included.
    Owner,
    /// Everything but members. Called `editor` before there were accounts.
    #[serde(alias = "editor")]
    Adult,
    /// Sees the household and its lists; adds and ticks items.
    Child,
    /// Sees everything, changes nothing.
    Viewer,
    /// Sees only the lists that were shared with it by name.
    Guest,
}

impl HouseholdRole {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Adult, Self::Child, Self::Viewer, Self::Guest];

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Adult => "adult",
            Self::Child => "child",
            Self::Viewer => "viewer",
            Self::Guest => "guest",
        }
    }
}

impl std::str::FromStr for HouseholdRole {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::name).join(", ");
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| format!("a role is one of {}", names()))
    }
}
