//! A price over a period: how long each amount held, their median, and the lowest.

use super::observation::{Observation, Tables};
use crate::domain::Moment;

/// At most this many of a slice's newest observations are looked at: a price stated every few minutes for weeks must not make
/// each further one more expensive. Beyond it the period looked at begins later.
pub const OBSERVATIONS_PER_WINDOW_MAX: usize = 512;

/// An amount and for how many microseconds it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub amount: i64,
    pub micros: i64,
}

/// How long each price of a slice held within `[from, to)`, of those in one currency and unit. Each holds from its observation
/// (or the start of its validity, if later) until the next one, its end of validity or its withdrawal.
pub fn held_within<'a>(
    slice: &'a [Observation],
    tables: &'a Tables,
    denomination: u32,
    from: Moment,
    to: Moment,
) -> impl Iterator<Item = Held> + 'a {
    let oldest = slice.len().saturating_sub(OBSERVATIONS_PER_WINDOW_MAX);
    let mut first = slice.partition_point(|o| o.observed_at <= from).saturating_sub(1).max(oldest);
    // The one in force at the start may be even older: the next one was announced for later, or is a withdrawal made later.
    while first > oldest && starts(&slice[first], tables) > from {
        first -= 1;
    }
    (first..slice.len()).filter_map(move |i| {
        let observation = &slice[i];
        if observation.is_withdrawal() || observation.observed_at >= to || tables.denomination_of(observation) != denomination {
            return None;
        }
        let (start, end) = held(slice, tables, i);
        let micros = end.min(to).0.saturating_sub(start.max(from).0);
        (micros > 0).then_some(Held { amount: observation.amount(), micros })
    })
}

/// The median of the amounts, weighted by how long each held: the lowest amount at or below which the price was
/// for at least half of the time. `None` for no time at all.
#[must_use]
pub fn time_weighted_median(held: &mut [Held]) -> Option<i64> {
    held.sort_unstable();
    let all: i128 = held.iter().map(|h| i128::from(h.micros)).sum();
    let mut below = 0_i128;
    for h in held.iter() {
        below += i128::from(h.micros);
        if below * 2 >= all {
            return Some(h.amount);
        }
    }
    None
}

/// From when until when the price at an index held.
fn held(slice: &[Observation], tables: &Tables, index: usize) -> (Moment, Moment) {
    let observation = &slice[index];
    let validity = tables.validity_of(observation);
    let start = validity.from.map_or(observation.observed_at, |from| from.max(observation.observed_at));
    // A withdrawal may have been recorded long after the next observation took over.
    let next = slice[index + 1..].iter().take(2).map(|next| starts(next, tables)).min().unwrap_or(Moment(i64::MAX));
    (start, validity.until.map_or(next, |until| until.min(next)))
}

/// When an observation replaces the one before it; a withdrawal does when it was recorded.
fn starts(next: &Observation, tables: &Tables) -> Moment {
    if next.is_withdrawal() {
        return next.recorded_at;
    }
    tables.validity_of(next).from.map_or(next.observed_at, |from| from.max(next.observed_at))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{Currency, Unit, UnitPrice, product::PriceKind},
        projections::observation::Slot,
    };

    /// Counts every microsecond one by one.
    fn naive(prices: &[(i64, i64)], from: i64, to: i64) -> Option<i64> {
        let price_at = |t: i64| prices.iter().rev().find(|(at, _)| *at <= t).map(|(_, amount)| *amount);
        let mut amounts: Vec<i64> = (from..to).filter_map(price_at).collect();
        amounts.sort_unstable();
        amounts.get(amounts.len().div_ceil(2).wrapping_sub(1)).copied()
    }

    proptest! {
        #[test]
        fn the_median_agrees_with_counting_every_moment(
            prices in proptest::collection::btree_map(0_i64..300, 1_i64..50, 0..40),
            from in 0_i64..250,
            length in 0_i64..120,
        ) {
            let mut tables = Tables::default();
            let price = UnitPrice::from_ten_thousandths(1, Currency::new("EUR").unwrap(), Unit::Each);
            let origin = tables.origin(&Arc::<str>::from("test"), &price);
            let prices: Vec<_> = prices.into_iter().collect();
            let slot = Slot::new(0, PriceKind::Shelf);
            let slice: Vec<_> = prices
                .iter()
                .map(|&(at, amount)| Observation::new(slot, amount, origin, 0, Moment(at), Moment(at), 1))
                .collect();
            let mut held: Vec<_> = held_within(&slice, &tables, 0, Moment(from), Moment(from + length)).collect();
            prop_assert_eq!(time_weighted_median(&mut held), naive(&prices, from, from + length));
        }
    }
}
