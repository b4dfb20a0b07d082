//! The wire types of HTTP: the bodies of writes and the answers to reads. Money and quantities are decimal text, never floats.
//! Bodies that create something may carry its id and a `command_id`; unknown fields are refused everywhere.

mod answers;
mod basket;
mod order;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use answers::{HouseholdView, ItemView, ListView, MemberView, OfferView, ProductView, StoreView, TotalsAnswer};
pub use basket::{BasketAnswer, BasketItemBody, Evidenced, PriceBasket, StoreBasket};
pub use order::{LineView, OrderView, SubstituteView};

use super::body::present;
use crate::domain::{
    CommandId, Currency, HouseholdId, ItemId, ListId, Moment, Money, OrderId, Principal, ProductId, Quantity, StoreId, UnitPrice,
    codes::ProductCode,
    list::{ListCommand, Role},
    order::{Extra, OrderLine, OrderPlacement},
    product::{PriceKind, PriceSeen, ProductDetails},
    store::StoreDetails,
};

/// The default source of a price.
const SOURCE_DEFAULT: &str = "manual";

/// `POST /stores`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewStore {
    pub id: Option<StoreId>,
    pub command_id: Option<CommandId>,
    pub name: String,
    /// ISO 4217; can never change.
    pub currency: Currency,
    pub chain: Option<String>,
    /// ISO 3166, two letters.
    pub country: Option<String>,
    /// IANA name.
    pub time_zone: Option<String>,
}

impl NewStore {
    /// The store's details.
    #[must_use]
    pub fn details(self) -> StoreDetails {
        StoreDetails { name: self.name, currency: self.currency, chain: self.chain, country: self.country, time_zone: self.time_zone }
    }
}

/// `PATCH /stores/{id}`: details, or the order of its aisles; not both at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeStore {
    pub command_id: Option<CommandId>,
    pub name: Option<String>,
    /// An empty text clears it; likewise below.
    pub chain: Option<String>,
    pub country: Option<String>,
    pub time_zone: Option<String>,
    /// Categories in walking order.
    pub aisle_order: Option<Vec<String>>,
}

/// `POST /products`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProduct {
    pub id: Option<ProductId>,
    pub command_id: Option<CommandId>,
    pub name: String,
    pub brand: Option<String>,
    pub category: Option<String>,
    /// What one pack holds.
    pub content: Option<Quantity>,
    #[serde(default)]
    pub sold_by_weight: bool,
    #[serde(default)]
    pub organic: bool,
    #[serde(default)]
    pub codes: Vec<ProductCode>,
    pub ingredients: Option<String>,
    /// Per 100 g or 100 ml: nutrient name to micrograms.
    #[serde(default)]
    pub nutrition: BTreeMap<String, i64>,
}

impl NewProduct {
    /// The product's details.
    #[must_use]
    pub fn details(self) -> ProductDetails {
        ProductDetails {
            name: self.name,
            brand: self.brand,
            category: self.category,
            content: self.content,
            sold_by_weight: self.sold_by_weight,
            organic: self.organic,
            codes: self.codes,
            ingredients: self.ingredients,
            nutrition: self.nutrition,
        }
    }
}

/// `PATCH /products/{id}`: details, or one more code; not both at once.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeProduct {
    pub command_id: Option<CommandId>,
    pub name: Option<String>,
    pub brand: Option<String>,
    pub category: Option<String>,
    pub content: Option<Quantity>,
    pub sold_by_weight: Option<bool>,
    pub add_code: Option<ProductCode>,
}

/// `POST /products/{id}/prices`
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPrice {
    pub command_id: Option<CommandId>,
    pub store: StoreId,
    #[serde(default)]
    pub kind: PriceKind,
    pub price: UnitPrice,
    pub valid_from: Option<Moment>,
    /// Exclusive.
    pub valid_until: Option<Moment>,
    /// When it was true; now if not given.
    pub observed_at: Option<Moment>,
    /// The source; `manual` if not given.
    pub source: Option<String>,
    /// A link or note that backs it.
    pub evidence: Option<String>,
}

impl NewPrice {
    /// The observation; `now` if the client gave no time.
    #[must_use]
    pub fn seen(&self, now: Moment) -> PriceSeen {
        PriceSeen {
            store: self.store.clone(),
            kind: self.kind,
            price: self.price.clone(),
            valid_from: self.valid_from,
            valid_until: self.valid_until,
            observed_at: self.observed_at.unwrap_or(now),
            source: self.source.clone().unwrap_or_else(|| SOURCE_DEFAULT.to_owned()),
            evidence: self.evidence.clone(),
        }
    }
}

/// One line of `POST /prices`: like a single price, with its product.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PriceLine {
    pub product: ProductId,
    pub command_id: Option<CommandId>,
    pub store: StoreId,
    #[serde(default)]
    pub kind: PriceKind,
    pub price: UnitPrice,
    pub valid_from: Option<Moment>,
    pub valid_until: Option<Moment>,
    pub observed_at: Option<Moment>,
    pub source: Option<String>,
    pub evidence: Option<String>,
}

impl PriceLine {
    /// The product and the price of a line.
    #[must_use]
    pub fn split(self) -> (ProductId, NewPrice) {
        let Self { product, command_id, store, kind, price, valid_from, valid_until, observed_at, source, evidence } = self;
        (product, NewPrice { command_id, store, kind, price, valid_from, valid_until, observed_at, source, evidence })
    }
}

/// `POST /lists`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewList {
    pub id: Option<ListId>,
    pub command_id: Option<CommandId>,
    pub name: String,
    pub household: Option<HouseholdId>,
    /// The store whose prices count.
    pub store: Option<StoreId>,
}

/// `PATCH /lists/{id}`: exactly one of name, store, budget and archived.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeList {
    pub command_id: Option<CommandId>,
    pub name: Option<String>,
    /// `null` chooses no store.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<StoreId>)]
    pub store: Option<Option<StoreId>>,
    /// `null` removes the budget.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Money>)]
    pub budget: Option<Option<Money>>,
    pub archived: Option<bool>,
}

/// `POST /lists/{id}/items`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewItem {
    pub id: Option<ItemId>,
    pub command_id: Option<CommandId>,
    pub name: String,
    /// The product it is matched to; without one it has no price.
    pub product: Option<ProductId>,
    pub specification: Option<String>,
    /// One piece if not given.
    pub quantity: Option<Quantity>,
    pub note: Option<String>,
}

impl NewItem {
    /// The command that adds it.
    #[must_use]
    pub fn command(self, item: ItemId) -> ListCommand {
        ListCommand::AddItem {
            item,
            name: self.name,
            product: self.product,
            specification: self.specification,
            quantity: self.quantity.unwrap_or_else(|| Quantity::each(1)),
            note: self.note,
        }
    }
}

/// `PATCH /lists/{id}/items/{item}`: exactly one intent. Name, specification and note together count as one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeItem {
    pub command_id: Option<CommandId>,
    /// "Make it three": the last writer wins.
    pub quantity: Option<Quantity>,
    /// "Two more", "one less": changes add up.
    pub change_by: Option<Quantity>,
    pub checked: Option<bool>,
    pub name: Option<String>,
    /// An empty text clears it; likewise the note.
    pub specification: Option<String>,
    pub note: Option<String>,
    /// `null` removes the match.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ProductId>)]
    pub product: Option<Option<ProductId>>,
    /// Puts it directly after this item; `null` puts it first.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ItemId>)]
    pub after: Option<Option<ItemId>>,
}

/// The body of a write that needs none: it may be absent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommandOnly {
    pub command_id: Option<CommandId>,
}

/// `POST /lists/{id}/check-out`
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckOut {
    pub command_id: Option<CommandId>,
    /// The id the order will have; a new one if not given.
    pub order: Option<OrderId>,
}

/// `POST /lists/{id}/members`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    pub command_id: Option<CommandId>,
    pub member: Principal,
    pub role: Role,
}

/// `POST /orders`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOrder {
    pub id: Option<OrderId>,
    pub command_id: Option<CommandId>,
    pub household: Option<HouseholdId>,
    pub store: StoreId,
    pub list: Option<ListId>,
    /// Now if not given.
    pub placed_at: Option<Moment>,
    pub lines: Vec<OrderLine>,
    /// Tax, deposit, delivery, tip, savings: signed.
    #[serde(default)]
    pub extras: Vec<Extra>,
    pub printed_total: Option<Money>,
    /// `manual` if not given.
    pub source: Option<String>,
}

impl NewOrder {
    /// The placement; `now` if the client gave no time.
    #[must_use]
    pub fn placement(self, now: Moment) -> OrderPlacement {
        OrderPlacement {
            household: self.household,
            store: self.store,
            list: self.list,
            placed_at: self.placed_at.unwrap_or(now),
            lines: self.lines,
            extras: self.extras,
            printed_total: self.printed_total,
            source: self.source.unwrap_or_else(|| SOURCE_DEFAULT.to_owned()),
        }
    }
}

/// `POST /households`
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewHousehold {
    pub id: Option<HouseholdId>,
    pub command_id: Option<CommandId>,
    pub name: String,
}
