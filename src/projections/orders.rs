//! The order book: the total of every order. Its lines are read from its own stream; here is only what each is charged,
//! because a substitution changes the total by the difference. "Newest" is the day of the order, whenever it was recorded.

use std::{collections::BTreeSet, ops::Bound};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Views,
    chunks::Chunks,
    interner::{Interner, NONE},
};
use crate::{
    domain::{
        Currency, HouseholdId, Moment, Money, OrderId, StoreId,
        order::{OrderEvent, OrderPlacement},
        rights::{Action, HouseholdRole, Reader, Rights, Standing, Verdict},
    },
    events::Position,
};

/// Every order by its number, in the order in which the log has them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OrderBook {
    ids: Interner<OrderId>,
    pub(super) households: Interner<HouseholdId>,
    rows: Chunks<Option<OrderRow>>,
    /// Household number to its orders, the oldest first by when they were placed, then by id.
    #[serde(skip)]
    of_household: Vec<Vec<u32>>,
    /// All orders in that order.
    #[serde(skip)]
    by_time: BTreeSet<(Moment, OrderId)>,
}

/// An order in compact form; amounts are minor units of its currency.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OrderRow {
    pub household: u32,
    pub store: u32,
    pub currency: Currency,
    pub phase: OrderPhase,
    pub placed_at: Moment,
    pub total: i64,
    pub refunded: i64,
    pub variance: Option<i64>,
    pub receipt_total: Option<i64>,
    pub updated: u64,
    charges: Vec<Charge>,
}

/// What a line is charged, in 12 bytes: there are a million lines.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Charge {
    line: u32,
    low: u32,
    high: i32,
}

/// The phase of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderPhase {
    Placed,
    Fulfilled,
    Cancelled,
}

/// The summary of an order.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct OrderSummary {
    pub id: OrderId,
    #[schema(required)]
    pub household: Option<HouseholdId>,
    pub store: StoreId,
    pub phase: OrderPhase,
    pub placed_at: Moment,
    pub lines: u32,
    /// Lines as charged plus extras; refunds are not taken off.
    pub total: Money,
    pub refunded: Money,
    /// What was paid in the end: `total` less `refunded`; zero once cancelled.
    pub charged: Money,
    /// What the receipt prints, if reported.
    #[schema(required)]
    pub receipt_total: Option<Money>,
    /// Printed minus computed, where they differ.
    #[schema(required)]
    pub variance: Option<Money>,
    /// The position of its newest event.
    #[schema(value_type = String)]
    pub updated: Position,
}

impl OrderBook {
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.iter().flatten().count()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The orders of a household, the oldest first by when they were placed.
    pub(super) fn of_household(&self, household: &HouseholdId) -> &[u32] {
        let number = self.households.get(household.as_str());
        number.and_then(|number| self.of_household.get(number as usize)).map_or(&[], Vec::as_slice)
    }

    /// Where and when an order was placed.
    pub(super) fn place_and_time(&self, id: &str) -> Option<(u32, Moment)> {
        self.ids.get(id).and_then(|order| self.row(order)).map(|row| (row.store, row.placed_at))
    }

    pub(super) fn row(&self, order: u32) -> Option<&OrderRow> {
        self.rows.get(order as usize)?.as_ref()
    }

    pub(super) fn apply(&mut self, id: &str, event: &OrderEvent, stores: &mut Interner<StoreId>, position: Position) {
        if let OrderEvent::Placed { placement, total, variance } = event {
            let store = stores.number(&placement.store);
            self.place(id, placement, store, *total, *variance);
        }
        let Some(row) = self.ids.get(id).and_then(|order| self.rows.get_mut(order as usize)).and_then(Option::as_mut) else { return };
        row.updated = position.0;
        row.evolve(event);
    }

    /// Rebuilds what a checkpoint leaves out.
    pub(super) fn rebuild(&mut self) {
        self.of_household = vec![Vec::new(); self.households.len()];
        self.by_time.clear();
        (0..super::interner::as_number(self.rows.len())).for_each(|order| self.enter(order));
    }

    /// Enters an order where it belongs by time. Most come last.
    fn enter(&mut self, order: u32) {
        let (Some(row), Some(id)) = (self.row(order), self.ids.name(order)) else { return };
        let (household, time) = (row.household, (row.placed_at, id.clone()));
        if household != NONE {
            if household as usize >= self.of_household.len() {
                self.of_household.resize_with(household as usize + 1, Vec::new);
            }
            let place = self.place_in(&self.of_household[household as usize], (time.0, &time.1));
            self.of_household[household as usize].insert(place, order);
        }
        self.by_time.insert(time);
    }

    /// How many of a household's orders come before a time and id.
    fn place_in(&self, orders: &[u32], time: (Moment, &OrderId)) -> usize {
        if orders.last().is_none_or(|&last| self.time(last) < Some(time)) {
            return orders.len();
        }
        orders.partition_point(|&order| self.time(order) < Some(time))
    }

    /// When an order was placed, and its id: what orders are sorted by.
    fn time(&self, order: u32) -> Option<(Moment, &OrderId)> {
        Some((self.row(order)?.placed_at, self.ids.name(order)?))
    }

    /// The same of an order by its id, if there is one.
    fn time_of(&self, id: &OrderId) -> Option<(Moment, &OrderId)> {
        self.time(self.ids.get(id.as_str())?)
    }

    /// The orders of a household, newest first, before a time and id; all of them for `None`.
    fn newest_of(&self, household: &HouseholdId, before: Option<(Moment, &OrderId)>) -> impl Iterator<Item = u32> + '_ {
        let orders = self.of_household(household);
        let end = before.map_or(orders.len(), |before| self.place_in(orders, before));
        orders[..end].iter().rev().copied()
    }

    /// All orders, newest first, before a time and id.
    fn newest(&self, before: Option<(Moment, &OrderId)>) -> impl Iterator<Item = u32> + '_ {
        let end = before.map_or(Bound::Unbounded, |(at, id)| Bound::Excluded((at, id.clone())));
        self.by_time.range((Bound::Unbounded, end)).rev().filter_map(|(_, id)| self.ids.get(id.as_str()))
    }

    fn is_of(&self, household: &HouseholdId, time: (Moment, &OrderId)) -> bool {
        let orders = self.of_household(household);
        orders.get(self.place_in(orders, time)).is_some_and(|&order| self.time(order) == Some(time))
    }

    fn place(&mut self, id: &str, placement: &OrderPlacement, store: u32, total: Money, variance: Option<Money>) {
        let Ok(id) = OrderId::new(id) else { return };
        let order = self.ids.number(&id);
        let row = self.rows.place(order as usize);
        // A second placing cannot happen; if an odd history holds one, the first counts.
        if row.is_some() {
            return;
        }
        let household = placement.household.as_ref().map_or(NONE, |household| self.households.number(household));
        *row = Some(OrderRow::new(placement, household, store, total, variance));
        self.enter(order);
    }

    fn summary(&self, order: u32, stores: &Interner<StoreId>) -> Option<OrderSummary> {
        let row = self.row(order)?;
        let money = |minor: i64| Money::from_minor(minor, row.currency);
        Some(OrderSummary {
            id: self.ids.name(order)?.clone(),
            household: self.households.name(row.household).cloned(),
            store: stores.name(row.store)?.clone(),
            phase: row.phase,
            placed_at: row.placed_at,
            lines: super::interner::as_number(row.charges.len()),
            total: money(row.total),
            refunded: money(row.refunded),
            charged: money(row.spent()),
            receipt_total: row.receipt_total.map(money),
            variance: row.variance.map(money),
            updated: Position(row.updated),
        })
    }
}

impl OrderRow {
    fn new(placement: &OrderPlacement, household: u32, store: u32, total: Money, variance: Option<Money>) -> Self {
        Self {
            household,
            store,
            currency: total.currency(),
            phase: OrderPhase::Placed,
            placed_at: placement.placed_at,
            total: total.minor(),
            refunded: 0,
            variance: variance.map(Money::minor),
            receipt_total: placement.printed_total.map(Money::minor),
            updated: 0,
            charges: placement.lines.iter().map(|line| Charge::new(line.line, line.charged)).collect(),
        }
    }

    /// What was paid in the end, in minor units.
    pub fn spent(&self) -> i64 {
        if self.phase == OrderPhase::Cancelled { 0 } else { self.total.saturating_sub(self.refunded) }
    }

    fn evolve(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed { .. } => {}
            OrderEvent::LineSubstituted { line, charged, .. } | OrderEvent::LineShorted { line, charged, .. } => {
                self.charge(*line, *charged);
            }
            OrderEvent::LineRefunded { amount, .. } => self.refunded = self.refunded.saturating_add(amount.minor()),
            OrderEvent::Amended { lines } => {
                for line in lines {
                    if self.charges.iter().any(|charge| charge.line == line.line) {
                        self.charge(line.line, line.charged);
                        continue;
                    }
                    self.total = self.total.saturating_add(line.charged.minor());
                    self.charges.push(Charge::new(line.line, line.charged));
                }
            }
            OrderEvent::Fulfilled { receipt_total, variance, .. } => {
                self.phase = OrderPhase::Fulfilled;
                self.receipt_total = receipt_total.map(Money::minor).or(self.receipt_total);
                self.variance = variance.map(Money::minor);
            }
            OrderEvent::Cancelled { .. } => self.phase = OrderPhase::Cancelled,
        }
    }

    fn charge(&mut self, line: u32, charged: Money) {
        let Some(charge) = self.charges.iter_mut().find(|charge| charge.line == line) else { return };
        self.total = self.total.saturating_add(charged.minor()).saturating_sub(charge.minor());
        *charge = Charge::new(line, charged);
    }
}

impl Charge {
    // Both casts truncate on purpose: the halves are joined again below.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn new(line: u32, charged: Money) -> Self {
        Self { line, low: charged.minor() as u32, high: (charged.minor() >> 32) as i32 }
    }

    fn minor(self) -> i64 {
        (i64::from(self.high) << 32) | i64::from(self.low)
    }
}

impl Views {
    /// Every order as text, by its stream.
    pub(super) fn order_rows(&self) -> impl Iterator<Item = super::differences::Row> {
        (0..super::interner::as_number(self.orders.rows.len())).filter_map(|order| {
            let (row, summary) = (self.orders.row(order)?, self.orders.summary(order, &self.ids.stores)?);
            let charges: Vec<_> = row.charges.iter().map(|charge| (charge.line, charge.minor())).collect();
            Some((format!("order/{}", summary.id), format!("{summary:?} {charges:?}")))
        })
    }

    /// The summary of an order.
    #[must_use]
    pub fn order(&self, id: &OrderId) -> Option<OrderSummary> {
        self.orders.summary(self.orders.ids.get(id.as_str())?, &self.ids.stores)
    }

    /// The orders that a reader may see, the last placed first, after `after` (one of them).
    #[must_use]
    pub fn newest_orders(&self, reader: &Reader, after: Option<&OrderId>, limit: usize) -> Vec<OrderSummary> {
        let before = after.and_then(|after| self.orders.time_of(after));
        // After an order that the reader must not know of there is nothing, as after one that is not there.
        if after.is_some() && before.is_none() {
            return Vec::new();
        }
        let newest: Vec<u32> = match &reader.rights {
            Rights::Admin => self.orders.newest(before).take(limit).collect(),
            Rights::Account(roles) => {
                let sees = |role: HouseholdRole| Standing::from(role).may(Action::SeeOrder) == Verdict::Allowed;
                let households: Vec<_> = roles.households.iter().filter(|(_, role)| sees(**role)).map(|(household, _)| household).collect();
                if before.is_some_and(|before| !households.iter().any(|household| self.orders.is_of(household, before))) {
                    return Vec::new();
                }
                let mut newest: Vec<u32> =
                    households.into_iter().flat_map(|household| self.orders.newest_of(household, before).take(limit)).collect();
                newest.sort_unstable_by_key(|&order| std::cmp::Reverse(self.orders.time(order)));
                newest
            }
            Rights::Link(_) | Rights::Nobody => Vec::new(),
        };
        newest.into_iter().filter_map(|order| self.orders.summary(order, &self.ids.stores)).take(limit).collect()
    }

    /// The orders of a household, the last placed first, after `after` (one of them).
    #[must_use]
    pub fn orders_of(&self, household: &HouseholdId, after: Option<&OrderId>, limit: usize) -> Vec<OrderSummary> {
        let before = after.and_then(|after| self.orders.time_of(after));
        if after.is_some() && !before.is_some_and(|before| self.orders.is_of(household, before)) {
            return Vec::new();
        }
        self.orders.newest_of(household, before).filter_map(|order| self.orders.summary(order, &self.ids.stores)).take(limit).collect()
    }
}
