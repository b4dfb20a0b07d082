//! open-food-facts: every `products_….csv` (also gzipped) of the folder becomes products with a GTIN, ingredients and nutrition.
//!
//! A barcode with a wrong check digit or length is refused with its row. A number that shops assign themselves is not a GTIN,
//! so it is kept as the source's own id. An impossible nutrient (below 0 or above 100 g in 100 g) is left out with a
//! warning, the product stays. Alcohol is percent by volume, not a mass, and is ignored.

use std::{collections::BTreeMap, path::Path};

use super::{
    ImportError, Intent, Opened,
    table::{
        Column::{self, Optional, Required},
        Meter, Row, Table,
    },
    text,
};
use crate::domain::{
    ProductId,
    codes::{CodeError, Gtin, ProductCode},
    product::{ProductCommand, ProductDetails},
};

/// The name of this source.
pub const SOURCE: &str = "open-food-facts";

/// The most of a nutrient that 100 g can hold, in micrograms.
const MICROGRAMS_MAX: i64 = 100_000_000;

const COLUMNS: [Column; 11] = [
    Required("barcode"),
    Required("name"),
    Optional("ingredients"),
    Optional("fat_100g"),
    Optional("saturated_fat_100g"),
    Optional("carbohydrate_100g"),
    Optional("sugar_100g"),
    Optional("fiber_100g"),
    Optional("protein_100g"),
    Optional("salt_100g"),
    Optional("sodium_100g"),
];

/// In the order of the columns.
const NUTRIENTS: [&str; 8] = ["fat", "saturated_fat", "carbohydrate", "sugar", "fiber", "protein", "salt", "sodium"];

/// Opens every product file of the folder, in the order of their names.
///
/// # Errors
/// Names the file or column that is missing.
pub fn open(folder: &Path) -> Result<Opened, ImportError> {
    let mut meter = Meter::default();
    let tables = file_stems(folder)?.iter().map(|stem| Table::open(folder, stem, &COLUMNS, &mut meter)).collect::<Result<Vec<_>, _>>()?;
    let items = tables.into_iter().flat_map(|table| table.into_items(product));
    Ok(Opened { items: Box::new(items), bytes_total: meter.bytes_total, bytes_read: meter.bytes_read })
}

fn file_stems(folder: &Path) -> Result<Vec<String>, ImportError> {
    let unreadable = |error: std::io::Error| ImportError::Unreadable { file: folder.display().to_string(), reason: error.to_string() };
    let mut stems = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        let stem = name.strip_suffix(".gz").unwrap_or(&name).strip_suffix(".csv");
        stems.extend(stem.filter(|stem| stem.starts_with("products")).map(str::to_owned));
    }
    stems.sort();
    stems.dedup();
    if stems.is_empty() {
        return Err(ImportError::NoFile { folder: folder.display().to_string(), file: "products_*".into() });
    }
    Ok(stems)
}

fn product(row: &Row<'_>, warnings: &mut Vec<String>) -> Result<Intent, String> {
    let [barcode, name, ingredients, nutrients @ ..] = row.texts::<11>();
    let code = code(barcode)?;
    let id = ProductId::new(&format!("off:{barcode}")).map_err(|error| format!("barcode {barcode:?}: {error}"))?;
    let details = ProductDetails {
        name: text::plain_or_none(name).ok_or("the product has no name")?,
        brand: None,
        category: None,
        content: None,
        sold_by_weight: false,
        organic: false,
        codes: vec![code],
        ingredients: text::plain_or_none(ingredients),
        nutrition: nutrition(nutrients, warnings),
    };
    Ok(Intent::Product(id, ProductCommand::Register(details)))
}

fn code(barcode: &str) -> Result<ProductCode, String> {
    match Gtin::parse(barcode) {
        Ok(gtin) => Ok(ProductCode::Gtin(gtin)),
        Err(CodeError::GtinStoreMade) => ProductCode::source(SOURCE, barcode).map_err(|error| format!("barcode {barcode:?}: {error}")),
        Err(error) => Err(format!("barcode {barcode:?}: {error}")),
    }
}

fn nutrition(texts: [&str; 8], warnings: &mut Vec<String>) -> BTreeMap<String, i64> {
    let mut nutrition = BTreeMap::new();
    for (nutrient, text) in NUTRIENTS.into_iter().zip(texts).filter(|(_, text)| !text.is_empty()) {
        // Grams in millionths are micrograms.
        match text::millionths(text) {
            Some((micrograms @ 0..=MICROGRAMS_MAX, _)) => drop(nutrition.insert(nutrient.to_owned(), micrograms)),
            Some(_) => warnings.push(format!("{nutrient} of {text} g in 100 g cannot be")),
            None => warnings.push(format!("{nutrient} {text:?} is not a number")),
        }
    }
    nutrition
}
