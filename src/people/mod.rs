//! Accounts and credentials, in a durable store of their own beside the log. Nothing of it is in events, log lines or bundles.
//!
//! [`People`] decides every change on what is in memory, makes it durable in one transaction (`change.rs`), and only then changes the
//! memory (`memory.rs`). What every request asks for, [`People::check`], reads memory alone.
//! Functions that write or hash block the thread: call them on one that may. None reads the clock: the caller passes the moment.

mod accept;
mod account;
mod accounts;
mod backup;
mod change;
mod credential;
mod errors;
mod gate;
mod hashing;
mod identity;
mod invitations;
mod links;
mod memory;
mod notice;
mod password;
mod scopes;
mod secret;
mod sessions;
mod setup;
mod sign_in;
mod store;
#[cfg(test)]
mod tests;
mod texts;
mod throttle;
mod ticks;
mod tidy;
mod tokens;

use std::{path::Path, sync::Arc};

use parking_lot::{Mutex, RwLock};

pub use accept::{Accepting, Acceptor};
pub use account::{Account, NewAccount, Oidc};
pub use credential::{Credential, CredentialId, CredentialIdError, Grants};
pub use errors::{BackupError, CredentialError, InputError, InvitationError, PeopleError, SetupError, SignInError, StoreError};
pub use hashing::Cost;
pub use identity::{Identity, OWNER};
pub use invitations::{INVITATION_DAYS, INVITATION_DAYS_MAX, Invitation, NewInvitation};
pub use links::{LINK_DAYS, LINK_DAYS_MAX, Link};
pub use notice::Ended;
pub use password::Password;
pub use scopes::{Scope, ScopeError, Scopes};
pub use secret::Secret;
pub use sessions::{ABSOLUTE_DAYS, IDLE_DAYS, NewSession, Session};
pub use setup::{FIRST_PRINCIPAL, FirstAccount, Setup, SetupKeys};
pub use sign_in::Attempt;
pub use texts::{DisplayName, Login};
pub use ticks::Ticks;
pub use tokens::{NewToken, Token};

use hashing::Hasher;
use memory::Memory;
use notice::Listener;
use store::Store;
use throttle::Throttle;

/// The folder of accounts and credentials in a data folder.
pub const FOLDER: &str = "people";

/// All accounts and credentials of a server. Cheap to clone.
#[derive(Clone)]
pub struct People {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    memory: RwLock<Memory>,
    /// Held by the one who changes something, from the decision to the memory.
    changes: Mutex<()>,
    hasher: Hasher,
    /// The salt of all codes for typing: they are looked up by their hash.
    code_salt: RwLock<Vec<u8>>,
    throttle: Throttle,
    listeners: RwLock<Vec<Listener>>,
}

/// What tests choose differently.
#[derive(Debug, Clone)]
pub struct Options {
    /// The cost of a password's hash.
    pub cost: Cost,
    /// The clock of the throttles.
    pub ticks: Ticks,
}

impl Default for Options {
    fn default() -> Self {
        Self { cost: Cost::OWASP, ticks: Ticks::system() }
    }
}

impl People {
    /// Opens the store in a folder, and creates both if missing. Blocks: call on a thread that may.
    pub fn open(folder: &Path) -> Result<Self, PeopleError> {
        Self::open_with(folder, Options::default())
    }

    /// Opens the store in a folder with other options.
    pub fn open_with(folder: &Path, options: Options) -> Result<Self, PeopleError> {
        Self::with_store(Store::open(folder)?, options)
    }

    /// Whether another process has the store of a folder open. Nothing is loaded. Blocks: call on a thread that may.
    pub fn is_held(folder: &Path) -> bool {
        matches!(Store::open(folder), Err(StoreError::Locked { .. }))
    }

    /// A store that is gone with the value.
    pub fn in_memory(options: Options) -> Result<Self, PeopleError> {
        Self::with_store(Store::in_memory()?, options)
    }

    fn with_store(store: Store, options: Options) -> Result<Self, PeopleError> {
        let code_salt = backup::code_salt(&store)?.into();
        let memory = Memory::load(&store)?.into();
        let (hasher, throttle) = (Hasher::new(options.cost), Throttle::new(&options.ticks));
        let inner = Inner { store, memory, changes: Mutex::default(), hasher, code_salt, throttle, listeners: RwLock::default() };
        Ok(Self { inner: Arc::new(inner) })
    }
}

impl std::fmt::Debug for People {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("People").finish_non_exhaustive()
    }
}
