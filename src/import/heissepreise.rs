//! heissepreise: `stores.csv`, `products.csv`, `prices.csv` (each also gzipped) become stores, products and observed prices.
//!
//! A price is for the whole pack (`quantity` in `unit`), so it is per each with the pack's content next to it; what is sold
//! by weight can be bought in parts of that. A price is the shelf price from the first moment of its day, in UTC.

use std::{collections::HashMap, path::Path, sync::Arc};

use super::{
    ImportError, Intent, Item, Opened,
    table::{
        Column::{Optional, Required},
        Meter, Row, Table,
    },
    text,
};
use crate::domain::{
    Currency, ProductId, StoreId, Unit, UnitPrice,
    codes::ProductCode,
    product::{PriceKind, PriceSeen, ProductCommand, ProductDetails},
    store::{StoreCommand, StoreDetails},
};

/// The name of this source in ids and observations.
pub const SOURCE: &str = "heissepreise";

/// Chain key → store.
type Stores = Arc<HashMap<String, KnownStore>>;

/// A chain of `stores.csv`.
#[derive(Debug)]
struct KnownStore {
    id: StoreId,
    currency: Currency,
}

/// Opens the three files.
///
/// # Errors
/// Names the file or column that is missing.
pub fn open(folder: &Path) -> Result<Opened, ImportError> {
    let mut meter = Meter::default();
    let stores =
        Table::open(folder, "stores", &[Required("store"), Required("currency"), Optional("name"), Optional("country")], &mut meter)?;
    let products = Table::open(folder, "products", &PRODUCT_COLUMNS, &mut meter)?;
    let prices = Table::open(folder, "prices", &PRICE_COLUMNS, &mut meter)?;
    let (stores, known) = read_stores(stores)?;
    let known_too = known.clone();
    let items = stores
        .into_iter()
        .map(Ok)
        .chain(products.into_items(move |row, warnings| product(row, &known, warnings)))
        .chain(prices.into_items(move |row, _| price(row, &known_too)));
    Ok(Opened { items: Box::new(items), bytes_total: meter.bytes_total, bytes_read: meter.bytes_read })
}

/// Reads the few stores at once: products and prices are checked against them.
fn read_stores(table: Table) -> Result<(Vec<Item>, Stores), ImportError> {
    let mut known = HashMap::new();
    let items = table
        .into_items(|row, _| {
            let (key, store, command) = store(row)?;
            known.insert(key, store.clone());
            Ok(Intent::Store(store.0, command))
        })
        .collect::<Result<_, _>>()?;
    let known = known.into_iter().map(|(key, (id, currency))| (key, KnownStore { id, currency })).collect();
    Ok((items, Arc::new(known)))
}

fn store(row: &Row<'_>) -> Result<(String, (StoreId, Currency), StoreCommand), String> {
    let [key, currency, name, country] = row.texts();
    let id = StoreId::new(&format!("{SOURCE}:{key}")).map_err(|error| format!("store {key:?}: {error}"))?;
    let currency = Currency::new(currency).map_err(|error| error.to_string())?;
    let name = text::plain_or_none(name).unwrap_or_else(|| key.to_owned());
    let country = text::plain_or_none(country);
    let details = StoreDetails { name, currency, chain: None, country, time_zone: None };
    Ok((key.to_owned(), (id, currency), StoreCommand::Register(details)))
}

const PRODUCT_COLUMNS: [super::table::Column; 8] = [
    Required("store"),
    Required("product_id"),
    Required("name"),
    Optional("category_code"),
    Optional("unit"),
    Optional("quantity"),
    Optional("is_weighted"),
    Optional("is_organic"),
];

fn product(row: &Row<'_>, stores: &Stores, warnings: &mut Vec<String>) -> Result<Intent, String> {
    let [store, number, name, category, unit, quantity, is_weighted, is_organic] = row.texts();
    known(stores, store)?;
    let name = text::plain_or_none(name).ok_or("the product has no name")?;
    let content = text::content(quantity, unit).unwrap_or_else(|reason| {
        warnings.push(reason);
        None
    });
    let code = ProductCode::source(SOURCE, &format!("{store}:{number}")).map_err(|error| error.to_string())?;
    let details = ProductDetails {
        name,
        brand: None,
        category: text::plain_or_none(category),
        content,
        sold_by_weight: flag("is_weighted", is_weighted)?,
        organic: flag("is_organic", is_organic)?,
        codes: vec![code],
        ingredients: None,
        nutrition: std::collections::BTreeMap::new(),
    };
    Ok(Intent::Product(product_id(store, number)?, ProductCommand::Register(details)))
}

const PRICE_COLUMNS: [super::table::Column; 4] = [Required("date"), Required("store"), Required("product_id"), Required("price_eur")];

fn price(row: &Row<'_>, stores: &Stores) -> Result<Intent, String> {
    let [date, store, number, amount] = row.texts();
    let known = known(stores, store)?;
    let euro = Currency::new("EUR").expect("this holds because the euro is a known currency");
    if known.currency != euro {
        return Err(format!("the price is in EUR, the store's currency is {}", known.currency.as_str()));
    }
    let price = UnitPrice::parse(amount, euro, Unit::Each).map_err(|error| format!("price {amount:?}: {error}"))?;
    price.validate_positive().map_err(|error| format!("price {amount:?}: {error}"))?;
    let seen = PriceSeen {
        store: known.id.clone(),
        kind: PriceKind::Shelf,
        price,
        valid_from: None,
        valid_until: None,
        observed_at: text::moment(date)?,
        source: SOURCE.into(),
        evidence: None,
    };
    Ok(Intent::Product(product_id(store, number)?, ProductCommand::ObservePrice(seen)))
}

fn known<'a>(stores: &'a Stores, key: &str) -> Result<&'a KnownStore, String> {
    stores.get(key).ok_or_else(|| format!("store {key:?} is not in stores.csv"))
}

fn product_id(store: &str, number: &str) -> Result<ProductId, String> {
    if number.is_empty() {
        return Err("the row has no product_id".into());
    }
    ProductId::new(&format!("{SOURCE}:{store}:{number}")).map_err(|error| format!("product_id {number:?}: {error}"))
}

fn flag(name: &str, text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        other => Err(format!("{name} is {other:?}, it must be 0 or 1")),
    }
}
