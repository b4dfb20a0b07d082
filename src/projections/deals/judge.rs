//! What makes a price a deal: a pure function of one product's history at one store, whatever the order in which it came.

use smallvec::SmallVec;

use super::{
    DROP_BASIS_POINTS_MIN, HISTORY_DAYS_MIN, HONESTY_DAYS, NEW_LOW_DAYS, NEW_LOW_HISTORY_DAYS_MIN, OUTLIER_PARTS, REFERENCE_DAYS, Row,
    ten_thousandths_per_minor,
};
use crate::{
    domain::{
        Moment,
        limits::{LAST_SEEN_DAYS, OUTLIER_OBSERVATIONS_MIN},
        moment::DAY_MICROS,
        product::PriceKind,
    },
    projections::{
        history::{Newest, PriceHistory, Run, Runs},
        median::{Held, PRICES_PER_WINDOW_MAX, held_within, time_weighted_median},
        observation::{KINDS, Observation, Slot},
    },
};

/// The deal of the newest price of a product, store and kind, if it is one at a moment.
pub(super) fn judge(history: &PriceHistory, product: u32, slot: Slot, at: Moment) -> Option<Row> {
    let tables = &history.tables;
    let place = history.place(product, slot.store());
    let newest = history.back_from(&place, slot.kind()).next().filter(|newest| !newest.is_withdrawal())?;
    let until = tables.validity_of(&newest).until;
    if end(until, newest.observed_at) <= at {
        return None;
    }
    let denomination = tables.denomination_of(&newest);
    let same = |o: &Observation| o.amount() == newest.amount() && tables.denomination_of(o) == denomination;
    let first = history.back_from(&place, slot.kind()).take_while(same).last()?;
    let since = tables.start_of(&first);
    let before = Before { history, slot, place, denomination, since };
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
        until,
        last_seen: newest.observed_at,
        position: newest.position,
        denomination,
        basis_points: u32::try_from(basis_points).unwrap_or(0),
        honest: newest.amount() < low_30,
        new_low,
        outlier: newest.amount() * OUTLIER_PARTS < reference && is_known(history, product, denomination),
    })
}

impl Row {
    /// Whether it is an outlier as soon as enough prices are known.
    pub(super) fn is_suspect(&self) -> bool {
        self.price * OUTLIER_PARTS < self.reference
    }
}

/// What a product cost at a store before a moment.
pub(super) struct Before<'a> {
    pub history: &'a PriceHistory,
    pub slot: Slot,
    pub place: Newest,
    pub denomination: u32,
    pub since: Moment,
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
    pub fn reference(&self, least: i64) -> Option<i64> {
        let shelf = self.slice(PriceKind::Shelf, REFERENCE_DAYS);
        let is_own = self.slot.kind() == PriceKind::Shelf;
        // A median is one of the amounts: if none is high enough, it need not be computed.
        if is_own && shelf.iter().all(|run| run.first.amount() < least) {
            return None;
        }
        let usual = self.median(&shelf);
        let usual = usual.or_else(|| if is_own { None } else { self.median(&self.slice(self.slot.kind(), REFERENCE_DAYS)) });
        usual.filter(|&usual| usual >= least)
    }

    fn median(&self, slice: &[Run]) -> Option<i64> {
        // Known for too short a time to count anything.
        let first = slice.first()?.first.observed_at;
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
        let first = [PriceKind::Shelf, self.slot.kind()].map(|kind| year[kind as usize].first().map(|run| run.first.observed_at));
        let first = first.into_iter().flatten().min();
        let known_days = first.map_or(0, |first| self.since.0.saturating_sub(first.0) / DAY_MICROS);
        let new_low = known_days >= NEW_LOW_HISTORY_DAYS_MIN && lowest(NEW_LOW_DAYS).is_some_and(|low| amount < low);
        Lows { days_30: lowest(HONESTY_DAYS), new_low }
    }

    pub fn held<'a>(&'a self, slice: &'a [Run], days: i64) -> impl Iterator<Item = Held> + 'a {
        held_within(slice, &self.history.tables, self.denomination, self.since.days_before(days), self.since)
    }

    /// The prices that can matter for this many days.
    pub fn slice(&self, kind: PriceKind, days: i64) -> Runs {
        self.history.runs_within(&self.place, kind, (self.since.days_before(days), self.since), PRICES_PER_WINDOW_MAX)
    }
}

/// Whether enough prices of a product are known, at any store, to call one of them an outlier.
pub(super) fn is_known(history: &PriceHistory, product: u32, denomination: u32) -> bool {
    let known = history.slots(product).flat_map(|slot| history.newest_first(product, slot));
    let comparable = |o: &Observation| !o.is_withdrawal() && history.tables.denomination_of(o) == denomination;
    known.filter(comparable).take(OUTLIER_OBSERVATIONS_MIN).count() == OUTLIER_OBSERVATIONS_MIN
}

/// When a deal is over: where its end was stated, else some time after its price was last seen.
pub(super) fn end(until: Option<Moment>, last_seen: Moment) -> Moment {
    until.unwrap_or(last_seen.days_after(LAST_SEEN_DAYS))
}
