//! One line of a list: what it costs at every store that has a price for its product.

use std::collections::BTreeMap;

use super::{PriceLookup, STORES_SHOWN_MAX};
use crate::domain::{Content, Currency, Moment, ProductId, Quantity, StoreId, line_total, list::Item};

/// A line with its amounts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub product: Option<ProductId>,
    pub checked: bool,
    /// When a price of it begins or ends by time alone.
    pub next_change: Option<Moment>,
    /// Sorted by store.
    pub amounts: Vec<(StoreId, Amount)>,
}

/// Which stores a line keeps amounts for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    /// The list's own store, and the one asked about.
    pub named: [Option<&'a StoreId>; 2],
    /// Those the household compares. If there are any, no others are kept next to the named ones.
    pub compared: &'a BTreeMap<StoreId, Option<Currency>>,
}

impl Kept<'_> {
    fn always(&self, store: &StoreId) -> bool {
        self.named.contains(&Some(store)) || self.compared.contains_key(store)
    }

    /// How many unnamed stores are kept.
    fn others_max(&self) -> usize {
        if self.compared.is_empty() { STORES_SHOWN_MAX } else { 0 }
    }
}

/// What a line costs at one store. Small, because there is one per line and store; the price used is looked up again to explain it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Amount {
    Priced { minor: i64, savings: i64, currency: Currency, observed_at: Moment },
    UnitMismatch { currency: Currency },
}

impl Amount {
    pub fn currency(&self) -> Currency {
        match self {
            Self::Priced { currency, .. } | Self::UnitMismatch { currency } => *currency,
        }
    }
}

impl Line {
    /// The line of an item, with the stores to keep that have a usable price.
    pub fn of(item: &Item, kept: Kept<'_>, prices: &dyn PriceLookup, at: Moment) -> Self {
        let mut line = Self { product: item.product.clone(), checked: item.checked.is_some(), next_change: None, amounts: Vec::new() };
        let Some(product) = &item.product else { return line };
        line.next_change = prices.next_change(product, at);
        let content = prices.content(product);
        for store in prices.stores_of(product) {
            if (line.amounts.len() < kept.others_max() || kept.always(&store))
                && let Some(amount) = amount(product, &item.quantity, content.as_ref(), &store, prices, at)
            {
                line.amounts.push((store, amount));
            }
        }
        line
    }

    /// Recomputes one store. Only for lines with fewer stores than the limit: on a full line it may change which are shown.
    pub fn update_store(&mut self, item: &Item, store: &StoreId, kept: Kept<'_>, prices: &dyn PriceLookup, at: Moment) {
        let Some(product) = self.product.as_ref().filter(|_| kept.others_max() > 0 || kept.always(store)) else { return };
        let content = prices.content(product);
        let amount = amount(product, &item.quantity, content.as_ref(), store, prices, at);
        match (self.place(store), amount) {
            (Ok(place), Some(amount)) => self.amounts[place].1 = amount,
            (Ok(place), None) => drop(self.amounts.remove(place)),
            (Err(place), Some(amount)) => self.amounts.insert(place, (store.clone(), amount)),
            (Err(_), None) => {}
        }
    }

    pub fn at(&self, store: &StoreId) -> Option<&Amount> {
        self.place(store).ok().map(|place| &self.amounts[place].1)
    }

    fn place(&self, store: &StoreId) -> Result<usize, usize> {
        self.amounts.binary_search_by(|(known, _)| known.cmp(store))
    }
}

/// What a quantity costs at a store; `None` if there is no usable price.
fn amount(
    product: &ProductId,
    quantity: &Quantity,
    content: Option<&(Quantity, bool)>,
    store: &StoreId,
    prices: &dyn PriceLookup,
    at: Moment,
) -> Option<Amount> {
    let used = prices.best(product, store, at)?;
    let currency = used.price.currency();
    let content = content.map(|(quantity, sold_by_weight)| Content { quantity, sold_by_weight: *sold_by_weight });
    let Ok(total) = line_total(&used.price, quantity, content) else { return Some(Amount::UnitMismatch { currency }) };
    let reference = used.reference.as_ref().and_then(|reference| line_total(reference, quantity, content).ok());
    let savings = reference.filter(|reference| reference.currency() == currency).map_or(0, |reference| reference.minor() - total.minor());
    Some(Amount::Priced { minor: total.minor(), savings, currency, observed_at: used.observed_at })
}
