//! Who may do what. `table` is the one permission table; everybody asks [`Standing::may`], whichever way a request came. Pure: what
//! somebody is to a thing follows from the thing's own state and the roles that come with the request.

mod asker;
mod role;
mod standing;
mod table;
#[cfg(test)]
mod tests;

pub use asker::{Power, Reader, Rights, Roles};
pub use role::HouseholdRole;
pub use standing::Standing;
pub use table::{Action, PERMISSIONS, Permission, Subject};

use super::{Refusal, RefusalKind::Forbidden};

/// The answer to "may it?".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// It may know of the thing but not do this.
    Forbidden,
    /// It must not even learn that the thing exists.
    Hidden,
    /// Nobody signed in.
    SignIn,
}

impl Standing {
    /// Whether somebody of this standing may do it. The one function that every edge and every decider asks.
    #[must_use]
    pub fn may(self, action: Action) -> Verdict {
        let permission = action.permission();
        if permission.allowed.contains(&self) {
            return Verdict::Allowed;
        }
        if self == Self::Nobody {
            return Verdict::SignIn;
        }
        match permission.subject.seen_by() {
            Some(see) if !see.permission().allowed.contains(&self) => Verdict::Hidden,
            _ => Verdict::Forbidden,
        }
    }

    /// For deciders: `hidden` makes the refusal of a thing that does not exist.
    ///
    /// # Errors
    /// Not allowed, or not to be known of.
    pub fn check(self, action: Action, hidden: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
        match self.may(action) {
            Verdict::Allowed => Ok(()),
            Verdict::Forbidden => Err(self.not_permitted(action)),
            Verdict::Hidden | Verdict::SignIn => Err(hidden()),
        }
    }

    /// The refusal of something that this standing does not allow.
    #[must_use]
    pub fn not_permitted(self, action: Action) -> Refusal {
        let permission = action.permission();
        let who = permission.allowed.iter().filter(|standing| **standing != Self::Admin).map(|standing| standing.name());
        let who = who.collect::<Vec<_>>().join(", ");
        let who = if who.is_empty() { "an admin of this server".to_owned() } else { who };
        let detail = format!("you may not {}; this takes: {who}", permission.what);
        Refusal::new(Forbidden, "not_permitted", detail)
    }
}
