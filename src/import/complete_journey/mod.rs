//! complete-journey: `products` and `transactions` become stores, households, products and one order a basket.
//!
//! What the buyer pays for a line is its sales value less the manufacturer's coupon, which may be below zero where a coupon
//! is worth more. Rows with quantity 0 (coupons, returns) are lines too, so that an order's total is exactly what was paid.
//! Package sizes are used if they are clean; quantities above 100 are fuel by volume and stay as given.

mod baskets;
mod bought;

use std::iter;

use super::{
    ImportError, Intent, Items,
    chosen::{Chosen, Ranks, key_of, rank_of},
    opening::Opening,
    reason::{Read, Reason},
    table::{Parsed, Row, Table, Wanted, optional, required},
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

const PRODUCTS: Wanted = Wanted {
    columns: &[
        required("product_id"),
        optional("product_category").or(&["commodity_desc"]),
        optional("product_type").or(&["sub_commodity_desc"]),
        optional("package_size").or(&["curr_size_of_product"]),
    ],
    raw_tabs: false,
};

/// Opens the files.
///
/// # Errors
/// Names the file or column that is missing.
pub fn open(opening: &mut Opening) -> Result<Items, ImportError> {
    let products = opening.some_tables("products", PRODUCTS)?;
    let transactions = opening.some_tables("transactions", bought::TRANSACTIONS)?;
    Ok(Box::new(baskets::items(transactions, || products_of(products))))
}

fn products_of(tables: Vec<Table>) -> Items {
    let mut ranks = Ranks::default();
    for table in &tables {
        if let Err(error) = table.each(|_, row| row.into_iter().for_each(|row| ranks.note(rank(&row).0, rank(&row).1))) {
            return Box::new(iter::once(Err(error)));
        }
    }
    let chosen = std::sync::Arc::new(ranks.choose());
    Box::new(tables.into_iter().flat_map(move |table| {
        let chosen = chosen.clone();
        table.into_items(move |row| Parsed::from(product(row, &chosen)))
    }))
}

fn rank(row: &Row<'_>) -> (u64, u64) {
    let texts = row.texts::<4>();
    (key_of(texts[0]), rank_of(&texts))
}

fn product(row: &Row<'_>, chosen: &Chosen) -> Read<Intent> {
    let (key, rank) = rank(row);
    if !chosen.is(key, rank) {
        return Err(Reason::new("row_repeated", "another row of this product says something else, and counts"));
    }
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
        codes: vec![ProductCode::source(SOURCE, number).map_err(|error| Reason::of("id_wrong", "product_id", number, error))?],
        ingredients: None,
        nutrition: std::collections::BTreeMap::new(),
    };
    Ok(Intent::Product(product_id(number)?, ProductCommand::Update(details)))
}

/// A clean package size such as `16 OZ` or `2 LTR`. Anything else (`6/12 OZ`, `CTN`) is free text without a readable pack content.
fn package_content(text: &str) -> Option<Quantity> {
    let mut words = text.split_whitespace();
    let amount = words.next()?;
    let unit = words.collect::<Vec<_>>().join(" ");
    let content = text::content(amount, &unit).ok()??;
    (content.unit().dimension() != Dimension::Unknown).then_some(content)
}

fn product_id(number: &str) -> Read<ProductId> {
    id("product_id", number, ProductId::new)
}

/// An id of this source from a number of a column.
fn id<T, E: std::fmt::Display>(column: &str, number: &str, make: impl Fn(&str) -> Result<T, E>) -> Read<T> {
    if number.is_empty() {
        return Err(Reason::new("id_missing", format!("the row has no {column}")));
    }
    make(&format!("{SOURCE}:{number}")).map_err(|error| Reason::of("id_wrong", column, number, error))
}

fn dollars() -> Currency {
    Currency::new("USD").expect("this holds because the dollar is a known currency")
}
