//! Records what happened to an order. Checks nothing: events are facts.

use std::collections::BTreeMap;

use super::{LineState, Order, OrderEvent, OrderLine, OrderPlacement, OrderState, Receipt, Refund, Substitute};
use crate::domain::{Money, Quantity};

pub(super) fn evolve(state: &mut OrderState, event: &OrderEvent) {
    match event {
        OrderEvent::Placed { placement, total, variance } => *state = OrderState::Placed(Order::new(placement, *total, *variance)),
        OrderEvent::Fulfilled { at, receipt_total, variance } => {
            if let Some(mut order) = take(state) {
                order.receipt = Some(Receipt { at: *at, total: *receipt_total, variance: *variance });
                *state = OrderState::Fulfilled(order);
            }
        }
        OrderEvent::Cancelled { reason: _ } => {
            if let Some(order) = take(state) {
                *state = OrderState::Cancelled(order);
            }
        }
        OrderEvent::LineSubstituted { .. }
        | OrderEvent::LineShorted { .. }
        | OrderEvent::LineRefunded { .. }
        | OrderEvent::Amended { .. } => {
            if let OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order) = state {
                order.evolve(event);
            }
        }
    }
}

fn take(state: &mut OrderState) -> Option<Order> {
    match std::mem::take(state) {
        OrderState::Absent => None,
        OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order) => Some(order),
    }
}

impl Order {
    fn new(placement: &OrderPlacement, total: Money, variance: Option<Money>) -> Self {
        let OrderPlacement { household, store, list, placed_at, lines, extras, printed_total, source } = placement.clone();
        let lines: BTreeMap<_, _> = lines.into_iter().map(|line| (line.line, LineState::new(line, false))).collect();
        let refunded = Money::zero(total.currency());
        Self { household, store, list, placed_at, lines, extras, total, printed_total, variance, receipt: None, refunded, source }
    }

    fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::LineSubstituted { line, product, name, quantity, charged } => {
                let substitute = Substitute { product: product.clone(), name: name.clone(), quantity: quantity.clone(), charged: *charged };
                self.change_line(*line, quantity, *charged, Some(substitute));
            }
            OrderEvent::LineShorted { line, picked, charged } => self.change_line(*line, picked, *charged, None),
            OrderEvent::LineRefunded { line, quantity, amount, reason } => {
                let refund = Refund { quantity: quantity.clone(), amount: *amount, reason: reason.clone() };
                if let Some(known) = self.lines.get_mut(line) {
                    known.refund(refund);
                    self.refunded = plus(self.refunded, amount.minor());
                }
            }
            OrderEvent::Amended { lines } => {
                for line in lines {
                    let before = self.lines.get(&line.line).map_or(0, |known| known.charged.minor());
                    self.total = plus(self.total, line.charged.minor() - before);
                    self.lines.insert(line.line, LineState::new(line.clone(), true));
                }
            }
            OrderEvent::Placed { .. } | OrderEvent::Fulfilled { .. } | OrderEvent::Cancelled { .. } => {}
        }
    }

    fn change_line(&mut self, line: u32, picked: &Quantity, charged: Money, substitute: Option<Substitute>) {
        let Some(known) = self.lines.get_mut(&line) else { return };
        self.total = plus(self.total, charged.minor() - known.charged.minor());
        known.picked = picked.clone();
        known.charged = charged;
        known.substitute = substitute.or(known.substitute.take());
    }
}

impl LineState {
    /// As ordered: everything is expected to come, nothing was paid back.
    fn new(ordered: OrderLine, amended: bool) -> Self {
        Self {
            amended,
            substitute: None,
            picked: ordered.quantity.clone(),
            charged: ordered.charged,
            refunded: Money::zero(ordered.charged.currency()),
            refunded_quantity: None,
            refunds: Vec::new(),
            ordered,
        }
    }

    fn refund(&mut self, refund: Refund) {
        self.refunded = plus(self.refunded, refund.amount.minor());
        // The decider checked that the units agree; an impossible sum keeps the first figure.
        self.refunded_quantity = match self.refunded_quantity.take() {
            None => Some(refund.quantity.clone()),
            Some(before) => Some(before.checked_add(&refund.quantity).unwrap_or(before)),
        };
        self.refunds.push(refund);
    }
}

/// Amounts of a command are limited far below what could overflow a sum of them, so nothing is ever cut off here.
fn plus(amount: Money, minor: i64) -> Money {
    Money::from_minor(amount.minor().saturating_add(minor), amount.currency())
}
