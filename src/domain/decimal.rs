//! Decimal text to scaled integers and back, exactly: the one place where amounts are read and printed.

/// Why a text is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DecimalError {
    /// Not `-?digits(.digits)?`.
    Malformed,
    /// More digits after the decimal point than the scale has.
    TooManyDecimals,
    /// It does not fit 64 bits.
    Overflow,
}

/// Reads `-?digits(.digits)?` as an integer of the unit `10^-scale`. No sign `+`, no exponent, no blanks, no bare point.
pub(crate) fn parse(text: &str, scale: u32) -> Result<i64, DecimalError> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(DecimalError::Malformed),
        Some(parts) => parts,
        None => (digits, ""),
    };
    if whole.is_empty() || !whole.bytes().chain(fraction.bytes()).all(|b| b.is_ascii_digit()) {
        return Err(DecimalError::Malformed);
    }
    let missing = u32::try_from(fraction.len()).ok().and_then(|has| scale.checked_sub(has)).ok_or(DecimalError::TooManyDecimals)?;
    let value =
        accumulate(whole.bytes().chain(fraction.bytes()), negative).and_then(|value| value.checked_mul(10_i64.checked_pow(missing)?));
    value.ok_or(DecimalError::Overflow)
}

fn accumulate(mut digits: impl Iterator<Item = u8>, negative: bool) -> Option<i64> {
    digits.try_fold(0_i64, |sum, digit| {
        let digit = i64::from(digit - b'0');
        sum.checked_mul(10)?.checked_add(if negative { -digit } else { digit })
    })
}

/// Prints an integer of the unit `10^-scale` with at least `decimals_min` digits after the decimal point and no further trailing zeros.
pub(crate) fn print(value: i64, scale: u32, decimals_min: u32) -> String {
    let unit = 10_u64.pow(scale);
    let (whole, mut fraction) = (value.unsigned_abs() / unit, value.unsigned_abs() % unit);
    let mut decimals = scale;
    while decimals > decimals_min && fraction.is_multiple_of(10) {
        fraction /= 10;
        decimals -= 1;
    }
    let sign = if value < 0 { "-" } else { "" };
    match decimals as usize {
        0 => format!("{sign}{whole}"),
        width => format!("{sign}{whole}.{fraction:0width$}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_decimal_text_is_an_amount() {
        for text in ["", "-", ".5", "5.", "+1", "1e3", " 1", "1 ", "1,5", "1.2.3", "--1", "NaN", "٣"] {
            assert_eq!(parse(text, 2), Err(DecimalError::Malformed), "{text:?}");
        }
        assert_eq!(parse("1.234", 2), Err(DecimalError::TooManyDecimals));
        assert_eq!(parse("92233720368547758.08", 2), Err(DecimalError::Overflow));
        assert_eq!(parse("-92233720368547758.08", 2), Ok(i64::MIN));
    }

    #[test]
    fn printing_keeps_the_least_decimals_and_drops_useless_zeros() {
        assert_eq!(print(19_990, 4, 2), "1.999");
        assert_eq!(print(19_900, 4, 2), "1.99");
        assert_eq!(print(20_000, 4, 2), "2.00");
        assert_eq!(print(-5, 2, 2), "-0.05");
        assert_eq!(print(1_500_000, 6, 0), "1.5");
        assert_eq!(print(i64::MIN, 0, 0), "-9223372036854775808");
    }
}
