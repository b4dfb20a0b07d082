//! The order: one lineage from list to substitutions, receipt and refund. Ordered, picked, charged and refunded are four numbers.

mod checks;
mod decide;
mod evolve;
mod prices;
mod tidy;
mod undo;
mod update;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use prices::{LinePrice, line_prices, price_observations};

use super::{
    Context, Decision, Entity, Fact, HouseholdId, ListId, Moment, Money, ProductId, Quantity, Refusal, StoreId, StreamKind,
    event_table::event_table,
};

/// A command to, or report about, an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum OrderCommand {
    Place(OrderPlacement),
    /// What its source says of it now: places it, or amends the lines that the source says otherwise, and adds those that it has more. A
    /// line that the source no longer has is amended to nothing. Lines are compared by their content, not by their numbers. What came
    /// since of a line, such as a refund, is not undone: it is then refused.
    Update(OrderPlacement),
    SubstituteLine {
        line: u32,
        product: Option<ProductId>,
        name: String,
        quantity: Quantity,
        charged: Money,
    },
    /// How much was picked, at most what was to come; the last report counts.
    ShortLine {
        line: u32,
        picked: Quantity,
        charged: Money,
    },
    /// Gives back a part of what a line was charged. An identical refund of the same line is a repetition:
    /// two refunds that are really two need different reasons.
    RefundLine {
        line: u32,
        quantity: Quantity,
        amount: Money,
        reason: Option<String>,
    },
    /// Adds lines that were ordered later, or that only the receipt has.
    Amend {
        lines: Vec<OrderLine>,
    },
    /// The receipt: what was charged in the end. Another receipt later corrects it.
    Fulfil {
        at: Moment,
        receipt_total: Option<Money>,
    },
    Cancel {
        reason: Option<String>,
    },
}

/// An order as it was placed or imported.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderPlacement {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub household: Option<HouseholdId>,
    pub store: StoreId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<ListId>,
    pub placed_at: Moment,
    pub lines: Vec<OrderLine>,
    /// Tax, deposit, delivery, tip, savings: signed amounts that are not lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extras: Vec<Extra>,
    /// What the receipt prints; a difference to lines plus extras is recorded as the variance, never adjusted away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed_total: Option<Money>,
    pub source: String,
}

/// One line of an order, numbered from 1 by its source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OrderLine {
    pub line: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<ProductId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Zero is allowed: real receipts book returned bottles and coupons so.
    pub quantity: Quantity,
    /// What the buyer pays for the whole line, after every discount. Zero is allowed (a free item), and less than zero
    /// down to what `coupon_discount` explains: a coupon may be worth more than what it was given for.
    pub charged: Money,
    /// Taken off by the shop (loyalty card) for the whole line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shop_discount: Option<Money>,
    /// Taken off by a manufacturer's coupon for the whole line: `charged` plus this is what the shop received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon_discount: Option<Money>,
    /// The shop's match of a coupon for the whole line; like `shop_discount`, the shop pays it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coupon_match: Option<Money>,
}

/// An amount of an order that is not a line, such as `tax` or `delivery`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Extra {
    pub kind: String,
    pub amount: Money,
}

/// What happened to an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OrderEvent {
    /// `total` is lines plus extras; `variance` is printed total minus that, absent where nothing was printed or nothing differs.
    Placed {
        placement: OrderPlacement,
        total: Money,
        variance: Option<Money>,
    },
    LineSubstituted {
        line: u32,
        product: Option<ProductId>,
        name: String,
        quantity: Quantity,
        charged: Money,
    },
    LineShorted {
        line: u32,
        picked: Quantity,
        charged: Money,
    },
    LineRefunded {
        line: u32,
        quantity: Quantity,
        amount: Money,
        reason: Option<String>,
    },
    /// Lines that are new, or that replace the one with their number.
    Amended {
        lines: Vec<OrderLine>,
    },
    Fulfilled {
        at: Moment,
        receipt_total: Option<Money>,
        variance: Option<Money>,
    },
    Cancelled {
        reason: Option<String>,
    },
}

event_table! { OrderEvent {
    Placed "order.placed" [
        "placement.household" Id(Household), "placement.store" Id(Store), "placement.list" Id(List), "placement.source" Text,
        "placement.extras.*.kind" Text, "placement.lines.*.product" Id(Product), "placement.lines.*.name" Text,
    ];
    LineSubstituted "order.line_substituted" ["product" Id(Product), "name" Text];
    LineShorted "order.line_shorted" [];
    LineRefunded "order.line_refunded" ["reason" Text];
    Amended "order.amended" ["lines.*.product" Id(Product), "lines.*.name" Text];
    Fulfilled "order.fulfilled" [];
    Cancelled "order.cancelled" ["reason" Text];
} }

/// The phases of an order's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum OrderState {
    #[default]
    Absent,
    Placed(Order),
    Fulfilled(Order),
    Cancelled(Order),
}

/// An existing order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    pub household: Option<HouseholdId>,
    pub store: StoreId,
    pub list: Option<ListId>,
    pub placed_at: Moment,
    /// By the source's line number.
    pub lines: BTreeMap<u32, LineState>,
    pub extras: Vec<Extra>,
    /// Lines as charged now plus extras; refunds are not taken off.
    pub total: Money,
    /// As placed; the receipt has its own.
    pub printed_total: Option<Money>,
    /// As placed: `printed_total` minus the total of that time.
    pub variance: Option<Money>,
    /// `Some` once it was fulfilled.
    pub receipt: Option<Receipt>,
    pub refunded: Money,
    pub source: String,
}

/// The end of an order: when it was handed over and what was printed then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    pub at: Moment,
    pub total: Option<Money>,
    /// `total` minus the order's total of that time.
    pub variance: Option<Money>,
}

/// The four numbers of a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LineState {
    pub ordered: OrderLine,
    /// It was not in the order as placed.
    pub amended: bool,
    /// `Some` once it was substituted: what came instead.
    pub substitute: Option<Substitute>,
    pub picked: Quantity,
    pub charged: Money,
    /// All of `refunds`.
    pub refunded: Money,
    /// All of `refunds`, in the unit of the first.
    pub refunded_quantity: Option<Quantity>,
    pub refunds: Vec<Refund>,
}

/// One refund of a line; an identical one is a repetition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Refund {
    pub quantity: Quantity,
    pub amount: Money,
    pub reason: Option<String>,
}

/// What came instead of the ordered product.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Substitute {
    pub product: Option<ProductId>,
    pub name: String,
    /// How much of it was to come; `ShortLine` may lower what was picked.
    pub quantity: Quantity,
    /// For all of it.
    pub charged: Money,
}

/// The order as an entity.
#[derive(Debug)]
pub struct Orders;

impl Entity for Orders {
    const KIND: StreamKind = StreamKind::Order;
    type State = OrderState;
    type Command = OrderCommand;
    type Event = OrderEvent;

    fn check_right(state: &OrderState, command: &OrderCommand, context: &Context) -> Result<(), Refusal> {
        decide::check_right(state, command, context)
    }

    fn decide(state: &OrderState, command: &OrderCommand, context: &Context) -> Result<Decision<OrderEvent>, Refusal> {
        decide::decide(state, command, context)
    }

    fn evolve(state: &mut OrderState, event: &OrderEvent, _: &Fact<'_>) {
        evolve::evolve(state, event);
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_laws;
#[cfg(test)]
mod tests_undo;
#[cfg(test)]
mod tests_update;
