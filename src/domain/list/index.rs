//! What a list finds without looking at every item: the same thing, the last place, what is ticked, and the oldest removal.

use std::{
    collections::{BTreeMap, BTreeSet},
    hash::{DefaultHasher, Hash, Hasher},
    ops::Bound,
};

use super::{Item, Removed, indexed::Indexable};
use crate::domain::{ItemId, ProductId};

/// What is known of a list's items beside their ids.
#[derive(Debug, Default)]
pub struct ItemIndex {
    /// Unticked items by the digest of what they are; two things may share one.
    alike: BTreeMap<u64, BTreeSet<ItemId>>,
    places: BTreeSet<(i64, ItemId)>,
    ticked: BTreeSet<ItemId>,
}

impl ItemIndex {
    /// The unticked items that may be the same thing, by id.
    pub(super) fn alike(&self, digest: u64) -> impl Iterator<Item = &ItemId> {
        self.alike.get(&digest).into_iter().flatten()
    }

    /// The highest rank in use.
    pub(super) fn last_rank(&self) -> Option<i64> {
        self.places.last().map(|(rank, _)| *rank)
    }

    /// The places after one, in order; all of them for `None`.
    pub(super) fn places_after(&self, place: Option<(i64, &ItemId)>) -> impl Iterator<Item = (i64, &ItemId)> {
        let from = place.map_or(Bound::Unbounded, |(rank, id)| Bound::Excluded((rank, id.clone())));
        self.places.range((from, Bound::Unbounded)).map(|(rank, id)| (*rank, id))
    }

    /// The places in front of one, the nearest first.
    pub(super) fn places_before(&self, (rank, id): (i64, &ItemId)) -> impl Iterator<Item = &ItemId> {
        self.places.range(..(rank, id.clone())).rev().map(|(_, id)| id)
    }

    /// What is ticked, by id.
    pub(super) fn ticked(&self) -> impl Iterator<Item = &ItemId> {
        self.ticked.iter()
    }
}

/// A digest of what an addition is: product, or the name without regard to case where there is none, and the specification.
/// Equal things have equal digests.
pub(super) fn digest(name: &str, product: Option<&ProductId>, specification: Option<&str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match product {
        Some(product) => (0_u8, product.as_str()).hash(&mut hasher),
        None => name.chars().flat_map(char::to_lowercase).for_each(|letter| letter.hash(&mut hasher)),
    }
    specification.hash(&mut hasher);
    hasher.finish()
}

impl Item {
    fn digest(&self) -> u64 {
        digest(&self.name, self.product.as_ref(), self.specification.as_deref())
    }
}

impl Indexable for Item {
    type Index = ItemIndex;

    fn enter(&self, id: &ItemId, index: &mut ItemIndex) {
        index.places.insert((self.rank, id.clone()));
        if self.checked.is_some() {
            index.ticked.insert(id.clone());
        } else {
            index.alike.entry(self.digest()).or_default().insert(id.clone());
        }
    }

    fn leave(&self, id: &ItemId, index: &mut ItemIndex) {
        index.places.remove(&(self.rank, id.clone()));
        if self.checked.is_some() {
            index.ticked.remove(id);
            return;
        }
        let digest = self.digest();
        if let Some(alike) = index.alike.get_mut(&digest) {
            alike.remove(id);
            if alike.is_empty() {
                index.alike.remove(&digest);
            }
        }
    }
}

/// Removals by their position: the oldest are forgotten first.
#[derive(Debug, Default)]
pub struct RemovedIndex(BTreeSet<(u64, ItemId)>);

impl RemovedIndex {
    pub(super) fn oldest(&self) -> Option<&ItemId> {
        self.0.first().map(|(_, id)| id)
    }
}

impl Indexable for Removed {
    type Index = RemovedIndex;

    fn enter(&self, id: &ItemId, index: &mut RemovedIndex) {
        index.0.insert((self.position, id.clone()));
    }

    fn leave(&self, id: &ItemId, index: &mut RemovedIndex) {
        index.0.remove(&(self.position, id.clone()));
    }
}
