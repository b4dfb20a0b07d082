//! Exact money: integers of the minor unit with a currency. No floats, one rounding, never two currencies in one sum.

use super::quantity::Unit;

/// An ISO 4217 currency code with its own number of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Currency([u8; 3]);

/// An amount in minor units (cents), possibly negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

/// A price per unit in ten-thousandths of the major unit: shelf prices with three and four decimals exist.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct UnitPrice {
    ten_thousandths: i64,
    currency: Currency,
    per: Unit,
}
