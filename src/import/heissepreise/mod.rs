//! heissepreise: `stores`, `products` and `prices` become stores, products and observed prices.
//!
//! A price is for the whole pack (`quantity` in `unit`), so it is per each with the pack's content next to it; what is sold
//! by weight can be bought in parts of that. A price is the shelf price from the first moment of its day, in UTC. Of two prices of one
//! day the lower one counts, and of two rows of one product the one that says more.

mod canonical;

use std::{collections::HashMap, iter, sync::Arc};

use super::{
    ImportError, Intent, Item, Items, Needs,
    chosen::{Chosen, Ranks, key_of, rank_of},
    opening::Opening,
    reason::{Read, Reason, quoted},
    table::{Parsed, Row, Table, Wanted, optional, required},
    text,
};
use crate::domain::{
    Currency, ProductId, StoreId, StreamId, Unit, UnitPrice,
    codes::ProductCode,
    product::{PriceKind, PriceSeen, ProductCommand, ProductDetails},
    store::{StoreCommand, StoreDetails},
};
use canonical::Canonical;

/// The name of this source in ids and observations.
pub const SOURCE: &str = "heissepreise";

const STORES: Wanted =
    Wanted { columns: &[required("store"), required("currency"), optional("name"), optional("country")], raw_tabs: false };
const PRODUCTS: Wanted = Wanted {
    columns: &[
        required("store"),
        required("product_id").or(&["id"]),
        required("name"),
        optional("category_code").or(&["category"]),
        optional("unit"),
        optional("quantity"),
        optional("is_weighted").or(&["isweighted"]),
        optional("is_organic").or(&["bio"]),
    ],
    raw_tabs: false,
};
const PRICES: Wanted = Wanted {
    columns: &[required("date"), required("store"), required("product_id").or(&["id"]), required("price_eur").or(&["price"])],
    raw_tabs: false,
};

/// Chain key → store; `None` if its row was refused.
type Stores = HashMap<String, Option<KnownStore>>;

/// A chain of `stores.csv`.
#[derive(Debug)]
struct KnownStore {
    id: StoreId,
    stream: Arc<StreamId>,
    currency: Currency,
}

/// Opens the files.
///
/// # Errors
/// Names the file or column that is missing.
pub fn open(opening: &mut Opening) -> Result<Items, ImportError> {
    let Files { stores, products, prices } = files(opening)?;
    let (stores, known) = read_stores(stores)?;
    let known = Arc::new(known);
    let products = later(products, known.clone(), |row| Some(product_rank(row)), product);
    let prices = later(prices, known, price_rank, price);
    Ok(Box::new(stores.into_iter().map(Ok).chain(products).chain(prices)))
}

/// The tables of the folder.
#[derive(Default)]
struct Files {
    stores: Vec<Table>,
    products: Vec<Table>,
    prices: Vec<Table>,
}

/// Tables as CSV, and those in the files that heissepreise publishes. Only these need no files of stores: all that they name are chains in EUR.
fn files(opening: &mut Opening) -> Result<Files, ImportError> {
    let published = opening.values_if("canonical", |stem| stem.starts_with("latest-canonical"))?;
    let mut files = Files {
        stores: opening.tables("stores", STORES)?,
        products: opening.tables("products", PRODUCTS)?,
        prices: opening.tables("prices", PRICES)?,
    };
    let has_stores = !files.stores.is_empty();
    let mut keys = std::collections::BTreeSet::new();
    for file in published {
        let Canonical { products, prices, stores } = Canonical::read(&file)?;
        let new: std::collections::BTreeSet<_> = stores.into_iter().filter(|key| keys.insert(key.clone())).collect();
        if !has_stores {
            files.stores.push(Table::of_ready(file.clone(), STORES, Canonical::store_rows(&new)));
        }
        files.products.push(Table::of_ready(file.clone(), PRODUCTS, products));
        files.prices.push(Table::of_ready(file, PRICES, prices));
    }
    let kinds = [("stores", &files.stores), ("products", &files.products), ("prices", &files.prices)];
    let missing = kinds.into_iter().find(|(_, tables)| tables.is_empty()).map(|(kind, _)| kind);
    missing.map_or(Ok(files), |kind| Err(opening.no_file(kind)))
}

/// What rows of one kind become, once it is known which of them count.
fn later(
    tables: Vec<Table>,
    stores: Arc<Stores>,
    rank: fn(&Row<'_>) -> Option<(u64, u64)>,
    parse: fn(&Row<'_>, &Stores, &Chosen) -> Parsed,
) -> impl Iterator<Item = Result<Item, ImportError>> + Send {
    iter::once_with(move || -> Items {
        match chosen(&tables, rank) {
            Ok(chosen) => {
                let chosen = Arc::new(chosen);
                Box::new(tables.into_iter().flat_map(move |table| {
                    let (stores, chosen) = (stores.clone(), chosen.clone());
                    table.into_items(move |row| parse(row, &stores, &chosen))
                }))
            }
            Err(error) => Box::new(iter::once(Err(error))),
        }
    })
    .flatten()
}

/// Reads the rows once to learn which of those about the same thing counts.
fn chosen(tables: &[Table], rank: fn(&Row<'_>) -> Option<(u64, u64)>) -> Result<Chosen, ImportError> {
    let mut ranks = Ranks::default();
    for table in tables {
        table.each(|_, row| {
            if let Some((key, rank)) = row.ok().and_then(|row| rank(&row)) {
                ranks.note(key, rank);
            }
        })?;
    }
    Ok(ranks.choose())
}

/// Reads the few stores at once: products and prices are checked against them.
fn read_stores(tables: Vec<Table>) -> Result<(Vec<Item>, Stores), ImportError> {
    let (mut known, mut items) = (Stores::new(), Vec::new());
    let chosen = chosen(&tables, |row| Some(store_rank(row)))?;
    for table in tables {
        let parsed = table.into_items(|row| {
            let (key, rank) = store_rank(row);
            if !chosen.is(key, rank) {
                return repeated("store").into();
            }
            let read = store(row);
            let kept = read.as_ref().ok().map(|(id, details)| KnownStore::of(id, details));
            known.insert(row.texts::<1>()[0].to_owned(), kept);
            read.map(|(id, details)| Intent::Store(id, StoreCommand::Update(details))).into()
        });
        items.extend(parsed.collect::<Result<Vec<_>, _>>()?);
    }
    Ok((items, known))
}

impl KnownStore {
    fn of(id: &StoreId, details: &StoreDetails) -> Self {
        let stream = Intent::Store(id.clone(), StoreCommand::Update(details.clone())).stream();
        Self { id: id.clone(), stream: Arc::new(stream), currency: details.currency }
    }
}

fn store(row: &Row<'_>) -> Read<(StoreId, StoreDetails)> {
    let [key, currency, name, country] = row.texts();
    let id = StoreId::new(&format!("{SOURCE}:{key}")).map_err(|error| Reason::of("id_wrong", "store", key, error))?;
    let currency = Currency::new(currency).map_err(|error| Reason::of("currency_unknown", "currency", currency, error))?;
    let name = text::plain_or_none(name).unwrap_or_else(|| key.to_owned());
    let country = text::plain_or_none(country);
    Ok((id, StoreDetails { name, currency, chain: None, country, time_zone: None }))
}

/// The row that says more counts; of two that say as much, always the same one.
fn store_rank(row: &Row<'_>) -> (u64, u64) {
    let texts = row.texts::<4>();
    (key_of(texts[0]), rank_of(&texts))
}

fn product_rank(row: &Row<'_>) -> (u64, u64) {
    let texts = row.texts::<8>();
    let [store, number, ..] = texts;
    (key_of((store, number)), rank_of(&texts))
}

fn product(row: &Row<'_>, stores: &Stores, chosen: &Chosen) -> Parsed {
    let mut warnings = Vec::new();
    let (key, rank) = product_rank(row);
    if !chosen.is(key, rank) {
        return repeated("product").into();
    }
    let (intent, needs) = with_store(stores, row.texts::<1>()[0], |_| details(row, &mut warnings));
    Parsed { intent, needs, warnings }
}

fn details(row: &Row<'_>, warnings: &mut Vec<Reason>) -> Read<Intent> {
    let [store, number, name, category, unit, quantity, is_weighted, is_organic] = row.texts();
    let name = text::plain_or_none(name).ok_or_else(|| Reason::new("name_missing", "the product has no name"))?;
    let content = text::content(&row.number(quantity), unit).unwrap_or_else(|reason| {
        warnings.push(reason);
        None
    });
    let code =
        ProductCode::source(SOURCE, &format!("{store}:{number}")).map_err(|error| Reason::of("id_wrong", "product_id", number, error));
    let details = ProductDetails {
        name,
        brand: None,
        category: text::plain_or_none(category),
        content,
        sold_by_weight: flag("is_weighted", is_weighted)?,
        organic: flag("is_organic", is_organic)?,
        codes: vec![code?],
        ingredients: None,
        nutrition: std::collections::BTreeMap::new(),
    };
    Ok(Intent::Product(product_id(store, number)?, ProductCommand::Update(details)))
}

/// Of the prices of one day the lowest counts: it is what a shopper could have paid.
fn price_rank(row: &Row<'_>) -> Option<(u64, u64)> {
    let [date, store, number, amount] = row.texts();
    let day = text::moment(date).ok()?;
    let price = amount_of(row, amount).ok()?;
    Some((key_of((day.0, store, number)), price.ten_thousandths().unsigned_abs()))
}

fn amount_of<'a>(row: &Row<'a>, amount: &'a str) -> Read<UnitPrice> {
    let wrong = |error: &dyn std::fmt::Display| Reason::of("price_wrong", "price", amount, error);
    let price = UnitPrice::parse(&row.number(amount), euro(), Unit::Each).map_err(|error| wrong(&error))?;
    price.validate_positive().map_err(|error| wrong(&error))?;
    Ok(price)
}

fn price(row: &Row<'_>, stores: &Stores, chosen: &Chosen) -> Parsed {
    if let Some((key, rank)) = price_rank(row)
        && !chosen.is(key, rank)
    {
        let said = Reason::new("other_price_that_day", format!("a lower price than {} was seen that day and counts", row.texts::<4>()[3]));
        return Parsed { intent: Ok(None), needs: Needs::new(), warnings: vec![said] };
    }
    let (intent, needs) = with_store(stores, row.texts::<2>()[1], |known| seen(row, known));
    Parsed { intent, needs, warnings: Vec::new() }
}

fn seen(row: &Row<'_>, known: &KnownStore) -> Read<Intent> {
    let [date, store, number, amount] = row.texts();
    if known.currency != euro() {
        let detail = format!("the price is in EUR, the store's currency is {}", known.currency.as_str());
        return Err(Reason::new("currency_differs", detail));
    }
    let price = amount_of(row, amount)?;
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

/// What a row of a store becomes; it is refused if its store was.
fn with_store(stores: &Stores, key: &str, read: impl FnOnce(&KnownStore) -> Read<Intent>) -> (Read<Option<Intent>>, Needs) {
    match stores.get(key) {
        Some(Some(known)) => (read(known).map(Some), iter::once(known.stream.clone()).collect()),
        Some(None) => (Err(Reason::new("store_refused", format!("store {} was refused, and its rows with it", quoted(key)))), Needs::new()),
        None => (Err(Reason::new("store_unknown", format!("store {} is not in the files of stores", quoted(key)))), Needs::new()),
    }
}

/// A row about something that another row of the source says better.
fn repeated(what: &str) -> Read<Intent> {
    Err(Reason::new("row_repeated", format!("another row of this {what} says something else, and counts")))
}

fn product_id(store: &str, number: &str) -> Read<ProductId> {
    if number.is_empty() {
        return Err(Reason::new("id_missing", "the row has no product_id"));
    }
    ProductId::new(&format!("{SOURCE}:{store}:{number}")).map_err(|error| Reason::of("id_wrong", "product_id", number, error))
}

fn flag(name: &str, text: &str) -> Read<bool> {
    match text {
        "1" | "true" => Ok(true),
        "" | "0" | "false" => Ok(false),
        other => Err(Reason::of("flag_wrong", name, other, "it must be 0 or 1")),
    }
}

fn euro() -> Currency {
    Currency::new("EUR").expect("this holds because the euro is a known currency")
}
