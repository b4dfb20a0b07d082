//! A price over a period: how long each amount held, their median, and the lowest.

use super::{
    history::Run,
    observation::{Observation, Tables},
};
use crate::domain::Moment;

/// At most this many of the newest prices of a period are looked at, however often each was seen: a price that changes every few minutes for
/// weeks must not make each further one more expensive. Beyond it the period looked at begins later.
pub const PRICES_PER_WINDOW_MAX: usize = 512;

/// An amount and for how many microseconds it held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    pub amount: i64,
    pub micros: i64,
}

/// How long each price of a slice held within `[from, to)`, of those in one currency and unit. Each holds from its first observation
/// (or the start of its validity, if later) until the next one, its end or its withdrawal.
pub fn held_within<'a>(
    slice: &'a [Run],
    tables: &'a Tables,
    denomination: u32,
    from: Moment,
    to: Moment,
) -> impl Iterator<Item = Held> + 'a {
    let mut first = slice.partition_point(|run| run.first.observed_at <= from).saturating_sub(1);
    // The one in force at the start may be even older: the next one was announced for later, or is a withdrawal made later.
    while first > 0 && starts(&slice[first].first, tables) > from {
        first -= 1;
    }
    (first..slice.len()).filter_map(move |i| {
        let observation = &slice[i].first;
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
fn held(slice: &[Run], tables: &Tables, index: usize) -> (Moment, Moment) {
    let run = &slice[index];
    // A withdrawal may have been recorded long after the next observation took over.
    let next = slice[index + 1..].iter().take(2).map(|next| starts(&next.first, tables)).min().unwrap_or(Moment(i64::MAX));
    (tables.start_of(&run.first), tables.end_of(&run.first, run.last_seen).map_or(next, |end| end.min(next)))
}

/// When an observation replaces the one before it; a withdrawal does when it was recorded.
fn starts(next: &Observation, tables: &Tables) -> Moment {
    if next.is_withdrawal() {
        return next.recorded_at;
    }
    tables.start_of(next)
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
                .map(|first| Run { first, last_seen: first.observed_at })
                .collect();
            let mut held: Vec<_> = held_within(&slice, &tables, 0, Moment(from), Moment(from + length)).collect();
            prop_assert_eq!(time_weighted_median(&mut held), naive(&prices, from, from + length));
        }
    }
}
