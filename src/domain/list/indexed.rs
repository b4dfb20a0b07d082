//! Things of a list by their id, with an index that finds them by more than that: no command looks at every one of them.
//! The index is built when it is first asked for and kept from then on. It is no part of the value: it is neither stored nor copied.

use std::{collections::BTreeMap, fmt, ops::Deref, sync::OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::ItemId;

/// Something that an index can find.
pub trait Indexable {
    type Index: Default;

    /// Enters it into the index.
    fn enter(&self, id: &ItemId, index: &mut Self::Index);

    /// Takes out exactly what `enter` put in.
    fn leave(&self, id: &ItemId, index: &mut Self::Index);
}

/// A map by id that is read like one and changed through its own methods, so that the index follows.
pub struct Indexed<T: Indexable> {
    by_id: BTreeMap<ItemId, T>,
    index: OnceLock<T::Index>,
}

impl<T: Indexable> Indexed<T> {
    /// Finds by more than the id.
    pub(super) fn index(&self) -> &T::Index {
        self.index.get_or_init(|| {
            let mut index = T::Index::default();
            self.by_id.iter().for_each(|(id, thing)| thing.enter(id, &mut index));
            index
        })
    }

    /// Puts it in, in place of what had its id.
    pub fn insert(&mut self, id: ItemId, thing: T) {
        self.remove(&id);
        if let Some(index) = self.index.get_mut() {
            thing.enter(&id, index);
        }
        self.by_id.insert(id, thing);
    }

    /// Takes it out.
    pub fn remove(&mut self, id: &ItemId) -> Option<T> {
        let thing = self.by_id.remove(id)?;
        if let Some(index) = self.index.get_mut() {
            thing.leave(id, index);
        }
        Some(thing)
    }

    /// Changes it, if it is there.
    pub fn change(&mut self, id: &ItemId, change: impl FnOnce(&mut T)) {
        let Some(thing) = self.by_id.get_mut(id) else { return };
        let index = self.index.get_mut();
        if let Some(index) = index {
            thing.leave(id, index);
            change(thing);
            thing.enter(id, index);
        } else {
            change(thing);
        }
    }
}

impl<T: Indexable> Deref for Indexed<T> {
    type Target = BTreeMap<ItemId, T>;

    fn deref(&self) -> &BTreeMap<ItemId, T> {
        &self.by_id
    }
}

impl<T: Indexable> From<BTreeMap<ItemId, T>> for Indexed<T> {
    fn from(by_id: BTreeMap<ItemId, T>) -> Self {
        Self { by_id, index: OnceLock::new() }
    }
}

impl<T: Indexable> FromIterator<(ItemId, T)> for Indexed<T> {
    fn from_iter<I: IntoIterator<Item = (ItemId, T)>>(things: I) -> Self {
        BTreeMap::from_iter(things).into()
    }
}

impl<T: Indexable> Default for Indexed<T> {
    fn default() -> Self {
        BTreeMap::new().into()
    }
}

impl<T: Indexable + Clone> Clone for Indexed<T> {
    fn clone(&self) -> Self {
        self.by_id.clone().into()
    }
}

impl<T: Indexable + PartialEq> PartialEq for Indexed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.by_id == other.by_id
    }
}

impl<T: Indexable + fmt::Debug> fmt::Debug for Indexed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.by_id.fmt(f)
    }
}

impl<'a, T: Indexable> IntoIterator for &'a Indexed<T> {
    type Item = (&'a ItemId, &'a T);
    type IntoIter = std::collections::btree_map::Iter<'a, ItemId, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.by_id.iter()
    }
}

impl<T: Indexable + Serialize> Serialize for Indexed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.by_id.serialize(serializer)
    }
}

impl<'de, T: Indexable + Deserialize<'de>> Deserialize<'de> for Indexed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(Self::from)
    }
}
