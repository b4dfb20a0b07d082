//! What can go wrong with accounts and credentials. Every error has a stable code and a sentence, and names no secret.

use std::{sync::Arc, time::Duration};

/// Why the store cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    #[error("{file} is open in another process")]
    Locked { file: Arc<str> },
    #[error("{file} is damaged: {detail}. Restore a backup of the accounts into an empty folder")]
    Damaged { file: Arc<str>, detail: String },
    #[error("{file} cannot be read or written: {detail}")]
    Failed { file: Arc<str>, detail: String },
}

/// Why a text that somebody entered is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InputError {
    #[error("a login has 1 to 64 of the characters a-z 0-9 . _ - @ +")]
    Login,
    #[error("a name has 1 to 80 characters, without control characters and marks that change the direction of writing")]
    Name,
    #[error("a role has 1 to 64 characters, without control characters")]
    Role,
    #[error("a password has at least 8 characters")]
    PasswordShort,
    #[error("a password has at most 256 characters")]
    PasswordLong,
    #[error("this password is among the commonest, or equals the login or the name")]
    PasswordCommon,
    #[error("the end must be in the future, and not later than this kind of credential may last")]
    Expiry,
    #[error("a token needs at least one scope")]
    NoScope,
    #[error("a passphrase has 12 to 256 characters")]
    Passphrase,
}

/// Why an account or a credential is not changed or shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PeopleError {
    #[error("{file} is open in another process")]
    Locked { file: Arc<str> },
    #[error("{0}")]
    Store(StoreError),
    #[error("{0}")]
    Input(#[from] InputError),
    #[error("this login belongs to another account")]
    LoginTaken,
    #[error("this principal has an account")]
    PrincipalTaken,
    #[error("this identity of the provider belongs to another account")]
    SubjectTaken,
    #[error("without the provider nobody could sign in to this account: set a password first")]
    LastWayIn,
    #[error("there is no such account")]
    UnknownAccount,
    #[error("this account is disabled, or its invitation is not accepted yet")]
    Inactive,
    #[error("the last enabled admin must stay one")]
    LastAdmin,
    #[error("there is no such session, token, link or invitation")]
    UnknownCredential,
    #[error("there are {max} of these already: end one first")]
    TooMany { max: usize },
    #[error("too many passwords are being checked: try again in a moment")]
    Busy,
}

impl From<StoreError> for PeopleError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Locked { file } => Self::Locked { file },
            StoreError::Damaged { .. } | StoreError::Failed { .. } => Self::Store(error),
        }
    }
}

/// Why a presented credential opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    #[error("this credential is unknown or was revoked")]
    Unknown,
    #[error("this credential has expired")]
    Expired,
    #[error("the account of this credential is disabled")]
    Disabled,
}

/// Why a sign-in fails. An unknown login, a wrong password and a disabled account are one error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    #[error("login or password is wrong")]
    Wrong,
    #[error("too many attempts: try again in {} s", retry_after.as_secs().saturating_add(1))]
    Throttled { retry_after: Duration },
    #[error("too many passwords are being checked: try again in a moment")]
    Busy,
    #[error("{0}")]
    People(PeopleError),
}

impl From<PeopleError> for SignInError {
    fn from(error: PeopleError) -> Self {
        if error == PeopleError::Busy { Self::Busy } else { Self::People(error) }
    }
}

/// Why an invitation is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvitationError {
    #[error("this invitation is unknown or was revoked")]
    Unknown,
    #[error("this invitation has expired")]
    Expired,
    #[error("this invitation was used")]
    Used,
    #[error("nobody has begun to accept this invitation")]
    NotBegun,
    #[error("too many codes were tried: try again in {} s", retry_after.as_secs().saturating_add(1))]
    Throttled { retry_after: Duration },
    #[error("{0}")]
    People(#[from] PeopleError),
}

/// Why the first account is not created.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    #[error("link or code is wrong")]
    Wrong,
    #[error("too many wrong codes: only the link works until the next start")]
    CodeSpent,
    #[error("too many codes were tried: try again in {} s", retry_after.as_secs().saturating_add(1))]
    Throttled { retry_after: Duration },
    #[error("the server is set up")]
    Done,
    #[error("{0}")]
    People(#[from] PeopleError),
}

/// Why a backup is not written or not restored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BackupError {
    #[error("this is not a backup of accounts")]
    Foreign,
    #[error("this backup was written by a newer version")]
    Newer,
    #[error("the passphrase is wrong, or the backup is damaged")]
    Sealed,
    #[error("a backup is restored only where there are no accounts, credentials or invitations")]
    NotEmpty,
    #[error("{0}")]
    People(#[from] PeopleError),
}

impl StoreError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "people_locked",
            Self::Damaged { .. } => "people_damaged",
            Self::Failed { .. } => "people_failed",
        }
    }
}

impl InputError {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Login => "login_invalid",
            Self::Name => "name_invalid",
            Self::Role => "role_invalid",
            Self::PasswordShort => "password_too_short",
            Self::PasswordLong => "password_too_long",
            Self::PasswordCommon => "password_too_common",
            Self::Expiry => "expiry_invalid",
            Self::NoScope => "scopes_empty",
            Self::Passphrase => "passphrase_invalid",
        }
    }
}

impl PeopleError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Locked { .. } => "people_locked",
            Self::Store(error) => error.code(),
            Self::Input(error) => error.code(),
            Self::LoginTaken => "login_taken",
            Self::PrincipalTaken => "principal_taken",
            Self::SubjectTaken => "subject_taken",
            Self::LastWayIn => "last_way_in",
            Self::UnknownAccount => "account_unknown",
            Self::Inactive => "account_inactive",
            Self::LastAdmin => "last_admin",
            Self::UnknownCredential => "credential_not_found",
            Self::TooMany { .. } => "credentials_too_many",
            Self::Busy => "sign_in_busy",
        }
    }
}

impl CredentialError {
    /// The stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unknown => "credential_unknown",
            Self::Expired => "credential_expired",
            Self::Disabled => "credential_disabled",
        }
    }
}

impl SignInError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "sign_in_wrong",
            Self::Throttled { .. } => "sign_in_throttled",
            Self::Busy => "sign_in_busy",
            Self::People(error) => error.code(),
        }
    }
}

impl InvitationError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unknown => "invitation_unknown",
            Self::Expired => "invitation_expired",
            Self::Used => "invitation_used",
            Self::NotBegun => "invitation_not_begun",
            Self::Throttled { .. } => "code_throttled",
            Self::People(error) => error.code(),
        }
    }
}

impl SetupError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Wrong => "setup_wrong",
            Self::CodeSpent => "setup_code_spent",
            Self::Throttled { .. } => "code_throttled",
            Self::Done => "setup_done",
            Self::People(error) => error.code(),
        }
    }
}

impl BackupError {
    /// The stable name.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Foreign => "backup_foreign",
            Self::Newer => "backup_newer",
            Self::Sealed => "backup_sealed",
            Self::NotEmpty => "people_not_empty",
            Self::People(error) => error.code(),
        }
    }
}
