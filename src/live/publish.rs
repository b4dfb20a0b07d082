//! What the hub is notified of: committed events from the projector, totals from the list actors.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use smallvec::SmallVec;
use utoipa::ToSchema;

use super::{
    channel::DealFilter,
    hub::{Hub, State},
    publication::Key,
    topic::Topic,
};
use crate::{
    actors::Listener,
    domain::{
        Event, HouseholdId, ListId, OrderId, ProductId, StoreId, household::HouseholdEvent, list::ListEvent, order::OrderEvent,
        product::ProductEvent,
    },
    events::{Position, Recorded, codec},
    projections::{
        Changes, DealChange, Views,
        totals::{PriceState, TotalsView},
    },
};

/// Up to this many sessions, presence is sent without extra delay.
const CROWD: usize = 500;

impl Listener for Hub {
    fn committed(&self, recorded: &Arc<Recorded>, changes: &Changes, views: &Views) {
        self.advance(recorded.position);
        self.follow_rights(&recorded.event);
        if self.is_quiet() {
            return;
        }
        let own = Topic::of_stream(&recorded.stream).filter(|_| !is_price(&recorded.event));
        let orders = household_of_order(recorded, views).map(Topic::Orders);
        for topic in own.into_iter().chain(orders) {
            self.publish_event(&topic, recorded, |_| Some(codec::event_json(recorded)));
        }
        for (product, stores) in by_product(changes) {
            self.publish_prices(product, &stores, recorded, views);
        }
        for (store, deals) in by_store(&changes.deals) {
            self.publish_event(&Topic::Deals(store.clone()), recorded, |filter| DealsChanged::of(&deals, filter));
        }
    }

    fn list_changed(&self, list: &ListId, position: Position, totals: &Arc<TotalsView>, prices: &[PriceState]) {
        let totals = State { key: Key::Totals, value: ListValue::Totals(totals) };
        let states: SmallVec<[_; 4]> = prices
            .iter()
            .map(|price| State { key: Key::PriceOf(price.product.clone()), value: ListValue::Price(price) })
            .chain([totals])
            .collect();
        self.publish_states(&Topic::List(list.clone()), position, &states);
    }

    fn wants_list(&self, list: &ListId) -> bool {
        !self.is_quiet() && self.wants(&Topic::List(list.clone()))
    }
}

impl Hub {
    /// Has the roles looked up again that an event changed, and takes away what may no longer be followed.
    fn follow_rights(&self, event: &Event) {
        use HouseholdEvent as H;
        match event {
            Event::Household(H::Created { .. }) => self.rights().memberships_changed(),
            Event::Household(H::MemberJoined { member, .. } | H::MemberRoleChanged { member, .. } | H::MemberLeft { member }) => {
                self.rights().memberships_changed();
                self.rights_changed(member);
            }
            Event::List(ListEvent::Shared { member, .. }) => self.rights_changed(member),
            Event::List(_) | Event::Product(_) | Event::Order(_) | Event::Household(_) | Event::Store(_) | Event::System(_) => {}
        }
    }

    fn publish_prices(&self, product: &ProductId, stores: &[&StoreId], recorded: &Recorded, views: &Views) {
        let topic = Topic::Product(product.clone());
        if self.wants(&topic) {
            let price = |store: &&StoreId| PriceState::of(product, Some(store), views, recorded.at);
            let states: Vec<_> = stores.iter().map(|store| State { key: Key::PriceAt((*store).clone()), value: price(store) }).collect();
            self.publish_states(&topic, recorded.position, &states);
        }
    }
}

/// Sends who has which list open whenever that changes, at most once per interval. Runs as long as its worker.
pub(super) async fn tell_presence(hub: Arc<Hub>) {
    loop {
        let mut told = 0;
        for list in hub.presence().changed().await {
            let state = State { key: Key::Presence, value: hub.presence().of(&list) };
            told += hub.publish_states(&Topic::List(list.clone()), hub.newest(), std::slice::from_ref(&state));
            // A session that joined between the two may have received the earlier state.
            hub.presence().recheck(&list, &state.value);
        }
        // The more receivers, the less often: presence of a crowd must not cost more than its events.
        let intervals = 1 + u32::try_from(told / CROWD).unwrap_or(u32::MAX);
        tokio::time::sleep(hub.limits().presence_interval.saturating_mul(intervals)).await;
    }
}

/// Whether an event is sent as a price state, not as an event.
#[must_use]
pub fn is_price(event: &Event) -> bool {
    matches!(event, Event::Product(ProductEvent::PriceObserved { .. } | ProductEvent::PriceWithdrawn { .. }))
}

/// The value of a state of a list.
#[derive(Serialize)]
#[serde(untagged)]
enum ListValue<'a> {
    Totals(&'a TotalsView),
    Price(&'a PriceState),
}

/// One event's changes of one store's deals: one push, so that a position is never half delivered.
#[derive(Debug, Serialize, ToSchema)]
pub struct DealsChanged {
    #[serde(rename = "type")]
    kind: &'static str,
    deals: Vec<DealChange>,
}

impl DealsChanged {
    /// The part that a filter lets through, if any.
    fn of(deals: &[&DealChange], filter: &DealFilter) -> Option<Self> {
        let deals: Vec<_> = deals.iter().filter_map(|change| filter.view(change)).collect();
        (!deals.is_empty()).then_some(Self { kind: "deals.changed", deals })
    }
}

fn by_product(changes: &Changes) -> BTreeMap<&ProductId, Vec<&StoreId>> {
    let mut products: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (product, store) in &changes.prices {
        products.entry(product).or_default().push(store);
    }
    products
}

fn by_store(changes: &[DealChange]) -> BTreeMap<&StoreId, Vec<&DealChange>> {
    let mut stores: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for change in changes {
        stores.entry(&change.deal().store).or_default().push(change);
    }
    stores
}

/// The household of an order's event, `None` for other events and orders without one.
#[must_use]
pub fn household_of_order(recorded: &Recorded, views: &Views) -> Option<HouseholdId> {
    match &recorded.event {
        Event::Order(OrderEvent::Placed { placement, .. }) => placement.household.clone(),
        Event::Order(_) => views.order(&OrderId::new(recorded.stream.id()).ok()?)?.household,
        Event::List(_) | Event::Product(_) | Event::Household(_) | Event::Store(_) | Event::System(_) => None,
    }
}
