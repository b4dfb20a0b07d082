//! Quantities: integer millionths of a unit. Dimensions never convert into one another without a fact about the product.

/// An amount of something: millionths of the unit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub struct Quantity {
    millionths: i64,
    unit: Unit,
}

/// A unit of measure. oz and fl oz differ, US and imperial pints differ; an unknown unit stays unknown, never "each".
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub enum Unit {
    Each,
    Pack,
    /// A unit nobody taught us, as it was written.
    #[schema(value_type = String)]
    Other(std::sync::Arc<str>),
}
