//! One observed price in 40 bytes: ids, units, sources and validity are numbers into tables shared by all.

use std::sync::Arc;

use ahash::AHashMap;
use serde::{Deserialize, Serialize};

use super::interner::{Interner, as_number};
use crate::domain::{Currency, Moment, UnitPrice, limits::LAST_SEEN_DAYS, product::PriceKind, quantity::Unit};

/// Bits of `packed` that name the origin; the other 36 hold the amount, and the highest price accepted needs 34.
const ORIGIN_BITS: u32 = 28;
const AMOUNT_MAX: i64 = (1 << (64 - ORIGIN_BITS)) - 1;

/// The kinds of price by their number.
pub const KINDS: [PriceKind; 4] = [PriceKind::Shelf, PriceKind::Promo, PriceKind::Member, PriceKind::Clearance];

/// A store and a kind of price in one number that sorts by store, then kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Slot(u32);

impl Slot {
    /// The first and the last in their order.
    pub const FIRST: Self = Self(0);
    pub const LAST: Self = Self(u32::MAX);

    /// For uses where the place does not matter.
    pub const ANY: Self = Self(0);

    #[must_use]
    pub fn new(store: u32, kind: PriceKind) -> Self {
        Self((store << 2) | kind as u32)
    }

    #[must_use]
    pub fn store(self) -> u32 {
        self.0 >> 2
    }

    #[must_use]
    pub fn kind(self) -> PriceKind {
        KINDS[(self.0 & 3) as usize]
    }

    /// The slot of another kind of price at the same store.
    #[must_use]
    pub fn with_kind(self, kind: PriceKind) -> Self {
        Self::new(self.store(), kind)
    }
}

/// One observation, or the mark that the one before it was withdrawn (`amount` zero: no observed price is).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observation {
    pub slot: Slot,
    /// Number of a validity in [`Tables`].
    pub validity: u32,
    pub observed_at: Moment,
    pub recorded_at: Moment,
    pub position: u64,
    pub(super) packed: u64,
}

impl Observation {
    /// An observation; amounts beyond what the domain accepts are capped.
    #[must_use]
    pub fn new(slot: Slot, amount: i64, origin: u32, validity: u32, observed_at: Moment, recorded_at: Moment, position: u64) -> Self {
        let amount = amount.clamp(0, AMOUNT_MAX).unsigned_abs();
        Self { slot, validity, observed_at, recorded_at, position, packed: (amount << ORIGIN_BITS) | u64::from(origin) }
    }

    /// The mark of a withdrawal: it sorts directly after the price it withdraws, and is valid from its recording on.
    #[must_use]
    pub fn withdrawal(of: &Self, recorded_at: Moment, position: u64) -> Self {
        Self::new(of.slot, 0, of.origin(), 0, Moment(of.observed_at.0.saturating_add(1)), recorded_at, position)
    }

    /// Ten-thousandths of the major unit.
    #[must_use]
    pub fn amount(&self) -> i64 {
        // 36 bits always fit.
        #[allow(clippy::cast_possible_wrap)]
        let amount = (self.packed >> ORIGIN_BITS) as i64;
        amount
    }

    #[must_use]
    pub fn is_withdrawal(&self) -> bool {
        self.amount() == 0
    }

    /// Number of the origin in [`Tables`].
    #[must_use]
    pub fn origin(&self) -> u32 {
        // Masked to 28 bits first.
        #[allow(clippy::cast_possible_truncation)]
        let origin = (self.packed & ((1 << ORIGIN_BITS) - 1)) as u32;
        origin
    }
}

/// Currency and unit of a price: only prices that share them are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Denomination {
    pub currency: Currency,
    pub per: Unit,
}

impl Denomination {
    fn of(price: &UnitPrice) -> Self {
        Self { currency: price.currency(), per: price.per().clone() }
    }

    fn is_of(&self, price: &UnitPrice) -> bool {
        self.currency == price.currency() && self.per == *price.per()
    }
}

/// When a price is valid; `None` leaves an end open. The end is exclusive.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Validity {
    pub from: Option<Moment>,
    pub until: Option<Moment>,
}

/// The tables that observations point into. Only the vectors are stored; the maps are rebuilt.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Tables {
    sources: Interner<Arc<str>>,
    denominations: Vec<Denomination>,
    /// (source, denomination)
    origins: Vec<(u32, u32)>,
    /// Number zero is "always".
    validities: Vec<Validity>,
    /// The origin asked for last: prices come in long runs from one source.
    #[serde(skip)]
    last_origin: Option<(Arc<str>, Denomination, u32)>,
    #[serde(skip)]
    origin_numbers: AHashMap<(u32, u32), u32>,
    #[serde(skip)]
    validity_numbers: AHashMap<Validity, u32>,
}

impl Tables {
    /// The number of a source with a currency and unit.
    pub fn origin(&mut self, source: &str, price: &UnitPrice) -> u32 {
        if let Some((last, denomination, origin)) = &self.last_origin
            && **last == *source
            && denomination.is_of(price)
        {
            return *origin;
        }
        let origin = self.origin_number(source, price);
        self.last_origin = Some((Arc::from(source), Denomination::of(price), origin));
        origin
    }

    fn origin_number(&mut self, source: &str, price: &UnitPrice) -> u32 {
        let source = self.sources.intern(source, || Arc::from(source));
        let denomination = self.denomination_number(price);
        let origins = &mut self.origins;
        *self.origin_numbers.entry((source, denomination)).or_insert_with(|| {
            origins.push((source, denomination));
            as_number(origins.len() - 1).min((1 << ORIGIN_BITS) - 1)
        })
    }

    /// The number of a validity.
    pub fn validity(&mut self, from: Option<Moment>, until: Option<Moment>) -> u32 {
        if self.validities.is_empty() {
            self.validities.push(Validity::default());
        }
        let validity = Validity { from, until };
        if validity == Validity::default() {
            return 0;
        }
        let validities = &mut self.validities;
        *self.validity_numbers.entry(validity).or_insert_with(|| {
            validities.push(validity);
            as_number(validities.len() - 1)
        })
    }

    #[must_use]
    pub fn validity_of(&self, observation: &Observation) -> Validity {
        if observation.validity == 0 {
            Validity::default()
        } else {
            self.validities.get(observation.validity as usize).copied().unwrap_or_default()
        }
    }

    /// When a price begins: with its observation, or with its validity if that is later.
    #[must_use]
    pub fn start_of(&self, observation: &Observation) -> Moment {
        self.validity_of(observation).from.map_or(observation.observed_at, |from| from.max(observation.observed_at))
    }

    /// When a price ends by time alone: where it was stated, or some time after the last look at a promotion.
    #[must_use]
    pub fn end_of(&self, observation: &Observation, last_seen: Moment) -> Option<Moment> {
        let forgotten = match observation.slot.kind() {
            PriceKind::Promo | PriceKind::Clearance => Some(last_seen.days_after(LAST_SEEN_DAYS)),
            PriceKind::Shelf | PriceKind::Member => None,
        };
        self.validity_of(observation).until.or(forgotten)
    }

    /// Whether two observations state the same price for the same time.
    #[must_use]
    pub fn is_same_price(&self, one: &Observation, other: &Observation) -> bool {
        one.amount() == other.amount() && one.validity == other.validity && self.denomination_of(one) == self.denomination_of(other)
    }

    /// Whether an observation stays when another of its source and moment comes: it is the lower one, or the first by currency and unit.
    #[must_use]
    pub fn outbids(&self, held: &Observation, new: &Observation) -> bool {
        let key = |o: &Observation| {
            let denomination = self.denominations.get(self.denomination_of(o) as usize);
            (denomination.map(|denomination| (denomination.currency, &denomination.per)), o.amount())
        };
        !held.is_withdrawal() && self.source_number(held) == self.source_number(new) && key(held) <= key(new)
    }

    fn source_number(&self, observation: &Observation) -> Option<u32> {
        self.origins.get(observation.origin() as usize).map(|origin| origin.0)
    }

    /// The number of an observation's currency and unit.
    #[must_use]
    pub fn denomination_of(&self, observation: &Observation) -> u32 {
        self.origins.get(observation.origin() as usize).map_or(0, |origin| origin.1)
    }

    #[must_use]
    pub fn source_of(&self, observation: &Observation) -> Arc<str> {
        let source = self.origins.get(observation.origin() as usize).and_then(|origin| self.sources.name(origin.0));
        source.cloned().unwrap_or_else(|| Arc::from(""))
    }

    /// The price of an observation; `None` for a withdrawal.
    #[must_use]
    pub fn price_of(&self, observation: &Observation) -> Option<UnitPrice> {
        if observation.is_withdrawal() { None } else { self.price(observation.amount(), self.denomination_of(observation)) }
    }

    /// An amount in ten-thousandths as a price.
    #[must_use]
    pub fn price(&self, amount: i64, denomination: u32) -> Option<UnitPrice> {
        let denomination = self.denominations.get(denomination as usize)?;
        Some(UnitPrice::from_ten_thousandths(amount, denomination.currency, denomination.per.clone()))
    }

    /// The currency of a denomination.
    #[must_use]
    pub fn currency(&self, denomination: u32) -> Option<Currency> {
        self.denominations.get(denomination as usize).map(|d| d.currency)
    }

    /// Rebuilds what a checkpoint leaves out.
    pub fn rebuild(&mut self) {
        self.origin_numbers = self.origins.iter().enumerate().map(|(i, &origin)| (origin, as_number(i))).collect();
        self.validity_numbers = self.validities.iter().enumerate().skip(1).map(|(i, &validity)| (validity, as_number(i))).collect();
    }

    /// There are a dozen at most in practice, so a scan is faster than hashing.
    fn denomination_number(&mut self, price: &UnitPrice) -> u32 {
        let found = self.denominations.iter().position(|d| d.is_of(price));
        as_number(found.unwrap_or_else(|| {
            self.denominations.push(Denomination::of(price));
            self.denominations.len() - 1
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_takes_forty_bytes() {
        assert_eq!(size_of::<Observation>(), 40);
    }

    #[test]
    fn the_dearest_price_and_the_last_origin_fit() {
        let dearest = crate::domain::limits::UNIT_PRICE_TEN_THOUSANDTHS_MAX;
        let slot = Slot::new(400, PriceKind::Clearance);
        let seen = Observation::new(slot, dearest, (1 << 28) - 1, 0, Moment(5), Moment(6), 7);
        assert_eq!((seen.amount(), seen.origin()), (dearest, (1 << 28) - 1));
        assert_eq!((slot.store(), slot.kind()), (400, PriceKind::Clearance));
    }
}
