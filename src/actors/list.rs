//! The list's actor keeps its totals: they change with its own events and with the prices of its products.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use super::{
    handle::News,
    hosted::{Environment, Hosted},
    shared::Shared,
};
use crate::{
    domain::{
        Event, HouseholdId, ListId, Moment, ProductId, StoreId,
        list::{List, ListState, Lists},
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
    type Derived = ListDesk;

    fn derive(state: &ListState, environment: &Environment<'_, Self>) -> ListDesk {
        let mut derived = ListDesk::default();
        let Some(list) = list_of(state) else { return derived };
        for product in list.items.values().filter_map(|item| item.product.as_ref()) {
            derived.follow(product, environment);
        }
        derived.follow_household(list, environment);
        derived.totals = ListTotals::build(list, &*environment.shared.views.read(), environment.shared.clock.now());
        derived.priced_at = derived.totals.brief(list.store.as_ref()).store;
        derived
    }

    fn recorded(derived: &mut ListDesk, state: &ListState, recorded: &Recorded, environment: &Environment<'_, Self>) {
        let (Some(list), Some(event)) = (list_of(state), <Self as crate::domain::Entity>::own(&recorded.event)) else { return };
        if let Some(product) = event.facts().product {
            derived.follow(product, environment);
            derived.repriced.insert(product.clone());
        }
        derived.follow_household(list, environment);
        derived.totals.apply(list, event, &*environment.shared.views.read(), environment.shared.clock.now());
        if derived.products.len() > 2 * list.items.len() + PRODUCTS_SPARE_MAX {
            derived.leave_gone(list, environment);
        }
    }

    fn read_news(derived: &mut ListDesk, state: &ListState, environment: &Environment<'_, Self>) -> bool {
        let Some(list) = list_of(state) else { return false };
        let now = environment.shared.clock.now();
        let expired = derived.totals.expires_at().is_some_and(|until| until <= now);
        let news = environment.handle.take_news();
        if news.is_empty() && !expired {
            return false;
        }
        let views = environment.shared.views.read();
        if expired {
            derived.totals = ListTotals::build(list, &*views, now);
            derived.repriced.extend(derived.products.iter().cloned());
        }
        let changed = news.iter().fold(expired, |changed, news| {
            let moved = match news {
                News::Price(product, store) => {
                    if derived.priced_at.as_ref() == Some(store) {
                        derived.repriced.insert(product.clone());
                    }
                    derived.totals.price_changed(list, product, store, &*views, now)
                }
                News::Details(product) => derived.totals.details_changed(list, product, &*views, now),
                News::Compared => derived.totals.compared_changed(list, &*views, now),
            };
            changed | moved
        });
        changed || !derived.repriced.is_empty()
    }

    fn release(derived: &mut ListDesk, environment: &Environment<'_, Self>) {
        for product in derived.products.drain() {
            environment.shared.interest.remove(&product, environment.handle);
        }
        if let Some(household) = derived.household.take() {
            environment.shared.interest.remove_household(&household, environment.handle);
        }
    }

    fn view(derived: &ListDesk, state: &ListState) -> Arc<TotalsView> {
        Arc::new(derived.totals.view(list_of(state).and_then(|list| list.store.as_ref())))
    }

    fn nothing() -> Arc<TotalsView> {
        Arc::new(ListTotals::default().view(None))
    }

    /// The total of the list's own store; a read shows the others side by side.
    fn brief(derived: &ListDesk, state: &ListState) -> Arc<TotalsView> {
        Arc::new(derived.totals.brief(list_of(state).and_then(|list| list.store.as_ref())))
    }

    fn fresh_until(derived: &ListDesk) -> Option<Moment> {
        derived.totals.expires_at()
    }

    fn announce(derived: &mut ListDesk, state: &ListState, position: Position, environment: &Environment<'_, Self>) {
        let repriced = std::mem::take(&mut derived.repriced);
        if let Ok(list) = ListId::new(environment.id)
            && environment.shared.listener.wants_list(&list)
        {
            let totals = Self::view(derived, state);
            let prices = derived.prices(repriced, totals.store.as_ref(), environment);
            environment.shared.listener.list_changed(&list, position, &totals, &prices);
        }
    }

    fn is_watched(id: &str, shared: &Shared) -> bool {
        ListId::new(id).is_ok_and(|list| shared.listener.wants_list(&list))
    }

    fn subject(event: &Event) -> Option<String> {
        let Event::List(event) = event else { return None };
        event.facts().items.one().map(ToString::to_string)
    }
}

impl ListDesk {
    /// Registers before the price is read, so that no change falls in between.
    fn follow(&mut self, product: &ProductId, environment: &Environment<'_, Lists>) {
        if self.products.insert(product.clone()) {
            environment.shared.interest.add(product, environment.handle);
        }
    }

    /// The prices that listeners do not know yet: of every product, once another store's count.
    fn prices(&mut self, repriced: BTreeSet<ProductId>, store: Option<&StoreId>, environment: &Environment<'_, Lists>) -> Vec<PriceState> {
        let mut changed = repriced;
        if self.priced_at.as_ref() == store {
            // What left the list meanwhile is irrelevant.
            changed.retain(|product| self.totals.holds(product));
        } else {
            self.priced_at = store.cloned();
            changed = self.totals.products().cloned().collect();
        }
        let now = environment.shared.clock.now();
        let views = environment.shared.views.read();
        changed.iter().map(|product| PriceState::of(product, store, &*views, now)).collect()
    }

    /// Removes the products that are no longer on the list.
    fn leave_gone(&mut self, list: &List, environment: &Environment<'_, Lists>) {
        let held: HashSet<_> = list.items.values().filter_map(|item| item.product.as_ref()).collect();
        for gone in self.products.extract_if(|product| !held.contains(product)) {
            environment.shared.interest.remove(&gone, environment.handle);
        }
    }

    /// Like `follow`, for the household that chooses the stores to compare. A list stays in its household.
    fn follow_household(&mut self, list: &List, environment: &Environment<'_, Lists>) {
        if let (None, Some(household)) = (&self.household, &list.household) {
            environment.shared.interest.add_household(household, environment.handle);
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
