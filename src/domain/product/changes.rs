//! What each event of a product touches.

use super::{Product, ProductEvent, ProductState, Products, observations::standing};
use crate::domain::{
    StoreId,
    changes::{Fields, Touched, Traced, fields, fields_of, of_itself, shown},
    product::PriceKind,
};

impl Traced for Products {
    fn touched(event: &ProductEvent, state: &ProductState) -> Touched {
        use ProductEvent as E;
        let product = product_of(state);
        of_itself(match event {
            E::Registered(_) | E::DetailsChanged(_) | E::CodeLinked { .. } => {
                product.map(|product| fields_of(&product.details)).unwrap_or_default()
            }
            E::PriceObserved { seen, .. } => price(product, &seen.store, seen.kind),
            E::PriceWithdrawn { store, kind } => price(product, store, *kind),
            E::OfferAnnounced { offer, .. } | E::OfferEnded { offer } => {
                fields([(&format!("offers/{offer}"), shown(&product.and_then(|product| product.offers.get(offer))))])
            }
            E::StockReported { store, .. } => {
                fields([(&format!("stock/{store}"), shown(&product.and_then(|product| product.stock.get(store))))])
            }
            E::Discontinued {} | E::Merged { .. } => phase(state),
        })
    }
}

/// The current price at a store.
fn price(product: Option<&Product>, store: &StoreId, kind: PriceKind) -> Fields {
    let observation = product.and_then(|product| standing(&product.observations, store, kind));
    let price = observation.filter(|observation| !observation.withdrawn).map(|observation| &observation.price);
    let kind = shown(&kind);
    fields([(&format!("prices/{store}/{}", kind.as_str().unwrap_or_default()), shown(&price))])
}

fn phase(state: &ProductState) -> Fields {
    match state {
        ProductState::Absent => Fields::new(),
        ProductState::Active(_) => fields([("phase", "active".into())]),
        ProductState::Discontinued(_) => fields([("phase", "discontinued".into())]),
        ProductState::Merged { into } => fields([("phase", "merged".into()), ("merged_into", shown(into))]),
    }
}

/// The product, unless it was merged away.
pub(super) fn product_of(state: &ProductState) -> Option<&Product> {
    match state {
        ProductState::Absent | ProductState::Merged { .. } => None,
        ProductState::Active(product) | ProductState::Discontinued(product) => Some(product),
    }
}
