//! The catalogue: products and stores, as far as prices, lists and answers need them. Their full details are in their streams.

use std::{collections::BTreeMap, sync::Arc};

use ahash::AHashMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    AsOf, Views,
    chunks::Chunks,
    differences::Row,
    interner::{Interner, NONE, Name, as_number},
};
use crate::domain::{
    Currency, ProductId, Quantity, StoreId, Unit,
    codes::{CodeIdentity, Gtin, ProductCode},
    product::{DetailsChange, ProductDetails, ProductEvent},
    store::{StoreDetails, StoreEvent},
};

/// Merges that are followed from one product to the next.
const MERGES_FOLLOWED_MAX: usize = 64;

/// Products by their number, stores by theirs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalog {
    products: Chunks<ProductRow>,
    stores: Vec<Option<StoreRow>>,
    /// Brands and categories: few, and shared by many products.
    labels: Interner<Arc<str>>,
    units: Vec<Unit>,
    /// GTIN text to product and the position of the link, in the order they were linked; a later link of the same GTIN wins.
    codes: Vec<(Arc<str>, u32, u64)>,
    /// Every code's identity and its product, in the order they were linked.
    holders: Vec<(CodeIdentity, u32)>,
    /// What products and stores were before they changed, each until the position of the change. Few ever change.
    former_products: BTreeMap<u32, Vec<(u64, ProductRow)>>,
    former_stores: BTreeMap<u32, Vec<(u64, StoreRow)>>,
    #[serde(skip)]
    by_code: AHashMap<Arc<str>, u32>,
    #[serde(skip)]
    holder_of: AHashMap<CodeIdentity, u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ProductRow {
    /// The position of its newest change; zero while only mentioned.
    since: u64,
    /// The position of its own first event; zero while only others name it, such as receipts.
    known_since: u64,
    name: Box<str>,
    brand: u32,
    category: u32,
    content_millionths: i64,
    /// `NONE` where the content is unknown.
    content_unit: u32,
    merged_into: u32,
    phase: Phase,
    sold_by_weight: bool,
    organic: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Phase {
    /// Only mentioned by a price or an order.
    Mentioned,
    Active,
    Discontinued,
    Merged,
}

impl Default for ProductRow {
    fn default() -> Self {
        Self {
            since: 0,
            known_since: 0,
            name: "".into(),
            brand: NONE,
            category: NONE,
            content_millionths: 0,
            content_unit: NONE,
            merged_into: NONE,
            phase: Phase::Mentioned,
            sold_by_weight: false,
            organic: false,
        }
    }
}

/// A store as a checkpoint can hold it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct StoreRow {
    /// The position of its newest change.
    since: u64,
    name: String,
    currency: Currency,
    chain: Option<String>,
    country: Option<String>,
    time_zone: Option<String>,
}

/// A product as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ProductEntry {
    pub id: ProductId,
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub brand: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub category: Option<Arc<str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content: Option<Quantity>,
    pub sold_by_weight: bool,
    pub organic: bool,
    pub discontinued: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged_into: Option<ProductId>,
}

/// A store as the catalogue knows it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StoreEntry {
    pub id: StoreId,
    #[serde(flatten)]
    pub details: StoreDetails,
}

impl Catalog {
    /// What a pack holds, and whether it is sold loose, as known at a position.
    #[must_use]
    pub fn content(&self, product: u32, known: u64) -> Option<(Quantity, bool)> {
        self.content_of(self.product_row(product, known)?)
    }

    fn content_of(&self, row: &ProductRow) -> Option<(Quantity, bool)> {
        let unit = self.units.get(row.content_unit as usize)?;
        Some((Quantity::from_millionths(row.content_millionths, unit.clone()), row.sold_by_weight))
    }

    /// The currency of a store that was registered at a position.
    #[must_use]
    pub fn currency(&self, store: u32, known: u64) -> Option<Currency> {
        self.store_row(store, known).map(|store| store.currency)
    }

    /// A product as it was known at a position.
    fn product_row(&self, product: u32, known: u64) -> Option<&ProductRow> {
        let row = self.products.get(product as usize)?;
        if row.since <= known { Some(row) } else { before(self.former_products.get(&product)?, known, |row| row.since) }
    }

    /// A store as it was known at a position.
    fn store_row(&self, store: u32, known: u64) -> Option<&StoreRow> {
        let row = self.stores.get(store as usize)?.as_ref()?;
        if row.since <= known { Some(row) } else { before(self.former_stores.get(&store)?, known, |row| row.since) }
    }

    /// Whether a product is one: what only receipts name is nowhere, neither in the catalogue nor with prices.
    #[must_use]
    pub fn is_known(&self, product: u32) -> bool {
        self.is_known_at(product, u64::MAX)
    }

    /// Whether a product was one at a position.
    #[must_use]
    pub fn is_known_at(&self, product: u32, known: u64) -> bool {
        self.products.get(product as usize).is_some_and(|row| (1..=known).contains(&row.known_since))
    }

    /// Records that a product has an event of its own; true for its first.
    pub(super) fn appears(&mut self, product: u32, position: u64) -> bool {
        let row = self.row(product);
        let is_first = row.known_since == 0;
        if is_first {
            row.known_since = position;
        }
        is_first
    }

    /// The number of a product's category, `NONE` if it has none.
    #[must_use]
    pub fn category(&self, product: u32) -> u32 {
        self.products.get(product as usize).map_or(NONE, |row| row.category)
    }

    /// The number of a category by its text.
    #[must_use]
    pub fn category_number(&self, text: &str) -> Option<u32> {
        self.labels.get(text)
    }

    /// A brand or category by its number.
    #[must_use]
    pub fn label(&self, number: u32) -> Option<&Arc<str>> {
        self.labels.name(number)
    }

    /// Records what happened to a product; true when what totals need of it (its content) may have changed.
    /// `merged_into` is the number of the product it was merged into.
    pub(super) fn product_event(&mut self, product: u32, event: &ProductEvent, merged_into: u32, position: u64) -> bool {
        match event {
            ProductEvent::Registered(_) | ProductEvent::DetailsChanged(_) | ProductEvent::Discontinued {} | ProductEvent::Merged { .. } => {
                self.product_changes(product, position);
            }
            ProductEvent::CodeLinked { .. }
            | ProductEvent::PriceObserved { .. }
            | ProductEvent::PriceWithdrawn { .. }
            | ProductEvent::OfferAnnounced { .. }
            | ProductEvent::OfferEnded { .. }
            | ProductEvent::StockReported { .. } => {}
        }
        match event {
            ProductEvent::Registered(details) => self.register(product, details, position),
            ProductEvent::DetailsChanged(change) => return self.change_details(product, change),
            ProductEvent::CodeLinked { code } => {
                self.link(product, code, position);
                return false;
            }
            ProductEvent::Discontinued {} => self.row(product).phase = Phase::Discontinued,
            ProductEvent::Merged { .. } => {
                let row = self.row(product);
                row.phase = Phase::Merged;
                row.merged_into = merged_into;
            }
            ProductEvent::PriceObserved { .. }
            | ProductEvent::PriceWithdrawn { .. }
            | ProductEvent::OfferAnnounced { .. }
            | ProductEvent::OfferEnded { .. }
            | ProductEvent::StockReported { .. } => return false,
        }
        true
    }

    /// True when what totals need of the product may have changed.
    fn change_details(&mut self, product: u32, change: &DetailsChange) -> bool {
        let DetailsChange { name, brand, category, content, sold_by_weight, organic, .. } = change;
        if let Some(brand) = brand {
            self.row(product).brand = self.label_number(Some(brand));
        }
        if let Some(category) = category {
            self.row(product).category = self.label_number(Some(category));
        }
        if content.is_some() {
            self.set_content(product, content.as_ref());
        }
        let row = self.row(product);
        if let Some(name) = name {
            row.name = name.as_str().into();
        }
        row.sold_by_weight = sold_by_weight.unwrap_or(row.sold_by_weight);
        row.organic = organic.unwrap_or(row.organic);
        content.is_some() || sold_by_weight.is_some()
    }

    /// Records what happened to a store.
    pub(super) fn store_event(&mut self, store: u32, event: &StoreEvent, position: u64) {
        let index = store as usize;
        if index >= self.stores.len() {
            self.stores.resize_with(index + 1, || None);
        }
        if !matches!(event, StoreEvent::AisleOrderLearned { .. })
            && let Some(row) = &mut self.stores[index]
        {
            self.former_stores.entry(store).or_default().push((position, row.clone()));
            row.since = position;
        }
        match event {
            StoreEvent::Registered(details) => self.stores[index] = Some(StoreRow::of(details, position)),
            StoreEvent::DetailsChanged { name, chain, country, time_zone, .. } => {
                let Some(row) = &mut self.stores[index] else { return };
                if let Some(name) = name {
                    row.name.clone_from(name);
                }
                for (known, said) in [(&mut row.chain, chain), (&mut row.country, country), (&mut row.time_zone, time_zone)] {
                    if let Some(text) = said {
                        *known = cleared(text);
                    }
                }
            }
            StoreEvent::AisleOrderLearned { .. } => {}
        }
    }

    /// Rebuilds what a checkpoint leaves out.
    pub(super) fn rebuild(&mut self) {
        self.by_code = self.codes.iter().map(|(code, product, _)| (Arc::clone(code), *product)).collect();
        self.holder_of = self.holders.iter().copied().collect();
    }

    /// Keeps a product's former state, valid until the position of a change.
    fn product_changes(&mut self, product: u32, position: u64) {
        let row = self.row(product);
        let former = (row.since > 0).then(|| row.clone());
        row.since = position;
        if let Some(former) = former {
            self.former_products.entry(product).or_default().push((position, former));
        }
    }

    fn register(&mut self, product: u32, details: &ProductDetails, position: u64) {
        let brand = self.label_number(details.brand.as_ref());
        let category = self.label_number(details.category.as_ref());
        let row = self.row(product);
        row.name = details.name.as_str().into();
        (row.brand, row.category) = (brand, category);
        (row.sold_by_weight, row.organic) = (details.sold_by_weight, details.organic);
        row.phase = Phase::Active;
        self.set_content(product, details.content.as_ref());
        details.codes.iter().for_each(|code| self.link(product, code, position));
    }

    fn set_content(&mut self, product: u32, content: Option<&Quantity>) {
        let unit = content.map_or(NONE, |content| self.unit_number(content.unit()));
        let row = self.row(product);
        row.content_unit = unit;
        row.content_millionths = content.map_or(0, Quantity::millionths);
    }

    fn link(&mut self, product: u32, code: &ProductCode, position: u64) {
        self.holders.push((code.identity(), product));
        self.holder_of.insert(code.identity(), product);
        if let ProductCode::Gtin(gtin) = code {
            let code: Arc<str> = gtin.to_string().into();
            self.codes.push((code.clone(), product, position));
            self.by_code.insert(code, product);
        }
    }

    fn row(&mut self, product: u32) -> &mut ProductRow {
        self.products.place(product as usize)
    }

    /// An empty text clears a label.
    fn label_number(&mut self, text: Option<&String>) -> u32 {
        text.filter(|text| !text.is_empty()).map_or(NONE, |text| self.labels.intern(text, || Arc::from(text.as_str())))
    }

    fn unit_number(&mut self, unit: &Unit) -> u32 {
        let found = self.units.iter().position(|known| known == unit);
        as_number(found.unwrap_or_else(|| {
            self.units.push(unit.clone());
            self.units.len() - 1
        }))
    }
}

impl AsOf<'_> {
    /// A registered product.
    #[must_use]
    pub fn product(&self, id: &ProductId) -> Option<ProductEntry> {
        self.product_entry(self.product_number(id)?)
    }

    /// Whether a product is registered: like `product`, but without a copy.
    #[must_use]
    pub fn is_registered(&self, id: &ProductId) -> bool {
        let row = self.product_number(id).and_then(|product| self.views.catalog.product_row(product, self.known));
        row.is_some_and(|row| row.phase != Phase::Mentioned)
    }

    /// The product of a GTIN of any length with its check digit.
    #[must_use]
    pub fn product_by_gtin(&self, gtin: Gtin) -> Option<ProductId> {
        let (catalog, text) = (&self.views.catalog, gtin.to_string());
        let product = if self.is_now() {
            *catalog.by_code.get(text.as_str())?
        } else {
            catalog.codes.iter().rev().find(|(code, _, linked)| *linked <= self.known && **code == *text)?.1
        };
        self.views.ids.products.name(self.merged(product)).cloned()
    }

    /// The product that has a code. What another product was merged into has its codes.
    #[must_use]
    pub fn holder(&self, code: CodeIdentity) -> Option<&ProductId> {
        let product = *self.views.catalog.holder_of.get(&code)?;
        self.views.ids.products.name(self.merged(product))
    }

    /// What a product was merged into, over as many steps as it takes.
    fn merged(&self, product: u32) -> u32 {
        let into =
            |product: &u32| self.views.catalog.product_row(*product, self.known).map(|row| row.merged_into).filter(|into| *into != NONE);
        // Two products may have been merged into each other: then one of them stands for both.
        std::iter::successors(Some(product), into).take(MERGES_FOLLOWED_MAX).last().unwrap_or(product)
    }

    /// Registered products in order of their first appearance in the log, after `after`.
    #[must_use]
    pub fn products(&self, after: Option<&ProductId>, limit: usize) -> Vec<ProductEntry> {
        let Some(start) = start_after(&self.views.ids.products, after.map(ProductId::as_str)) else { return Vec::new() };
        (start..as_number(self.views.catalog.products.len())).filter_map(|product| self.product_entry(product)).take(limit).collect()
    }

    /// A registered store.
    #[must_use]
    pub fn store(&self, id: &StoreId) -> Option<StoreEntry> {
        self.store_entry(self.store_number(id)?)
    }

    /// Registered stores in order of their first appearance in the log, after `after`.
    #[must_use]
    pub fn stores(&self, after: Option<&StoreId>, limit: usize) -> Vec<StoreEntry> {
        let Some(start) = start_after(&self.views.ids.stores, after.map(StoreId::as_str)) else { return Vec::new() };
        (start..as_number(self.views.catalog.stores.len())).filter_map(|store| self.store_entry(store)).take(limit).collect()
    }

    fn product_entry(&self, product: u32) -> Option<ProductEntry> {
        let (ids, catalog) = (&self.views.ids, &self.views.catalog);
        let row = catalog.product_row(product, self.known).filter(|row| row.phase != Phase::Mentioned)?;
        Some(ProductEntry {
            id: ids.products.name(product)?.clone(),
            name: row.name.to_string(),
            brand: catalog.label(row.brand).cloned(),
            category: catalog.label(row.category).cloned(),
            content: catalog.content_of(row).map(|(content, _)| content),
            sold_by_weight: row.sold_by_weight,
            organic: row.organic,
            discontinued: row.phase == Phase::Discontinued,
            merged_into: ids.products.name(row.merged_into).cloned(),
        })
    }

    fn store_entry(&self, store: u32) -> Option<StoreEntry> {
        let row = self.views.catalog.store_row(store, self.known)?;
        Some(StoreEntry { id: self.views.ids.stores.name(store)?.clone(), details: row.into() })
    }
}

impl Views {
    /// Everything the catalogue keeps, as text, by stream.
    pub(super) fn catalog_rows(&self) -> impl Iterator<Item = Row> {
        let product_name = |product: u32| self.ids.products.name(product).map(|id| format!("product/{id}"));
        let products = (0..as_number(self.catalog.products.len())).filter_map(move |product| {
            let row = self.catalog.products.get(product as usize).filter(|row| row.phase != Phase::Mentioned)?;
            let former = self.catalog.former_products.get(&product);
            Some((product_name(product)?, format!("{:?} {} {:?} {former:?}", row.phase, row.since, self.now().product_entry(product))))
        });
        let codes = self
            .catalog
            .codes
            .iter()
            .filter_map(move |(code, product, since)| Some((product_name(*product)?, format!("code {code} since {since}"))));
        let stores = (0..as_number(self.catalog.stores.len())).filter_map(|store| {
            let (entry, former) = (self.now().store_entry(store)?, self.catalog.former_stores.get(&store));
            let since = self.catalog.stores.get(store as usize)?.as_ref().map(|row| row.since);
            Some((format!("store/{}", entry.id), format!("{since:?} {entry:?} {former:?}")))
        });
        products.chain(codes).chain(stores)
    }

    /// A registered product.
    #[must_use]
    pub fn product(&self, id: &ProductId) -> Option<ProductEntry> {
        self.now().product(id)
    }

    /// Whether a product is registered: like `product`, but without a copy.
    #[must_use]
    pub fn is_registered(&self, id: &ProductId) -> bool {
        self.now().is_registered(id)
    }

    /// A registered store.
    #[must_use]
    pub fn store(&self, id: &StoreId) -> Option<StoreEntry> {
        self.now().store(id)
    }
}

/// Where a page begins: after a known name. Nothing follows an unknown one.
pub(super) fn start_after<T: Name>(names: &Interner<T>, after: Option<&str>) -> Option<u32> {
    after.map_or(Some(0), |after| names.get(after).map(|number| number + 1))
}

/// The one of the former states that was in force at a position.
fn before<T>(former: &[(u64, T)], known: u64, since: impl Fn(&T) -> u64) -> Option<&T> {
    let index = former.partition_point(|(until, _)| *until <= known);
    former.get(index).map(|(_, row)| row).filter(|row| since(row) <= known)
}

fn cleared(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

impl StoreRow {
    fn of(details: &StoreDetails, since: u64) -> Self {
        let StoreDetails { name, currency, chain, country, time_zone } = details.clone();
        Self { since, name, currency, chain, country, time_zone }
    }
}

impl From<&StoreRow> for StoreDetails {
    fn from(row: &StoreRow) -> Self {
        let StoreRow { since: _, name, currency, chain, country, time_zone } = row.clone();
        Self { name, currency, chain, country, time_zone }
    }
}
