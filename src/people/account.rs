//! An account: who somebody is here, and how that person signs in.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::{
    hashing::StoredPassword,
    memory::{Memory, Row},
    password::Password,
    store::Table,
    texts::{DisplayName, Login},
};
use crate::domain::{Moment, Principal};

/// What others may know of an account.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own: an admin may be disabled, with or without a password")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// Its name in events; never changes.
    pub who: Principal,
    /// What is typed to sign in.
    pub login: Login,
    /// How it is shown.
    pub name: DisplayName,
    /// May administer the server.
    pub admin: bool,
    /// May not sign in.
    pub disabled: bool,
    /// Waits for its invitation to be accepted, and cannot sign in yet.
    #[serde(default)]
    pub pending: bool,
    /// Came by an invitation to a household; without one it may do nothing of its own.
    #[serde(default)]
    pub invited: bool,
    /// Its identity at another provider.
    pub oidc: Option<Oidc>,
    /// When it was created.
    pub created: Moment,
    /// Whether it has a password.
    pub has_password: bool,
    /// When its password was set.
    pub password_changed: Option<Moment>,
}

impl Account {
    /// Returns whether the account may be used.
    pub fn is_active(&self) -> bool {
        !self.disabled && !self.pending
    }

    /// Returns whether somebody can sign in to it.
    pub fn can_sign_in(&self) -> bool {
        self.is_active() && (self.has_password || self.oidc.is_some())
    }
}

/// Who somebody is at an `OpenID` provider.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Oidc {
    /// The provider.
    pub issuer: String,
    /// Its name of the person.
    pub subject: String,
}

/// An account to be created.
#[derive(Debug, Clone)]
pub struct NewAccount {
    pub who: Principal,
    pub login: Login,
    pub name: DisplayName,
    pub admin: bool,
    pub password: Option<Password>,
}

/// What is stored of an account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountRow {
    pub account: Account,
    pub password: Option<StoredPassword>,
    /// Where somebody signed in to it, newest last.
    #[serde(default)]
    pub seen_at: Vec<SeenAt>,
}

/// An address, or an IPv6 network, with the last sign-in from there.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAt {
    pub network: String,
    pub at: Moment,
}

impl fmt::Debug for SeenAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SeenAt({})", self.at)
    }
}

impl AccountRow {
    /// The row of a new account whose password is hashed.
    pub fn new(new: &NewAccount, password: Option<StoredPassword>, now: Moment) -> Self {
        let (has_password, password_changed) = (password.is_some(), password.is_some().then_some(now));
        let account = Account {
            who: new.who.clone(),
            login: new.login.clone(),
            name: new.name.clone(),
            admin: new.admin,
            disabled: false,
            pending: false,
            invited: false,
            oidc: None,
            created: now,
            has_password,
            password_changed,
        };
        Self { account, password, seen_at: Vec::new() }
    }

    /// Sets the password.
    pub fn set_password(&mut self, password: StoredPassword, now: Moment) {
        self.password = Some(password);
        self.account.has_password = true;
        self.account.password_changed = Some(now);
    }
}

impl Row for AccountRow {
    const TABLE: Table = Table::Accounts;

    fn key(&self) -> String {
        self.account.who.to_string()
    }

    fn enter(&self, memory: &mut Memory) {
        if let Some(old) = memory.accounts.get(&self.account.who).cloned() {
            old.leave(memory);
        }
        let who = self.account.who.clone();
        memory.logins.insert(self.account.login.clone(), who.clone());
        if let Some(oidc) = &self.account.oidc {
            memory.subjects.insert(oidc.clone(), who.clone());
        }
        memory.accounts.insert(who, Arc::new(self.clone()));
    }

    fn leave(&self, memory: &mut Memory) {
        memory.accounts.remove(&self.account.who);
        memory.logins.remove(&self.account.login);
        if let Some(oidc) = &self.account.oidc {
            memory.subjects.remove(oidc);
        }
    }
}
