//! Names as small numbers, assigned in order of first appearance in the log, so that every replay assigns the same ones.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeSeq};

use super::chunks::Chunks;
use crate::domain::{HouseholdId, ListId, OrderId, ProductId, StoreId};

/// A number that names nothing.
pub const NONE: u32 = u32::MAX;

/// Anything that can be interned: a text.
pub trait Name: Clone {
    fn text(&self) -> &str;
}

macro_rules! name {
    ($($id:ty),*) => {$(impl Name for $id {
        fn text(&self) -> &str {
            self.as_str()
        }
    })*};
}
name!(ProductId, StoreId, HouseholdId, OrderId, ListId);

impl Name for Arc<str> {
    fn text(&self) -> &str {
        self
    }
}

/// Both directions between names and numbers. Only the names are stored in a checkpoint; the hash table is rebuilt.
#[derive(Clone)]
pub struct Interner<T> {
    names: Chunks<T>,
    /// Open addressing, a power of two, at most half full.
    table: Vec<Entry>,
    hasher: ahash::RandomState,
}

/// A slot in the table. A part of the hash excludes most other names without reading them.
#[derive(Clone, Copy, Default)]
struct Entry {
    tag: u32,
    /// Number plus one, zero if free.
    number: u32,
}

impl<T: Name> Interner<T> {
    /// The number of a name, if it has one.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<u32> {
        self.find(self.hash(text), text)
    }

    /// The number of a name; a new name gets the next number.
    pub fn intern(&mut self, text: &str, make: impl FnOnce() -> T) -> u32 {
        let hash = self.hash(text);
        if let Some(found) = self.find(hash, text) {
            return found;
        }
        if (self.names.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        self.names.push(make());
        let number = as_number(self.names.len() - 1);
        self.place(hash, number);
        number
    }

    /// The number of a name that the caller already owns.
    pub fn number(&mut self, name: &T) -> u32 {
        self.intern(name.text(), || name.clone())
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, number: u32) -> Option<&T> {
        self.names.get(number as usize)
    }

    /// Every name, in order of number.
    pub fn names(&self) -> impl Iterator<Item = &T> {
        self.names.iter()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    fn hash(&self, text: &str) -> u64 {
        self.hasher.hash_one(text)
    }

    fn find(&self, hash: u64, text: &str) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        let (tag, mut slot) = self.tag_and_home(hash);
        loop {
            match self.table[slot] {
                Entry { number: 0, .. } => return None,
                found if found.tag == tag && self.is_named(found.number - 1, text) => return Some(found.number - 1),
                _ => slot = (slot + 1) & (self.table.len() - 1),
            }
        }
    }

    fn is_named(&self, number: u32, text: &str) -> bool {
        self.name(number).is_some_and(|name| name.text() == text)
    }

    /// The upper half of a hash distinguishes names, the lower half is where to look first.
    // Both are truncated on purpose.
    #[allow(clippy::cast_possible_truncation)]
    fn tag_and_home(&self, hash: u64) -> (u32, usize) {
        ((hash >> 32) as u32, hash as usize & (self.table.len() - 1))
    }

    fn place(&mut self, hash: u64, number: u32) {
        let (tag, mut slot) = self.tag_and_home(hash);
        while self.table[slot].number != 0 {
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.table[slot] = Entry { tag, number: number + 1 };
    }

    fn grow(&mut self) {
        let size = ((self.names.len() + 1) * 2).next_power_of_two().max(16);
        // The old table is dropped first: both together are megabytes.
        self.table = Vec::new();
        self.table = vec![Entry::default(); size];
        let names = std::mem::take(&mut self.names);
        for (name, number) in names.iter().zip(0..) {
            self.place(self.hash(name.text()), number);
        }
        self.names = names;
    }
}

/// Numbers are 32 bits: four thousand million names would not fit in memory anyway.
#[must_use]
pub fn as_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE - 1)
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { names: Chunks::default(), table: Vec::new(), hasher: ahash::RandomState::new() }
    }
}

impl<T: Name> fmt::Debug for Interner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interner({} names)", self.names.len())
    }
}

impl<T: Name> PartialEq for Interner<T> {
    fn eq(&self, other: &Self) -> bool {
        self.names.len() == other.names.len() && self.names.iter().zip(other.names.iter()).all(|(a, b)| a.text() == b.text())
    }
}

impl<T: Name> Serialize for Interner<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut texts = serializer.serialize_seq(Some(self.names.len()))?;
        self.names.iter().try_for_each(|name| texts.serialize_element(name.text()))?;
        texts.end()
    }
}

impl<'de, T: Name + Deserialize<'de>> Deserialize<'de> for Interner<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut interner = Self { names: Chunks::<T>::deserialize(deserializer)?, ..Self::default() };
        interner.grow();
        Ok(interner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_first_appearance() {
        let mut names: Interner<Arc<str>> = Interner::default();
        assert_eq!(names.get("milk"), None);
        for (i, text) in (0..1000).map(|i| (i, format!("name {i}"))) {
            assert_eq!(names.intern(&text, || text.as_str().into()), i);
        }
        assert_eq!(names.get("name 7"), Some(7));
        assert_eq!(names.intern("name 999", || "not called".into()), 999);
        assert_eq!(names.name(12).map(|n| &**n), Some("name 12"));
    }
}
