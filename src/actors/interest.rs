//! Which active lists hold a product or belong to a household: prices and choices from the committed feed reach lists through this index.
//! A resting list is not in it and costs nothing when a price changes.

use std::{collections::HashMap, fmt, hash::Hash, sync::Arc};

use parking_lot::Mutex;

use super::handle::{Handle, News};
use crate::{
    domain::{HouseholdId, ProductId, list::Lists},
    events::Position,
    sharded::Sharded,
};

/// The active lists that hold one subject, by list id.
type Holders = HashMap<Arc<str>, Arc<Handle<Lists>>, ahash::RandomState>;
type Shard<K> = Mutex<HashMap<K, Holders, ahash::RandomState>>;

/// Product → active lists, and household → active lists.
#[derive(Default)]
pub struct Interest {
    products: Index<ProductId>,
    households: Index<HouseholdId>,
}

impl Interest {
    /// Registers a list for a product. Do this before reading its price: a change is then seen either way.
    pub fn add(&self, product: &ProductId, list: &Arc<Handle<Lists>>) {
        self.products.add(product, list);
    }

    /// Removes a list from a product.
    pub fn remove(&self, product: &ProductId, list: &Arc<Handle<Lists>>) {
        self.products.remove(product, list);
    }

    /// Adds news to every active list that holds the product.
    pub fn tell(&self, product: &ProductId, news: &News, position: Position) {
        self.products.tell(product, news, position);
    }

    /// How many products any list is registered for.
    #[cfg(test)]
    pub fn products_held(&self) -> usize {
        self.products.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    /// Registers a list for its household, before reading which stores that compares.
    pub fn add_household(&self, household: &HouseholdId, list: &Arc<Handle<Lists>>) {
        self.households.add(household, list);
    }

    /// Removes a list from its household.
    pub fn remove_household(&self, household: &HouseholdId, list: &Arc<Handle<Lists>>) {
        self.households.remove(household, list);
    }

    /// Adds news to every active list of the household.
    pub fn tell_household(&self, household: &HouseholdId, news: &News, position: Position) {
        self.households.tell(household, news, position);
    }
}

/// One kind of subject → active lists.
struct Index<K> {
    shards: Sharded<Shard<K>>,
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { shards: Sharded::default() }
    }
}

impl<K: Hash + Eq + Clone> Index<K> {
    fn shard(&self, subject: &K) -> &Shard<K> {
        self.shards.of(subject)
    }

    fn add(&self, subject: &K, list: &Arc<Handle<Lists>>) {
        let mut shard = self.shard(subject).lock();
        shard.entry(subject.clone()).or_default().insert(Arc::clone(&list.id), Arc::clone(list));
    }

    fn remove(&self, subject: &K, list: &Arc<Handle<Lists>>) {
        let mut shard = self.shard(subject).lock();
        if let Some(holders) = shard.get_mut(subject) {
            if holders.get(&list.id).is_some_and(|held| Arc::ptr_eq(held, list)) {
                holders.remove(&list.id);
            }
            if holders.is_empty() {
                shard.remove(subject);
            }
        }
    }

    fn tell(&self, subject: &K, news: &News, position: Position) {
        if let Some(holders) = self.shard(subject).lock().get(subject) {
            for list in holders.values() {
                list.tell(news.clone(), position);
            }
        }
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interest").finish_non_exhaustive()
    }
}
