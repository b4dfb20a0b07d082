//! Records what happened to a product. Checks nothing: events are facts.

use std::collections::{BTreeMap, BTreeSet};

use super::{Offer, Product, ProductDetails, ProductEvent, ProductState, observations};
use crate::domain::{
    Fact, Moment,
    limits::{OFFERS_ENDED_PER_PRODUCT_MAX, OFFERS_PER_PRODUCT_MAX},
};

pub(super) fn evolve(state: &mut ProductState, event: &ProductEvent, fact: &Fact<'_>) {
    match event {
        ProductEvent::Registered(details) => *state = ProductState::Active(Product::new(details.clone())),
        ProductEvent::Discontinued {} => {
            *state = match std::mem::take(state) {
                ProductState::Active(product) => ProductState::Discontinued(product),
                other @ (ProductState::Absent | ProductState::Discontinued(_) | ProductState::Merged { .. }) => other,
            }
        }
        ProductEvent::Merged { into } => *state = ProductState::Merged { into: into.clone() },
        ProductEvent::DetailsChanged(_)
        | ProductEvent::CodeLinked { .. }
        | ProductEvent::PriceObserved { .. }
        | ProductEvent::PriceWithdrawn { .. }
        | ProductEvent::OfferAnnounced { .. }
        | ProductEvent::OfferEnded { .. }
        | ProductEvent::StockReported { .. } => {
            if let ProductState::Active(product) | ProductState::Discontinued(product) = state {
                product.evolve(event, fact);
            }
        }
    }
}

impl Product {
    fn new(details: ProductDetails) -> Self {
        Self { details, observations: Vec::new(), offers: BTreeMap::new(), stock: BTreeMap::new(), by_hand: BTreeSet::new() }
    }

    fn evolve(&mut self, event: &ProductEvent, fact: &Fact<'_>) {
        match event {
            ProductEvent::DetailsChanged(change) => {
                if !change.from_source {
                    self.by_hand.extend(change.fields().map(str::to_owned));
                }
                change.apply(&mut self.details);
            }
            ProductEvent::CodeLinked { code } => self.details.codes.push(code.clone()),
            ProductEvent::PriceObserved { seen, outlier: _ } => observations::remember(&mut self.observations, seen),
            ProductEvent::PriceWithdrawn { store, kind } => observations::withdraw(&mut self.observations, store, *kind),
            ProductEvent::OfferAnnounced { .. } => self.announce(event, fact.at),
            ProductEvent::OfferEnded { offer } => {
                if let Some(offer) = self.offers.get_mut(offer) {
                    offer.ended = true;
                }
            }
            ProductEvent::StockReported { store, stock } => {
                self.stock.insert(store.clone(), *stock);
            }
            ProductEvent::Registered(_) | ProductEvent::Discontinued {} | ProductEvent::Merged { .. } => {}
        }
    }

    fn announce(&mut self, event: &ProductEvent, at: Moment) {
        let ProductEvent::OfferAnnounced { offer: id, store, terms, valid_from, valid_until, member_only, source } = event.clone() else {
            return;
        };
        self.offers.insert(id, Offer { store, terms, valid_from, valid_until, member_only, source, ended: false });
        if self.offers.len() > OFFERS_PER_PRODUCT_MAX + OFFERS_ENDED_PER_PRODUCT_MAX {
            let past = self.offers.iter().filter(|(_, offer)| !offer.runs_on(at));
            if let Some(id) = past.min_by_key(|(_, offer)| offer.valid_from).map(|(id, _)| id.clone()) {
                self.offers.remove(&id);
            }
        }
    }
}
