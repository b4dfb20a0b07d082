//! One row of transactions: a line of a basket.

use super::{Row, dollars, id, product_id, text};
use crate::{
    domain::{HouseholdId, Moment, Money, OrderId, Quantity, StoreId, Unit, limits::QUANTITY_MILLIONTHS_MAX, order::OrderLine},
    import::{
        reason::{Read, Reason},
        table::{Wanted, optional, required},
    },
};

pub(super) const TRANSACTIONS: Wanted = Wanted {
    columns: &[
        required("household_id"),
        required("store_id"),
        required("basket_id"),
        required("product_id"),
        required("quantity"),
        required("sales_value"),
        required("transaction_timestamp"),
        optional("retail_disc"),
        optional("coupon_disc"),
        optional("coupon_match_disc"),
    ],
    raw_tabs: false,
};

/// One parsed row.
pub(super) struct Bought {
    pub(super) order: OrderId,
    pub(super) of: Whose,
    pub(super) at: Moment,
    pub(super) line: OrderLine,
}

/// Whose basket it is, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Whose {
    pub(super) household: HouseholdId,
    pub(super) store: StoreId,
}

/// The number of the row's basket, of its household and of its store.
pub(super) fn numbers<'a>(row: &Row<'a>) -> [&'a str; 3] {
    let [household, store, basket] = row.texts();
    [basket, household, store]
}

pub(super) fn bought(row: &Row<'_>) -> Read<Bought> {
    let [household, store, basket, product, quantity, sales_value, time, retail_disc, coupon_disc, coupon_match_disc] = row.texts();
    let quantity =
        Quantity::parse(&row.number(quantity), Unit::Each).map_err(|error| Reason::of("quantity_wrong", "quantity", quantity, error))?;
    let money = |column: &str, text: &str| dollar_amount(column, &row.number(text));
    let discount = |column: &str, text: &str| discount(column, &row.number(text));
    let sales_value = money("sales_value", sales_value)?;
    let coupon = discount("coupon_disc", coupon_disc)?;
    let charged = coupon.map_or(Ok(sales_value), |coupon| sales_value.checked_sub(coupon));
    let line = OrderLine {
        line: 0,
        product: Some(product_id(product)?),
        name: None,
        quantity,
        charged: charged.map_err(|error| Reason::new("amount_wrong", error.to_string()))?,
        shop_discount: discount("retail_disc", retail_disc)?,
        coupon_discount: coupon,
        coupon_match: discount("coupon_match_disc", coupon_match_disc)?,
    };
    check_amounts(&line, sales_value)?;
    Ok(Bought {
        order: id("basket_id", basket, OrderId::new)?,
        of: Whose { household: id("household_id", household, HouseholdId::new)?, store: id("store_id", store, StoreId::new)? },
        at: text::moment(time)?,
        line,
    })
}

/// Refuses only the row for what would make the order's decider refuse the whole basket.
fn check_amounts(line: &OrderLine, sales_value: Money) -> Read<()> {
    if line.quantity.millionths() < 0 || sales_value.is_negative() {
        return Err(Reason::new("amount_negative", "a purchase cannot have a quantity or sales value below zero"));
    }
    if line.quantity.millionths() > QUANTITY_MILLIONTHS_MAX {
        return Err(Reason::new("quantity_too_large", format!("quantity {} is too large", line.quantity.amount_text())));
    }
    Ok(())
}

fn dollar_amount(column: &str, text: &str) -> Read<Money> {
    let wrong = |error: &dyn std::fmt::Display| Reason::of("amount_wrong", column, text, error);
    let amount = Money::parse(text, dollars()).map_err(|error| wrong(&error))?;
    amount.validate_limit().map_err(|error| wrong(&error))?;
    Ok(amount)
}

/// A discount of the whole line; none counts as zero.
fn discount(column: &str, text: &str) -> Read<Option<Money>> {
    if text.is_empty() {
        return Ok(None);
    }
    let amount = dollar_amount(column, text)?;
    if amount.is_negative() {
        return Err(Reason::of("amount_negative", column, text, "it is below zero"));
    }
    Ok(Some(amount).filter(|amount| !amount.is_zero()))
}
