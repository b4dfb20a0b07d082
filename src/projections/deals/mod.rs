//! Deals: prices that dropped against what they usually were, each with its reference price, its saving and an honesty check.
//! A deal is a pure function of one product's history at one store, recomputed when one of its prices changes; only current deals are kept.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use utoipa::ToSchema;

use super::{
    Changes, Views,
    history::{Newest, PriceHistory, Slice},
    interner::NONE,
    median::{Held, OBSERVATIONS_PER_WINDOW_MAX, held_within, time_weighted_median},
    observation::{KINDS, Observation, Slot},
};
use crate::{
    domain::{Moment, Money, ProductId, StoreId, UnitPrice, limits::OUTLIER_OBSERVATIONS_MIN, moment::DAY_MICROS, product::PriceKind},
    events::{Position, Recorded},
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
    /// Deals with an end, by that end.
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
    /// Deals that have ended by this moment are left out.
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

/// The sort key of deals: saving, then place.
type Rank = (std::cmp::Reverse<u32>, u32, Slot);

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

    /// Rebuilds what a checkpoint leaves out.
    pub(super) fn rebuild(&mut self) {
        self.ends = self.current.iter().filter_map(|(&(product, slot), row)| Some((row.until?, product, slot))).collect();
        self.of_product.clear();
        let products: Vec<u32> = self.current.keys().map(|(product, _)| *product).collect();
        products.into_iter().for_each(|product| *self.count(product) += 1);
    }

    /// Records that the price of a slot, a deal or not, was seen again: only its position changes.
    pub(super) fn seen_again(&mut self, product: u32, slot: Slot, position: Position) {
        if self.has(product)
            && let Some(row) = self.current.get_mut(&(product, slot))
        {
            row.position = position.0;
        }
    }

    fn has(&self, product: u32) -> bool {
        self.of_product.get(product as usize).is_some_and(|&deals| deals > 0)
    }

    fn count(&mut self, product: u32) -> &mut u32 {
        let index = product as usize;
        if index >= self.of_product.len() {
            self.of_product.resize(index + 1, 0);
        }
        &mut self.of_product[index]
    }

    /// Replaces the former state with the current one; returns the former.
    fn replace(&mut self, product: u32, slot: Slot, now: Option<Row>) -> Option<Row> {
        if now.is_none() && !self.has(product) {
            return None;
        }
        let before = match now {
            Some(row) => self.current.insert((product, slot), row),
            None => self.current.remove(&(product, slot)),
        };
        match (before, now) {
            (None, Some(_)) => *self.count(product) += 1,
            (Some(_), None) => *self.count(product) -= 1,
            (None, None) | (Some(_), Some(_)) => {}
        }
        if let Some(end) = before.and_then(|row| row.until) {
            self.ends.remove(&(end, product, slot));
        }
        if let Some(end) = now.and_then(|row| row.until) {
            self.ends.insert((end, product, slot));
        }
        before
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
        let after = query.after.map(|mark| mark.0);
        let wanted = |&(&(product, slot), row): &(&(u32, Slot), &Row)| {
            store.flatten().is_none_or(|store| store == slot.store())
                && row.basis_points >= query.saving_basis_points_min
                && (row.honest || !query.honest_only)
                && (!row.outlier || query.outliers)
                && query.since.is_none_or(|since| row.since >= since)
                && row.until.is_none_or(|until| until > query.at)
                && category.flatten().is_none_or(|category| category == self.catalog.category(product))
                && after.is_none_or(|after| rank(product, slot, row) > after)
        };
        let mut found: Vec<_> =
            self.deals.current.iter().filter(wanted).map(|(&(product, slot), row)| (rank(product, slot, row), row)).collect();
        let more = found.len() > query.limit;
        if more {
            found.select_nth_unstable_by_key(query.limit, |(rank, _)| *rank);
            found.truncate(query.limit);
        }
        found.sort_unstable_by_key(|(rank, _)| *rank);
        let next = found.last().filter(|_| more).map(|(rank, _)| cursor(rank));
        DealPage { deals: found.into_iter().filter_map(|((_, product, slot), row)| self.deal(product, slot, row)).collect(), next }
    }

    /// Recomputes the deal of one product, store and kind after its price changed.
    pub(super) fn judge_deal(&mut self, product: u32, slot: Slot, recorded: &Recorded, changes: &mut Changes) {
        let now = judge(&self.history, product, slot, recorded.at);
        let before = self.deals.replace(product, slot, now);
        if changes.unheard {
            return;
        }
        let change = match (before, now) {
            (None, Some(now)) => self.deal(product, slot, &now).map(DealChange::Began),
            (Some(before), None) => self.deal(product, slot, &before).map(DealChange::Ended),
            // The same price seen again is not news.
            (Some(before), Some(now)) if before != (Row { position: before.position, ..now }) => {
                self.deal(product, slot, &now).map(DealChange::Changed)
            }
            (None, None) | (Some(_), Some(_)) => None,
        };
        changes.deals.extend(change);
    }

    /// Ends the deals that are over when an event is recorded.
    pub(super) fn end_expired_deals(&mut self, at: Moment, changes: &mut Changes) {
        while let Some(&(end, product, slot)) = self.deals.ends.first() {
            if end > at {
                return;
            }
            let before = self.deals.replace(product, slot, None).filter(|_| !changes.unheard);
            changes.deals.extend(before.and_then(|row| self.deal(product, slot, &row)).map(DealChange::Ended));
        }
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
            until: row.until,
            new_low: row.new_low,
            honest: row.honest,
            outlier: row.outlier,
            lowest_30_days: price(row.low_30)?,
            position: Position(row.position),
        })
    }
}

/// The deal of the newest price of a product, store and kind, if it is one.
fn judge(history: &PriceHistory, product: u32, slot: Slot, at: Moment) -> Option<Row> {
    let tables = &history.tables;
    let place = history.place(product, slot.store());
    let newest = history.back_from(&place, slot.kind()).next().filter(|newest| !newest.is_withdrawal())?;
    let validity = tables.validity_of(&newest);
    if validity.until.is_some_and(|until| until <= at) {
        return None;
    }
    let denomination = tables.denomination_of(&newest);
    let same = |o: &Observation| o.amount() == newest.amount() && tables.denomination_of(o) == denomination;
    let first = history.back_from(&place, slot.kind()).take_while(same).last()?;
    let since = tables.validity_of(&first).from.map_or(first.observed_at, |from| from.max(first.observed_at));
    let before = Before { history, product, slot, place, denomination, since };
    let reference = before.reference(newest.amount() + ten_thousandths_per_minor(tables.currency(denomination)?.decimals()))?;
    let basis_points = (reference - newest.amount()) * 10_000 / reference;
    let Lows { days_30, new_low } = before.lows(newest.amount());
    if basis_points < DROP_BASIS_POINTS_MIN && !new_low {
        return None;
    }
    let low_30 = days_30.unwrap_or(reference);
    Some(Row {
        price: newest.amount(),
        reference,
        low_30,
        since,
        until: validity.until,
        position: newest.position,
        denomination,
        basis_points: u32::try_from(basis_points).unwrap_or(0),
        honest: newest.amount() < low_30,
        new_low,
        outlier: newest.amount() * OUTLIER_PARTS < reference && before.is_product_known(),
    })
}

/// What a product cost at a store before a moment.
struct Before<'a> {
    history: &'a PriceHistory,
    product: u32,
    slot: Slot,
    place: Newest,
    denomination: u32,
    since: Moment,
}

/// The lowest price that anybody could pay.
struct Lows {
    days_30: Option<i64>,
    /// Whether an amount is lower than all of the year before.
    new_low: bool,
}

impl Before<'_> {
    /// The usual price, if it is `least` or more: the median of the shelf price, or of the own kind where the shelf price is not known
    /// well enough.
    fn reference(&self, least: i64) -> Option<i64> {
        let shelf = self.slice(PriceKind::Shelf, REFERENCE_DAYS);
        let is_own = self.slot.kind() == PriceKind::Shelf;
        // A median is one of the amounts: if none is high enough, it need not be computed.
        if is_own && shelf.iter().all(|o| o.amount() < least) {
            return None;
        }
        let usual = self.median(&shelf);
        let usual = usual.or_else(|| if is_own { None } else { self.median(&self.slice(self.slot.kind(), REFERENCE_DAYS)) });
        usual.filter(|&usual| usual >= least)
    }

    fn median(&self, slice: &[Observation]) -> Option<i64> {
        // Known for too short a time to count anything.
        let first = slice.first()?.observed_at;
        if self.since.0.saturating_sub(first.0) < HISTORY_DAYS_MIN * DAY_MICROS {
            return None;
        }
        let mut held: SmallVec<[Held; 16]> = self.held(slice, REFERENCE_DAYS).collect();
        let known: i64 = held.iter().map(|h| h.micros).fold(0, i64::saturating_add);
        if known < HISTORY_DAYS_MIN * DAY_MICROS {
            return None;
        }
        time_weighted_median(&mut held)
    }

    /// The lowest prices before, all from one pass over each kind: a year's observations include those of any part of it.
    fn lows(&self, amount: i64) -> Lows {
        let year = KINDS.map(|kind| self.slice(kind, NEW_LOW_DAYS));
        let public = || KINDS.into_iter().filter(|&kind| kind != PriceKind::Member).map(|kind| &year[kind as usize]);
        let lowest = |days| public().filter_map(|slice| self.held(slice, days).map(|h| h.amount).min()).min();
        let first = [PriceKind::Shelf, self.slot.kind()].map(|kind| year[kind as usize].first().map(|o| o.observed_at));
        let first = first.into_iter().flatten().min();
        let known_days = first.map_or(0, |first| self.since.0.saturating_sub(first.0) / DAY_MICROS);
        let new_low = known_days >= NEW_LOW_HISTORY_DAYS_MIN && lowest(NEW_LOW_DAYS).is_some_and(|low| amount < low);
        Lows { days_30: lowest(HONESTY_DAYS), new_low }
    }

    /// Whether enough prices of the product are known, at any store, to call one of them an outlier.
    fn is_product_known(&self) -> bool {
        let slots = self.history.slots(self.product);
        let known = slots.flat_map(|slot| self.history.newest_first(self.product, slot));
        let comparable = |o: &Observation| !o.is_withdrawal() && self.history.tables.denomination_of(o) == self.denomination;
        known.filter(comparable).take(OUTLIER_OBSERVATIONS_MIN).count() == OUTLIER_OBSERVATIONS_MIN
    }

    fn held<'a>(&'a self, slice: &'a [Observation], days: i64) -> impl Iterator<Item = Held> + 'a {
        held_within(slice, &self.history.tables, self.denomination, self.since.days_before(days), self.since)
    }

    /// The observations that can matter for this many days.
    fn slice(&self, kind: PriceKind, days: i64) -> Slice {
        let from = self.since.days_before(days);
        self.history.slice_since(&self.place, kind, from, OBSERVATIONS_PER_WINDOW_MAX)
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
