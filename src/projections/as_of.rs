//! The views as they were known at a position: what came later does not count, and what was corrected since counts as it was then.
//! Prices, products, stores and households' choices are queried this way at no greater cost than now; nothing is replayed.

use super::{
    Views,
    history::{PriceHistory, Slice},
    observation::{Observation, Slot, Tables},
};
use crate::{
    domain::{Moment, ProductId, StoreId},
    events::Position,
};

/// The views, with everything after a position left out.
#[derive(Debug, Clone, Copy)]
pub struct AsOf<'a> {
    pub(super) views: &'a Views,
    /// The last position that counts.
    pub(super) known: u64,
    /// Only what was seen until then counts: for the prices of a day with later knowledge.
    seen_until: Option<Moment>,
}

impl Views {
    /// As known at a position. One beyond the views' own means now.
    #[must_use]
    pub fn as_of(&self, position: Position) -> AsOf<'_> {
        AsOf { views: self, known: if position >= self.position { u64::MAX } else { position.0 }, seen_until: None }
    }

    /// As known now.
    #[must_use]
    pub fn now(&self) -> AsOf<'_> {
        AsOf { views: self, known: u64::MAX, seen_until: None }
    }
}

impl<'a> AsOf<'a> {
    /// The prices that were true at a moment, by current knowledge: a price seen later does not count,
    /// one only recorded later does.
    #[must_use]
    pub fn true_at(self, moment: Moment) -> Self {
        Self { seen_until: Some(moment), ..self }
    }

    pub(super) fn is_now(&self) -> bool {
        self.known == u64::MAX
    }

    /// Whether the query is for prices that were true at some time.
    pub(super) fn is_of_then(&self) -> bool {
        self.seen_until.is_some()
    }

    /// The number of a product; what only receipts named until then is none.
    pub(super) fn product_number(&self, id: &ProductId) -> Option<u32> {
        self.views.ids.products.get(id.as_str()).filter(|&product| self.views.catalog.is_known_at(product, self.known))
    }

    pub(super) fn store_number(&self, id: &StoreId) -> Option<u32> {
        self.views.ids.stores.get(id.as_str())
    }

    pub(super) fn tables(&self) -> &'a Tables {
        &self.history().tables
    }

    /// The stores and kinds with a price of a product, in order.
    pub(super) fn slots(&self, product: u32) -> impl Iterator<Item = Slot> + use<'a> {
        let this = *self;
        self.history().slots(product).filter(move |&slot| this.is_seen(product, slot))
    }

    /// The stores and kinds of one store.
    pub(super) fn slots_of(&self, product: u32, store: u32) -> impl Iterator<Item = Slot> + use<'a> {
        let this = *self;
        self.history().slots_of(product, store).filter(move |&slot| this.is_seen(product, slot))
    }

    /// The observations of one store and kind, newest first.
    pub(super) fn newest_first(&self, product: u32, slot: Slot) -> impl Iterator<Item = Observation> + use<'a> {
        let (known, until) = (self.known, self.seen_until.unwrap_or(Moment(i64::MAX)));
        let counts = move |o: &Observation| o.position <= known && o.observed_at <= until;
        let mut held = self.history().newest_first(product, slot).filter(counts).peekable();
        // An empty list does not allocate: nothing is superseded now.
        let former = if self.is_now() { Vec::new() } else { self.history().former_at(product, slot, known) };
        let mut former = former.into_iter().filter(counts).peekable();
        std::iter::from_fn(move || match (held.peek(), former.peek()) {
            (Some(one), Some(other)) if other.observed_at > one.observed_at => former.next(),
            (None, Some(_)) => former.next(),
            _ => held.next(),
        })
    }

    /// The observations of one store and kind, oldest first.
    pub(super) fn slice(&self, product: u32, slot: Slot) -> Slice {
        let mut slice: Slice = self.newest_first(product, slot).collect();
        slice.reverse();
        slice
    }

    /// Every observation of some stores and kinds of a product, by slot, oldest first.
    pub(super) fn all(&self, product: u32, slots: impl Iterator<Item = Slot>) -> Vec<Observation> {
        slots.flat_map(|slot| self.slice(product, slot)).collect()
    }

    fn is_seen(&self, product: u32, slot: Slot) -> bool {
        (self.is_now() && self.seen_until.is_none()) || self.newest_first(product, slot).next().is_some()
    }

    fn history(&self) -> &'a PriceHistory {
        &self.views.history
    }
}
