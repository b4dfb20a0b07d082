//! What every request asks for, held in memory: the fold of the rows on disk.

use std::{collections::HashMap, sync::Arc};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    account::{AccountRow, Oidc},
    credential::Credential,
    errors::StoreError,
    invitations::InvitationRow,
    links::LinkRow,
    secret::SecretHash,
    sessions::SessionRow,
    store::{Rows, Store, Table},
    texts::Login,
    tokens::TokenRow,
};
use crate::domain::Principal;

/// Accounts, credentials, and where invitations are.
#[derive(Debug, Default)]
pub struct Memory {
    pub accounts: HashMap<Principal, Arc<AccountRow>>,
    pub logins: HashMap<Login, Principal>,
    pub subjects: HashMap<Oidc, Principal>,
    pub credentials: HashMap<SecretHash, Arc<Credential>>,
    /// The key of an invitation's row, by the hash of its secret and of its code.
    pub invitations: HashMap<SecretHash, Arc<str>>,
}

/// A stored thing: where it is in the file, and what it changes in memory. Fields may be added with a default; none changes its meaning.
pub trait Row: Serialize + DeserializeOwned + Clone + Send + 'static {
    /// Its table.
    const TABLE: Table;
    /// Its key: whose it is, then its own name.
    fn key(&self) -> String;
    /// Adds it, or replaces an older state of it.
    fn enter(&self, memory: &mut Memory);
    /// Removes it.
    fn leave(&self, memory: &mut Memory);
}

impl Memory {
    /// Reads everything.
    pub fn load(store: &Store) -> Result<Self, StoreError> {
        let mut memory = Self::default();
        for (table, rows) in store.all(&Table::ALL)? {
            memory.take(table, &rows).ok_or_else(|| store.damaged(table))?;
        }
        Ok(memory)
    }

    /// Takes the rows of one table; `None` where one cannot be read. Accounts come before what depends on them.
    pub fn take(&mut self, table: Table, rows: &Rows) -> Option<()> {
        match table {
            Table::Meta => Some(()),
            Table::Accounts => self.enter_all::<AccountRow>(rows),
            Table::Sessions => self.enter_all::<SessionRow>(rows),
            Table::Tokens => self.enter_all::<TokenRow>(rows),
            Table::Links => self.enter_all::<LinkRow>(rows),
            Table::Invitations => self.enter_all::<InvitationRow>(rows),
        }
    }

    fn enter_all<R: Row>(&mut self, rows: &Rows) -> Option<()> {
        rows.iter().try_for_each(|(key, value)| {
            let row: R = decode(value)?;
            // A row in another's place would be found by one name and ended by another.
            (row.key() == *key).then(|| row.enter(self))
        })
    }

    /// Returns whether a person has an account that is disabled.
    pub fn is_disabled(&self, who: &Principal) -> bool {
        self.accounts.get(who).is_some_and(|row| row.account.disabled)
    }
}

/// A row's bytes.
pub fn encode<R: Row>(row: &R) -> Vec<u8> {
    rmp_serde::to_vec_named(row).expect("a row becomes MessagePack, because it holds texts, numbers and bytes only")
}

/// The row of some bytes.
pub fn decode<R: Row>(bytes: &[u8]) -> Option<R> {
    rmp_serde::from_slice(bytes).ok()
}
