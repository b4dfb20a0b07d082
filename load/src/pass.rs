//! In whose name a world's requests are sent.

/// What every request of a world presents, and whose its lists are. By default they are the local owner's own.
#[derive(Debug, Clone, Default)]
pub struct Pass {
    pub token: Option<String>,
    pub household: Option<String>,
}

impl Pass {
    /// The token of the server's owner.
    pub fn of_owner(token: &str) -> Self {
        Self { token: Some(token.to_owned()), household: None }
    }

    /// The local owner, with lists of the same household.
    pub fn without_token(&self) -> Self {
        Self { token: None, ..self.clone() }
    }
}
