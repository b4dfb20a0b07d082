//! All views of the log together: one event in, every read model updated, and the changes that others must hear about returned.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::{
    catalog::Catalog,
    deals::{DealChange, Deals},
    differences::Row,
    history::{Effect, PriceHistory, Seen},
    interner::{Interner, NONE},
    observation::Slot,
    orders::OrderBook,
    own_views,
};
use crate::{
    checkpoint,
    domain::{
        Event, HouseholdId, Moment, ProductId, StoreId,
        household::HouseholdEvent,
        order::{LinePrice, OrderEvent, OrderLine, line_prices},
        product::{PriceSeen, ProductEvent},
    },
    events::{Position, Recorded},
};

/// Read by many, written by the projector alone.
pub type SharedViews = Arc<parking_lot::RwLock<Views>>;

/// Where the prices of an order come from.
const RECEIPT_SOURCE: &str = "receipt";

macro_rules! views {
    ($($field:ident $view:ident;)*) => {
        /// Every read model, at one position of the log.
        #[derive(Debug, Clone, Default, Serialize, Deserialize)]
        pub struct Views {
            pub(super) ids: Ids,
            pub catalog: Catalog,
            pub history: PriceHistory,
            pub deals: Deals,
            pub orders: OrderBook,
            $(pub $field: super::$field::$view,)*
            pub(super) position: Position,
        }

        impl Views {
            /// The views that follow from the events alone, by name.
            pub(super) fn own_views(&self) -> impl Iterator<Item = (&'static str, &dyn OwnView)> {
                [$((stringify!($field), &self.$field as &dyn OwnView)),*].into_iter()
            }

            pub(super) fn own_digests(&self) -> impl Iterator<Item = (&'static str, String)> {
                [$((stringify!($field), checkpoint::digest(&self.$field))),*].into_iter()
            }

            fn follow_in_own_views(&mut self, recorded: &Recorded) {
                $(self.$field.apply(recorded);)*
            }
        }
    };
}

own_views!(views);

/// A view that follows from the events alone.
pub(super) trait OwnView {
    /// Applies the next event of the log, of whichever kind.
    fn apply(&mut self, recorded: &Recorded);

    /// Everything in it as text, by the stream that it belongs to.
    fn rows(&self) -> Box<dyn Iterator<Item = Row> + '_>;
}

/// Products and stores as numbers, in order of first appearance.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Ids {
    pub products: Interner<ProductId>,
    pub stores: Interner<StoreId>,
}

/// What one event changed that lists, sessions and alerts must hear about.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The places where the usable price may have changed.
    pub prices: SmallVec<[(ProductId, StoreId); 1]>,
    /// The product whose pack content, or way of being sold, may have changed.
    pub product_details: Option<ProductId>,
    /// The household that now compares other stores.
    pub compared: Option<HouseholdId>,
    pub deals: Vec<DealChange>,
    /// Without listeners: changes need not be collected.
    pub(super) unheard: bool,
}

impl Views {
    /// The position of the newest event applied.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Whether a household was created, or at least has orders: an import's orders may come first.
    #[must_use]
    pub fn knows_household(&self, id: &HouseholdId) -> bool {
        self.households.get(id).is_some() || !self.orders_of(id, None, 1).is_empty()
    }

    /// Applies the next event. Accepts any history; an event at or before the own position was already applied and changes nothing.
    pub fn apply(&mut self, recorded: &Recorded) -> Changes {
        let mut changes = Changes::default();
        self.follow(recorded, &mut changes);
        changes
    }

    /// Like [`Views::apply`], without reporting changes: to build the views from the log.
    pub fn absorb(&mut self, recorded: &Recorded) {
        self.follow(recorded, &mut Changes { unheard: true, ..Changes::default() });
    }

    fn follow(&mut self, recorded: &Recorded, changes: &mut Changes) {
        if recorded.position <= self.position {
            return;
        }
        self.position = recorded.position;
        self.follow_in_own_views(recorded);
        let id = recorded.stream.id();
        match &recorded.event {
            Event::Product(event) => self.product_event(recorded, event, changes),
            Event::Order(event) => self.order_event(recorded, event, changes),
            Event::Household(event) => {
                changes.compared = matches!(event, HouseholdEvent::StoresChosen { .. }).then(|| HouseholdId::new(id).ok()).flatten();
            }
            Event::Store(event) => {
                let Some(store) = self.store_number(id) else { return };
                self.catalog.store_event(store, event, recorded.position.0);
            }
            // These change nothing but own views, and what admins do changes no view.
            Event::List(_) | Event::System(_) => {}
        }
        self.end_expired_deals(recorded.at, changes);
    }

    fn product_event(&mut self, recorded: &Recorded, event: &ProductEvent, changes: &mut Changes) {
        let id = recorded.stream.id();
        // A stream's id was checked when the stream was named.
        let Ok(product) = self.ids.products.get(id).map_or_else(|| ProductId::new(id).map(|id| self.ids.products.number(&id)), Ok) else {
            return;
        };
        if self.catalog.appears(product, recorded.position.0) {
            self.judge_product(product, recorded, changes);
        }
        match event {
            ProductEvent::PriceObserved { seen, .. } => self.observe_price(recorded, product, seen, changes),
            ProductEvent::PriceWithdrawn { store, kind } => {
                let slot = Slot::new(self.ids.stores.number(store), *kind);
                if self.history.withdraw(product, slot, recorded.at, recorded.position.0) {
                    self.price_changed(product, slot, (Effect::Newest, recorded.at), recorded, changes);
                }
            }
            other @ (ProductEvent::Registered(_)
            | ProductEvent::DetailsChanged(_)
            | ProductEvent::CodeLinked { .. }
            | ProductEvent::OfferAnnounced { .. }
            | ProductEvent::OfferEnded { .. }
            | ProductEvent::StockReported { .. }
            | ProductEvent::Discontinued { .. }
            | ProductEvent::Merged { .. }) => {
                let into = if let ProductEvent::Merged { into } = other { self.ids.products.number(into) } else { NONE };
                if self.catalog.product_event(product, other, into, recorded.position.0) {
                    changes.product_details = self.ids.products.name(product).cloned();
                }
            }
        }
    }

    fn observe_price(&mut self, recorded: &Recorded, product: u32, seen: &PriceSeen, changes: &mut Changes) {
        let store = self.ids.stores.number(&seen.store);
        let effect = self.history.record(&Seen {
            product,
            store,
            kind: seen.kind,
            price: &seen.price,
            valid_from: seen.valid_from,
            valid_until: seen.valid_until,
            observed_at: seen.observed_at,
            source: &seen.source,
            recorded_at: recorded.at,
            position: recorded.position.0,
            is_one_of_many: false,
        });
        self.price_changed(product, Slot::new(store, seen.kind), (effect, seen.observed_at), recorded, changes);
    }

    fn order_event(&mut self, recorded: &Recorded, event: &OrderEvent, changes: &mut Changes) {
        self.orders.apply(recorded.stream.id(), event, &mut self.ids.stores, recorded.position);
        let lines = match event {
            OrderEvent::Placed { placement, .. } => &placement.lines,
            OrderEvent::Amended { lines } => lines,
            OrderEvent::LineSubstituted { .. }
            | OrderEvent::LineShorted { .. }
            | OrderEvent::LineRefunded { .. }
            | OrderEvent::Fulfilled { .. }
            | OrderEvent::Cancelled { .. } => return,
        };
        if let Some((store, placed_at)) = self.orders.place_and_time(recorded.stream.id()) {
            self.observe_receipt(recorded, store, placed_at, lines, changes);
        }
    }

    /// The lines of an order are observations of what was paid.
    fn observe_receipt(&mut self, recorded: &Recorded, store: u32, placed_at: Moment, lines: &[OrderLine], changes: &mut Changes) {
        // All are recorded before any is judged, step by step over all lines, so that memory accesses overlap.
        let mut prices: SmallVec<[(u32, LinePrice<'_>); 32]> = line_prices(lines).map(|line| (NONE, line)).collect();
        for (product, line) in &mut prices {
            *product = self.ids.products.number(line.product);
        }
        let newest = prices.iter().filter_map(|(product, line)| self.history.look_ahead(*product, Slot::new(store, line.kind))).max();
        std::hint::black_box(newest);
        let record = |(product, line): &(u32, LinePrice<'_>)| {
            self.history.record(&Seen {
                product: *product,
                store,
                kind: line.kind,
                price: &line.price,
                valid_from: None,
                valid_until: None,
                observed_at: placed_at,
                source: RECEIPT_SOURCE,
                recorded_at: recorded.at,
                position: recorded.position.0,
                is_one_of_many: true,
            })
        };
        let effects: SmallVec<[Effect; 32]> = prices.iter().map(record).collect();
        if !changes.unheard {
            changes.prices.reserve(prices.len());
        }
        for ((product, line), effect) in prices.iter().zip(effects) {
            self.price_changed(*product, Slot::new(store, line.kind), (effect, placed_at), recorded, changes);
        }
    }

    /// Reports a price that may be used now. One older than the newest of its kind changes only the history, and deals that began later.
    fn price_changed(&mut self, product: u32, slot: Slot, (effect, from): (Effect, Moment), recorded: &Recorded, changes: &mut Changes) {
        // A price announced for later leaves older ones in force, so that a late observation can matter next to it.
        let announced = || self.history.newest(product, slot).is_some_and(|o| o.validity != 0);
        if !changes.unheard
            && (effect != Effect::Late || announced())
            && let (Some(product), Some(store)) = (self.ids.products.name(product), self.ids.stores.name(slot.store()))
        {
            changes.prices.push((product.clone(), store.clone()));
        }
        self.judge_deals(product, slot, (effect, from), recorded, changes);
    }

    fn store_number(&mut self, id: &str) -> Option<u32> {
        match self.ids.stores.get(id) {
            Some(store) => Some(store),
            None => StoreId::new(id).ok().map(|id| self.ids.stores.number(&id)),
        }
    }
}
