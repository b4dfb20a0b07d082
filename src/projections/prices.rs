//! The price book: the best price of a product at a store now, its age and source, and what a price was at any moment.
//! It reads the history; there is no second copy of the newest prices.

use std::{collections::BTreeSet, sync::Arc};

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    AsOf, Views,
    history::{newest_usable, run_start, standing},
    observation::{Observation, Slot, Validity},
    totals::{PriceLookup, UsedPrice},
};
use crate::{
    domain::{Currency, HouseholdId, Moment, ProductId, Quantity, StoreId, UnitPrice, product::PriceKind},
    events::Position,
};

/// A price that can be paid at a store, with everything that backs it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BestPrice {
    pub store: StoreId,
    pub kind: PriceKind,
    pub price: UnitPrice,
    pub observed_at: Moment,
    pub recorded_at: Moment,
    /// From the observation to the moment asked about; zero for an observation after it.
    pub age_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Moment>,
    /// The position of the observation.
    #[schema(value_type = String)]
    pub position: Position,
    #[schema(value_type = String)]
    pub source: Arc<str>,
    /// The shelf price, when a lower one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<UnitPrice>,
}

/// One entry of a price's history.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PriceEntry {
    pub store: StoreId,
    pub kind: PriceKind,
    pub price: UnitPrice,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub valid_until: Option<Moment>,
    pub observed_at: Moment,
    pub recorded_at: Moment,
    #[schema(value_type = String)]
    pub position: Position,
    #[schema(value_type = String)]
    pub source: Arc<str>,
    /// When it was withdrawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub withdrawn_at: Option<Moment>,
}

/// The price in force at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HeldPrice {
    #[serde(flatten)]
    pub entry: PriceEntry,
    /// When the first observation of this same price in a row was made.
    pub since: Moment,
    /// When another observation, the end of its validity or its withdrawal ended it; absent while in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
}

/// The part of a product's history asked for.
#[derive(Debug, Clone, Default)]
pub struct HistoryQuery {
    pub store: Option<StoreId>,
    pub kind: Option<PriceKind>,
    pub from: Option<Moment>,
    /// Exclusive.
    pub to: Option<Moment>,
    /// At most this many entries; the newest are kept.
    pub limit: usize,
}

impl AsOf<'_> {
    /// The lowest price one can pay at a store: never expired, not yet valid or withdrawn, and a member's price only when asked for.
    #[must_use]
    pub fn best_price(&self, product: &ProductId, store: &StoreId, at: Moment, include_member: bool) -> Option<BestPrice> {
        let (product, store) = (self.product_number(product)?, self.store_number(store)?);
        self.best_of(product, store, at, include_member).and_then(|best| self.best_answer(product, &best, at))
    }

    /// The best price of every store that has one, the lowest first; prices in other currencies or units are grouped separately.
    #[must_use]
    pub fn best_prices(&self, product: &ProductId, at: Moment, include_member: bool) -> Vec<BestPrice> {
        let Some(product) = self.product_number(product) else { return Vec::new() };
        let best = self.store_numbers(product).filter_map(|store| self.best_of(product, store, at, include_member));
        let mut prices: Vec<_> = best.filter_map(|best| self.best_answer(product, &best, at)).collect();
        prices.sort_by(|a, b| sort_key(a).cmp(&sort_key(b)));
        prices
    }

    /// The observations of a product, sorted by store id, kind and when they were observed; withdrawals appear as a field of the price they
    /// withdrew.
    #[must_use]
    pub fn price_history(&self, product: &ProductId, query: &HistoryQuery) -> Vec<PriceEntry> {
        let Some(product) = self.product_number(product) else { return Vec::new() };
        let all = match &query.store {
            Some(store) => self.store_number(store).map_or_else(Vec::new, |store| self.all(product, self.slots_of(product, store))),
            None => self.all(product, self.slots_by_name(product)),
        };
        let wanted = |o: &Observation| {
            !o.is_withdrawal()
                && query.kind.is_none_or(|kind| kind == o.slot.kind())
                && query.from.is_none_or(|from| o.observed_at >= from)
                && query.to.is_none_or(|to| o.observed_at < to)
        };
        let mut found: Vec<usize> = (0..all.len()).filter(|&i| wanted(&all[i])).collect();
        if found.len() > query.limit {
            // Ties are broken by place in the history, so that the answer never depends on the sort.
            found.sort_by_key(|&i| (std::cmp::Reverse(all[i].observed_at), i));
            found.truncate(query.limit);
            found.sort_unstable();
        }
        found.into_iter().filter_map(|i| self.entry(&all, i)).collect()
    }

    /// The price of a store and kind that held at a moment, by what was observed until then.
    #[must_use]
    pub fn price_at(&self, product: &ProductId, store: &StoreId, kind: PriceKind, moment: Moment) -> Option<HeldPrice> {
        let (product, store) = (self.product_number(product)?, self.store_number(store)?);
        let slice = self.slice(product, Slot::new(store, kind));
        let index = standing(&slice, self.tables(), moment)?;
        let entry = self.entry(&slice, index)?;
        let since = slice[run_start(&slice, self.tables(), index)].observed_at;
        let followed =
            slice[index + 1..].iter().find(|o| !o.is_withdrawal()).map(|o| self.tables().validity_of(o).from.unwrap_or(o.observed_at));
        let end = self.tables().end_of(&slice[index], slice[index].observed_at);
        let until = [followed, end, entry.withdrawn_at].into_iter().flatten().min();
        Some(HeldPrice { entry, since, until })
    }

    /// The stores and kinds of a product by the stores' ids: their numbers depend on what came first.
    fn slots_by_name(&self, product: u32) -> impl Iterator<Item = Slot> {
        let mut slots: Vec<_> = self.slots(product).collect();
        slots.sort_by_key(|slot| (self.views.ids.stores.name(slot.store()), slot.kind()));
        slots.into_iter()
    }

    /// The numbers of the stores with any observation of a product, in no order a caller may rely on.
    pub(super) fn store_numbers(&self, product: u32) -> impl Iterator<Item = u32> + '_ {
        let mut last = None;
        self.slots(product).map(Slot::store).filter(move |&store| last.replace(store) != Some(store))
    }

    /// The price of one store and kind that can be used at a moment.
    fn usable(&self, product: u32, slot: Slot, at: Moment) -> Option<Observation> {
        if self.is_of_then() {
            let slice = self.slice(product, slot);
            return standing(&slice, self.tables(), at).map(|index| slice[index]);
        }
        newest_usable(self.newest_first(product, slot), self.tables(), at)
    }

    /// The observation to use at a store. Between units that cannot be compared, the one observed later counts.
    fn best_of(&self, product: u32, store: u32, at: Moment, include_member: bool) -> Option<Observation> {
        let tables = self.tables();
        let slots = self.slots_of(product, store).filter(|slot| include_member || slot.kind() != PriceKind::Member);
        let usable = slots.filter_map(|slot| self.usable(product, slot, at));
        usable.reduce(|best, other| {
            let comparable = tables.denomination_of(&best) == tables.denomination_of(&other);
            let better = if comparable { other.amount() < best.amount() } else { other.observed_at > best.observed_at };
            if better { other } else { best }
        })
    }

    fn best_answer(&self, product: u32, best: &Observation, at: Moment) -> Option<BestPrice> {
        let tables = self.tables();
        Some(BestPrice {
            store: self.views.ids.stores.name(best.slot.store())?.clone(),
            kind: best.slot.kind(),
            price: tables.price_of(best)?,
            observed_at: best.observed_at,
            recorded_at: best.recorded_at,
            age_seconds: at.seconds_since(best.observed_at),
            valid_until: tables.validity_of(best).until,
            position: Position(best.position),
            source: tables.source_of(best),
            reference: self.shelf_reference(product, best, at),
        })
    }

    /// The shelf price next to a lower price of another kind.
    fn shelf_reference(&self, product: u32, used: &Observation, at: Moment) -> Option<UnitPrice> {
        if used.slot.kind() == PriceKind::Shelf {
            return None;
        }
        let tables = self.tables();
        let regular = self.usable(product, used.slot.with_kind(PriceKind::Shelf), at)?;
        let higher = regular.amount() > used.amount() && tables.denomination_of(&regular) == tables.denomination_of(used);
        if higher { tables.price_of(&regular) } else { None }
    }

    fn entry(&self, slice: &[Observation], index: usize) -> Option<PriceEntry> {
        let (tables, observation) = (self.tables(), &slice[index]);
        let Validity { from, until } = tables.validity_of(observation);
        let next = slice.get(index + 1).filter(|next| next.slot == observation.slot && next.is_withdrawal());
        Some(PriceEntry {
            store: self.views.ids.stores.name(observation.slot.store())?.clone(),
            kind: observation.slot.kind(),
            price: tables.price_of(observation)?,
            valid_from: from,
            valid_until: until,
            observed_at: observation.observed_at,
            recorded_at: observation.recorded_at,
            position: Position(observation.position),
            source: tables.source_of(observation),
            withdrawn_at: next.map(|next| next.recorded_at),
        })
    }
}

impl PriceLookup for AsOf<'_> {
    fn stores_of(&self, product: &ProductId) -> Vec<StoreId> {
        let Some(product) = self.product_number(product) else { return Vec::new() };
        let mut stores: Vec<_> = self.store_numbers(product).filter_map(|store| self.views.ids.stores.name(store).cloned()).collect();
        stores.sort_unstable();
        stores
    }

    fn best(&self, product: &ProductId, store: &StoreId, at: Moment) -> Option<UsedPrice> {
        let best = self.best_price(product, store, at, false)?;
        Some(UsedPrice {
            price: best.price,
            kind: best.kind,
            reference: best.reference,
            observed_at: best.observed_at,
            position: best.position,
            source: best.source,
        })
    }

    fn content(&self, product: &ProductId) -> Option<(Quantity, bool)> {
        self.views.catalog.content(self.product_number(product)?, self.known)
    }

    fn currency(&self, store: &StoreId) -> Option<Currency> {
        self.views.catalog.currency(self.store_number(store)?, self.known)
    }

    fn compared(&self, household: &HouseholdId) -> BTreeSet<StoreId> {
        self.views.households.compared_at(household, Position(self.known)).cloned().unwrap_or_default()
    }

    fn next_change(&self, product: &ProductId, at: Moment) -> Option<Moment> {
        let product = self.product_number(product)?;
        self.slots(product).filter_map(|slot| self.next_change_of(product, slot, at)).min()
    }
}

impl AsOf<'_> {
    /// When the usable price of a slot next changes by time alone: the start of an announced one, or the end of the current one.
    fn next_change_of(&self, product: u32, slot: Slot, at: Moment) -> Option<Moment> {
        let mut next = None;
        let ends = |o: &Observation| if o.is_withdrawal() { None } else { self.tables().end_of(o, o.observed_at) };
        for observation in self.newest_first(product, slot).take_while(|o| o.validity != 0 || ends(o).is_some()) {
            let from = self.tables().validity_of(&observation).from;
            let end = ends(&observation);
            next = [next, from.filter(|&from| from > at), end.filter(|&end| end > at)].into_iter().flatten().min();
            if from.is_none_or(|from| from <= at) {
                break;
            }
        }
        next
    }
}

impl Views {
    /// As known now; see [`AsOf::best_price`].
    #[must_use]
    pub fn best_price(&self, product: &ProductId, store: &StoreId, at: Moment, include_member: bool) -> Option<BestPrice> {
        self.now().best_price(product, store, at, include_member)
    }

    /// As known now; see [`AsOf::best_prices`].
    #[must_use]
    pub fn best_prices(&self, product: &ProductId, at: Moment, include_member: bool) -> Vec<BestPrice> {
        self.now().best_prices(product, at, include_member)
    }

    /// As known now; see [`AsOf::price_history`].
    #[must_use]
    pub fn price_history(&self, product: &ProductId, query: &HistoryQuery) -> Vec<PriceEntry> {
        self.now().price_history(product, query)
    }

    /// As known now; see [`AsOf::price_at`].
    #[must_use]
    pub fn price_at(&self, product: &ProductId, store: &StoreId, kind: PriceKind, moment: Moment) -> Option<HeldPrice> {
        self.now().price_at(product, store, kind, moment)
    }
}

impl PriceLookup for Views {
    fn stores_of(&self, product: &ProductId) -> Vec<StoreId> {
        self.now().stores_of(product)
    }

    fn best(&self, product: &ProductId, store: &StoreId, at: Moment) -> Option<UsedPrice> {
        self.now().best(product, store, at)
    }

    fn content(&self, product: &ProductId) -> Option<(Quantity, bool)> {
        self.now().content(product)
    }

    fn currency(&self, store: &StoreId) -> Option<Currency> {
        self.now().currency(store)
    }

    fn compared(&self, household: &HouseholdId) -> BTreeSet<StoreId> {
        self.now().compared(household)
    }

    fn next_change(&self, product: &ProductId, at: Moment) -> Option<Moment> {
        self.now().next_change(product, at)
    }
}

fn sort_key(best: &BestPrice) -> (Currency, &crate::domain::Unit, i64, &StoreId) {
    (best.price.currency(), best.price.per(), best.price.ten_thousandths(), &best.store)
}
