//! What each event of a product changed.

use super::{Product, ProductEvent, ProductState, Products, observations::standing};
use crate::domain::{
    StoreId,
    changes::{Change, Fields, Traced, compare, field, fields_of, shown},
    product::PriceKind,
};

impl Traced for Products {
    fn changes(event: &ProductEvent, before: &ProductState, after: &ProductState) -> Vec<Change> {
        use ProductEvent as E;
        let (was, is) = (product_of(before), product_of(after));
        match event {
            E::Registered(_) | E::DetailsChanged { .. } | E::CodeLinked { .. } => compare(None, &details(was), &details(is)),
            E::PriceObserved { seen, .. } => price(was, is, &seen.store, seen.kind),
            E::PriceWithdrawn { store, kind } => price(was, is, store, *kind),
            E::OfferAnnounced { offer, .. } | E::OfferEnded { offer } => {
                let offer_of = |product: Option<&Product>| product.and_then(|product| product.offers.get(offer)).cloned();
                field(format!("offers/{offer}"), offer_of(was).as_ref(), offer_of(is).as_ref())
            }
            E::StockReported { store, .. } => {
                let stock = |product: Option<&Product>| product.and_then(|product| product.stock.get(store)).copied();
                field(format!("stock/{store}"), stock(was).as_ref(), stock(is).as_ref())
            }
            E::Discontinued {} => field("phase".into(), Some(&phase(before)), Some(&phase(after))),
            E::Merged { into } => field("merged_into".into(), None, Some(into)),
        }
    }
}

fn details(product: Option<&Product>) -> Fields {
    product.map(|product| fields_of(&product.details)).unwrap_or_default()
}

/// The price that stands at a store.
fn price(was: Option<&Product>, is: Option<&Product>, store: &StoreId, kind: PriceKind) -> Vec<Change> {
    let price = |product: Option<&Product>| {
        let observation = product.and_then(|product| standing(&product.observations, store, kind));
        observation.filter(|observation| !observation.withdrawn).map(|observation| shown(&observation.price))
    };
    let kind = shown(&kind);
    field(format!("prices/{store}/{}", kind.as_str().unwrap_or_default()), price(was).as_ref(), price(is).as_ref())
}

fn phase(state: &ProductState) -> &'static str {
    match state {
        ProductState::Absent => "absent",
        ProductState::Active(_) => "active",
        ProductState::Discontinued(_) => "discontinued",
        ProductState::Merged { .. } => "merged",
    }
}

/// The product, unless it was merged away.
pub(super) fn product_of(state: &ProductState) -> Option<&Product> {
    match state {
        ProductState::Absent | ProductState::Merged { .. } => None,
        ProductState::Active(product) | ProductState::Discontinued(product) => Some(product),
    }
}
