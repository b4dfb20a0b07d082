//! What a household spent: summed from its orders on every query, because a household has dozens of orders, not thousands.
//! Refunds are taken off, cancelled orders do not count, currencies are never added together.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Views,
    orders::{OrderPhase, OrderRow},
};
use crate::domain::{Currency, HouseholdId, Moment, Money, StoreId};

/// What a household spent between two moments.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Spend {
    pub household: HouseholdId,
    pub from: Option<Moment>,
    /// Exclusive.
    pub to: Option<Moment>,
    /// One entry per currency.
    pub currencies: Vec<CurrencySpend>,
}

/// What was spent in one currency.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct CurrencySpend {
    pub currency: Currency,
    pub total: Money,
    /// Already taken off the total.
    pub refunded: Money,
    pub orders: u32,
    /// By calendar month in UTC, the oldest first; months without an order are left out.
    pub months: Vec<MonthSpend>,
    /// By store, the highest first.
    pub stores: Vec<StoreSpend>,
}

/// What was spent in a month.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct MonthSpend {
    /// Such as `2017-03`.
    pub month: String,
    pub total: Money,
    pub orders: u32,
}

/// What was spent at a store.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StoreSpend {
    pub store: StoreId,
    pub total: Money,
    pub orders: u32,
}

/// An amount in minor units, and its number of orders.
#[derive(Debug, Clone, Copy, Default)]
struct Sum {
    minor: i64,
    orders: u32,
}

#[derive(Debug, Default)]
struct Sums {
    all: Sum,
    refunded: i64,
    months: BTreeMap<String, Sum>,
    stores: BTreeMap<u32, Sum>,
}

impl Views {
    /// What a household spent on orders placed at or after `from` and before `to`. Nothing for an unknown one.
    #[must_use]
    pub fn spend(&self, household: &HouseholdId, from: Option<Moment>, to: Option<Moment>) -> Spend {
        let mut sums: BTreeMap<Currency, Sums> = BTreeMap::new();
        for row in self.orders.of_household(household).iter().filter_map(|&order| self.orders.row(order)) {
            let inside = from.is_none_or(|from| row.placed_at >= from) && to.is_none_or(|to| row.placed_at < to);
            if inside && row.phase != OrderPhase::Cancelled {
                sums.entry(row.currency).or_default().add(row);
            }
        }
        let currencies = sums.into_iter().map(|(currency, sums)| self.currency_spend(currency, sums)).collect();
        Spend { household: household.clone(), from, to, currencies }
    }

    fn currency_spend(&self, currency: Currency, sums: Sums) -> CurrencySpend {
        let money = |minor| Money::from_minor(minor, currency);
        let months = sums.months.into_iter().map(|(month, sum)| MonthSpend { month, total: money(sum.minor), orders: sum.orders });
        let store = |(store, sum): (u32, Sum)| {
            Some(StoreSpend { store: self.ids.stores.name(store)?.clone(), total: money(sum.minor), orders: sum.orders })
        };
        let mut stores: Vec<_> = sums.stores.into_iter().filter_map(store).collect();
        stores.sort_by(|a, b| b.total.minor().cmp(&a.total.minor()).then_with(|| a.store.cmp(&b.store)));
        CurrencySpend {
            currency,
            total: money(sums.all.minor),
            refunded: money(sums.refunded),
            orders: sums.all.orders,
            months: months.collect(),
            stores,
        }
    }
}

impl Sums {
    fn add(&mut self, row: &OrderRow) {
        self.refunded = self.refunded.saturating_add(row.refunded);
        for sum in [&mut self.all, self.months.entry(month(row.placed_at)).or_default(), self.stores.entry(row.store).or_default()] {
            sum.minor = sum.minor.saturating_add(row.spent());
            sum.orders += 1;
        }
    }
}

/// The calendar month in UTC.
fn month(moment: Moment) -> String {
    moment.to_string().get(..7).unwrap_or("unknown").to_string()
}
