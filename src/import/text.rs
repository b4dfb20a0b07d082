//! Texts as shops write them, made plain: HTML entities, tags, stray white space, and decimals with too many digits.

use crate::domain::{Moment, Quantity, Unit};

/// Makes a name plain: decodes HTML entities, drops HTML tags, and makes every run of white space one space.
pub fn plain(text: &str) -> String {
    let decoded = if text.contains('&') { html_escape::decode_html_entities(text) } else { text.into() };
    let untagged = if decoded.contains('<') { without_tags(&decoded).into() } else { decoded };
    let mut plain = String::with_capacity(untagged.len());
    for word in untagged.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !plain.is_empty() {
            plain.push(' ');
        }
        plain.push_str(word);
    }
    plain
}

/// A plain text, or `None` if nothing is left.
pub fn plain_or_none(text: &str) -> Option<String> {
    Some(plain(text)).filter(|text| !text.is_empty())
}

fn without_tags(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::with_capacity(text.len());
    while let Some(start) = rest.find('<') {
        let is_tag = rest[start + 1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        if let Some(length) = rest[start..].find('>').filter(|_| is_tag) {
            kept.push_str(&rest[..start]);
            kept.push(' ');
            rest = &rest[start + length + 1..];
        } else {
            kept.push_str(&rest[..=start]);
            rest = &rest[start + 1..];
        }
    }
    kept.push_str(rest);
    kept
}

/// A decimal text (an exponent is allowed) in millionths, rounded half away from zero; with whether that was exact.
/// `None` if it is not a number or too large.
pub fn millionths(text: &str) -> Option<(i64, bool)> {
    let (number, exponent) = match text.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.parse::<i32>().ok().filter(|e| (-40..=18).contains(e))?),
        None => (text, 0),
    };
    let (negative, number) = number.strip_prefix('-').map_or((false, number), |rest| (true, rest));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    if digits().count() == 0 || digits().count() > 30 || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let all = digits().fold(0_i128, |sum, digit| sum * 10 + i128::from(digit - b'0'));
    let shift = 6 + exponent - i32::try_from(fraction.len()).ok()?;
    let (value, exact) = shifted(all, shift)?;
    let value = i64::try_from(value).ok()?;
    Some((if negative { -value } else { value }, exact))
}

/// `value` times ten to the power of `shift`, rounded half up.
fn shifted(value: i128, shift: i32) -> Option<(i128, bool)> {
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    match (power, shift < 0) {
        (Some(power), true) => Some(((value + power / 2) / power, value % power == 0)),
        (None, true) => Some((0, value == 0)),
        (power, false) => Some((value.checked_mul(power?)?, true)),
    }
}

/// What a pack holds, from an amount and a unit as written. `None` where either is missing.
///
/// # Errors
/// States why a given content cannot be used: it is then left out, the product stays.
pub fn content(amount: &str, unit: &str) -> Result<Option<Quantity>, String> {
    if amount.is_empty() || unit.is_empty() {
        return Ok(None);
    }
    let (value, _) = millionths(amount).ok_or_else(|| format!("quantity {amount:?} is not a number"))?;
    let content = Quantity::from_millionths(value, Unit::parse(unit));
    content.validate_positive().map_err(|error| format!("quantity {amount:?} {unit}: {error}"))?;
    Ok(Some(content))
}

/// A day or a moment as written.
///
/// # Errors
/// Quotes a text that is neither.
pub fn moment(text: &str) -> Result<Moment, String> {
    text.parse().map_err(|_| format!("{text:?} is neither a day nor a time"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_entities_and_tags_become_plain_text() {
        assert_eq!(plain("Ja! K&auml;se &amp; Brot<br/>  500\u{a0}g "), "Ja! Käse & Brot 500 g");
        assert_eq!(plain("&lt;b&gt;Fett&lt;/b&gt; < 5 % & mehr"), "Fett < 5 % & mehr");
        assert_eq!(plain_or_none("<br>"), None);
    }

    #[test]
    fn decimals_are_read_exactly_and_rounded_once() {
        assert_eq!(millionths("1.5"), Some((1_500_000, true)));
        assert_eq!(millionths("0.3333333333"), Some((333_333, false)));
        assert_eq!(millionths("0.0000005"), Some((1, false)));
        assert_eq!(millionths("3.93700787401575e-06"), Some((4, false)));
        assert_eq!(millionths("1e-30"), Some((0, false)));
        assert_eq!(millionths("-2"), Some((-2_000_000, true)));
        assert_eq!(millionths("1e2"), Some((100_000_000, true)));
    }

    #[test]
    fn what_is_no_number_is_none() {
        for text in ["", "-", ".", "None", "1,5", "1.2.3", "1e", "1e99", "NaN", "inf", "99999999999999999999", "0x10"] {
            assert_eq!(millionths(text), None, "{text:?}");
        }
    }
}
