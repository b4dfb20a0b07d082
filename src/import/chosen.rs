//! Which of several rows about the same thing counts. A file may hold two prices of a day, or a product twice: only one is recorded, and always
//! the same one, so that a second import finds it there, and so that the order of rows does not matter. Known from a first reading of the rows.

use std::{
    collections::HashMap,
    hash::{BuildHasher, BuildHasherDefault, DefaultHasher, Hash},
};

/// The rank of the row that counts, for keys with rows of different ranks.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Chosen(HashMap<u64, u64>);

/// The keys and ranks of rows, 16 bytes each.
#[derive(Debug, Default)]
pub struct Ranks(Vec<(u64, u64)>);

impl Ranks {
    /// Notes a row; of those with one key the lowest rank counts.
    pub fn note(&mut self, key: u64, rank: u64) {
        self.0.push((key, rank));
    }

    /// Keeps only what is needed to choose.
    pub fn choose(mut self) -> Chosen {
        self.0.sort_unstable();
        self.0.dedup();
        let several = self.0.chunk_by(|one, next| one.0 == next.0).filter(|same| same.len() > 1);
        Chosen(several.map(|same| same[0]).collect())
    }
}

impl Chosen {
    /// Whether the row with this rank is the one that counts, or equal to it.
    pub fn is(&self, key: u64, rank: u64) -> bool {
        self.0.get(&key).is_none_or(|chosen| *chosen == rank)
    }
}

/// A number for what rows have in common. Two different things get the same one so seldom that nobody will see it: 64 bits.
pub fn key_of(what: impl Hash) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(what)
}

/// The rank of a row by what it says: the one with the fewest empty fields counts, and of two with as many always the same one.
pub fn rank_of(texts: &[&str]) -> u64 {
    let missing = texts.iter().filter(|text| text.is_empty()).count() as u64;
    missing << 56 | key_of(texts) >> 8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_rank_counts_in_any_order() {
        let rows = [(1, 5), (2, 7), (1, 3), (3, 1), (1, 9), (3, 1)];
        let choose = |rows: &mut dyn Iterator<Item = (u64, u64)>| {
            let mut ranks = Ranks::default();
            rows.for_each(|(key, rank)| ranks.note(key, rank));
            ranks.choose()
        };
        let chosen = choose(&mut rows.into_iter());
        assert_eq!(chosen, choose(&mut rows.into_iter().rev()));
        assert_eq!(rows.map(|(key, rank)| chosen.is(key, rank)), [false, true, true, true, false, true]);
        assert_eq!(chosen.0.len(), 1, "what is there once needs no memory");
    }
}
