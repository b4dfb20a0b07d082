//! One value in many parts, each with a lock of its own, so that those who need different keys seldom wait for each other.

use std::hash::Hash;

use ahash::RandomState;

/// Parts of one value: far more than there are threads, so that two rarely meet in one.
const SHARDS: usize = 64;

/// A value of `SHARDS` parts; a key leads to the same part every time.
pub struct Sharded<T> {
    shards: Box<[T]>,
    hasher: RandomState,
}

impl<T: Default> Default for Sharded<T> {
    fn default() -> Self {
        Self { shards: (0..SHARDS).map(|_| T::default()).collect(), hasher: RandomState::new() }
    }
}

impl<T> Sharded<T> {
    /// The part that a key leads to.
    pub fn of(&self, key: &(impl Hash + ?Sized)) -> &T {
        let shard = self.hasher.hash_one(key) % self.shards.len() as u64;
        &self.shards[usize::try_from(shard).expect("this holds because there are few shards")]
    }

    /// All parts.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.shards.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_leads_to_the_same_part_every_time_and_keys_spread_over_the_parts() {
        let sharded = Sharded::<parking_lot::Mutex<Vec<u32>>>::default();
        for number in (0..1_000).chain(0..1_000) {
            sharded.of(&number).lock().push(number);
        }
        let parts: Vec<_> = sharded.iter().map(|part| part.lock().clone()).collect();
        assert!((0..1_000).all(|number| parts.iter().any(|part| part.iter().filter(|held| **held == number).count() == 2)));
        assert!(parts.iter().filter(|part| !part.is_empty()).count() > SHARDS / 2);
    }
}
