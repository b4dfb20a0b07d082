//! The answer to a read of an order: every line with its four numbers.

use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    domain::{
        HouseholdId, ListId, Moment, Money, ProductId, Quantity, StoreId,
        order::{Extra, LineState, Order},
    },
    events::Position,
};

/// An order with all its lines.
#[derive(Debug, Serialize, ToSchema)]
pub struct OrderView<'a> {
    pub id: &'a str,
    pub version: u64,
    #[schema(value_type = String)]
    pub position: Position,
    /// `placed`, `fulfilled` or `cancelled`.
    pub phase: &'static str,
    #[schema(value_type = Option<HouseholdId>)]
    pub household: Option<&'a HouseholdId>,
    #[schema(value_type = StoreId)]
    pub store: &'a StoreId,
    #[schema(value_type = Option<ListId>)]
    pub list: Option<&'a ListId>,
    pub placed_at: Moment,
    pub lines: Vec<LineView<'a>>,
    pub extras: &'a [Extra],
    /// Lines as charged plus extras.
    pub total: Money,
    /// What the source printed when it was placed.
    pub printed_total: Option<Money>,
    /// Printed total minus our total, where they differ; never adjusted away.
    pub variance: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fulfilled_at: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_total: Option<Money>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub receipt_variance: Option<Money>,
    pub refunded: Money,
    pub source: &'a str,
}

/// A line of an order and its four numbers: ordered, picked, charged, refunded.
#[derive(Debug, Serialize, ToSchema)]
pub struct LineView<'a> {
    pub line: u32,
    #[schema(value_type = Option<ProductId>)]
    pub product: Option<&'a ProductId>,
    pub name: Option<&'a str>,
    #[schema(value_type = Quantity)]
    pub ordered: &'a Quantity,
    #[schema(value_type = Quantity)]
    pub picked: &'a Quantity,
    pub charged: Money,
    pub refunded: Money,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Quantity>)]
    pub refunded_quantity: Option<&'a Quantity>,
    pub shop_discount: Option<Money>,
    pub coupon_discount: Option<Money>,
    pub coupon_match: Option<Money>,
    /// It was added after the order was placed.
    pub amended: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub substitute: Option<SubstituteView<'a>>,
}

/// What came instead.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubstituteView<'a> {
    #[schema(value_type = Option<ProductId>)]
    pub product: Option<&'a ProductId>,
    pub name: &'a str,
}

impl<'a> OrderView<'a> {
    /// An order in a phase.
    #[must_use]
    pub fn of(id: &'a str, version: u64, position: Position, phase: &'static str, order: &'a Order) -> Self {
        let receipt = order.receipt.as_ref();
        Self {
            id,
            version,
            position,
            phase,
            household: order.household.as_ref(),
            store: &order.store,
            list: order.list.as_ref(),
            placed_at: order.placed_at,
            lines: order.lines.iter().map(|(line, state)| LineView::of(*line, state)).collect(),
            extras: &order.extras,
            total: order.total,
            printed_total: order.printed_total,
            variance: order.variance,
            fulfilled_at: receipt.map(|receipt| receipt.at),
            receipt_total: receipt.and_then(|receipt| receipt.total),
            receipt_variance: receipt.and_then(|receipt| receipt.variance),
            refunded: order.refunded,
            source: &order.source,
        }
    }
}

impl<'a> LineView<'a> {
    fn of(line: u32, state: &'a LineState) -> Self {
        let ordered = &state.ordered;
        Self {
            line,
            product: ordered.product.as_ref(),
            name: ordered.name.as_deref(),
            ordered: &ordered.quantity,
            picked: &state.picked,
            charged: state.charged,
            refunded: state.refunded,
            refunded_quantity: state.refunded_quantity.as_ref(),
            shop_discount: ordered.shop_discount,
            coupon_discount: ordered.coupon_discount,
            coupon_match: ordered.coupon_match,
            amended: state.amended,
            substitute: state.substitute.as_ref().map(|s| SubstituteView { product: s.product.as_ref(), name: &s.name }),
        }
    }
}
