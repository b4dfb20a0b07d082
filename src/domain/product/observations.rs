//! What a product's decider remembers of prices: a vector sorted by (store, kind, observed at), with binary search.

use std::cmp::Ordering;

use smallvec::SmallVec;

use super::{Observation, PriceKind, PriceSeen};
use crate::domain::{
    Currency, Moment, StoreId,
    limits::{OBSERVATIONS_PER_PRODUCT_MAX, OUTLIER_OBSERVATIONS_MIN},
};

/// How an observed price relates to what is remembered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Nothing is known for this place and moment.
    New,
    /// This same price is known.
    Same,
    /// Another price is known for this place and moment.
    Other,
}

pub(super) fn recall(observations: &[Observation], seen: &PriceSeen) -> Known {
    match find(observations, &seen.store, seen.kind, seen.observed_at) {
        Ok(index) if observations[index].price == seen.price => Known::Same,
        Ok(_) => Known::Other,
        Err(_) => Known::New,
    }
}

/// Remembers an observation, replacing the one it corrects, if any; the latest in the log wins.
pub(super) fn remember(observations: &mut Vec<Observation>, seen: &PriceSeen) {
    let new = || Observation {
        store: seen.store.clone(),
        kind: seen.kind,
        observed_at: seen.observed_at,
        price: seen.price.clone(),
        withdrawn: false,
    };
    match find(observations, &seen.store, seen.kind, seen.observed_at) {
        Ok(index) => observations[index] = new(),
        Err(index) => observations.insert(index, new()),
    }
    if observations.len() > OBSERVATIONS_PER_PRODUCT_MAX {
        forget_oldest(observations);
    }
}

/// Withdraws the current price; earlier ones were true in their time.
pub(super) fn withdraw(observations: &mut [Observation], store: &StoreId, kind: PriceKind) {
    let end = after(observations, store, kind);
    if let Some(last) = observations[..end].last_mut().filter(|last| last.store == *store && last.kind == kind) {
        last.withdrawn = true;
    }
}

/// The last observation of this store and kind, withdrawn or not.
pub(super) fn standing<'a>(observations: &'a [Observation], store: &StoreId, kind: PriceKind) -> Option<&'a Observation> {
    let end = after(observations, store, kind);
    observations[..end].last().filter(|last| last.store == *store && last.kind == kind)
}

/// The currency of observations at this store.
pub(super) fn currency_at(observations: &[Observation], store: &StoreId) -> Option<Currency> {
    let start = observations.partition_point(|o| o.store < *store);
    observations.get(start).filter(|o| o.store == *store).map(|o| o.price.currency())
}

/// Whether a price is under a third or over three times the median of what is known: first of the same store, kind and
/// unit; where too little is known of that, of any store and kind with this currency and unit; else `None`.
pub(super) fn is_outlier(observations: &[Observation], seen: &PriceSeen) -> bool {
    if observations.len() < OUTLIER_OBSERVATIONS_MIN {
        return false;
    }
    let start = observations.partition_point(|o| (&o.store, o.kind) < (&seen.store, seen.kind));
    let same_place = &observations[start..after(observations, &seen.store, seen.kind)];
    let amount = seen.price.ten_thousandths();
    [same_place, observations]
        .into_iter()
        .find_map(|among| twice_the_median(among, seen))
        .is_some_and(|twice_median| 6 * amount < twice_median || 2 * amount > 3 * twice_median)
}

/// Twice, so that the middle between two amounts needs no rounding. `None` where there are too few to call one odd.
fn twice_the_median(among: &[Observation], seen: &PriceSeen) -> Option<i64> {
    // The price that this one corrects does not count for or against it.
    let corrected = |o: &Observation| o.observed_at == seen.observed_at && o.kind == seen.kind && o.store == seen.store;
    let comparable = |o: &&Observation| {
        !o.withdrawn && o.price.currency() == seen.price.currency() && o.price.per() == seen.price.per() && !corrected(o)
    };
    let mut amounts: SmallVec<[i64; 64]> = among.iter().filter(comparable).map(|o| o.price.ten_thousandths()).collect();
    let count = amounts.len();
    if count < OUTLIER_OBSERVATIONS_MIN {
        return None;
    }
    let (below, &mut upper, _) = amounts.select_nth_unstable(count / 2);
    let lower = if count % 2 == 1 { upper } else { below.iter().copied().max().unwrap_or(upper) };
    Some(lower + upper)
}

fn find(observations: &[Observation], store: &StoreId, kind: PriceKind, at: Moment) -> Result<usize, usize> {
    observations.binary_search_by(|o| compare_place(o, store, kind).then(o.observed_at.cmp(&at)))
}

/// The index after the last observation of this store and kind.
fn after(observations: &[Observation], store: &StoreId, kind: PriceKind) -> usize {
    observations.partition_point(|o| compare_place(o, store, kind).is_le())
}

fn compare_place(observation: &Observation, store: &StoreId, kind: PriceKind) -> Ordering {
    observation.store.cmp(store).then(observation.kind.cmp(&kind))
}

/// Costs a walk over all of them, but only for a product at its limit.
fn forget_oldest(observations: &mut Vec<Observation>) {
    if let Some((index, _)) = observations.iter().enumerate().min_by_key(|(_, o)| o.observed_at) {
        observations.remove(index);
    }
}
