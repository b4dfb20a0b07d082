//! Texts as shops write them, made plain: HTML entities, tags, stray white space, and decimals with too many digits.

use std::borrow::Cow;

use super::reason::{Read, Reason};
use crate::domain::{Moment, Quantity, Unit};

/// Makes a name plain: decodes HTML entities (as browsers do, so also the old ones without a semicolon), drops HTML tags, and makes every run of white space one space.
pub fn plain(text: &str) -> String {
    let decoded = if text.contains('&') { htmlize::unescape(text) } else { text.into() };
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

/// A number with a point before its decimals. Both signs are told apart by what stands last; a single comma before three digits may group
/// thousands, so it stays (and is refused later) unless the file is one in which `comma_is_decimal`: fields are not separated by commas there.
pub fn decimal(text: &str, comma_is_decimal: bool) -> Cow<'_, str> {
    let (Some(comma), point) = (text.rfind(','), text.rfind('.')) else { return text.into() };
    let decimals = text.len() - comma - 1;
    match point {
        Some(point) if point > comma && are_groups(&text[..point], ',') => text.replace(',', "").into(),
        Some(point) if point < comma && are_groups(&text[..comma], '.') => text.replace('.', "").replace(',', ".").into(),
        None if text.matches(',').count() == 1 && (comma_is_decimal || decimals != 3) => text.replace(',', ".").into(),
        Some(_) | None => text.into(),
    }
}

/// Whether all digits after the first sign stand in groups of three.
fn are_groups(whole: &str, sign: char) -> bool {
    whole.split(sign).skip(1).all(|group| group.len() == 3)
}

/// What a pack holds, from an amount and a unit as written. `None` where either is missing.
///
/// # Errors
/// States why a given content cannot be used: it is then left out, the product stays.
pub fn content(amount: &str, unit: &str) -> Read<Option<Quantity>> {
    if amount.is_empty() || unit.is_empty() {
        return Ok(None);
    }
    let wrong = |why: String| Reason::of("quantity_wrong", "quantity", &format!("{amount} {unit}"), why);
    let (value, _) = millionths(amount).ok_or_else(|| wrong("it is not a number".into()))?;
    let content = Quantity::from_millionths(value, Unit::parse(unit));
    content.validate_positive().map_err(|error| wrong(error.to_string()))?;
    Ok(Some(content))
}

/// A day or a moment as written: ISO, with a space instead of the `T`, or as in German, `31.12.2024`.
///
/// # Errors
/// Quotes a text that is neither.
pub fn moment(text: &str) -> Read<Moment> {
    let wrong = || Reason::of("time_wrong", "time", text, "it is neither a day nor a time");
    let read = |text: &str| text.parse().ok();
    read(text).or_else(|| read(&iso(text)?)).ok_or_else(wrong)
}

/// Other ways to write a day or a time, as ISO writes them; a time without a zone is UTC.
fn iso(text: &str) -> Option<String> {
    let (day, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
    let day = match day.split('.').collect::<Vec<_>>()[..] {
        [day, month, year] if year.len() == 4 => format!("{year}-{month:0>2}-{day:0>2}"),
        _ => day.to_owned(),
    };
    let is_zoned = time.ends_with('Z') || time.contains(['+', '-']);
    match time.len() {
        0 => Some(day),
        _ if !time.is_ascii() => None,
        5 => Some(format!("{day}T{time}:00Z")),
        _ => Some(format!("{day}T{time}{}", if is_zoned { "" } else { "Z" })),
    }
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
    fn html_entities_without_a_semicolon_are_read() {
        assert_eq!(plain("K&auml;se &amp Brot, J&oumlrg &#228 &nbsp 5"), "Käse & Brot, Jörg ä 5");
        assert_eq!(plain("AT&T, R&B, &unknown; &"), "AT&T, R&B, &unknown; &");
    }

    #[test]
    fn decimals_may_have_a_comma() {
        for (text, file, number) in [
            ("1,09", false, "1.09"),
            ("1,234", false, "1,234"),
            ("1,234", true, "1.234"),
            ("1.234,56", false, "1234.56"),
            ("1,234.56", false, "1234.56"),
            ("1.2,34", true, "1.2,34"),
            ("1,2,3", true, "1,2,3"),
            ("1.09", true, "1.09"),
        ] {
            assert_eq!(decimal(text, file), number, "{text}");
        }
    }

    #[test]
    fn days_and_times_are_read_as_they_are_written() {
        let day: Moment = "2024-03-01".parse().unwrap();
        assert_eq!((moment("2024-03-01").ok(), moment("01.03.2024").ok(), moment("1.3.2024").ok()), (Some(day), Some(day), Some(day)));
        let time: Moment = "2024-03-01T11:53:26Z".parse().unwrap();
        for text in ["2024-03-01T11:53:26Z", "2024-03-01 11:53:26", "2024-03-01T11:53:26", "01.03.2024 11:53:26"] {
            assert_eq!(moment(text).ok(), Some(time), "{text}");
        }
        for text in ["", "yesterday", "2024-13-01", "1.13.2024", "03/01/2024", "2024-03-01 ä", "99.99"] {
            assert_eq!(moment(text).unwrap_err().code(), "time_wrong", "{text}");
        }
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
