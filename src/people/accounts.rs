//! Accounts: created, found, changed, disabled.

use std::sync::{Arc, atomic::Ordering::Relaxed};

use super::{
    Account, CredentialId, DisplayName, Ended, Login, NewAccount, Oidc, Password, People, PeopleError,
    account::AccountRow,
    change::{Batch, owned_by},
    hashing::{Busy, StoredPassword},
    links::LinkRow,
    memory::Memory,
    sessions::SessionRow,
    tokens::TokenRow,
};
use crate::domain::{Moment, Principal};

impl From<Busy> for PeopleError {
    fn from(_: Busy) -> Self {
        Self::Busy
    }
}

impl People {
    /// Creates an account whose login and principal are free. Blocks: call on a thread that may.
    pub fn add(&self, new: &NewAccount, now: Moment) -> Result<Account, PeopleError> {
        let password = self.hashed(new.password.as_ref())?;
        self.change(|memory, batch| {
            check_free(memory, new)?;
            let row = AccountRow::new(new, password, now);
            batch.put(row.clone());
            Ok(row.account)
        })
    }

    /// All accounts, by principal.
    pub fn accounts(&self) -> Vec<Account> {
        let mut all: Vec<_> = self.inner.memory.read().accounts.values().map(|row| row.account.clone()).collect();
        all.sort_by(|a, b| a.who.cmp(&b.who));
        all
    }

    /// Returns whether a person is an admin whose account may be used.
    pub fn is_admin(&self, who: &Principal) -> bool {
        self.inner.memory.read().accounts.get(who).is_some_and(|row| row.account.admin && row.account.is_active())
    }

    /// Returns whether somebody came by an invitation alone.
    pub fn is_invited(&self, who: &Principal) -> bool {
        self.inner.memory.read().accounts.get(who).is_some_and(|row| row.account.invited)
    }

    /// The account of a person.
    pub fn account(&self, who: &Principal) -> Option<Account> {
        self.inner.memory.read().accounts.get(who).map(|row| row.account.clone())
    }

    /// The account that is signed in to by this login.
    pub fn by_login(&self, login: &Login) -> Option<Account> {
        let memory = self.inner.memory.read();
        memory.logins.get(login).and_then(|who| memory.accounts.get(who)).map(|row| row.account.clone())
    }

    /// The account of a provider's identity.
    pub fn by_oidc(&self, oidc: &Oidc) -> Option<Account> {
        let memory = self.inner.memory.read();
        memory.subjects.get(oidc).and_then(|who| memory.accounts.get(who)).map(|row| row.account.clone())
    }

    /// Returns whether an enabled account can sign in.
    pub fn is_set_up(&self) -> bool {
        is_set_up(&self.inner.memory.read())
    }

    /// Links an account with a provider's identity, or unlinks it, if it has a password to sign in by. Blocks: call on a thread that may.
    pub fn link_oidc(&self, who: &Principal, oidc: Option<Oidc>) -> Result<(), PeopleError> {
        self.change(|memory, batch| {
            let mut row = row_of(memory, who)?;
            match &oidc {
                Some(oidc) => check_subject_free(memory, oidc, who)?,
                None if row.account.oidc.is_some() && !row.account.has_password => return Err(PeopleError::LastWayIn),
                None => {}
            }
            row.account.oidc = oidc;
            batch.put(row);
            Ok(())
        })
    }

    /// Shows an account under another name. Blocks: call on a thread that may.
    pub fn rename(&self, who: &Principal, name: DisplayName) -> Result<(), PeopleError> {
        self.change(|memory, batch| {
            let mut row = row_of(memory, who)?;
            row.account.name = name;
            batch.put(row);
            Ok(())
        })
    }

    /// Makes an account an admin, or no longer. Blocks: call on a thread that may.
    pub fn set_admin(&self, who: &Principal, admin: bool) -> Result<(), PeopleError> {
        self.change(|memory, batch| {
            let mut row = row_of(memory, who)?;
            if !admin {
                check_not_last_admin(memory, who)?;
            }
            if row.account.admin != admin {
                // Its open sockets have the power from before.
                batch.tell(Ended::Account(who.clone()));
            }
            row.account.admin = admin;
            batch.put(row);
            Ok(())
        })
    }

    /// Disables an account, ends its sessions and tokens, and blocks its links, in one transaction. Blocks: call on a thread that may.
    pub fn disable(&self, who: &Principal) -> Result<(), PeopleError> {
        self.change(|memory, batch| {
            let mut row = row_of(memory, who)?;
            check_not_last_admin(memory, who)?;
            row.account.disabled = true;
            batch.put(row);
            self.end_sessions_but(who, None, batch)?;
            self.rows::<TokenRow>(&owned_by(who.as_str()))?.into_iter().for_each(|row| batch.end(row.token.id, row));
            self.block_links(memory, who, true, batch)?;
            batch.tell(Ended::Account(who.clone()));
            Ok(())
        })
    }

    /// Enables an account; its links open their lists again. Blocks: call on a thread that may.
    pub fn enable(&self, who: &Principal) -> Result<(), PeopleError> {
        self.change(|memory, batch| {
            let mut row = row_of(memory, who)?;
            row.account.disabled = false;
            batch.put(row);
            self.block_links(memory, who, false, batch)
        })
    }

    /// Sets a password, and ends all sessions but the one that is named. Blocks: call on a thread that may.
    pub fn set_password(&self, who: &Principal, password: &Password, keep: Option<CredentialId>, now: Moment) -> Result<(), PeopleError> {
        let password = self.inner.hasher.hash(password.expose())?;
        self.change(|memory, batch| {
            let mut row = row_of(memory, who)?;
            row.set_password(password, now);
            batch.put(row);
            self.end_sessions_but(who, keep, batch)
        })
    }

    /// The hash of a password, if there is one.
    pub(super) fn hashed(&self, password: Option<&Password>) -> Result<Option<StoredPassword>, PeopleError> {
        Ok(password.map(|password| self.inner.hasher.hash(password.expose())).transpose()?)
    }

    pub(super) fn end_sessions_but(&self, who: &Principal, keep: Option<CredentialId>, batch: &mut Batch) -> Result<(), PeopleError> {
        let rows = self.rows::<SessionRow>(&owned_by(who.as_str()))?;
        rows.into_iter().filter(|row| Some(row.session.id) != keep).for_each(|row| batch.end(row.session.id, row));
        Ok(())
    }

    /// Blocks or opens the links that a person made, when the change is made.
    fn block_links(&self, memory: &Memory, who: &Principal, blocked: bool, batch: &mut Batch) -> Result<(), PeopleError> {
        for row in self.rows::<LinkRow>("")?.into_iter().filter(|row| row.link.by == *who) {
            let Some(credential) = memory.credentials.get(&row.secret).cloned() else { continue };
            batch.in_memory(move |_| credential.blocked.store(blocked, Relaxed));
            if blocked {
                batch.tell(Ended::Credential(row.link.id));
            }
        }
        Ok(())
    }
}

/// The state of an account, for changing it.
pub fn row_of(memory: &Memory, who: &Principal) -> Result<AccountRow, PeopleError> {
    memory.accounts.get(who).map(Arc::as_ref).cloned().ok_or(PeopleError::UnknownAccount)
}

/// The account must exist and be in use.
pub fn check_active(memory: &Memory, who: &Principal) -> Result<(), PeopleError> {
    let row = memory.accounts.get(who).ok_or(PeopleError::UnknownAccount)?;
    if row.account.is_active() { Ok(()) } else { Err(PeopleError::Inactive) }
}

/// Login and principal must be free.
pub fn check_free(memory: &Memory, new: &NewAccount) -> Result<(), PeopleError> {
    if memory.accounts.contains_key(&new.who) {
        return Err(PeopleError::PrincipalTaken);
    }
    if memory.logins.contains_key(&new.login) { Err(PeopleError::LoginTaken) } else { Ok(()) }
}

/// A provider's identity must not belong to another account.
pub fn check_subject_free(memory: &Memory, oidc: &Oidc, who: &Principal) -> Result<(), PeopleError> {
    let is_taken = memory.subjects.get(oidc).is_some_and(|other| other != who);
    if is_taken { Err(PeopleError::SubjectTaken) } else { Ok(()) }
}

/// Whether somebody can sign in.
pub fn is_set_up(memory: &Memory) -> bool {
    memory.accounts.values().any(|row| row.account.can_sign_in())
}

fn check_not_last_admin(memory: &Memory, who: &Principal) -> Result<(), PeopleError> {
    let mut admins = memory.accounts.values().map(|row| &row.account).filter(|account| account.admin && account.is_active());
    let is_last = admins.next().is_some_and(|account| account.who == *who) && admins.next().is_none();
    if is_last { Err(PeopleError::LastAdmin) } else { Ok(()) }
}
