//! Where the hub hears of what happened: committed events from the projector, totals from the list actors.

use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{hub::Hub, topic::Topic};
use crate::{
    actors::Audience,
    domain::{Event, HouseholdId, ListId, OrderId, StoreId, order::OrderEvent},
    events::{Position, Recorded, codec},
    projections::{Changes, DealChange, TotalsView, Views},
};

impl Audience for Hub {
    fn committed(&self, recorded: &Arc<Recorded>, changes: &Changes, views: &Views) {
        self.advance(recorded.position);
        if self.is_quiet() {
            return;
        }
        let own = Topic::of_stream(&recorded.stream);
        let orders = household_of_order(recorded, views).map(Topic::Orders);
        for topic in own.into_iter().chain(orders) {
            self.publish_event(&topic, recorded, || codec::event_json(recorded));
        }
        for (store, deals) in by_store(&changes.deals) {
            self.publish_event(&Topic::Deals(store.clone()), recorded, || DealsChanged { kind: "deals.changed", deals });
        }
    }

    fn totals_changed(&self, list: &ListId, position: Position, totals: &Arc<TotalsView>) {
        self.publish_state(&Topic::List(list.clone()), "totals", position, &**totals);
    }

    fn wants_list(&self, list: &ListId) -> bool {
        !self.is_quiet() && self.wants(&Topic::List(list.clone()))
    }
}

/// What one event did to the deals of one store: one push, so that a position is never half delivered.
#[derive(Serialize)]
struct DealsChanged<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    deals: Vec<&'a DealChange>,
}

fn by_store(changes: &[DealChange]) -> BTreeMap<&StoreId, Vec<&DealChange>> {
    let mut stores: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for change in changes {
        stores.entry(&change.deal().store).or_default().push(change);
    }
    stores
}

/// Whose order an event is of, `None` for other events and for orders of nobody.
#[must_use]
pub fn household_of_order(recorded: &Recorded, views: &Views) -> Option<HouseholdId> {
    match &recorded.event {
        Event::Order(OrderEvent::Placed { placement, .. }) => placement.household.clone(),
        Event::Order(_) => views.order(&OrderId::new(recorded.stream.id()).ok()?)?.household,
        _ => None,
    }
}
