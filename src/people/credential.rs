//! Why a credential proves nothing.

/// Why a credential proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("this token is not known here: it may be wrong, or revoked")]
    Unknown,
    #[error("this token has expired")]
    Expired,
    #[error("this account is disabled")]
    Disabled,
}

impl CredentialError {
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Unknown => "not_authenticated",
            Self::Expired => "token_expired",
            Self::Disabled => "account_disabled",
        }
    }
}
