//! open-food-facts: every file of the folder with `products` in its name becomes products with a GTIN, ingredients and nutrition.
//!
//! A barcode with a wrong check digit or length is refused with its row. A number that shops assign themselves is not a GTIN,
//! so it is kept as the source's own id. An impossible nutrient (below 0 or above 100 g in 100 g) is left out with a
//! warning, the product stays. Alcohol is percent by volume, not a mass, and is ignored. Of two rows of one barcode the one that says more
//! counts.

use std::{collections::BTreeMap, iter, sync::Arc};

use super::{
    ImportError, Intent, Items, Needs,
    chosen::{Chosen, Ranks, key_of, rank_of},
    opening::Opening,
    reason::{Read, Reason, quoted},
    table::{Column, Parsed, Row, Table, Wanted, optional, required},
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

const COLUMNS: [Column; 12] = [
    required("barcode").or(&["code"]),
    required("name").or(&["product_name"]),
    optional("ingredients").or(&["ingredients_text"]),
    optional("fat_100g"),
    optional("saturated_fat_100g"),
    optional("carbohydrate_100g").or(&["carbohydrates_100g"]),
    optional("sugar_100g").or(&["sugars_100g"]),
    optional("fiber_100g"),
    optional("protein_100g").or(&["proteins_100g"]),
    optional("salt_100g"),
    optional("sodium_100g"),
    optional("brand").or(&["brands"]),
];
const PRODUCTS: Wanted = Wanted { columns: &COLUMNS, raw_tabs: true };

/// In the order of the columns.
const NUTRIENTS: [&str; 8] = ["fat", "saturated_fat", "carbohydrate", "sugar", "fiber", "protein", "salt", "sodium"];

/// Opens every product file of the folder, in the order of their names.
///
/// # Errors
/// Names the file or column that is missing.
pub fn open(opening: &mut Opening) -> Result<Items, ImportError> {
    let mut tables = opening.tables_if("products", PRODUCTS, is_of_products)?;
    tables.extend(opening.objects_if("products", PRODUCTS, is_of_products)?);
    if tables.is_empty() {
        return Err(opening.no_file("products"));
    }
    Ok(Box::new(iter::once_with(move || products(tables)).flatten()))
}

/// `products_us`, and `en.openfoodfacts.org.products`, as the source names its own.
fn is_of_products(stem: &str) -> bool {
    stem.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == "products")
}

fn products(tables: Vec<Table>) -> Items {
    let mut ranks = Ranks::default();
    for table in &tables {
        let noted = table.each(|_, row| row.into_iter().for_each(|row| ranks.note(rank(&row).0, rank(&row).1)));
        if let Err(error) = noted {
            return Box::new(iter::once(Err(error)));
        }
    }
    let chosen = Arc::new(ranks.choose());
    Box::new(tables.into_iter().flat_map(move |table| {
        let chosen = chosen.clone();
        table.into_items(move |row| product(row, &chosen))
    }))
}

fn rank(row: &Row<'_>) -> (u64, u64) {
    let texts = row.texts::<12>();
    (key_of(texts[0]), rank_of(&texts))
}

fn product(row: &Row<'_>, chosen: &Chosen) -> Parsed {
    let (key, rank) = rank(row);
    if !chosen.is(key, rank) {
        return Err(Reason::new("row_repeated", "another row of this barcode says something else, and counts")).into();
    }
    let mut warnings = Vec::new();
    let intent = details(row, &mut warnings).map(Some);
    Parsed { intent, needs: Needs::new(), warnings }
}

fn details(row: &Row<'_>, warnings: &mut Vec<Reason>) -> Read<Intent> {
    let [barcode, name, ingredients, rest @ ..] = row.texts::<12>();
    let [nutrients @ .., brand] = rest;
    let code = code(barcode)?;
    let id = ProductId::new(&format!("off:{barcode}")).map_err(|error| Reason::of("id_wrong", "barcode", barcode, error))?;
    let details = ProductDetails {
        name: text::plain_or_none(name).ok_or_else(|| Reason::new("name_missing", "the product has no name"))?,
        brand: text::plain_or_none(brand),
        category: None,
        content: None,
        sold_by_weight: false,
        organic: false,
        codes: vec![code],
        ingredients: text::plain_or_none(ingredients),
        nutrition: nutrition(nutrients.map(|text| row.number(text)), warnings),
    };
    Ok(Intent::Product(id, ProductCommand::Update(details)))
}

fn code(barcode: &str) -> Read<ProductCode> {
    match Gtin::parse(barcode) {
        Ok(gtin) => Ok(ProductCode::Gtin(gtin)),
        Err(CodeError::GtinStoreMade) => ProductCode::source(SOURCE, barcode).map_err(|error| wrong(barcode, &error)),
        Err(error) => Err(wrong(barcode, &error)),
    }
}

fn wrong(barcode: &str, error: &CodeError) -> Reason {
    Reason::of(error.code(), "barcode", barcode, error)
}

fn nutrition(texts: [std::borrow::Cow<'_, str>; 8], warnings: &mut Vec<Reason>) -> BTreeMap<String, i64> {
    let mut nutrition = BTreeMap::new();
    for (nutrient, text) in NUTRIENTS.into_iter().zip(texts).filter(|(_, text)| !text.is_empty()) {
        // Grams in millionths are micrograms.
        match text::millionths(&text) {
            Some((micrograms @ 0..=MICROGRAMS_MAX, _)) => drop(nutrition.insert(nutrient.to_owned(), micrograms)),
            Some(_) => warnings.push(Reason::new("nutrient_impossible", format!("{nutrient} of {text} g in 100 g cannot be"))),
            None => warnings.push(Reason::new("nutrient_wrong", format!("{nutrient} {} is not a number", quoted(&text)))),
        }
    }
    nutrition
}
