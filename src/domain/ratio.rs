//! Exact fractions of i128, always reduced: what amounts are reckoned with until the one rounding.

/// A fraction in lowest terms with a positive denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ratio {
    over: i128,
    under: i128,
}

impl Ratio {
    pub(crate) const ONE: Self = Self { over: 1, under: 1 };

    /// `over / under`; `under` must be positive.
    pub(crate) fn new(over: i128, under: i128) -> Self {
        let divisor = divisor(over, under);
        Self { over: over / divisor, under: under / divisor }
    }

    /// The product, `None` where it does not fit. Reduces crosswise first, so that it overflows only when it must.
    pub(crate) fn multiply(self, other: Self) -> Option<Self> {
        let (left, right) = (divisor(self.over, other.under), divisor(other.over, self.under));
        Some(Self {
            over: (self.over / left).checked_mul(other.over / right)?,
            under: (self.under / right).checked_mul(other.under / left)?,
        })
    }

    /// The quotient by a positive fraction, `None` where it does not fit.
    pub(crate) fn divide(self, other: Self) -> Option<Self> {
        self.multiply(Self { over: other.under, under: other.over })
    }

    /// The product with a whole number, `None` where it does not fit.
    pub(crate) fn times(self, factor: i128) -> Option<Self> {
        self.multiply(Self { over: factor, under: 1 })
    }

    /// The value where it is a whole number.
    pub(crate) fn whole(self) -> Option<i128> {
        (self.under == 1).then_some(self.over)
    }

    /// The nearest whole number; one half rounds up.
    pub(crate) fn round_half_up(self) -> Option<i128> {
        let doubled = self.over.checked_mul(2)?.checked_add(self.under)?;
        Some(doubled.div_euclid(self.under.checked_mul(2)?))
    }

    /// The next whole number that is not smaller.
    pub(crate) fn round_up(self) -> Self {
        let down = self.over.div_euclid(self.under);
        Self { over: if self.under == 1 { down } else { down + 1 }, under: 1 }
    }
}

/// The greatest common divisor, at least 1; `under` is positive.
fn divisor(over: i128, under: i128) -> i128 {
    let (mut a, mut b) = (over.unsigned_abs(), under.unsigned_abs());
    if let (Ok(mut a), Ok(mut b)) = (u64::try_from(a), u64::try_from(b)) {
        // Nearly every call: 64-bit division is several times faster than 128-bit.
        while b != 0 {
            (a, b) = (b, a % b);
        }
        return i128::from(a.max(1));
    }
    while b != 0 {
        (a, b) = (b, a % b);
    }
    i128::try_from(a).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_rounds_up_on_both_sides_of_zero() {
        assert_eq!(Ratio::new(5, 2).round_half_up(), Some(3));
        assert_eq!(Ratio::new(-5, 2).round_half_up(), Some(-2));
        assert_eq!(Ratio::new(7, 3).round_half_up(), Some(2));
        assert_eq!(Ratio::new(8, 3).round_half_up(), Some(3));
    }

    #[test]
    fn rounding_up_leaves_whole_numbers_alone() {
        assert_eq!(Ratio::new(6, 3).round_up().whole(), Some(2));
        assert_eq!(Ratio::new(7, 3).round_up().whole(), Some(3));
    }
}
