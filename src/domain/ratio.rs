//! Exact fractions of i128: amounts are computed with them until the one rounding.

/// A fraction with a positive denominator, reduced only when its parts grow too large: most lines never need it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ratio {
    over: i128,
    under: i128,
}

impl Ratio {
    pub(crate) const ONE: Self = Self { over: 1, under: 1 };

    /// `over / under`; `under` must be positive.
    pub(crate) const fn new(over: i128, under: i128) -> Self {
        Self { over, under }
    }

    /// The product, `None` where it does not fit even in lowest terms.
    pub(crate) fn multiply(self, other: Self) -> Option<Self> {
        self.product(other).or_else(|| {
            let left = Self::new(self.over, other.under).reduced();
            let right = Self::new(other.over, self.under).reduced();
            left.product(right)
        })
    }

    fn product(self, other: Self) -> Option<Self> {
        Some(Self { over: self.over.checked_mul(other.over)?, under: self.under.checked_mul(other.under)? })
    }

    /// The quotient by a positive fraction, `None` where it does not fit.
    pub(crate) fn divide(self, other: Self) -> Option<Self> {
        self.multiply(Self { over: other.under, under: other.over })
    }

    /// The product with a whole number, `None` where it does not fit.
    pub(crate) fn times(self, factor: i128) -> Option<Self> {
        self.multiply(Self { over: factor, under: 1 })
    }

    /// The value, if it is a whole number.
    pub(crate) const fn whole(self) -> Option<i128> {
        if self.over % self.under == 0 { Some(self.over / self.under) } else { None }
    }

    /// The nearest whole number; one half rounds up.
    pub(crate) fn round_half_up(self) -> Option<i128> {
        if let (Ok(over), Ok(under)) = (i64::try_from(self.over), i64::try_from(self.under)) {
            // Nearly every line: 64-bit division is several times faster than 128-bit.
            let (down, rest) = (over.div_euclid(under), over.rem_euclid(under));
            return Some(i128::from(down) + i128::from(rest >= under - rest));
        }
        let (down, rest) = (self.over.div_euclid(self.under), self.over.rem_euclid(self.under));
        down.checked_add(i128::from(rest >= self.under - rest))
    }

    /// The least whole number that is not smaller.
    pub(crate) const fn round_up(self) -> Self {
        let (down, rest) = (self.over.div_euclid(self.under), self.over.rem_euclid(self.under));
        Self { over: if rest == 0 { down } else { down + 1 }, under: 1 }
    }

    /// The same fraction in lowest terms.
    fn reduced(self) -> Self {
        let (mut a, mut b) = (self.over.unsigned_abs(), self.under.unsigned_abs());
        while b != 0 {
            (a, b) = (b, a % b);
        }
        let divisor = i128::try_from(a).unwrap_or(1).max(1);
        Self { over: self.over / divisor, under: self.under / divisor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_half_rounds_up_on_both_sides_of_zero() {
        for factor in [1, i128::from(i64::MAX)] {
            let rounded = |over: i128, under: i128| Ratio::new(over * factor, under * factor).round_half_up();
            assert_eq!(rounded(5, 2), Some(3));
            assert_eq!(rounded(-5, 2), Some(-2));
            assert_eq!(rounded(7, 3), Some(2));
            assert_eq!(rounded(8, 3), Some(3));
        }
    }

    #[test]
    fn rounding_up_leaves_whole_numbers_alone() {
        assert_eq!(Ratio::new(6, 3).round_up().whole(), Some(2));
        assert_eq!(Ratio::new(7, 3).round_up().whole(), Some(3));
    }

    proptest! {
        #[test]
        fn a_product_that_fits_in_lowest_terms_is_found(over in any::<i64>(), under in 1..=i64::MAX) {
            let (over, under) = (i128::from(over), i128::from(under));
            let large = Ratio::new(over << 63, under << 63);
            let inverse = Ratio::new(under << 63, 1_i128 << 63);
            prop_assert_eq!(large.multiply(inverse).and_then(Ratio::whole), Some(over));
        }
    }
}
