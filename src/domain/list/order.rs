//! Two orders of the same items: the fewest moves from one to the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::ItemId;

/// The fewest items that must be moved to bring those of `current` into the order of `wanted`. What only one of them has is
/// left aside.
pub(super) fn to_move(current: &[ItemId], wanted: &[ItemId]) -> BTreeSet<ItemId> {
    let places: BTreeMap<_, _> = current.iter().enumerate().map(|(place, id)| (id, place)).collect();
    let placed: Vec<_> = wanted.iter().filter_map(|id| Some((*places.get(id)?, id))).collect();
    let stay = longest_rising(&placed.iter().map(|(place, _)| *place).collect::<Vec<_>>());
    placed.iter().enumerate().filter(|(index, _)| !stay.contains(index)).map(|(_, (_, id))| (*id).clone()).collect()
}

/// The indices of a longest rising subsequence: what can stay where it is.
fn longest_rising(numbers: &[usize]) -> BTreeSet<usize> {
    // The index that ends the best subsequence of each length, and what comes before each index in its best one.
    let mut ends: Vec<usize> = Vec::new();
    let mut before = vec![None; numbers.len()];
    for (index, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers[*end] < *number);
        before[index] = length.checked_sub(1).map(|shorter| ends[shorter]);
        if length == ends.len() {
            ends.push(index);
        } else {
            ends[length] = index;
        }
    }
    std::iter::successors(ends.last().copied(), |index| before[*index]).collect()
}
