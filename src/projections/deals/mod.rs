//! Deals: prices that dropped against what they usually were, each with its reference price, its saving and an honesty check.
//! A deal is a pure function of one product's history at one store (`judge`), whatever the order in which that came (`follow`). Only
//! current ones are kept: a price that nobody has seen for long is no deal of today.

mod follow;
mod judge;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Views,
    interner::NONE,
    observation::{KINDS, Slot},
};
use crate::{
    domain::{Moment, Money, ProductId, StoreId, UnitPrice, product::PriceKind},
    events::Position,
};

/// The usual price is the time-weighted median of this many days: long enough to outlast a fortnight's promotion, short enough to follow
/// inflation.
pub const REFERENCE_DAYS: i64 = 90;
/// Fewer known days than this do not show what is usual.
pub const HISTORY_DAYS_MIN: i64 = 14;
/// The EU price-indication rule (directive 98/6/EC, article 6a): a reduction is measured against the lowest price of the 30 days before it.
pub const HONESTY_DAYS: i64 = 30;
/// A new low is the lowest price in a year, because many offers come back with the seasons.
pub const NEW_LOW_DAYS: i64 = 365;
/// A low means little before the price was known for a quarter of a year.
pub const NEW_LOW_HISTORY_DAYS_MIN: i64 = 90;
/// Smaller drops are noise of rounding and of prices per weight.
pub const DROP_BASIS_POINTS_MIN: i64 = 100;

/// A drop below this part of the reference is an outlier: more often a source's mistake than a price.
pub const OUTLIER_PARTS: i64 = 3;

/// The current deals, by product and by store and kind.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Deals {
    current: BTreeMap<(u32, Slot), Row>,
    /// The deals by their end: stated, or some time after their price was last seen.
    #[serde(skip)]
    ends: BTreeSet<(Moment, u32, Slot)>,
    /// How many deals each product has: most prices are of products without any, and skip the lookup in the tree.
    #[serde(skip)]
    of_product: Vec<u32>,
}

/// A deal in compact form; amounts are ten-thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Row {
    price: i64,
    reference: i64,
    low_30: i64,
    since: Moment,
    last_seen: Moment,
    until: Option<Moment>,
    position: u64,
    denomination: u32,
    basis_points: u32,
    honest: bool,
    new_low: bool,
    outlier: bool,
}

/// A price that is lower than usual.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Deal {
    pub product: ProductId,
    pub store: StoreId,
    pub kind: PriceKind,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub category: Option<Arc<str>>,
    pub price: UnitPrice,
    /// The time-weighted median of the 90 days before.
    pub reference: UnitPrice,
    /// Per unit of the price, rounded half up.
    pub saving: Money,
    /// The saving in hundredths of a percent of the reference.
    pub saving_basis_points: u32,
    pub since: Moment,
    /// When its price was last seen. Without a stated end it counts for 30 days after that.
    pub last_seen: Moment,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// Lower than anything in the 365 days before.
    pub new_low: bool,
    /// Lower than the lowest price of the 30 days before: a price raised before its sale is not.
    pub honest: bool,
    /// Under a third of the reference, with at least three prices of the product known: more often a mistake than a deal.
    pub outlier: bool,
    pub lowest_30_days: UnitPrice,
    /// The position of the price's newest observation.
    #[schema(value_type = String)]
    pub position: Position,
}

/// A change of a deal.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[serde(tag = "change", content = "deal", rename_all = "snake_case")]
pub enum DealChange {
    Began(Deal),
    Changed(Deal),
    /// Its last state.
    Ended(Deal),
}

/// The deals asked for.
#[derive(Debug, Clone, Default)]
pub struct DealQuery {
    pub store: Option<StoreId>,
    pub category: Option<String>,
    pub saving_basis_points_min: u32,
    pub honest_only: bool,
    /// Outliers too.
    pub outliers: bool,
    /// Only deals that began at or after this.
    pub since: Option<Moment>,
    /// Deals that have ended by this moment, or whose price was last seen too long before it, are left out.
    pub at: Moment,
    /// The end of an earlier page.
    pub after: Option<DealMark>,
    pub limit: usize,
}

/// A page of deals, the greatest saving in percent first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct DealPage {
    pub deals: Vec<Deal>,
    /// Where the next page begins; absent on the last.
    #[schema(required)]
    pub next: Option<String>,
}

/// The end of a page of deals, as read from its `next`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DealMark(Rank);

impl DealMark {
    /// Reads a page's `next`; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        rank_of_cursor(text).map(Self)
    }
}

/// A deal by its numbers: saving and place.
type Rank = (std::cmp::Reverse<u32>, u32, Slot);

/// The sort key of deals: saving, then place by name, which does not depend on what came first.
type Order<'a> = (std::cmp::Reverse<u32>, Option<&'a ProductId>, Option<&'a StoreId>, PriceKind);

impl DealChange {
    /// The deal it is about.
    #[must_use]
    pub fn deal(&self) -> &Deal {
        match self {
            Self::Began(deal) | Self::Changed(deal) | Self::Ended(deal) => deal,
        }
    }
}

impl Deals {
    #[must_use]
    pub fn len(&self) -> usize {
        self.current.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current.is_empty()
    }
}

impl Views {
    /// Current deals, the greatest saving in percent first. An invalid cursor begins at the start.
    #[must_use]
    pub fn deals(&self, query: &DealQuery) -> DealPage {
        let none = DealPage { deals: Vec::new(), next: None };
        let store = query.store.as_ref().map(|store| self.ids.stores.get(store.as_str()));
        let category = query.category.as_deref().map(|category| self.catalog.category_number(category));
        if store == Some(None) || category == Some(None) {
            return none;
        }
        let after = query.after.map(|mark| self.order_of(&mark.0));
        let wanted = |&(&(product, slot), row): &(&(u32, Slot), &Row)| {
            store.flatten().is_none_or(|store| store == slot.store())
                && row.basis_points >= query.saving_basis_points_min
                && (row.honest || !query.honest_only)
                && (!row.outlier || query.outliers)
                && query.since.is_none_or(|since| row.since >= since)
                && judge::end(row.until, row.last_seen) > query.at
                && category.flatten().is_none_or(|category| category == self.catalog.category(product))
                && after.is_none_or(|after| self.order_of(&rank(product, slot, row)) > after)
        };
        let mut found: Vec<_> =
            self.deals.current.iter().filter(wanted).map(|(&(product, slot), row)| (rank(product, slot, row), row)).collect();
        let more = found.len() > query.limit;
        if more {
            found.select_nth_unstable_by(query.limit, |(one, _), (other, _)| self.order_of(one).cmp(&self.order_of(other)));
            found.truncate(query.limit);
        }
        found.sort_unstable_by(|(one, _), (other, _)| self.order_of(one).cmp(&self.order_of(other)));
        let next = found.last().filter(|_| more).map(|(rank, _)| cursor(rank));
        DealPage { deals: found.into_iter().filter_map(|((_, product, slot), row)| self.deal(product, slot, row)).collect(), next }
    }

    fn order_of(&self, (saving, product, slot): &Rank) -> Order<'_> {
        (*saving, self.ids.products.name(*product), self.ids.stores.name(slot.store()), slot.kind())
    }

    /// Every current deal as text, by the stream of its product.
    pub(super) fn deal_rows(&self) -> impl Iterator<Item = super::differences::Row> {
        let deals = self.deals.current.iter().filter_map(|(&(product, slot), row)| self.deal(product, slot, row));
        deals.map(|deal| (format!("product/{}", deal.product), format!("{deal:?}")))
    }

    fn deal(&self, product: u32, slot: Slot, row: &Row) -> Option<Deal> {
        let price = |amount| self.history.tables.price(amount, row.denomination);
        let currency = self.history.tables.currency(row.denomination)?;
        let per_minor = ten_thousandths_per_minor(currency.decimals());
        let category = self.catalog.category(product);
        Some(Deal {
            product: self.ids.products.name(product)?.clone(),
            store: self.ids.stores.name(slot.store())?.clone(),
            kind: slot.kind(),
            category: if category == NONE { None } else { self.catalog.label(category).cloned() },
            price: price(row.price)?,
            reference: price(row.reference)?,
            saving: Money::from_minor((2 * (row.reference - row.price) + per_minor).div_euclid(2 * per_minor), currency),
            saving_basis_points: row.basis_points,
            since: row.since,
            last_seen: row.last_seen,
            until: row.until,
            new_low: row.new_low,
            honest: row.honest,
            outlier: row.outlier,
            lowest_30_days: price(row.low_30)?,
            position: Position(row.position),
        })
    }
}

fn rank(product: u32, slot: Slot, row: &Row) -> Rank {
    (std::cmp::Reverse(row.basis_points), product, slot)
}

fn cursor((basis_points, product, slot): &Rank) -> String {
    format!("{}.{product}.{}.{}", basis_points.0, slot.store(), slot.kind() as u32)
}

fn rank_of_cursor(text: &str) -> Option<Rank> {
    let parts: Vec<u32> = text.split('.').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [basis_points, product, store, kind] = parts[..] else { return None };
    Some((std::cmp::Reverse(basis_points), product, Slot::new(store.min(NONE >> 2), *KINDS.get(kind as usize)?)))
}

/// Currencies with more decimals than prices are counted in ten-thousandths.
fn ten_thousandths_per_minor(decimals: u32) -> i64 {
    10_i64.pow(4_u32.saturating_sub(decimals))
}

#[cfg(test)]
mod tests;
