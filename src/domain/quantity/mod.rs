//! Quantities: integer millionths of a unit. Dimensions never convert into one another without a fact about the product.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use std::borrow::Cow;

pub use super::units::{Dimension, Unit};
use super::{
    decimal::{self, DecimalError},
    limits::QUANTITY_MILLIONTHS_MAX,
    object::from_object,
    units::Ratio,
};

/// Digits after the decimal point of a quantity.
const SCALE: u32 = 6;
const ONE: i64 = 1_000_000;

/// An amount of something: millionths of the unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Quantity {
    millionths: i64,
    unit: Unit,
}

/// Why something is not a quantity, or cannot be computed with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    #[error("a quantity's amount must be decimal text such as \"1.5\"")]
    Malformed,
    #[error("a quantity has at most {SCALE} decimals")]
    TooManyDecimals,
    #[error("a quantity must be greater than zero")]
    NotPositive,
    #[error("the quantity is larger than this server accepts")]
    TooLarge,
    #[error("{left} and {right} cannot be added: one does not convert into the other")]
    UnitMismatch { left: Unit, right: Unit },
    #[error("{right} does not convert into {left} without rounding")]
    Inexact { left: Unit, right: Unit },
}

impl QuantityError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed => "quantity_malformed",
            Self::TooManyDecimals => "quantity_too_precise",
            Self::NotPositive => "quantity_not_positive",
            Self::TooLarge => "quantity_too_large",
            Self::UnitMismatch { .. } => "unit_mismatch",
            Self::Inexact { .. } => "quantity_inexact",
        }
    }
}

impl Quantity {
    /// Reads exact decimal text of at most six decimals.
    ///
    /// # Errors
    /// States what is wrong with the text.
    pub fn parse(amount: &str, unit: Unit) -> Result<Self, QuantityError> {
        let millionths = decimal::parse(amount, SCALE).map_err(|error| match error {
            DecimalError::Malformed => QuantityError::Malformed,
            DecimalError::TooManyDecimals => QuantityError::TooManyDecimals,
            DecimalError::Overflow => QuantityError::TooLarge,
        })?;
        Ok(Self { millionths, unit })
    }

    /// This many millionths of the unit.
    #[must_use]
    pub const fn from_millionths(millionths: i64, unit: Unit) -> Self {
        Self { millionths, unit }
    }

    /// This many pieces; counts beyond nine million million are capped there.
    #[must_use]
    pub const fn each(count: i64) -> Self {
        Self { millionths: count.saturating_mul(ONE), unit: Unit::Each }
    }

    #[must_use]
    pub const fn millionths(&self) -> i64 {
        self.millionths
    }

    #[must_use]
    pub const fn unit(&self) -> &Unit {
        &self.unit
    }

    #[must_use]
    pub const fn is_positive(&self) -> bool {
        self.millionths > 0
    }

    /// The same quantity with the other sign.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { millionths: self.millionths.saturating_neg(), unit: self.unit.clone() }
    }

    /// The sum in this quantity's unit; the other converts exactly or not at all.
    ///
    /// # Errors
    /// `unit_mismatch` between dimensions, `quantity_inexact` where converting would round, `quantity_too_large`.
    pub fn checked_add(&self, other: &Self) -> Result<Self, QuantityError> {
        let units = || (self.unit.clone(), other.unit.clone());
        let Some(ratio) = other.unit.ratio_to(&self.unit) else {
            let (left, right) = units();
            return Err(QuantityError::UnitMismatch { left, right });
        };
        let converted = ratio.times(i128::from(other.millionths)).ok_or(QuantityError::TooLarge)?;
        let Some(converted) = converted.whole() else {
            let (left, right) = units();
            return Err(QuantityError::Inexact { left, right });
        };
        let sum = converted.checked_add(i128::from(self.millionths)).and_then(|sum| i64::try_from(sum).ok());
        sum.map(|millionths| Self { millionths, unit: self.unit.clone() }).ok_or(QuantityError::TooLarge)
    }

    /// Refuses what cannot be bought: zero, negative and absurd quantities.
    ///
    /// # Errors
    /// `quantity_not_positive` or `quantity_too_large`.
    pub fn validate_positive(&self) -> Result<(), QuantityError> {
        match self.millionths {
            ..=0 => Err(QuantityError::NotPositive),
            1..=QUANTITY_MILLIONTHS_MAX => Ok(()),
            _ => Err(QuantityError::TooLarge),
        }
    }

    /// The amount alone as decimal text without trailing zeros: `1.5`.
    #[must_use]
    pub fn amount_text(&self) -> String {
        decimal::print(self.millionths, SCALE, 0)
    }

    /// The amount as an exact fraction of its unit.
    pub(crate) fn exact(&self) -> Ratio {
        Ratio::new(i128::from(self.millionths), i128::from(ONE))
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.amount_text(), self.unit)
    }
}

/// The JSON form; the compact form is the pair (millionths, unit).
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename = "Quantity", deny_unknown_fields)]
struct QuantityText<'a> {
    /// Exact decimal text of at most six decimals, never a number.
    #[serde(borrow)]
    #[schema(value_type = String, example = "1.5", pattern = r"^-?[0-9]+(\.[0-9]{1,6})?$")]
    amount: Cow<'a, str>,
    unit: Unit,
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return (self.millionths, &self.unit).serialize(serializer);
        }
        let mut fields = serializer.serialize_struct("Quantity", 2)?;
        fields.serialize_field("amount", &self.amount_text())?;
        fields.serialize_field("unit", &self.unit)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (millionths, unit) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { millionths, unit });
        }
        let text: QuantityText<'_> = from_object(deserializer, "a quantity: an object of amount and unit")?;
        Self::parse(&text.amount, text.unit).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <QuantityText<'static> as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for Quantity {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        <QuantityText<'static> as utoipa::ToSchema>::schemas(schemas);
    }
}
