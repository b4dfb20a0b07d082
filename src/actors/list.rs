//! The list's actor keeps its totals: they change with its own events and with the prices of its products.

use std::{collections::HashSet, sync::Arc};

use super::{
    handle::News,
    hosted::{Hosted, Place},
    registry::{Shelf, Shelves},
    shared::Shared,
};
use crate::{
    domain::{
        Event, HouseholdId, ListId, Moment, ProductId,
        list::{List, ListEvent, ListState, Lists},
    },
    events::{Position, Recorded},
    projections::totals::{ListTotals, TotalsView},
};

/// Products beyond twice those on the list that stay registered; then those that left it are taken out. A list that is
/// never at rest must not stay registered for all it ever held.
const PRODUCTS_SPARE_MAX: usize = 64;

/// What a list's actor keeps beside its state.
#[derive(Debug)]
pub struct ListDesk {
    totals: ListTotals,
    /// The products it is registered for in the index of active lists.
    products: HashSet<ProductId>,
    /// The household it is registered for.
    household: Option<HouseholdId>,
}

impl Hosted for Lists {
    type View = Arc<TotalsView>;
    type Desk = ListDesk;

    fn shelf(shelves: &Shelves) -> &Shelf<Self> {
        &shelves.lists
    }

    fn open_desk(state: &ListState, place: &Place<'_, Self>) -> ListDesk {
        let mut desk = ListDesk { totals: ListTotals::default(), products: HashSet::new(), household: None };
        let Some(list) = list_of(state) else { return desk };
        for product in list.items.values().filter_map(|item| item.product.as_ref()) {
            desk.follow(product, place);
        }
        desk.follow_household(list, place);
        desk.totals = ListTotals::build(list, &*place.shared.views.read(), place.shared.clock.now());
        desk
    }

    fn recorded(desk: &mut ListDesk, state: &ListState, recorded: &Recorded, place: &Place<'_, Self>) {
        let (Some(list), Some(event)) = (list_of(state), <Self as crate::domain::Entity>::own(&recorded.event)) else { return };
        if let ListEvent::ItemAdded { product: Some(product), .. } | ListEvent::ItemMatched { product: Some(product), .. } = event {
            desk.follow(product, place);
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
        }
        news.iter().fold(expired, |changed, news| {
            let moved = match news {
                News::Price(product, store) => desk.totals.price_changed(list, product, store, &*views, now),
                News::Details(product) => desk.totals.details_changed(list, product, &*views, now),
                News::Compared => desk.totals.compared_changed(list, &*views, now),
            };
            changed | moved
        })
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

    fn announce(desk: &ListDesk, state: &ListState, position: Position, place: &Place<'_, Self>) {
        if let Ok(list) = ListId::new(place.id)
            && place.shared.audience.wants_list(&list)
        {
            place.shared.audience.totals_changed(&list, position, &Self::view(desk, state));
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

    /// Takes out the products that are not on the list any more.
    fn leave_gone(&mut self, list: &List, place: &Place<'_, Lists>) {
        let held: HashSet<_> = list.items.values().filter_map(|item| item.product.as_ref()).collect();
        for gone in self.products.extract_if(|product| !held.contains(product)) {
            place.shared.interest.remove(&gone, place.handle);
        }
    }

    /// As `follow`, for the household that says which stores are compared. A list stays in its household.
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
