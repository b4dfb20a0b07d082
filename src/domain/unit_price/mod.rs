//! Prices per unit, and what a quantity costs at one: computed in i128, rounded once, half up.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Deserializer, Serialize, Serializer, ser::SerializeStruct};
use std::borrow::Cow;

use super::{
    Currency, Money, Quantity, Unit, decimal,
    limits::UNIT_PRICE_TEN_THOUSANDTHS_MAX,
    money::MoneyError,
    object::from_object,
    units::{Dimension, Ratio},
};

/// Digits after the decimal point of a unit price.
const SCALE: u32 = 4;

/// A price per unit in ten-thousandths of the major unit: shelf prices with three and four decimals exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UnitPrice {
    ten_thousandths: i64,
    currency: Currency,
    per: Unit,
}

impl UnitPrice {
    /// Reads exact decimal text of at most four decimals.
    ///
    /// # Errors
    /// States what is wrong with the text.
    pub fn parse(amount: &str, currency: Currency, per: Unit) -> Result<Self, MoneyError> {
        let ten_thousandths = decimal::parse(amount, SCALE).map_err(|error| MoneyError::of_decimal(error, SCALE))?;
        Ok(Self { ten_thousandths, currency, per })
    }

    /// This many ten-thousandths of the major unit per `per`.
    #[must_use]
    pub const fn from_ten_thousandths(ten_thousandths: i64, currency: Currency, per: Unit) -> Self {
        Self { ten_thousandths, currency, per }
    }

    #[must_use]
    pub const fn ten_thousandths(&self) -> i64 {
        self.ten_thousandths
    }

    #[must_use]
    pub const fn currency(&self) -> Currency {
        self.currency
    }

    #[must_use]
    pub const fn per(&self) -> &Unit {
        &self.per
    }

    /// Refuses zero, negative and absurd prices: none of them is ever a shelf price.
    ///
    /// # Errors
    /// `amount_not_positive` or `amount_too_large`.
    pub fn validate_positive(&self) -> Result<(), MoneyError> {
        match self.ten_thousandths {
            ..=0 => Err(MoneyError::NotPositive),
            1..=UNIT_PRICE_TEN_THOUSANDTHS_MAX => Ok(()),
            _ => Err(MoneyError::TooLarge),
        }
    }

    /// The amount alone: at least the currency's decimals, at most four, no trailing zeros.
    #[must_use]
    pub fn amount_text(&self) -> String {
        decimal::print(self.ten_thousandths, SCALE, self.currency.decimals())
    }
}

impl std::fmt::Display for UnitPrice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}/{}", self.amount_text(), self.currency, self.per)
    }
}

/// What one pack of a product holds: the fact by which packs convert to mass, volume or length.
#[derive(Debug, Clone, Copy)]
pub struct Content<'a> {
    pub quantity: &'a Quantity,
    /// Half a pack can be bought.
    pub sold_by_weight: bool,
}

/// Why a quantity has no price.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    #[error("a quantity in {quantity} cannot be priced per {per} without knowing what a pack holds")]
    UnitMismatch { quantity: String, per: String },
    #[error("the line total does not fit")]
    Overflow,
}

impl LineError {
    /// Its stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnitMismatch { .. } => "unit_mismatch",
            Self::Overflow => "amount_overflow",
        }
    }
}

/// What a quantity costs at a price, rounded once, half up, to the minor unit.
///
/// Units of one dimension convert exactly. Between a count and another dimension the content of one pack converts: packs priced
/// each are rounded up to whole packs unless sold by weight; a count priced per mass or volume weighs what its packs hold.
///
/// # Errors
/// `unit_mismatch` where nothing converts, `amount_overflow` where the total does not fit.
pub fn line_total(price: &UnitPrice, quantity: &Quantity, content: Option<Content<'_>>) -> Result<Money, LineError> {
    let units = units_charged(price, quantity, content)?;
    let scale = Ratio::new(10_i128.pow(price.currency.decimals()), 10_i128.pow(SCALE));
    let minor = units.times(i128::from(price.ten_thousandths)).and_then(|cost| cost.multiply(scale)).ok_or(LineError::Overflow)?;
    let minor = i64::try_from(minor.round_half_up().ok_or(LineError::Overflow)?).map_err(|_| LineError::Overflow)?;
    Ok(Money::from_minor(minor, price.currency))
}

/// How many of the price's unit are charged, exactly.
fn units_charged(price: &UnitPrice, quantity: &Quantity, content: Option<Content<'_>>) -> Result<Ratio, LineError> {
    if let Some(ratio) = quantity.unit().ratio_to(&price.per) {
        return quantity.exact().multiply(ratio).ok_or(LineError::Overflow);
    }
    let mismatch = || LineError::UnitMismatch { quantity: quantity.unit().to_string(), per: price.per.to_string() };
    let content = content.filter(|content| content.quantity.is_positive()).ok_or_else(mismatch)?;
    let (held, count) = (content.quantity.exact(), Dimension::Count);
    if price.per.dimension() == count {
        let ratio = quantity.unit().ratio_to(content.quantity.unit()).ok_or_else(mismatch)?;
        let packs = quantity.exact().multiply(ratio).and_then(|wanted| wanted.divide(held)).ok_or(LineError::Overflow)?;
        return Ok(if content.sold_by_weight { packs } else { packs.round_up() });
    }
    if quantity.unit().dimension() == count {
        let ratio = content.quantity.unit().ratio_to(&price.per).ok_or_else(mismatch)?;
        return quantity.exact().multiply(held).and_then(|held| held.multiply(ratio)).ok_or(LineError::Overflow);
    }
    Err(mismatch())
}

/// The JSON form; the compact form is (ten-thousandths, currency, per).
#[derive(Deserialize, utoipa::ToSchema)]
#[serde(rename = "UnitPrice", deny_unknown_fields)]
struct UnitPriceText<'a> {
    /// Exact decimal text of at most four decimals, never a number.
    #[serde(borrow)]
    #[schema(value_type = String, example = "1.999", pattern = r"^-?[0-9]+(\.[0-9]{1,4})?$")]
    amount: Cow<'a, str>,
    currency: Currency,
    /// The unit it is the price of; one piece or pack when absent.
    #[serde(default)]
    per: Unit,
}

impl Serialize for UnitPrice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return (self.ten_thousandths, self.currency, &self.per).serialize(serializer);
        }
        let mut fields = serializer.serialize_struct("UnitPrice", 3)?;
        fields.serialize_field("amount", &self.amount_text())?;
        fields.serialize_field("currency", &self.currency)?;
        fields.serialize_field("per", &self.per)?;
        fields.end()
    }
}

impl<'de> Deserialize<'de> for UnitPrice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            let (ten_thousandths, currency, per) = Deserialize::deserialize(deserializer)?;
            return Ok(Self { ten_thousandths, currency, per });
        }
        let text: UnitPriceText<'_> = from_object(deserializer, "a price: an object of amount, currency and per")?;
        Self::parse(&text.amount, text.currency, text.per).map_err(serde::de::Error::custom)
    }
}

impl utoipa::PartialSchema for UnitPrice {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        <UnitPriceText<'static> as utoipa::PartialSchema>::schema()
    }
}

impl utoipa::ToSchema for UnitPrice {
    fn schemas(schemas: &mut Vec<(String, utoipa::openapi::RefOr<utoipa::openapi::schema::Schema>)>) {
        <UnitPriceText<'static> as utoipa::ToSchema>::schemas(schemas);
    }
}
