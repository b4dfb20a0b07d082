//! Totals: what a list costs, per store, kept up line by line. A change costs the same however long the list is,
//! and every line names the price observation it used.

mod all;
mod line;
mod list;
mod sums;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, sync::Arc};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use all::Totals;
pub use list::ListTotals;

use crate::{
    domain::{Currency, HouseholdId, ItemId, Moment, Money, ProductId, Quantity, StoreId, UnitPrice, product::PriceKind},
    events::Position,
};

/// Where no household names the stores to compare, this many are shown side by side: the first by id, and always the chosen one.
pub const STORES_SHOWN_MAX: usize = 32;

/// Where totals get prices from; implemented by `Views`.
pub trait PriceLookup {
    /// Every store with any observation of the product, sorted by id.
    fn stores_of(&self, product: &ProductId) -> Vec<StoreId>;
    /// The price to use at a store: never expired, withdrawn or for members only.
    fn best(&self, product: &ProductId, store: &StoreId, at: Moment) -> Option<UsedPrice>;
    /// What a pack holds, and whether it is sold loose.
    fn content(&self, product: &ProductId) -> Option<(Quantity, bool)>;
    fn currency(&self, store: &StoreId) -> Option<Currency>;
    /// The stores that a household compares; empty if it chose none.
    fn compared(&self, household: &HouseholdId) -> BTreeSet<StoreId> {
        let _ = household;
        BTreeSet::new()
    }
    /// When, after `at`, a price of the product begins or ends by time alone.
    fn next_change(&self, product: &ProductId, at: Moment) -> Option<Moment> {
        let _ = (product, at);
        None
    }
}

/// The price a line was computed with.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct UsedPrice {
    pub price: UnitPrice,
    pub kind: PriceKind,
    /// The shelf price, when a lower one is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<UnitPrice>,
    pub observed_at: Moment,
    /// The position of the observation.
    #[schema(value_type = String)]
    pub position: Position,
    #[schema(value_type = String)]
    pub source: Arc<str>,
}

/// The current price of a product at a store.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct PriceState {
    pub product: ProductId,
    #[schema(required)]
    pub store: Option<StoreId>,
    /// Absent if no payable one is known.
    #[schema(required)]
    pub price: Option<UsedPrice>,
}

impl PriceState {
    /// The price in force at a moment; none without a store.
    #[must_use]
    pub fn of(product: &ProductId, store: Option<&StoreId>, prices: &dyn PriceLookup, at: Moment) -> Self {
        let price = store.and_then(|store| prices.best(product, store, at));
        Self { product: product.clone(), store: store.cloned(), price }
    }
}

/// What a list costs at its store, and at others side by side.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TotalsView {
    /// The store of these figures: the one asked for, else the list's, else the one that prices most items, the cheapest of those.
    #[schema(required)]
    pub store: Option<StoreId>,
    /// False if nobody chose the store.
    pub store_chosen: bool,
    /// Absent if the currency is unknown.
    #[schema(required)]
    pub currency: Option<Currency>,
    #[schema(required)]
    pub estimated: Option<Money>,
    #[schema(required)]
    pub in_cart: Option<Money>,
    #[schema(required)]
    pub to_get: Option<Money>,
    /// Against the reference prices; already taken off the estimate.
    #[schema(required)]
    pub savings: Option<Money>,
    pub items: u32,
    pub checked_items: u32,
    pub unpriced_items: u32,
    pub unpriced: Unpriced,
    #[schema(required)]
    pub oldest_price_at: Option<Moment>,
    /// Side by side, by id: those the list's household compares, and the list's own; else all that price something.
    /// Left out of the answer to a command.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub stores: Vec<StoreTotal>,
}

/// Why items have no price, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Unpriced {
    /// Not matched to a product.
    pub no_product: u32,
    /// The store has no usable price.
    pub no_price: u32,
    /// There is a price, but in a unit the quantity cannot be converted to.
    pub unit_mismatch: u32,
}

/// What a list costs at one store.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StoreTotal {
    pub store: StoreId,
    pub estimated: Money,
    pub in_cart: Money,
    pub to_get: Money,
    pub savings: Money,
    pub unpriced_items: u32,
    #[schema(required)]
    pub oldest_price_at: Option<Moment>,
}

/// One line of a total, with everything it was computed from. The amounts add up to the total exactly.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExplainedLine {
    pub item: ItemId,
    pub name: String,
    pub product: Option<ProductId>,
    pub quantity: Quantity,
    pub checked: bool,
    pub amount: Option<Money>,
    pub savings: Option<Money>,
    pub used: Option<UsedPrice>,
    pub unpriced: Option<UnpricedReason>,
}

/// Why one item has no price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnpricedReason {
    NoProduct,
    NoPrice,
    UnitMismatch,
}
