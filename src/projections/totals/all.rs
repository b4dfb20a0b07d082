//! The totals of all lists, for a replay: the fold that proves the lists' actors right.

use std::collections::{BTreeMap, BTreeSet};

use ahash::AHashMap;

use super::{ListTotals, TotalsView};
use crate::{
    checkpoint,
    domain::{
        Entity, Event, HouseholdId, ListId, ProductId, StoreId,
        list::{List, ListEvent, ListState, Lists},
    },
    events::Recorded,
    projections::{Changes, Views},
};

/// Every list with its totals.
#[derive(Debug, Default)]
pub struct Totals {
    pub(super) lists: BTreeMap<ListId, (ListState, ListTotals)>,
    /// Which lists may hold a product; lists that no longer do are dropped when its price next changes.
    of_product: AHashMap<ProductId, BTreeSet<ListId>>,
    of_household: AHashMap<HouseholdId, BTreeSet<ListId>>,
}

impl Totals {
    /// Applies one event, with the changes of the views.
    pub fn apply(&mut self, recorded: &Recorded, changes: &Changes, views: &Views) {
        if let Event::List(event) = &recorded.event {
            self.list_event(recorded, event, views);
        }
        for (product, store) in &changes.prices {
            self.each_list(product, |list, totals| totals.price_changed(list, product, store, views, recorded.at));
        }
        if let Some(product) = &changes.product_details {
            self.each_list(product, |list, totals| totals.details_changed(list, product, views, recorded.at));
        }
        for id in changes.compared.iter().filter_map(|household| self.of_household.get(household)).flatten() {
            if let Some((state, totals)) = self.lists.get_mut(id)
                && let Some(list) = existing(state)
            {
                totals.compared_changed(list, views, recorded.at);
            }
        }
    }

    /// The totals of a list, for a given store or its own.
    #[must_use]
    pub fn view(&self, list: &ListId, store: Option<&StoreId>) -> Option<TotalsView> {
        self.lists.get(list).map(|(_, totals)| totals.view(store))
    }

    /// How many lists there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lists.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty()
    }

    /// The BLAKE3 digest, in hex, of every list's figures.
    #[must_use]
    pub fn digest(&self) -> String {
        let views: Vec<_> = self.lists.iter().map(|(id, (_, totals))| (id, totals.view(None))).collect();
        checkpoint::digest(&views)
    }

    fn list_event(&mut self, recorded: &Recorded, event: &ListEvent, views: &Views) {
        let Ok(id) = ListId::new(recorded.stream.id()) else { return };
        let (state, totals) = self.lists.entry(id.clone()).or_default();
        Lists::evolve(state, event, &recorded.fact());
        let Some(list) = existing(state) else { return };
        totals.apply(list, event, views, recorded.at);
        if let ListEvent::ItemAdded { product: Some(product), .. } | ListEvent::ItemMatched { product: Some(product), .. } = event {
            self.of_product.entry(product.clone()).or_default().insert(id);
        } else if let ListEvent::Created { household: Some(household), .. } = event {
            self.of_household.entry(household.clone()).or_default().insert(id);
        }
    }

    fn each_list(&mut self, product: &ProductId, mut change: impl FnMut(&List, &mut ListTotals) -> bool) {
        let Some(ids) = self.of_product.get_mut(product) else { return };
        ids.retain(|id| {
            let Some((state, totals)) = self.lists.get_mut(id) else { return false };
            existing(state).is_some_and(|list| change(list, totals))
        });
    }
}

pub(super) fn existing(state: &ListState) -> Option<&List> {
    match state {
        ListState::Absent => None,
        ListState::Active(list) | ListState::Archived(list) => Some(list),
    }
}
