//! The one way in which accounts and credentials change: decided on memory, durable on disk, then in memory, then told.

use super::{
    People,
    credential::CredentialId,
    errors::{PeopleError, StoreError},
    memory::{Memory, Row, decode, encode},
    notice::Ended,
    store::RowChange,
};

/// What follows in memory.
type MemoryChange = Box<dyn FnOnce(&mut Memory)>;

/// What one transaction changes.
#[derive(Default)]
pub struct Batch {
    rows: Vec<RowChange>,
    memory: Vec<MemoryChange>,
    ended: Vec<Ended>,
}

impl Batch {
    /// Adds or replaces a row.
    pub fn put<R: Row>(&mut self, row: R) {
        self.put_on_disk(&row);
        self.in_memory(move |memory| row.enter(memory));
    }

    /// Replaces a row on disk whose state in memory is newer anyway.
    pub fn put_on_disk<R: Row>(&mut self, row: &R) {
        self.rows.push(RowChange { table: R::TABLE, key: row.key(), value: Some(encode(row)) });
    }

    /// Removes a row.
    pub fn remove<R: Row>(&mut self, row: R) {
        self.rows.push(RowChange { table: R::TABLE, key: row.key(), value: None });
        self.in_memory(move |memory| row.leave(memory));
    }

    /// Removes a credential, and tells who uses it.
    pub fn end<R: Row>(&mut self, id: CredentialId, row: R) {
        self.remove(row);
        self.tell(Ended::Credential(id));
    }

    /// Changes only the memory, after the commit.
    pub fn in_memory(&mut self, change: impl FnOnce(&mut Memory) + 'static) {
        self.memory.push(Box::new(change));
    }

    /// Says something after the commit.
    pub fn tell(&mut self, ended: Ended) {
        self.ended.push(ended);
    }
}

impl People {
    /// Decides and makes a change, alone. Blocks for a sync of the disk: call on a thread that may. Readers go on meanwhile.
    pub(super) fn change<T, E: From<PeopleError>>(&self, decide: impl FnOnce(&Memory, &mut Batch) -> Result<T, E>) -> Result<T, E> {
        let (decided, ended) = {
            let _alone = self.inner.changes.lock();
            let mut batch = Batch::default();
            let decided = decide(&self.inner.memory.read(), &mut batch)?;
            if !batch.rows.is_empty() {
                self.inner.store.write(&batch.rows).map_err(PeopleError::from)?;
            }
            let mut memory = self.inner.memory.write();
            batch.memory.into_iter().for_each(|change| change(&mut memory));
            (decided, batch.ended)
        };
        self.tell(&ended);
        Ok(decided)
    }

    /// The rows whose key begins so.
    pub(super) fn rows<R: Row>(&self, prefix: &str) -> Result<Vec<R>, PeopleError> {
        let rows = self.inner.store.rows(R::TABLE, prefix)?;
        let damaged = || self.inner.store.damaged(R::TABLE);
        Ok(rows.iter().map(|(_, value)| decode(value).ok_or_else(damaged)).collect::<Result<_, StoreError>>()?)
    }

    /// The one row of a key.
    pub(super) fn row<R: Row>(&self, key: &str) -> Result<R, PeopleError> {
        self.rows::<R>(key)?.into_iter().find(|row| row.key() == key).ok_or(PeopleError::UnknownCredential)
    }
}

/// The key of what belongs to somebody or something. No id contains the separator, so one owner's rows are no other's.
pub fn key_of(owner: &str, id: CredentialId) -> String {
    format!("{}{id}", owned_by(owner))
}

/// How the keys of an owner begin.
pub fn owned_by(owner: &str) -> String {
    format!("{owner}\0")
}
