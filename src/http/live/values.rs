//! The contents of messages: snapshots, the values of states, events and commands. The enums are never built:
//! they show in the AsyncAPI document what may be in a place.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{household::HouseholdCommand, list::ListCommand, order::OrderCommand, product::ProductCommand, store::StoreCommand},
    events::Position,
    http::protocol::ListView,
    projections::{BestPrice, DealPage, HouseholdEntry, OrderSummary, ProductEntry},
};

/// The snapshot of `product:<id>`.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProductSnapshot {
    pub product: ProductEntry,
    /// The current prices, the lowest first.
    pub prices: Vec<BestPrice>,
}

/// The snapshot of `orders:<household>`.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrdersSnapshot {
    /// The newest first.
    pub orders: Vec<OrderSummary>,
}

/// The snapshot of `system`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SystemSnapshot {
    /// Of the server.
    pub version: &'static str,
    /// The newest event of the log.
    #[schema(value_type = String)]
    pub position: Position,
}

/// Everything of a topic at one moment, by the kind of the topic.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum AnySnapshot {
    List(ListView<'static>),
    Product(ProductSnapshot),
    Deals(DealPage),
    Household(HouseholdEntry),
    Orders(OrdersSnapshot),
    System(SystemSnapshot),
}

/// A command, by the `entity` of its request.
#[derive(ToSchema)]
#[serde(untagged)]
pub enum Command {
    List(ListCommand),
    Product(ProductCommand),
    Order(OrderCommand),
    Household(HouseholdCommand),
    Store(StoreCommand),
}
