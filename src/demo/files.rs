//! Reads the demo's own small tables, which are part of the program. A test reads every row, so no row can be wrong here.

use std::{collections::BTreeMap, str::FromStr};

use serde::{Deserialize, de::DeserializeOwned};

use super::ID_PREFIX;
use crate::{
    domain::{
        Currency, ItemId, Moment, ProductId, Quantity, StoreId, Unit, UnitPrice,
        moment::DAY_MICROS,
        product::{PriceKind, PriceSeen, ProductCommand, ProductDetails},
        store::{StoreCommand, StoreDetails},
    },
    import::Intent,
};

/// Prices are observed in the morning.
const MORNING_MICROS: i64 = 6 * 3_600 * 1_000_000;
const SOURCE: &str = "demo";

/// A price of the demo, in force from a moment on.
pub(super) struct Priced {
    pub product: ProductId,
    pub store: StoreId,
    pub from: Moment,
    pub price: UnitPrice,
}

impl Priced {
    pub(super) fn intent(&self) -> Intent {
        let seen = seen(self.store.clone(), PriceKind::Shelf, self.price.clone(), self.from);
        Intent::Product(self.product.clone(), ProductCommand::ObservePrice(seen))
    }
}

/// One item of a demo list.
pub(super) struct ListItem {
    pub item: ItemId,
    pub name: String,
    pub product: Option<ProductId>,
    pub quantity: Quantity,
    pub note: Option<String>,
    pub checked: bool,
}

#[derive(Deserialize)]
struct StoreRow {
    key: String,
    name: String,
    chain: Option<String>,
    country: String,
    time_zone: String,
}

#[derive(Deserialize)]
struct ProductRow {
    key: String,
    name: String,
    brand: Option<String>,
    category: String,
    amount: Option<String>,
    unit: Option<String>,
    per: String,
    organic: u8,
}

#[derive(Deserialize)]
struct PriceRow {
    product: String,
    store: String,
    /// `days ago:price`, oldest first.
    history: String,
}

#[derive(Deserialize)]
struct PromotionRow {
    product: String,
    store: String,
    kind: PriceKind,
    days_ago: i64,
    price: String,
    valid_days: i64,
}

#[derive(Deserialize)]
struct ListRow {
    key: String,
    name: String,
    store: String,
}

#[derive(Deserialize, Clone)]
struct ItemRow {
    list: String,
    key: String,
    name: String,
    product: Option<String>,
    amount: String,
    unit: String,
    note: Option<String>,
    checked: Option<String>,
}

pub(super) fn stores() -> impl Iterator<Item = Intent> {
    rows::<StoreRow>(include_str!("stores.csv")).map(|row| {
        let StoreRow { key, name, chain, country, time_zone } = row;
        let details = StoreDetails { name, currency: euro(), chain, country: Some(country), time_zone: Some(time_zone) };
        Intent::Store(id(&key, StoreId::new), StoreCommand::Register(details))
    })
}

pub(super) fn store_ids() -> impl Iterator<Item = StoreId> {
    rows::<StoreRow>(include_str!("stores.csv")).map(|row| id(&row.key, StoreId::new))
}

pub(super) fn products() -> impl Iterator<Item = Intent> {
    rows::<ProductRow>(include_str!("products.csv")).map(|row| {
        let content = row.amount.zip(row.unit).map(|(amount, unit)| quantity(&amount, &unit));
        let details = ProductDetails {
            name: row.name,
            brand: row.brand,
            category: Some(row.category),
            content,
            sold_by_weight: row.per == "kg",
            organic: row.organic == 1,
            codes: Vec::new(),
            ingredients: None,
            nutrition: BTreeMap::new(),
        };
        Intent::Product(id(&row.key, ProductId::new), ProductCommand::Register(details))
    })
}

/// The whole price history, in the order of time.
pub(super) fn prices(today: Moment) -> Vec<Priced> {
    let per = units();
    let mut prices: Vec<_> = rows::<PriceRow>(include_str!("prices.csv"))
        .flat_map(|row| {
            let per = per[&row.product].clone();
            let (product, store) = (id(&row.product, ProductId::new), id(&row.store, StoreId::new));
            let points: Vec<_> = row.history.split(' ').filter_map(|point| point.split_once(':')).map(own_pair).collect();
            points.into_iter().map(move |(days_ago, amount)| Priced {
                product: product.clone(),
                store: store.clone(),
                from: morning(today, parsed(&days_ago)),
                price: unit_price(&amount, per.clone()),
            })
        })
        .collect();
    prices.sort_by_key(|priced| priced.from);
    prices
}

pub(super) fn promotions(today: Moment) -> impl Iterator<Item = Intent> {
    let per = units();
    rows::<PromotionRow>(include_str!("promotions.csv")).map(move |row| {
        let from = morning(today, row.days_ago);
        let price = unit_price(&row.price, per[&row.product].clone());
        let mut seen = seen(id(&row.store, StoreId::new), row.kind, price, from);
        seen.valid_from = Some(from);
        seen.valid_until = Some(Moment(from.0 + row.valid_days * DAY_MICROS));
        Intent::Product(id(&row.product, ProductId::new), ProductCommand::ObservePrice(seen))
    })
}

pub(super) fn lists() -> impl Iterator<Item = Intent> {
    let items: Vec<ItemRow> = rows(include_str!("items.csv")).collect();
    rows::<ListRow>(include_str!("lists.csv")).flat_map(move |list| {
        let items: Vec<_> = items.iter().filter(|item| item.list == list.key).cloned().map(list_item).collect();
        super::list(&list.key, &list.name, id(&list.store, StoreId::new), items.into_iter())
    })
}

fn list_item(row: ItemRow) -> ListItem {
    ListItem {
        item: id(&row.key, ItemId::new),
        name: row.name,
        product: row.product.map(|key| id(&key, ProductId::new)),
        quantity: quantity(&row.amount, &row.unit),
        note: row.note,
        checked: row.checked.is_some(),
    }
}

/// What each product's price is per, by its key.
fn units() -> BTreeMap<String, Unit> {
    rows::<ProductRow>(include_str!("products.csv")).map(|row| (row.key, Unit::parse(&row.per))).collect()
}

/// The contents of products that are sold in packs.
pub(super) fn contents() -> BTreeMap<ProductId, Quantity> {
    let content = |row: ProductRow| Some((id(&row.key, ProductId::new), quantity(&row.amount?, &row.unit?)));
    rows::<ProductRow>(include_str!("products.csv")).filter_map(content).collect()
}

fn seen(store: StoreId, kind: PriceKind, price: UnitPrice, observed_at: Moment) -> PriceSeen {
    PriceSeen { store, kind, price, valid_from: None, valid_until: None, observed_at, source: SOURCE.into(), evidence: None }
}

fn morning(today: Moment, days_ago: i64) -> Moment {
    Moment(today.days_before(days_ago).0 + MORNING_MICROS)
}

pub(super) fn euro() -> Currency {
    Currency::new("EUR").expect("this holds because the euro is a known currency")
}

/// An id of the demo from a key of its tables.
pub(super) fn id<T, E: std::fmt::Debug>(key: &str, make: impl Fn(&str) -> Result<T, E>) -> T {
    make(&format!("{ID_PREFIX}{key}")).expect("this holds because a test reads every key")
}

pub(super) fn quantity(amount: &str, unit: &str) -> Quantity {
    Quantity::parse(amount, Unit::parse(unit)).expect("this holds because a test reads every quantity")
}

fn unit_price(amount: &str, per: Unit) -> UnitPrice {
    UnitPrice::parse(amount, euro(), per).expect("this holds because a test reads every price")
}

pub(super) fn parsed<T: FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    text.parse().expect("this holds because a test reads every number")
}

pub(super) fn rows<T: DeserializeOwned>(text: &'static str) -> impl Iterator<Item = T> {
    csv::Reader::from_reader(text.as_bytes()).into_deserialize().map(|row| row.expect("this holds because a test reads every row"))
}

fn own_pair((left, right): (&str, &str)) -> (String, String) {
    (left.to_owned(), right.to_owned())
}
