//! What a member is in a household.

use serde::{Deserialize, Serialize};

/// What a member is in a household.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HouseholdRole {
    /// Everything, members and invitations included.
    Owner,
    /// Everything but members.
    Adult,
    /// An adult, as events from before there were accounts say it. They are written again as they are, so that a log keeps its hashes.
    Editor,
    /// Sees the household and its lists; adds and ticks items.
    Child,
    /// Sees everything, changes nothing.
    Viewer,
    /// Sees only the lists that were shared with it by name.
    Guest,
}

impl HouseholdRole {
    pub const ALL: [Self; 5] = [Self::Owner, Self::Adult, Self::Child, Self::Viewer, Self::Guest];

    /// The role as it is called now: new events, states and answers hold only these.
    #[must_use]
    pub fn current(self) -> Self {
        match self {
            Self::Editor | Self::Adult => Self::Adult,
            Self::Owner => Self::Owner,
            Self::Child => Self::Child,
            Self::Viewer => Self::Viewer,
            Self::Guest => Self::Guest,
        }
    }

    /// As it is written.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Adult | Self::Editor => "adult",
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
