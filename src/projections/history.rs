//! Price history: every observation of every product, sorted by store, kind and when it was observed.
//! The price book and the deals are computed from it, so that a price is kept once.

use serde::{Deserialize, Serialize};

use super::observation::{Observation, Slot, Tables};
use crate::domain::{Moment, UnitPrice, product::PriceKind};

/// All observations of all products.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PriceHistory {
    pub tables: Tables,
    /// By product number; each sorted by (slot, observed at), no two alike.
    products: Vec<Vec<Observation>>,
}

/// One price as it was seen, before it is packed.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub product: u32,
    pub store: u32,
    pub kind: PriceKind,
    pub price: &'a UnitPrice,
    pub valid_from: Option<Moment>,
    pub valid_until: Option<Moment>,
    pub observed_at: Moment,
    pub source: &'a str,
    pub recorded_at: Moment,
    pub position: u64,
}

impl PriceHistory {
    /// Records a price. An observation of the same store, kind and moment is corrected, and its withdrawal is forgotten.
    /// Returns true when it is now the newest of its store and kind.
    pub fn record(&mut self, seen: &Seen<'_>) -> bool {
        let slot = Slot::new(seen.store, seen.kind);
        let origin = self.tables.origin(seen.source, seen.price);
        let validity = self.tables.validity(seen.valid_from, seen.valid_until);
        let amount = seen.price.ten_thousandths();
        let observation = Observation::new(slot, amount, origin, validity, seen.observed_at, seen.recorded_at, seen.position);
        if observation.is_withdrawal() {
            return false;
        }
        insert(self.product_mut(seen.product), observation)
    }

    /// Takes the newest price of a store and kind away; false when there is none.
    pub fn withdraw(&mut self, product: u32, slot: Slot, recorded_at: Moment, position: u64) -> bool {
        let newest = self.slice(product, slot).last().filter(|newest| !newest.is_withdrawal());
        let Some(mark) = newest.map(|newest| Observation::withdrawal(newest, recorded_at, position)) else { return false };
        insert(self.product_mut(product), mark)
    }

    /// Everything about a product.
    #[must_use]
    pub fn product(&self, product: u32) -> &[Observation] {
        self.products.get(product as usize).map_or(&[], Vec::as_slice)
    }

    /// The observations of one store and kind, oldest first.
    #[must_use]
    pub fn slice(&self, product: u32, slot: Slot) -> &[Observation] {
        let all = self.product(product);
        let from = all.partition_point(|o| o.slot < slot);
        let length = all[from..].partition_point(|o| o.slot == slot);
        &all[from..from + length]
    }

    /// The observations of one store, all kinds.
    #[must_use]
    pub fn of_store(&self, product: u32, store: u32) -> &[Observation] {
        let all = self.product(product);
        let from = all.partition_point(|o| o.slot.store() < store);
        let length = all[from..].partition_point(|o| o.slot.store() == store);
        &all[from..from + length]
    }

    /// How many observations there are, withdrawals included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.products.iter().map(Vec::len).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn product_mut(&mut self, product: u32) -> &mut Vec<Observation> {
        let index = product as usize;
        if index >= self.products.len() {
            self.products.resize_with(index + 1, Vec::new);
        }
        &mut self.products[index]
    }
}

/// Which observation of one slot's slice stood at a moment, of those observed until then: its index.
/// Skips what was not valid yet; stops at what was expired or withdrawn.
#[must_use]
pub fn standing(slice: &[Observation], tables: &Tables, at: Moment) -> Option<usize> {
    let known = slice.partition_point(|o| o.observed_at <= at);
    let mut withdrawn = false;
    for (index, observation) in slice[..known].iter().enumerate().rev() {
        if observation.is_withdrawal() {
            withdrawn = observation.recorded_at <= at;
            continue;
        }
        let validity = tables.validity_of(observation);
        if validity.from.is_some_and(|from| from > at) {
            withdrawn = false;
            continue;
        }
        let expired = validity.until.is_some_and(|until| until <= at);
        return (!withdrawn && !expired).then_some(index);
    }
    None
}

/// The index of the newest price of a slot's slice that can be used at a moment, however fresh its observation.
/// A price announced for later leaves the one before it in force.
#[must_use]
pub fn newest_usable(slice: &[Observation], tables: &Tables, at: Moment) -> Option<usize> {
    for (index, observation) in slice.iter().enumerate().rev() {
        let validity = tables.validity_of(observation);
        if validity.from.is_none_or(|from| from <= at) {
            let usable = !observation.is_withdrawal() && validity.until.is_none_or(|until| until > at);
            return usable.then_some(index);
        }
    }
    None
}

/// The index of the first of the equal prices in a row that end at `index`: since when this price holds.
#[must_use]
pub fn run_start(slice: &[Observation], tables: &Tables, index: usize) -> usize {
    let same = |o: &Observation| o.amount() == slice[index].amount() && tables.denomination_of(o) == tables.denomination_of(&slice[index]);
    index - slice[..index].iter().rev().take_while(|o| same(o)).count()
}

/// Puts an observation in its place; true when it is the newest of its slot then.
fn insert(all: &mut Vec<Observation>, new: Observation) -> bool {
    let key = (new.slot, new.observed_at);
    let index = all.partition_point(|o| (o.slot, o.observed_at) < key);
    if all.get(index).is_some_and(|o| (o.slot, o.observed_at) == key) {
        all[index] = new;
    } else {
        // A quarter more at a time: doubling would waste a third of the memory over hundreds of thousands of short lists.
        if all.len() == all.capacity() {
            all.reserve_exact(1 + all.len() / 4);
        }
        all.insert(index, new);
    }
    forget_withdrawal(all, index);
    all.get(index + 1).is_none_or(|next| next.slot != new.slot)
}

/// A price stated again for the very moment of a withdrawn one is a correction of the withdrawal too.
fn forget_withdrawal(all: &mut Vec<Observation>, index: usize) {
    let corrected = all[index];
    let follows =
        |o: &Observation| o.is_withdrawal() && o.slot == corrected.slot && o.observed_at.0 == corrected.observed_at.0.saturating_add(1);
    if !corrected.is_withdrawal() && all.get(index + 1).is_some_and(follows) {
        all.remove(index + 1);
    }
}
