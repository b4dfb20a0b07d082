//! Price history: every observation of every product, by store and kind, each leading to the one observed before it.
//! The price book and the deals are computed from it, so that a price is kept once. Superseded ones are kept separately: so it
//! is known what was known at any position.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    cells::Cells,
    chunks::Chunks,
    interner::NONE,
    observation::{KINDS, Observation, Slot, Tables},
};
use crate::domain::{Moment, UnitPrice, product::PriceKind};

/// All observations of all products.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PriceHistory {
    pub tables: Tables,
    /// By product number; each sorted by slot.
    products: Chunks<Vec<Head>>,
    cells: Cells,
    /// What was corrected, or a withdrawal that was forgotten, in the order in which that happened.
    former: BTreeMap<(u32, Slot), Vec<Former>>,
}

/// An observation that no longer counts.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Former {
    observation: Observation,
    /// The position of its replacement.
    until: u64,
}

/// Where the newest observation of a slot is.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Head {
    slot: Slot,
    newest: u32,
}

/// The newest observation of each kind that one product has at one store: where a search back begins, found once for all kinds.
#[derive(Debug, Clone, Copy)]
pub struct Newest {
    store: u32,
    newest: [u32; KINDS.len()],
}

/// Observations of one store and kind, oldest first: most places have few.
pub type Slice = SmallVec<[Observation; 8]>;

/// The same price seen once or again and again, without another in between.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    /// The first of its observations that was looked at.
    pub first: Observation,
    pub last_seen: Moment,
}

/// Runs of one store and kind, oldest first.
pub type Runs = SmallVec<[Run; 8]>;

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
    /// Whether others of the same source and moment may be as true: then the lowest counts, whichever came first, and not the last.
    pub is_one_of_many: bool,
}

/// How an observation relates to its store and kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// The first.
    First,
    /// The newest, and the price is the one already known, valid for the same time.
    Repeated,
    /// The newest, with another price.
    Newest,
    /// A newer one is known.
    Late,
}

impl PriceHistory {
    /// Records a price. An observation of the same store, kind and moment is corrected, and its withdrawal is forgotten; of two receipts of
    /// one moment neither corrects the other, and the lower price counts.
    pub fn record(&mut self, seen: &Seen<'_>) -> Effect {
        let slot = Slot::new(seen.store, seen.kind);
        let origin = self.tables.origin(seen.source, seen.price);
        let validity = self.tables.validity(seen.valid_from, seen.valid_until);
        let amount = seen.price.ten_thousandths();
        let observation = Observation::new(slot, amount, origin, validity, seen.observed_at, seen.recorded_at, seen.position);
        if observation.is_withdrawal() { Effect::Late } else { self.insert(seen.product, &observation, seen.is_one_of_many) }
    }

    /// Withdraws the newest price of a store and kind; false when there is none.
    pub fn withdraw(&mut self, product: u32, slot: Slot, recorded_at: Moment, position: u64) -> bool {
        let newest = self.newest(product, slot).filter(|newest| !newest.is_withdrawal());
        let Some(mark) = newest.map(|newest| Observation::withdrawal(&newest, recorded_at, position)) else { return false };
        self.insert(product, &mark, false);
        true
    }

    /// The stores and kinds with a price of a product, in order.
    pub fn slots(&self, product: u32) -> impl Iterator<Item = Slot> + '_ {
        self.heads(product).iter().map(|head| head.slot)
    }

    /// The stores and kinds of one store.
    pub fn slots_of(&self, product: u32, store: u32) -> impl Iterator<Item = Slot> + '_ {
        let heads = self.heads(product);
        let from = heads.partition_point(|head| head.slot.store() < store);
        heads[from..].iter().map(|head| head.slot).take_while(move |slot| slot.store() == store)
    }

    /// The observations of one store and kind, newest first.
    pub fn newest_first(&self, product: u32, slot: Slot) -> impl Iterator<Item = Observation> + '_ {
        let heads = self.heads(product);
        let newest = heads.binary_search_by_key(&slot, |head| head.slot).map_or(NONE, |index| heads[index].newest);
        self.cells.back_from(slot, newest)
    }

    /// The observations of a product at a store.
    #[must_use]
    pub fn place(&self, product: u32, store: u32) -> Newest {
        let heads = self.heads(product);
        let from = heads.partition_point(|head| head.slot.store() < store);
        let mut newest = [NONE; KINDS.len()];
        for head in heads[from..].iter().take_while(|head| head.slot.store() == store) {
            newest[head.slot.kind() as usize] = head.newest;
        }
        Newest { store, newest }
    }

    /// The observations of one kind at a place, newest first.
    pub fn back_from(&self, place: &Newest, kind: PriceKind) -> impl Iterator<Item = Observation> + '_ {
        self.cells.back_from(Slot::new(place.store, kind), place.newest[kind as usize])
    }

    /// The newest observation of a store and kind, which may be a withdrawal.
    #[must_use]
    pub fn newest(&self, product: u32, slot: Slot) -> Option<Observation> {
        self.newest_first(product, slot).next()
    }

    /// The observations of one store and kind, oldest first.
    #[must_use]
    pub fn slice(&self, product: u32, slot: Slot) -> Slice {
        let mut slice: Slice = self.newest_first(product, slot).collect();
        slice.reverse();
        slice
    }

    /// The prices of one kind at a place that decide a period, oldest first: back to the one certainly in force at its start, or fewer
    /// where there are more than the limit. How often a price was seen does not matter, nor what was seen after the period.
    #[must_use]
    pub fn runs_within(&self, place: &Newest, kind: PriceKind, (from, to): (Moment, Moment), limit: usize) -> Runs {
        let mut runs = Runs::new();
        let within = |o: &Observation| o.observed_at < to || o.is_withdrawal() && o.observed_at == to;
        for observation in self.back_from(place, kind).skip_while(|o| !within(o)) {
            let is_full = runs.len() == limit;
            match runs.last_mut() {
                Some(run) if !observation.is_withdrawal() && self.tables.is_same_price(&run.first, &observation) => run.first = observation,
                _ if is_full => break,
                _ => runs.push(Run { first: observation, last_seen: observation.observed_at }),
            }
            if observation.observed_at <= from && observation.validity == 0 && !observation.is_withdrawal() {
                break;
            }
        }
        runs.reverse();
        runs
    }

    /// Every observation of some stores and kinds of a product, by slot, oldest first.
    #[must_use]
    pub fn all(&self, product: u32, slots: impl Iterator<Item = Slot>) -> Vec<Observation> {
        slots.flat_map(|slot| self.slice(product, slot)).collect()
    }

    /// Reads what recording a price will need, and returns when the newest of its slot was observed: done for many prices first,
    /// their memory accesses overlap.
    #[must_use]
    pub fn look_ahead(&self, product: u32, slot: Slot) -> Option<Moment> {
        self.newest(product, slot).map(|newest| newest.observed_at)
    }

    /// What was known at a position and no longer counts, newest first.
    pub(super) fn former_at(&self, product: u32, slot: Slot, position: u64) -> Vec<Observation> {
        let former = self.former.get(&(product, slot)).map_or(&[][..], Vec::as_slice);
        let known = former.iter().filter(|former| former.observation.position <= position && position < former.until);
        let mut known: Vec<_> = known.map(|former| former.observation).collect();
        known.sort_unstable_by_key(|observation| std::cmp::Reverse(observation.observed_at));
        known
    }

    /// What no longer counts of a store and kind, each with the position of its replacement.
    pub fn former(&self, product: u32, slot: Slot) -> impl Iterator<Item = (Observation, u64)> + '_ {
        self.former.get(&(product, slot)).into_iter().flatten().map(|former| (former.observation, former.until))
    }

    fn heads(&self, product: u32) -> &[Head] {
        self.products.get(product as usize).map_or(&[], Vec::as_slice)
    }

    /// Puts an observation in its place.
    fn insert(&mut self, product: u32, new: &Observation, is_one_of_many: bool) -> Effect {
        let heads = self.products.place(product as usize);
        let head = match heads.binary_search_by_key(&new.slot, |head| head.slot) {
            Ok(index) => &mut heads[index],
            Err(index) => {
                // A quarter more at a time: doubling would waste a third of the memory over hundreds of thousands of short lists.
                if heads.len() == heads.capacity() {
                    heads.reserve_exact(1 + heads.len() / 4);
                }
                heads.insert(index, Head { slot: new.slot, newest: self.cells.push(new, NONE) });
                return Effect::First;
            }
        };
        let held = self.cells.get(new.slot, head.newest);
        if held.observed_at >= new.observed_at {
            let (former, tables) = (&mut self.former, &self.tables);
            let stays = |held: &Observation| is_one_of_many && tables.outbids(held, new);
            let keep = |observation: Observation| {
                // What came and was replaced at one position was never known.
                if observation.position < new.position {
                    former.entry((product, new.slot)).or_default().push(Former { observation, until: new.position });
                }
            };
            return if self.cells.insert_late(&mut head.newest, new, stays, keep) { Effect::Newest } else { Effect::Late };
        }
        head.newest = self.cells.push(new, head.newest);
        if self.tables.is_same_price(&held, new) { Effect::Repeated } else { Effect::Newest }
    }
}

/// The index of the observation of one slot's slice in force at a moment, of those observed until then.
/// Skips what was not valid yet; stops at what had expired or was withdrawn.
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
        let expired = tables.end_of(observation, observation.observed_at).is_some_and(|end| end <= at);
        return (!withdrawn && !expired).then_some(index);
    }
    None
}

/// The newest price of a slot that can be used at a moment, however fresh its observation; the observations come newest first.
/// A price announced for later leaves the one before it in force.
#[must_use]
pub fn newest_usable(mut newest_first: impl Iterator<Item = Observation>, tables: &Tables, at: Moment) -> Option<Observation> {
    let begun = newest_first.find(|o| tables.validity_of(o).from.is_none_or(|from| from <= at))?;
    let usable = !begun.is_withdrawal() && tables.end_of(&begun, begun.observed_at).is_none_or(|end| end > at);
    usable.then_some(begun)
}

/// The index of the first of the consecutive equal prices that end at `index`: the start of this price.
#[must_use]
pub fn run_start(slice: &[Observation], tables: &Tables, index: usize) -> usize {
    let same = |o: &Observation| o.amount() == slice[index].amount() && tables.denomination_of(o) == tables.denomination_of(&slice[index]);
    index - slice[..index].iter().rev().take_while(|o| same(o)).count()
}
