//! Product codes: GTIN with its check digit, PLU of loose produce, store-made codes and a source's own ids. Leading zeros are kept.

/// One code of a product.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub enum ProductCode {}
