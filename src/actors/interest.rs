//! Which active lists hold a product: prices reach lists through the committed feed by this index.
//! A resting list is not in it and costs nothing when a price changes.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::Mutex;

use super::handle::{Handle, News};
use crate::{
    domain::{ProductId, list::Lists},
    events::Position,
};

/// Shards of the index, so that actors that wake up do not queue behind one lock.
const SHARDS: usize = 64;

/// The active lists that hold one product, by list id.
type Holders = HashMap<Arc<str>, Arc<Handle<Lists>>, ahash::RandomState>;
type Shard = Mutex<HashMap<ProductId, Holders, ahash::RandomState>>;

/// Product → active lists.
pub struct Interest {
    hasher: ahash::RandomState,
    shards: Vec<Shard>,
}

impl Default for Interest {
    fn default() -> Self {
        Self { hasher: ahash::RandomState::new(), shards: (0..SHARDS).map(|_| Shard::default()).collect() }
    }
}

impl Interest {
    fn shard(&self, product: &ProductId) -> &Shard {
        let at = usize::try_from(self.hasher.hash_one(product) % SHARDS as u64).unwrap_or(0);
        &self.shards[at]
    }

    /// Registers a list for a product. Do this before reading its price: a change is then seen in one place or the other.
    pub fn add(&self, product: &ProductId, list: &Arc<Handle<Lists>>) {
        let mut shard = self.shard(product).lock();
        shard.entry(product.clone()).or_default().insert(Arc::clone(&list.id), Arc::clone(list));
    }

    /// Takes a list out for a product.
    pub fn remove(&self, product: &ProductId, list: &Arc<Handle<Lists>>) {
        let mut shard = self.shard(product).lock();
        if let Some(holders) = shard.get_mut(product) {
            if holders.get(&list.id).is_some_and(|held| Arc::ptr_eq(held, list)) {
                holders.remove(&list.id);
            }
            if holders.is_empty() {
                shard.remove(product);
            }
        }
    }

    /// Leaves news with every active list that holds the product.
    pub fn tell(&self, product: &ProductId, news: &News, position: Position) {
        if let Some(holders) = self.shard(product).lock().get(product) {
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
