//! complete-journey: `products.csv` and `transactions.csv` (also gzipped) become stores, households, products and one order a basket.
//!
//! What the buyer pays for a line is its sales value less the manufacturer's coupon, which may be below zero where a coupon
//! is worth more. Rows with quantity 0 (coupons, returns) are lines too, so that an order's total is exactly what was paid.
//! Package sizes are used if they are clean; quantities above 100 are fuel by volume and stay as given.

mod baskets;

use std::path::Path;

use super::{
    ImportError, Intent, Opened,
    table::{
        Column::{self, Optional, Required},
        Meter, Row, Table,
    },
    text,
};
use crate::domain::{
    Currency, ProductId, Quantity,
    codes::ProductCode,
    product::{ProductCommand, ProductDetails},
    quantity::Dimension,
};

/// The name of this source in ids and orders.
pub const SOURCE: &str = "complete-journey";

const PRODUCT_COLUMNS: [Column; 4] =
    [Required("product_id"), Optional("product_category"), Optional("product_type"), Optional("package_size")];

/// Opens the two files.
///
/// # Errors
/// Names the file or column that is missing.
pub fn open(folder: &Path) -> Result<Opened, ImportError> {
    let mut meter = Meter::default();
    let products = Table::open(folder, "products", &PRODUCT_COLUMNS, &mut meter)?;
    let transactions = Table::open(folder, "transactions", &baskets::COLUMNS, &mut meter)?;
    let items = products.into_items(|row, _| product(row)).chain(baskets::Baskets::new(transactions));
    Ok(Opened { items: Box::new(items), bytes_total: meter.bytes_total, bytes_read: meter.bytes_read })
}

fn product(row: &Row<'_>) -> Result<Intent, String> {
    let [number, category, kind, package_size] = row.texts();
    let category = text::plain_or_none(category);
    let name = text::plain_or_none(kind).or_else(|| category.clone()).unwrap_or_else(|| format!("Product {number}"));
    let details = ProductDetails {
        name,
        brand: None,
        category,
        content: package_content(package_size),
        sold_by_weight: false,
        organic: false,
        codes: vec![ProductCode::source(SOURCE, number).map_err(|error| format!("product_id {number:?}: {error}"))?],
        ingredients: None,
        nutrition: std::collections::BTreeMap::new(),
    };
    Ok(Intent::Product(product_id(number)?, ProductCommand::Register(details)))
}

/// A clean package size such as `16 OZ` or `2 LTR`. Anything else (`6/12 OZ`, `CTN`) is free text without a readable pack content.
fn package_content(text: &str) -> Option<Quantity> {
    let mut words = text.split_whitespace();
    let amount = words.next()?;
    let unit = words.collect::<Vec<_>>().join(" ");
    let content = text::content(amount, &unit).ok()??;
    (content.unit().dimension() != Dimension::Unknown).then_some(content)
}

fn product_id(number: &str) -> Result<ProductId, String> {
    id("product_id", number, ProductId::new)
}

/// An id of this source from a number of a column.
fn id<T, E: std::fmt::Display>(column: &str, number: &str, make: impl Fn(&str) -> Result<T, E>) -> Result<T, String> {
    if number.is_empty() {
        return Err(format!("the row has no {column}"));
    }
    make(&format!("{SOURCE}:{number}")).map_err(|error| format!("{column} {number:?}: {error}"))
}

fn dollars() -> Currency {
    Currency::new("USD").expect("this holds because the dollar is a known currency")
}
