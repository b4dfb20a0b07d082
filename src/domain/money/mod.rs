//! Exact money: integers of the minor unit with a currency. No floats, one rounding, never two currencies in one sum.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use std::borrow::Cow;

pub use super::currency::Currency;
pub use super::unit_price::{Content, LineError, UnitPrice, line_total};
use super::{
    decimal::{self, DecimalError},
    limits::MONEY_MINOR_MAX,
    object::from_object,
};

/// An amount in minor units (cents), possibly negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// Why something is not an amount of money, or cannot be computed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    #[error("{0:?} is not a known ISO 4217 currency code in capital letters")]
    CurrencyUnknown(String),
    #[error("an amount must be decimal text such as \"3.49\"")]
    Malformed,
    #[error("the amount has more than {max} decimals")]
    TooManyDecimals { max: u32 },
    #[error("the amount must be greater than zero")]
    NotPositive,
    #[error("the amount is larger than this server accepts")]
    TooLarge,
    #[error("{left} and {right} cannot be added: they are different currencies")]
    CurrencyMismatch { left: Currency, right: Currency },
    #[error("the sum does not fit")]
    Overflow,
}

impl MoneyError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::CurrencyUnknown(_) => "currency_unknown",
            Self::Malformed => "amount_malformed",
            Self::TooManyDecimals { .. } => "amount_too_precise",
            Self::NotPositive => "amount_not_positive",
            Self::TooLarge => "amount_too_large",
            Self::CurrencyMismatch { .. } => "currency_mismatch",
            Self::Overflow => "amount_overflow",
        }
    }

    pub(crate) fn of_decimal(error: DecimalError, max: u32) -> Self {
        match error {
            DecimalError::Malformed => Self::Malformed,
            DecimalError::TooManyDecimals => Self::TooManyDecimals { max },
            DecimalError::Overflow => Self::TooLarge,
        }
    }
}

impl Money {
    /// This many minor units (cents).
    #[must_use]
    pub const fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Zero, in that currency.
    #[must_use]
    pub const fn zero(currency: Currency) -> Self {
        Self::from_minor(0, currency)
    }

    /// Reads exact decimal text; more decimals than the currency has are refused, never rounded.
    ///
    /// # Errors
    /// States what is wrong with the text.
    pub fn parse(amount: &str, currency: Currency) -> Result<Self, MoneyError> {
        let scale = currency.decimals();
        decimal::parse(amount, scale).map(|minor| Self { minor, currency }).map_err(|error| MoneyError::of_decimal(error, scale))
    }

    #[must_use]
    pub const fn minor(self) -> i64 {
        self.minor
    }

    #[must_use]
    pub const fn currency(self) -> Currency {
        self.currency
    }

    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.minor < 0
    }

    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.minor == 0
    }

    /// # Errors
    /// `currency_mismatch` or `amount_overflow`.
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_add(other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// # Errors
    /// `currency_mismatch` or `amount_overflow`.
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same_currency(other)?;
        self.minor.checked_sub(other.minor).map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// # Errors
    /// `amount_overflow` for the one amount without a counterpart.
    pub fn checked_neg(self) -> Result<Self, MoneyError> {
        self.minor.checked_neg().map(|minor| Self { minor, ..self }).ok_or(MoneyError::Overflow)
    }

    /// Adds up amounts of one currency; no amounts add up to zero.
    ///
    /// # Errors
    /// `currency_mismatch` or `amount_overflow`.
    pub fn sum(amounts: impl IntoIterator<Item = Self>, currency: Currency) -> Result<Self, MoneyError> {
        amounts.into_iter().try_fold(Self::zero(currency), Self::checked_add)
    }

    /// Splits it into parts that sum to it exactly and differ by at most one minor unit; the odd cents come first. No parts for 0.
    #[must_use]
    pub fn spread(self, parts: u32) -> Vec<Self> {
        let Some(count) = std::num::NonZeroU32::new(parts).map(|parts| i64::from(parts.get())) else { return Vec::new() };
        let (each, odd) = (self.minor / count, self.minor % count);
        (0..count).map(|part| Self { minor: if part < odd.abs() { each + odd.signum() } else { each }, ..self }).collect()
    }

    /// Refuses an amount whose sums could overflow, in either direction.
    ///
    /// # Errors
    /// `amount_too_large`.
    pub fn validate_limit(self) -> Result<(), MoneyError> {
        if self.minor.unsigned_abs() > MONEY_MINOR_MAX.unsigned_abs() { Err(MoneyError::TooLarge) } else { Ok(()) }
    }

    /// Refuses what is not a budget: zero, negative and absurd amounts.
    ///
    /// # Errors
    /// `amount_not_positive` or `amount_too_large`.
    pub fn validate_positive(self) -> Result<(), MoneyError> {
        if self.minor <= 0 { Err(MoneyError::NotPositive) } else { self.validate_limit() }
    }

    /// The amount alone as decimal text with all decimals of its currency: `3.49`.
    #[must_use]
    pub fn amount_text(self) -> String {
        decimal::print(self.minor, self.currency.decimals(), self.currency.decimals())
    }

    fn same_currency(self, other: Self) -> Result<(), MoneyError> {
        if self.currency == other.currency {
            return Ok(());
        }
        Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency })
    }
}

impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.currency)
    }
}

/// The JSON form; the compact form is the pair (minor, currency).
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename = "Money", deny_unknown_fields)]
struct MoneyText<'a> {
    /// Exact decimal text, never a number.
    #[serde(borrow)]
    #[schema(value_type = String, example = "3.49", pattern = r"^-?[0-9]+(\.[0-9]+)?$")]
    amount: Cow<'a, str>,
    currency: Currency,
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return (self.minor, self.currency).serialize(serializer);
        }
        let mut fields = serializer.serialize_struct("Money", 2)?;
        fields.serialize_field("amount", &self.amount_text())?;
        fields.serialize_field("currency", &self.currency)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (minor, currency) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { minor, currency });
        }
        let text: MoneyText<'_> = from_object(deserializer, "money: an object of amount and currency")?;
        Self::parse(&text.amount, text.currency).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Money {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <MoneyText<'static> as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for Money {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        <MoneyText<'static> as utoipa::ToSchema>::schemas(schemas);
    }
}
