//! Reads MessagePack in the one form in which this program writes it: struct fields in their order, numbers and texts in their shortest form
//! or any other. Anything else returns `None`; then serde reads the bytes and reports what is wrong with them.

use crate::domain::{Currency, Money, Quantity, Unit, UnitPrice};

/// Values that a list reserves room for before it has seen them.
const LIST_RESERVED_MAX: usize = 1_024;

/// The remaining bytes.
pub type Rest<'r, 'a> = &'r mut &'a [u8];

/// The fields of a struct that are still to come.
pub struct Fields(u32);

impl Fields {
    /// Starts a struct.
    pub fn of(rest: Rest<'_, '_>) -> Option<Self> {
        let (&marker @ 0x80..=0x8f, after) = rest.split_first()? else { return None };
        *rest = after;
        Some(Self(u32::from(marker & 0x0f)))
    }

    /// The next field, if it has this name. The outer `None` ends the reading, as everywhere here; the inner one is an absent field.
    #[inline]
    #[expect(clippy::option_option, reason = "a field may be absent, and what is there may be unreadable; `?` takes the second")]
    pub fn optional<'a, T>(&mut self, rest: Rest<'_, 'a>, name: &str, read: impl FnOnce(Rest<'_, 'a>) -> Option<T>) -> Option<Option<T>> {
        match rest.strip_prefix(&[0xa0 | u8::try_from(name.len()).ok()?]).and_then(|after| after.strip_prefix(name.as_bytes())) {
            Some(after) => *rest = after,
            None => return Some(None),
        }
        self.0 = self.0.checked_sub(1)?;
        read(rest).map(Some)
    }

    /// The next field, which must be this one.
    #[inline]
    pub fn one<'a, T>(&mut self, rest: Rest<'_, 'a>, name: &str, read: impl FnOnce(Rest<'_, 'a>) -> Option<T>) -> Option<T> {
        self.optional(rest, name, read)?
    }

    /// Ends a struct: it has no further field.
    pub fn end(self) -> Option<()> {
        (self.0 == 0).then_some(())
    }
}

/// A value, or nil.
#[inline]
pub fn or_nil<'a, T>(read: impl FnOnce(Rest<'_, 'a>) -> Option<T>) -> impl FnOnce(Rest<'_, 'a>) -> Option<Option<T>> {
    |rest| match rest.strip_prefix(&[0xc0]) {
        Some(after) => {
            *rest = after;
            Some(None)
        }
        None => read(rest).map(Some),
    }
}

/// As many values as announced.
pub fn list<'a, T>(rest: Rest<'_, 'a>, read: impl Fn(Rest<'_, 'a>) -> Option<T>) -> Option<Vec<T>> {
    let len = sized(rest, 0x90, 0xdc)?;
    // A wrong length must not decide how much is reserved.
    let mut values = Vec::with_capacity(len.min(LIST_RESERVED_MAX));
    for _ in 0..len {
        values.push(read(rest)?);
    }
    Some(values)
}

/// How many entries a map has.
pub fn map(rest: Rest<'_, '_>) -> Option<usize> {
    sized(rest, 0x80, 0xde)
}

/// A length of four bits in the marker, or of 16 or 32 after it.
fn sized(rest: Rest<'_, '_>, short: u8, long: u8) -> Option<usize> {
    let (&marker, after) = rest.split_first()?;
    *rest = after;
    match marker {
        _ if marker & 0xf0 == short => Some(usize::from(marker & 0x0f)),
        _ if marker == long => Some(usize::from(u16::from_be_bytes(take(rest)?))),
        _ if marker == long + 1 => usize::try_from(u32::from_be_bytes(take(rest)?)).ok(),
        _ => None,
    }
}

/// A whole number of any width.
#[inline]
pub fn int(rest: Rest<'_, '_>) -> Option<i64> {
    let (&marker, after) = rest.split_first()?;
    *rest = after;
    match marker {
        0x00..=0x7f => Some(i64::from(marker)),
        0xcc => Some(i64::from(u8::from_be_bytes(take(rest)?))),
        0xcd => Some(i64::from(u16::from_be_bytes(take(rest)?))),
        0xce => Some(i64::from(u32::from_be_bytes(take(rest)?))),
        0xcf => i64::try_from(u64::from_be_bytes(take(rest)?)).ok(),
        0xd0 => Some(i64::from(i8::from_be_bytes(take(rest)?))),
        0xd1 => Some(i64::from(i16::from_be_bytes(take(rest)?))),
        0xd2 => Some(i64::from(i32::from_be_bytes(take(rest)?))),
        0xd3 => Some(i64::from_be_bytes(take(rest)?)),
        0xe0..=0xff => Some(i64::from(i8::from_be_bytes([marker]))),
        _ => None,
    }
}

/// A text of any length.
#[inline]
pub fn text<'a>(rest: Rest<'_, 'a>) -> Option<&'a str> {
    let (&marker, after) = rest.split_first()?;
    *rest = after;
    let len = match marker {
        0xa0..=0xbf => usize::from(marker & 0x1f),
        0xd9 => usize::from(u8::from_be_bytes(take(rest)?)),
        0xda => usize::from(u16::from_be_bytes(take(rest)?)),
        0xdb => usize::try_from(u32::from_be_bytes(take(rest)?)).ok()?,
        _ => return None,
    };
    let (text, after) = rest.split_at_checked(len)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

/// An owned text.
pub fn string(rest: Rest<'_, '_>) -> Option<String> {
    text(rest).map(str::to_owned)
}

pub fn boolean(rest: Rest<'_, '_>) -> Option<bool> {
    let (&marker @ 0xc2..=0xc3, after) = rest.split_first()? else { return None };
    *rest = after;
    Some(marker == 0xc3)
}

pub fn money(rest: Rest<'_, '_>) -> Option<Money> {
    tuple(rest, 2)?;
    let minor = int(rest)?;
    Some(Money::from_minor(minor, currency(rest)?))
}

pub fn quantity(rest: Rest<'_, '_>) -> Option<Quantity> {
    tuple(rest, 2)?;
    let millionths = int(rest)?;
    Some(Quantity::from_millionths(millionths, unit(rest)?))
}

pub fn unit_price(rest: Rest<'_, '_>) -> Option<UnitPrice> {
    tuple(rest, 3)?;
    let ten_thousandths = int(rest)?;
    let currency = currency(rest)?;
    Some(UnitPrice::from_ten_thousandths(ten_thousandths, currency, unit(rest)?))
}

fn currency(rest: Rest<'_, '_>) -> Option<Currency> {
    Currency::new(text(rest)?).ok()
}

/// A known unit; the others have rules of their own.
fn unit(rest: Rest<'_, '_>) -> Option<Unit> {
    let unit = Unit::parse(text(rest)?);
    (!matches!(unit, Unit::Other(_))).then_some(unit)
}

fn tuple(rest: Rest<'_, '_>, len: u8) -> Option<()> {
    *rest = rest.strip_prefix(&[0x90 | len])?;
    Some(())
}

fn take<const N: usize>(rest: Rest<'_, '_>) -> Option<[u8; N]> {
    let (bytes, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*bytes)
}
