//! Refusals that need only an order's lines and amounts, and the one sum of an order.

use std::{borrow::Cow, collections::BTreeSet};

use super::{Extra, OrderLine, OrderPlacement};
use crate::domain::{
    Currency, Moment, Money, Quantity, Refusal, RefusalKind,
    limits::{
        EXTRAS_PER_ORDER_MAX, FUTURE_MICROS_MAX, LINES_PER_ORDER_MAX, MONEY_MINOR_MAX, NAME_CHARS_MAX, NOTE_CHARS_MAX,
        QUANTITY_MILLIONTHS_MAX, SOURCE_CHARS_MAX,
    },
    text::check_text,
};

/// Returns the one currency of the order.
pub(super) fn check_placement(placement: &OrderPlacement, now: Moment) -> Result<Currency, Refusal> {
    check_moment(placement.placed_at, now, "/placed_at")?;
    check_text(&placement.source, SOURCE_CHARS_MAX, "/source")?;
    let currency = check_lines(&placement.lines, None)?;
    check_extras(&placement.extras, currency)?;
    placement.printed_total.map_or(Ok(()), |printed| check_amount(printed, currency, || "/printed_total".into()))?;
    Ok(currency)
}

/// Not before 1970, and not further ahead than a wrong clock explains.
pub(super) fn check_moment(at: Moment, now: Moment, pointer: &'static str) -> Result<(), Refusal> {
    if at.0 < 0 {
        return Err(invalid("moment_too_early", "an order cannot be dated before 1970", pointer));
    }
    if at.0 > now.0.saturating_add(FUTURE_MICROS_MAX) {
        return Err(invalid("moment_in_future", format!("{at} is more than a day ahead of now ({now})"), pointer));
    }
    Ok(())
}

/// Accepts 1 to the limit of lines, each possible in itself, no number twice, all in one currency: the given one or, without
/// one, that of the first line. Returns it.
pub(super) fn check_lines(lines: &[OrderLine], currency: Option<Currency>) -> Result<Currency, Refusal> {
    let Some(first) = lines.first() else {
        return Err(invalid("no_lines", "an order needs at least one line", "/lines"));
    };
    check_line_count(lines.len())?;
    let currency = currency.unwrap_or_else(|| first.charged.currency());
    let mut numbers = BTreeSet::new();
    for (index, line) in lines.iter().enumerate() {
        check_line_number(line.line, index, &mut numbers)?;
        check_line(line, index, currency)?;
    }
    Ok(currency)
}

pub(super) fn check_line_count(count: usize) -> Result<(), Refusal> {
    if count > LINES_PER_ORDER_MAX {
        return Err(invalid("too_many_lines", format!("an order may have at most {LINES_PER_ORDER_MAX} lines"), "/lines"));
    }
    Ok(())
}

fn check_line_number(number: u32, index: usize, numbers: &mut BTreeSet<u32>) -> Result<(), Refusal> {
    if number == 0 {
        return Err(invalid("line_number_zero", "lines are numbered from 1", format!("/lines/{index}/line")));
    }
    if !numbers.insert(number) {
        return Err(invalid("line_repeated", format!("line {number} is given twice"), format!("/lines/{index}/line")));
    }
    Ok(())
}

fn check_line(line: &OrderLine, index: usize, currency: Currency) -> Result<(), Refusal> {
    let field = |name: &str| Cow::Owned(format!("/lines/{index}/{name}"));
    if let Some(name) = &line.name {
        check_text(name, NAME_CHARS_MAX, field("name"))?;
    }
    check_quantity(&line.quantity, || field("quantity"))?;
    check_amount(line.charged, currency, || field("charged"))?;
    let discounts = [("shop_discount", line.shop_discount), ("coupon_discount", line.coupon_discount), ("coupon_match", line.coupon_match)];
    for (name, amount) in discounts {
        if let Some(amount) = amount {
            check_not_negative(amount, currency, || field(name))?;
        }
    }
    // Both are within the limits, so their sum fits. A coupon may be worth more than what it was given for.
    if line.charged.minor() + line.coupon_discount.map_or(0, Money::minor) < 0 {
        let detail = "a line's charge cannot be negative, except for what its coupon explains";
        return Err(invalid("charged_negative", detail, field("charged")));
    }
    Ok(())
}

/// Zero is fine here: real receipts book returned bottles and coupons so.
pub(super) fn check_quantity(quantity: &Quantity, pointer: impl FnOnce() -> Cow<'static, str>) -> Result<(), Refusal> {
    match quantity.millionths() {
        ..=-1 => Err(invalid("quantity_negative", "a quantity cannot be negative", pointer())),
        0..=QUANTITY_MILLIONTHS_MAX => Ok(()),
        _ => Err(invalid("quantity_too_large", "a quantity may be at most a million of its unit", pointer())),
    }
}

pub(super) fn check_not_negative(amount: Money, currency: Currency, pointer: impl Fn() -> Cow<'static, str>) -> Result<(), Refusal> {
    if amount.is_negative() {
        return Err(invalid("amount_negative", "this amount cannot be negative", pointer()));
    }
    check_amount(amount, currency, pointer)
}

/// In the order's currency and within the limit, in either direction.
pub(super) fn check_amount(amount: Money, currency: Currency, pointer: impl Fn() -> Cow<'static, str>) -> Result<(), Refusal> {
    if amount.currency() != currency {
        let detail = format!("this order is in {}, not {}: an order has one currency", currency.as_str(), amount.currency().as_str());
        return Err(invalid("currency_differs", detail, format!("{}/currency", pointer())));
    }
    if amount.minor().unsigned_abs() > MONEY_MINOR_MAX.unsigned_abs() {
        return Err(invalid("amount_too_large", "this amount is too large", format!("{}/amount", pointer())));
    }
    Ok(())
}

fn check_extras(extras: &[Extra], currency: Currency) -> Result<(), Refusal> {
    if extras.len() > EXTRAS_PER_ORDER_MAX {
        return Err(invalid("too_many_extras", format!("an order may have at most {EXTRAS_PER_ORDER_MAX} extras"), "/extras"));
    }
    for (index, extra) in extras.iter().enumerate() {
        check_text(&extra.kind, NAME_CHARS_MAX, format!("/extras/{index}/kind"))?;
        check_amount(extra.amount, currency, || format!("/extras/{index}/amount").into())?;
    }
    Ok(())
}

pub(super) fn check_reason(reason: Option<&str>) -> Result<(), Refusal> {
    reason.map_or(Ok(()), |reason| check_text(reason, NOTE_CHARS_MAX, "/reason"))
}

/// Lines as charged plus extras, all in one currency.
pub(super) fn sum(amounts: impl Iterator<Item = Money>, currency: Currency) -> Result<Money, Refusal> {
    Money::sum(amounts, currency).map_err(|error| invalid(error.code(), error.to_string(), "/lines"))
}

/// The printed total minus that of the lines; `None` where nothing was printed or nothing differs.
pub(super) fn variance(printed: Option<Money>, total: Money) -> Result<Option<Money>, Refusal> {
    let Some(printed) = printed else { return Ok(None) };
    let variance = printed.checked_sub(total).map_err(|error| invalid(error.code(), error.to_string(), "/printed_total"))?;
    Ok(Some(variance).filter(|variance| !variance.is_zero()))
}

pub(super) fn invalid(code: &'static str, detail: impl Into<String>, pointer: impl Into<Cow<'static, str>>) -> Refusal {
    Refusal::new(RefusalKind::Invalid, code, detail).at(pointer)
}
