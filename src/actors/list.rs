//! The list's actor keeps its totals: they change with its own events and with the prices of its products.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    handle::News,
    hosted::{Hosted, Place},
    shared::Shared,
};
use crate::{
    domain::{
        Event, HouseholdId, ListId, Moment, ProductId, StoreId,
        list::{List, ListEvent, ListState, Lists},
    },
    events::{Position, Recorded},
    projections::totals::{ListTotals, PriceState, TotalsView},
};

/// Products beyond twice those on the list that stay registered; then those that left it are removed. A list that is
/// never at rest must not stay registered for everything it ever held.
const PRODUCTS_SPARE_MAX: usize = 64;

/// What a list's actor keeps next to its state.
#[derive(Debug, Default)]
pub struct ListDesk {
    totals: ListTotals,
    /// The products it is registered for in the index of active lists.
    products: HashSet<ProductId>,
    /// The household it is registered for.
    household: Option<HouseholdId>,
    /// Products whose price changed since listeners were last notified.
    repriced: BTreeSet<ProductId>,
    /// The store whose prices listeners have received.
    priced_at: Option<StoreId>,
}

impl Hosted for Lists {
    type View = Arc<TotalsView>;
    type Desk = ListDesk;

    fn open_desk(state: &ListState, place: &Place<'_, Self>) -> ListDesk {
        let mut desk = ListDesk::default();
        let Some(list) = list_of(state) else { return desk };
        for product in list.items.values().filter_map(|item| item.product.as_ref()) {
            desk.follow(product, place);
        }
        desk.follow_household(list, place);
        desk.totals = ListTotals::build(list, &*place.shared.views.read(), place.shared.clock.now());
        desk.priced_at = desk.totals.brief(list.store.as_ref()).store;
        desk
    }

    fn recorded(desk: &mut ListDesk, state: &ListState, recorded: &Recorded, place: &Place<'_, Self>) {
        let (Some(list), Some(event)) = (list_of(state), <Self as crate::domain::Entity>::own(&recorded.event)) else { return };
        if let ListEvent::ItemAdded { product: Some(product), .. } | ListEvent::ItemMatched { product: Some(product), .. } = event {
            desk.follow(product, place);
            desk.repriced.insert(product.clone());
        }
        desk.follow_household(list, place);
        desk.totals.apply(list, event, &*place.shared.views.read(), place.shared.clock.now());
        if desk.products.len() > 2 * list.items.len() + PRODUCTS_SPARE_MAX {
            desk.leave_gone(list, place);
        }
    }

    fn read_news(desk: &mut ListDesk, state: &ListState, place: &Place<'_, Self>) -> bool {
        let Some(list) = list_of(state) else { return false };
        let now = place.shared.clock.now();
        let expired = desk.totals.expires_at().is_some_and(|until| until <= now);
        let news = place.handle.take_news();
        if news.is_empty() && !expired {
            return false;
        }
        let views = place.shared.views.read();
        if expired {
            desk.totals = ListTotals::build(list, &*views, now);
            desk.repriced.extend(desk.products.iter().cloned());
        }
        let changed = news.iter().fold(expired, |changed, news| {
            let moved = match news {
                News::Price(product, store) => {
                    if desk.priced_at.as_ref() == Some(store) {
                        desk.repriced.insert(product.clone());
                    }
                    desk.totals.price_changed(list, product, store, &*views, now)
                }
                News::Details(product) => desk.totals.details_changed(list, product, &*views, now),
                News::Compared => desk.totals.compared_changed(list, &*views, now),
            };
            changed | moved
        });
        changed || !desk.repriced.is_empty()
    }

    fn close_desk(desk: &mut ListDesk, place: &Place<'_, Self>) {
        for product in desk.products.drain() {
            place.shared.interest.remove(&product, place.handle);
        }
        if let Some(household) = desk.household.take() {
            place.shared.interest.remove_household(&household, place.handle);
        }
    }

    fn view(desk: &ListDesk, state: &ListState) -> Arc<TotalsView> {
        Arc::new(desk.totals.view(list_of(state).and_then(|list| list.store.as_ref())))
    }

    /// The total of the list's own store; a read shows the others side by side.
    fn brief(desk: &ListDesk, state: &ListState) -> Arc<TotalsView> {
        Arc::new(desk.totals.brief(list_of(state).and_then(|list| list.store.as_ref())))
    }

    fn fresh_until(desk: &ListDesk) -> Option<Moment> {
        desk.totals.expires_at()
    }

    fn announce(desk: &mut ListDesk, state: &ListState, position: Position, place: &Place<'_, Self>) {
        let repriced = std::mem::take(&mut desk.repriced);
        if let Ok(list) = ListId::new(place.id)
            && place.shared.audience.wants_list(&list)
        {
            let totals = Self::view(desk, state);
            let prices = desk.prices(state, repriced, totals.store.as_ref(), place);
            place.shared.audience.list_changed(&list, position, &totals, &prices);
        }
    }

    fn is_watched(id: &str, shared: &Shared) -> bool {
        ListId::new(id).is_ok_and(|list| shared.audience.wants_list(&list))
    }

    fn subject(event: &Event) -> Option<String> {
        let Event::List(event) = event else { return None };
        match event {
            ListEvent::ItemAdded { item, .. }
            | ListEvent::ItemQuantityChanged { item, .. }
            | ListEvent::ItemDetailsChanged { item, .. }
            | ListEvent::ItemMatched { item, .. }
            | ListEvent::ItemChecked { item }
            | ListEvent::ItemUnchecked { item }
            | ListEvent::ItemMoved { item, .. }
            | ListEvent::ItemRemoved { item } => Some(item.to_string()),
            _ => None,
        }
    }
}

impl ListDesk {
    /// Registers before the price is read, so that no change falls in between.
    fn follow(&mut self, product: &ProductId, place: &Place<'_, Lists>) {
        if self.products.insert(product.clone()) {
            place.shared.interest.add(product, place.handle);
        }
    }

    /// The prices that listeners do not know yet: of every product, once another store's count.
    fn prices(
        &mut self,
        state: &ListState,
        repriced: BTreeSet<ProductId>,
        store: Option<&StoreId>,
        place: &Place<'_, Lists>,
    ) -> Vec<PriceState> {
        let held = || list_of(state).into_iter().flat_map(|list| list.items.values()).filter_map(|item| item.product.as_ref());
        let mut changed = repriced;
        if self.priced_at.as_ref() == store {
            // What left the list meanwhile is irrelevant; most often nothing was repriced.
            if !changed.is_empty() {
                changed.retain(|product| held().any(|held| held == product));
            }
        } else {
            self.priced_at = store.cloned();
            changed = held().cloned().collect();
        }
        let now = place.shared.clock.now();
        let views = place.shared.views.read();
        changed.iter().map(|product| PriceState::of(product, store, &*views, now)).collect()
    }

    /// Removes the products that are no longer on the list.
    fn leave_gone(&mut self, list: &List, place: &Place<'_, Lists>) {
        let held: HashSet<_> = list.items.values().filter_map(|item| item.product.as_ref()).collect();
        for gone in self.products.extract_if(|product| !held.contains(product)) {
            place.shared.interest.remove(&gone, place.handle);
        }
    }

    /// Like `follow`, for the household that chooses the stores to compare. A list stays in its household.
    fn follow_household(&mut self, list: &List, place: &Place<'_, Lists>) {
        if let (None, Some(household)) = (&self.household, &list.household) {
            place.shared.interest.add_household(household, place.handle);
            self.household = Some(household.clone());
        }
    }
}

/// The list, if it exists.
fn list_of(state: &ListState) -> Option<&List> {
    match state {
        ListState::Absent => None,
        ListState::Active(list) | ListState::Archived(list) => Some(list),
    }
}
