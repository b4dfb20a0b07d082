//! A basket to price, and what it costs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    domain::{Currency, Moment, Money, ProductId, Quantity, StoreId},
    events::{At, Position, served},
    projections::{Basket, BasketItem, BasketLine, totals::UsedPrice},
};

/// `POST /baskets/price`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceBasket {
    /// Either one store or several.
    pub store: Option<StoreId>,
    /// Up to 32.
    #[serde(default)]
    pub stores: Vec<StoreId>,
    /// 1 to 500.
    pub items: Vec<BasketItemBody>,
    /// A time, for the prices that were true then; or a position, for those known there. Now if not given.
    #[schema(value_type = Option<String>)]
    pub at: Option<At>,
    /// A position or time: what was recorded after it does not count.
    #[schema(value_type = Option<String>)]
    pub known_at: Option<At>,
}

/// An amount of a product.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BasketItemBody {
    pub product: ProductId,
    /// One piece if not given.
    pub quantity: Option<Quantity>,
}

impl From<BasketItemBody> for BasketItem {
    fn from(body: BasketItemBody) -> Self {
        Self { product: body.product, quantity: body.quantity.unwrap_or_else(|| Quantity::each(1)) }
    }
}

/// A priced basket.
#[derive(Debug, Serialize, ToSchema)]
pub struct BasketAnswer {
    /// The moment whose prices count.
    pub at: Moment,
    /// What was recorded after it does not count.
    #[schema(value_type = String)]
    pub known_position: Position,
    /// In the order asked for.
    pub stores: Vec<StoreBasket>,
}

/// A basket at one store; the lines add up to the total exactly.
#[derive(Debug, Serialize, ToSchema)]
pub struct StoreBasket {
    pub store: StoreId,
    #[schema(required)]
    pub currency: Option<Currency>,
    #[schema(required)]
    pub total: Option<Money>,
    /// Against the reference prices; already taken off the total.
    #[schema(required)]
    pub savings: Option<Money>,
    pub unpriced_items: usize,
    pub lines: Vec<Evidenced<BasketLine>>,
}

impl From<Basket> for StoreBasket {
    fn from(basket: Basket) -> Self {
        let unpriced_items = basket.unpriced();
        let Basket { store, currency, total, savings, lines } = basket;
        let lines = lines.into_iter().map(|line| Evidenced { evidence: evidence(line.used.as_ref()), line }).collect();
        Self { store, currency, total, savings, unpriced_items, lines }
    }
}

/// A line, and where to read the event of its price.
#[derive(Debug, Serialize, ToSchema)]
pub struct Evidenced<T> {
    #[serde(flatten)]
    pub line: T,
    /// A path to GET; absent without a price.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Where to read the event of a price.
#[must_use]
pub fn evidence(used: Option<&UsedPrice>) -> Option<String> {
    used.map(|used| format!("/api/v1/events?after={}&limit=1", served::written(Position(used.position.0.saturating_sub(1)))))
}
