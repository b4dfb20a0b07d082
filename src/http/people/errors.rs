//! What goes wrong with accounts, as problems. The one place that gives each a status.

use actix_web::http::StatusCode;

use crate::{
    http::error::Problem,
    oidc::OidcError,
    people::{InputError, InvitationError, PeopleError, SetupError, SignInError},
};

/// There is no such session, token, link or invitation (404).
#[must_use]
pub fn no_credential() -> Problem {
    PeopleError::UnknownCredential.into()
}

impl From<InputError> for Problem {
    fn from(error: InputError) -> Self {
        let pointer = match error {
            InputError::Login => "/login",
            InputError::Name => "/name",
            InputError::Role => "/role",
            InputError::PasswordShort | InputError::PasswordLong | InputError::PasswordCommon | InputError::Passphrase => "/password",
            InputError::Expiry => "/expires",
            InputError::NoScope => "/scopes",
        };
        Self::invalid(error.code(), pointer, error.to_string())
    }
}

impl From<PeopleError> for Problem {
    fn from(error: PeopleError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        match error {
            PeopleError::Input(error) => error.into(),
            PeopleError::LoginTaken | PeopleError::PrincipalTaken => Self::conflict(code, detail).at("/login"),
            PeopleError::SubjectTaken | PeopleError::LastWayIn | PeopleError::Inactive => Self::conflict(code, detail),
            PeopleError::LastAdmin | PeopleError::TooMany { .. } => Self::conflict(code, detail),
            PeopleError::UnknownAccount | PeopleError::UnknownCredential => Self::not_found(code, detail),
            PeopleError::Busy => Self::unavailable(code, detail, 1),
            PeopleError::Locked { .. } | PeopleError::Store(_) => {
                tracing::error!(%error, "the accounts cannot be read or written");
                Self::unavailable(code, "the accounts cannot be read or written now; the server's log says why", 30)
            }
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        match error {
            SignInError::Wrong => Self::new(StatusCode::UNAUTHORIZED, code, detail),
            SignInError::Throttled { retry_after } => Self::too_many(code, detail, retry_after),
            SignInError::Busy => Self::unavailable(code, detail, 1),
            SignInError::People(error) => error.into(),
        }
    }
}

impl From<InvitationError> for Problem {
    fn from(error: InvitationError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        match error {
            InvitationError::Unknown | InvitationError::NotBegun => Self::not_found(code, detail).at("/invitation"),
            InvitationError::Expired | InvitationError::Used => Self::new(StatusCode::GONE, code, detail).at("/invitation"),
            InvitationError::Throttled { retry_after } => Self::too_many(code, detail, retry_after),
            InvitationError::People(error) => error.into(),
        }
    }
}

impl From<SetupError> for Problem {
    fn from(error: SetupError) -> Self {
        let (code, detail) = (error.code(), error.to_string());
        match error {
            SetupError::Wrong | SetupError::CodeSpent => Self::new(StatusCode::FORBIDDEN, code, detail).at("/key"),
            SetupError::Throttled { retry_after } => Self::too_many(code, detail, retry_after),
            SetupError::Done => Self::conflict(code, detail),
            SetupError::People(error) => error.into(),
        }
    }
}

impl From<OidcError> for Problem {
    fn from(error: OidcError) -> Self {
        if let Some(cause) = error.cause() {
            tracing::warn!(cause, "the OpenID provider");
        }
        let (code, detail) = (error.code(), error.to_string());
        match error {
            OidcError::State | OidcError::CodeRefused => Self::malformed(code, detail),
            OidcError::Denied | OidcError::UnknownKey | OidcError::Token(_) => Self::new(StatusCode::FORBIDDEN, code, detail),
            OidcError::Unavailable(_) => Self::unavailable(code, detail, 10),
            OidcError::Busy => Self::unavailable(code, detail, 1),
        }
    }
}
