//! Names as small numbers, given out in order of first appearance in the log, so that every replay gives out the same ones.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{HouseholdId, ListId, OrderId, ProductId, StoreId};

/// A number that names nothing.
pub const NONE: u32 = u32::MAX;

/// What can be interned: anything that is a text.
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
    names: Vec<T>,
    /// Open addressing, a power of two, at most half full: number plus one, zero where free.
    table: Vec<u32>,
    hasher: ahash::RandomState,
}

impl<T: Name> Interner<T> {
    /// The number of a name, if it has one.
    #[must_use]
    pub fn get(&self, text: &str) -> Option<u32> {
        if self.table.is_empty() {
            return None;
        }
        let mut slot = self.home(text);
        loop {
            match self.table[slot] {
                0 => return None,
                found if self.names[found as usize - 1].text() == text => return Some(found - 1),
                _ => slot = (slot + 1) & (self.table.len() - 1),
            }
        }
    }

    /// The number of a name; a new name is made and gets the next number.
    pub fn intern(&mut self, text: &str, make: impl FnOnce() -> T) -> u32 {
        if let Some(found) = self.get(text) {
            return found;
        }
        if (self.names.len() + 1) * 2 > self.table.len() {
            self.grow();
        }
        self.names.push(make());
        self.place(self.names.len() - 1);
        as_number(self.names.len() - 1)
    }

    /// The number of a name that the caller holds already.
    pub fn number(&mut self, name: &T) -> u32 {
        self.intern(name.text(), || name.clone())
    }

    /// The name of a number.
    #[must_use]
    pub fn name(&self, number: u32) -> Option<&T> {
        self.names.get(number as usize)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    fn home(&self, text: &str) -> usize {
        // Only the low bits are used, so cutting the hash loses nothing.
        #[allow(clippy::cast_possible_truncation)]
        let hash = self.hasher.hash_one(text) as usize;
        hash & (self.table.len() - 1)
    }

    fn place(&mut self, index: usize) {
        let mut slot = self.home(self.names[index].text());
        while self.table[slot] != 0 {
            slot = (slot + 1) & (self.table.len() - 1);
        }
        self.table[slot] = as_number(index) + 1;
    }

    fn grow(&mut self) {
        let size = ((self.names.len() + 1) * 2).next_power_of_two().max(16);
        self.table = vec![0; size];
        for index in 0..self.names.len() {
            self.place(index);
        }
    }
}

/// Numbers are 32 bits: four thousand million names would not fit in memory anyway.
#[must_use]
pub fn as_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(NONE - 1)
}

impl<T> Default for Interner<T> {
    fn default() -> Self {
        Self { names: Vec::new(), table: Vec::new(), hasher: ahash::RandomState::new() }
    }
}

impl<T: Name> fmt::Debug for Interner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Interner({} names)", self.names.len())
    }
}

impl<T: Name> PartialEq for Interner<T> {
    fn eq(&self, other: &Self) -> bool {
        self.names.len() == other.names.len() && self.names.iter().zip(&other.names).all(|(a, b)| a.text() == b.text())
    }
}

impl<T: Name> Serialize for Interner<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names.iter().map(Name::text))
    }
}

impl<'de, T: Name + Deserialize<'de>> Deserialize<'de> for Interner<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut interner = Self { names: Vec::<T>::deserialize(deserializer)?, ..Self::default() };
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
