//! The catalogue: what products and stores are, as far as prices, lists and answers need it. Their full details are in their streams.

use std::sync::Arc;

use ahash::AHashMap;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Views,
    chunks::Chunks,
    interner::{Interner, NONE, Name, as_number},
};
use crate::domain::{
    Currency, ProductId, Quantity, StoreId, Unit,
    codes::{Gtin, ProductCode},
    product::{ProductDetails, ProductEvent},
    store::{StoreDetails, StoreEvent},
};

/// Products by their number, stores by theirs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Catalog {
    products: Chunks<ProductRow>,
    stores: Vec<Option<StoreRow>>,
    /// Brands and categories: few, and repeated by many products.
    labels: Interner<Arc<str>>,
    units: Vec<Unit>,
    /// GTIN text to product, in the order they were linked; a later link of the same GTIN wins.
    codes: Vec<(Arc<str>, u32)>,
    #[serde(skip)]
    by_code: AHashMap<Arc<str>, u32>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct ProductRow {
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
    /// Only mentioned, by a price or an order.
    Mentioned,
    Active,
    Discontinued,
    Merged,
}

impl Default for ProductRow {
    fn default() -> Self {
        Self {
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
    /// What a pack holds, and whether it is sold loose.
    #[must_use]
    pub fn content(&self, product: u32) -> Option<(Quantity, bool)> {
        let row = self.products.get(product as usize)?;
        let unit = self.units.get(row.content_unit as usize)?;
        Some((Quantity::from_millionths(row.content_millionths, unit.clone()), row.sold_by_weight))
    }

    /// The currency of a registered store.
    #[must_use]
    pub fn currency(&self, store: u32) -> Option<Currency> {
        self.stores.get(store as usize)?.as_ref().map(|store| store.currency)
    }

    /// The number of a product's category, `NONE` where it has none.
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
    pub(super) fn product_event(&mut self, product: u32, event: &ProductEvent, merged_into: u32) -> bool {
        match event {
            ProductEvent::Registered(details) => self.register(product, details),
            ProductEvent::DetailsChanged { name, brand, category, content, sold_by_weight } => {
                if let Some(brand) = brand {
                    self.row(product).brand = self.label_number(Some(brand));
                }
                if let Some(category) = category {
                    self.row(product).category = self.label_number(Some(category));
                }
                if let Some(name) = name {
                    self.row(product).name = name.as_str().into();
                }
                if content.is_some() {
                    self.set_content(product, content.as_ref());
                }
                if let Some(sold_by_weight) = sold_by_weight {
                    self.row(product).sold_by_weight = *sold_by_weight;
                }
                return content.is_some() || sold_by_weight.is_some();
            }
            ProductEvent::CodeLinked { code } => {
                self.link(product, code);
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

    /// Records what happened to a store.
    pub(super) fn store_event(&mut self, store: u32, event: &StoreEvent) {
        let index = store as usize;
        if index >= self.stores.len() {
            self.stores.resize_with(index + 1, || None);
        }
        match event {
            StoreEvent::Registered(details) => self.stores[index] = Some(details.into()),
            StoreEvent::DetailsChanged { name, chain, country, time_zone } => {
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
        self.by_code = self.codes.iter().cloned().collect();
    }

    fn register(&mut self, product: u32, details: &ProductDetails) {
        let brand = self.label_number(details.brand.as_ref());
        let category = self.label_number(details.category.as_ref());
        let row = self.row(product);
        row.name = details.name.as_str().into();
        (row.brand, row.category) = (brand, category);
        (row.sold_by_weight, row.organic) = (details.sold_by_weight, details.organic);
        row.phase = Phase::Active;
        self.set_content(product, details.content.as_ref());
        details.codes.iter().for_each(|code| self.link(product, code));
    }

    fn set_content(&mut self, product: u32, content: Option<&Quantity>) {
        let unit = content.map_or(NONE, |content| self.unit_number(content.unit()));
        let row = self.row(product);
        row.content_unit = unit;
        row.content_millionths = content.map_or(0, Quantity::millionths);
    }

    fn link(&mut self, product: u32, code: &ProductCode) {
        if let ProductCode::Gtin(gtin) = code {
            let code: Arc<str> = gtin.to_string().into();
            self.codes.push((code.clone(), product));
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

impl Views {
    /// A registered product.
    #[must_use]
    pub fn product(&self, id: &ProductId) -> Option<ProductEntry> {
        self.product_entry(self.ids.products.get(id.as_str())?)
    }

    /// Whether a product is registered: as `product`, but without copying what it is.
    #[must_use]
    pub fn is_registered(&self, id: &ProductId) -> bool {
        let row = self.ids.products.get(id.as_str()).and_then(|product| self.catalog.products.get(product as usize));
        row.is_some_and(|row| row.phase != Phase::Mentioned)
    }

    /// The product of a GTIN of any length with its check digit.
    #[must_use]
    pub fn product_by_gtin(&self, gtin: Gtin) -> Option<ProductId> {
        let product = *self.catalog.by_code.get(gtin.to_string().as_str())?;
        self.ids.products.name(product).cloned()
    }

    /// Registered products in order of their first appearance in the log, behind `after`.
    #[must_use]
    pub fn products(&self, after: Option<&ProductId>, limit: usize) -> Vec<ProductEntry> {
        let Some(start) = start_after(&self.ids.products, after.map(ProductId::as_str)) else { return Vec::new() };
        (start..as_number(self.catalog.products.len())).filter_map(|product| self.product_entry(product)).take(limit).collect()
    }

    /// A registered store.
    #[must_use]
    pub fn store(&self, id: &StoreId) -> Option<StoreEntry> {
        self.store_entry(self.ids.stores.get(id.as_str())?)
    }

    /// Registered stores in order of their first appearance in the log, behind `after`.
    #[must_use]
    pub fn stores(&self, after: Option<&StoreId>, limit: usize) -> Vec<StoreEntry> {
        let Some(start) = start_after(&self.ids.stores, after.map(StoreId::as_str)) else { return Vec::new() };
        (start..as_number(self.catalog.stores.len())).filter_map(|store| self.store_entry(store)).take(limit).collect()
    }

    fn product_entry(&self, product: u32) -> Option<ProductEntry> {
        let row = self.catalog.products.get(product as usize).filter(|row| row.phase != Phase::Mentioned)?;
        Some(ProductEntry {
            id: self.ids.products.name(product)?.clone(),
            name: row.name.to_string(),
            brand: self.catalog.label(row.brand).cloned(),
            category: self.catalog.label(row.category).cloned(),
            content: self.catalog.content(product).map(|(content, _)| content),
            sold_by_weight: row.sold_by_weight,
            organic: row.organic,
            discontinued: row.phase == Phase::Discontinued,
            merged_into: self.ids.products.name(row.merged_into).cloned(),
        })
    }

    fn store_entry(&self, store: u32) -> Option<StoreEntry> {
        let row = self.catalog.stores.get(store as usize)?.as_ref()?;
        Some(StoreEntry { id: self.ids.stores.name(store)?.clone(), details: row.into() })
    }
}

/// Where a page begins: behind a known name. An unknown one has nothing behind it.
pub(super) fn start_after<T: Name>(names: &Interner<T>, after: Option<&str>) -> Option<u32> {
    after.map_or(Some(0), |after| names.get(after).map(|number| number + 1))
}

fn cleared(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_string())
}

impl From<&StoreDetails> for StoreRow {
    fn from(details: &StoreDetails) -> Self {
        let StoreDetails { name, currency, chain, country, time_zone } = details.clone();
        Self { name, currency, chain, country, time_zone }
    }
}

impl From<&StoreRow> for StoreDetails {
    fn from(row: &StoreRow) -> Self {
        let StoreRow { name, currency, chain, country, time_zone } = row.clone();
        Self { name, currency, chain, country, time_zone }
    }
}
