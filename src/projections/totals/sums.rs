//! The sums of one store: updated line by line, never recounted.

use std::collections::BTreeMap;

use super::line::Amount;
use crate::domain::Moment;

/// The sum of the lines priced at one store, in minor units.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sums {
    pub estimated: i64,
    pub in_cart: i64,
    pub savings: i64,
    pub priced: u32,
    pub mismatched: u32,
    /// How many lines use a price observed at that moment; the first key is the oldest price.
    observed: BTreeMap<Moment, u32>,
}

impl Sums {
    // Limits on prices, quantities and lists keep every sum far below what fits; the saturation is for histories without them.
    pub fn add(&mut self, amount: &Amount, checked: bool) {
        match amount {
            Amount::Priced { minor, savings, observed_at, .. } => {
                self.estimated = self.estimated.saturating_add(*minor);
                self.in_cart = self.in_cart.saturating_add(if checked { *minor } else { 0 });
                self.savings = self.savings.saturating_add(*savings);
                self.priced += 1;
                *self.observed.entry(*observed_at).or_default() += 1;
            }
            Amount::UnitMismatch { .. } => self.mismatched += 1,
        }
    }

    pub fn subtract(&mut self, amount: &Amount, checked: bool) {
        match amount {
            Amount::Priced { minor, savings, observed_at, .. } => {
                self.estimated = self.estimated.saturating_sub(*minor);
                self.in_cart = self.in_cart.saturating_sub(if checked { *minor } else { 0 });
                self.savings = self.savings.saturating_sub(*savings);
                self.priced -= 1;
                if let Some(lines) = self.observed.get_mut(observed_at) {
                    *lines -= 1;
                    if *lines == 0 {
                        self.observed.remove(observed_at);
                    }
                }
            }
            Amount::UnitMismatch { .. } => self.mismatched -= 1,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.priced == 0 && self.mismatched == 0
    }

    pub fn oldest(&self) -> Option<Moment> {
        self.observed.first_key_value().map(|(at, _)| *at)
    }
}
