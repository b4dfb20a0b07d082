//! Who does an admin action.

use crate::domain::Principal;

/// The principal of an admin action, and who sent it.
#[derive(Debug, Clone)]
pub struct Admin {
    pub who: Principal,
    /// Who really sent it, acting for `who`.
    pub by: Option<Principal>,
}

impl From<Principal> for Admin {
    /// One that acts for itself.
    fn from(who: Principal) -> Self {
        Self { who, by: None }
    }
}
