//! What can go wrong with a provider. Every error has a stable code and a sentence, and names no secret.

/// Why somebody is not signed in by the provider.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    #[error("this sign-in was not begun in this browser, was finished, or took more than ten minutes: begin again")]
    State,
    #[error("the provider did not sign you in")]
    Denied,
    #[error("the provider refuses this sign-in: begin again")]
    CodeRefused,
    /// The cause is for the log.
    #[error("the provider cannot be reached or does not work now: try again later, or sign in with your password")]
    Unavailable(String),
    #[error("too many people are signing in by the provider: try again in a moment")]
    Busy,
    #[error("the provider's answer proves nothing: a key is not known")]
    UnknownKey,
    /// What is wrong with the token, for the log.
    #[error("the provider's answer proves nothing; the server's log says why")]
    Token(&'static str),
}

impl OidcError {
    /// The stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::State => "oidc_state",
            Self::Denied => "oidc_denied",
            Self::CodeRefused => "oidc_code_refused",
            Self::Unavailable(_) => "oidc_unavailable",
            Self::Busy => "oidc_busy",
            Self::UnknownKey | Self::Token(_) => "oidc_token_refused",
        }
    }

    /// The cause, for the operator.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        match self {
            Self::Unavailable(cause) => Some(cause),
            Self::Token(cause) => Some(cause),
            Self::UnknownKey => Some("no key of the provider fits the token"),
            Self::State | Self::Denied | Self::CodeRefused | Self::Busy => None,
        }
    }
}
