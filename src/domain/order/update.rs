//! Brings an order up to date with what its source says now.

use std::collections::{BTreeMap, VecDeque};

use super::{
    LineState, Order, OrderEvent, OrderLine, OrderPlacement,
    checks::{check_line_count, check_placement},
    decide::{Answer, Phase, conflict},
};
use crate::domain::{Decision, Moment, Money, Quantity, Refusal};

/// Amends the lines that differ. Whose order it is, where and when it was placed, and what was printed, cannot change.
pub(super) fn update(order: &Order, phase: Phase, said: &OrderPlacement, now: Moment) -> Answer {
    check_placement(said, now)?;
    check_header(order, said)?;
    let lines = amended(&order.lines, &said.lines);
    if lines.is_empty() {
        return Ok(Decision::unchanged());
    }
    phase.expect_not_cancelled()?;
    let new = lines.iter().filter(|line| !order.lines.contains_key(&line.line)).count();
    check_line_count(order.lines.len() + new)?;
    lines.iter().filter_map(|line| order.lines.get(&line.line)).try_for_each(LineState::expect_as_ordered)?;
    Ok(Decision::applied(OrderEvent::Amended { lines }))
}

fn check_header(order: &Order, said: &OrderPlacement) -> Result<(), Refusal> {
    let OrderPlacement { household, store, list, placed_at, lines, extras, printed_total, source } = said;
    let fields = [
        ("household", order.household == *household),
        ("store", order.store == *store),
        ("list", order.list == *list),
        ("placed_at", order.placed_at == *placed_at),
        ("currency", lines.iter().all(|line| line.charged.currency() == order.total.currency())),
        ("extras", order.extras == *extras),
        ("printed_total", order.printed_total == *printed_total),
        ("source", order.source == *source),
    ];
    match fields.iter().find(|(_, is_same)| !is_same) {
        Some((field, _)) => {
            let detail = format!("this order was placed with another {field}: only its lines can be brought up to date");
            Err(conflict("order_exists", detail).at(format!("/{field}")))
        }
        None => Ok(()),
    }
}

impl LineState {
    /// Nothing was substituted, shorted or paid back.
    fn expect_as_ordered(&self) -> Result<(), Refusal> {
        let is_as_ordered = self.substitute.is_none()
            && self.refunds.is_empty()
            && self.picked == self.ordered.quantity
            && self.charged == self.ordered.charged;
        if is_as_ordered {
            return Ok(());
        }
        let detail = format!("what came of line {} was reported since: the source cannot change it any more", self.ordered.line);
        Err(conflict("line_settled", detail))
    }
}

/// What a line is, whatever its number.
type Content<'a> = (Article<'a>, i64, String, i64, [Option<i64>; 3]);
/// What was bought.
type Article<'a> = (Option<&'a str>, Option<&'a str>);

fn article(line: &OrderLine) -> Article<'_> {
    (line.product.as_ref().map(crate::domain::ProductId::as_str), line.name.as_deref())
}

fn content(line: &OrderLine) -> Content<'_> {
    let discounts = [line.shop_discount, line.coupon_discount, line.coupon_match].map(|amount| amount.map(Money::minor));
    (article(line), line.quantity.millionths(), line.quantity.unit().to_string(), line.charged.minor(), discounts)
}

/// The lines to record so that the known ones become those given: first the same content is the same line, then the same article is the same
/// line with another content; the rest is new, or no longer there.
fn amended(known: &BTreeMap<u32, LineState>, given: &[OrderLine]) -> Vec<OrderLine> {
    let mut left = numbers_by(known.values().map(|line| &line.ordered), content);
    let differing: Vec<_> = given.iter().filter(|line| take(&mut left, &content(line)).is_none()).collect();
    let left: Vec<u32> = left.into_values().flatten().collect();
    let mut left = numbers_by(left.iter().map(|number| &known[number].ordered), article);
    let mut next = known.keys().next_back().copied().unwrap_or_default();
    let mut lines = Vec::new();
    for line in differing {
        let number = take(&mut left, &article(line)).unwrap_or_else(|| {
            next = next.saturating_add(1);
            next
        });
        lines.push(OrderLine { line: number, ..line.clone() });
    }
    let gone = left.into_values().flatten().map(|number| &known[&number].ordered);
    lines.extend(gone.map(|line| (line, nothing(line))).filter(|(line, nothing)| *line != nothing).map(|(_, nothing)| nothing));
    lines
}

/// The numbers of lines, the lowest first, by what makes them the same.
fn numbers_by<'a, K: Ord>(lines: impl Iterator<Item = &'a OrderLine>, key: impl Fn(&'a OrderLine) -> K) -> BTreeMap<K, VecDeque<u32>> {
    let mut numbers = BTreeMap::<K, VecDeque<u32>>::new();
    lines.for_each(|line| numbers.entry(key(line)).or_default().push_back(line.line));
    numbers
}

fn take<K: Ord>(numbers: &mut BTreeMap<K, VecDeque<u32>>, key: &K) -> Option<u32> {
    numbers.get_mut(key)?.pop_front()
}

/// The same line with nothing of it.
fn nothing(line: &OrderLine) -> OrderLine {
    OrderLine {
        quantity: Quantity::from_millionths(0, line.quantity.unit().clone()),
        charged: Money::zero(line.charged.currency()),
        shop_discount: None,
        coupon_discount: None,
        coupon_match: None,
        ..line.clone()
    }
}
