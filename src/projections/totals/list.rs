//! The totals of one list, kept by its owner. Whichever way they were reached, they equal what `build` computes from scratch.

use std::collections::{BTreeMap, BTreeSet};

use ahash::AHashMap;
use smallvec::SmallVec;

use super::{
    ExplainedLine, PriceLookup, STORES_SHOWN_MAX, StoreTotal, TotalsView, Unpriced, UnpricedReason,
    line::{Amount, Kept, Line},
    sums::Sums,
};
use crate::domain::{
    Currency, ItemId, Moment, Money, ProductId, StoreId,
    list::{List, ListEvent, Reprices},
};

/// What one list costs, store by store.
#[derive(Debug, Clone, Default)]
pub struct ListTotals {
    /// The list's own store.
    chosen: Option<StoreId>,
    chosen_currency: Option<Currency>,
    /// The stores its household compares, with their currencies.
    compared: BTreeMap<StoreId, Option<Currency>>,
    /// A further store that was asked about.
    asked: Option<StoreId>,
    lines: AHashMap<ItemId, Line>,
    /// Which lines use a product.
    of_product: AHashMap<ProductId, SmallVec<[ItemId; 1]>>,
    /// A store that states prices in two currencies gets two sums: they are never added together.
    sums: BTreeMap<(StoreId, Currency), Sums>,
    checked: u32,
    unmatched: u32,
    /// Lines whose price begins or ends by time alone, by when.
    expiries: BTreeSet<(Moment, ItemId)>,
}

impl ListTotals {
    /// The totals of a list, computed from scratch.
    #[must_use]
    pub fn build(list: &List, prices: &dyn PriceLookup, at: Moment) -> Self {
        Self::build_for(list, None, prices, at)
    }

    /// Like `build`, with figures for one more store, whichever stores are compared.
    #[must_use]
    pub fn build_for(list: &List, asked: Option<&StoreId>, prices: &dyn PriceLookup, at: Moment) -> Self {
        let chosen_currency = list.store.as_ref().and_then(|store| prices.currency(store));
        let compared = list.household.as_ref().map(|household| prices.compared(household)).unwrap_or_default();
        let compared = compared.into_iter().map(|store| (store.clone(), prices.currency(&store))).collect();
        let mut totals = Self { chosen: list.store.clone(), chosen_currency, compared, asked: asked.cloned(), ..Self::default() };
        list.items.keys().for_each(|item| totals.set_line(list, item, prices, at));
        totals
    }

    /// Applies one event of the list; `list_after` is the list with the event (and any later ones) applied.
    pub fn apply(&mut self, list_after: &List, event: &ListEvent, prices: &dyn PriceLookup, at: Moment) {
        self.refresh(list_after, prices, at);
        let facts = event.facts();
        match facts.reprices {
            Reprices::Items => facts.items.all().iter().for_each(|item| self.set_line(list_after, item, prices, at)),
            Reprices::List => *self = Self::build(list_after, prices, at),
            Reprices::Nothing => {}
        }
    }

    /// Applies a changed price at a store; false when no line uses the product.
    pub fn price_changed(&mut self, list: &List, product: &ProductId, store: &StoreId, prices: &dyn PriceLookup, at: Moment) -> bool {
        let expired = self.refresh(list, prices, at);
        let Some(items) = self.of_product.get(product).cloned() else { return expired };
        for item in &items {
            self.update_store(list, item, store, prices, at);
        }
        true
    }

    /// Applies a changed pack content of a product; false when no line uses it.
    pub fn details_changed(&mut self, list: &List, product: &ProductId, prices: &dyn PriceLookup, at: Moment) -> bool {
        let expired = self.refresh(list, prices, at);
        let Some(items) = self.of_product.get(product).cloned() else { return expired };
        items.iter().for_each(|item| self.set_line(list, item, prices, at));
        true
    }

    /// Applies a household's new choice of stores.
    pub fn compared_changed(&mut self, list: &List, prices: &dyn PriceLookup, at: Moment) -> bool {
        *self = Self::build_for(list, self.asked.as_ref(), prices, at);
        true
    }

    /// Recomputes the lines whose prices began or ended by time alone until `at`; false when there are none.
    pub fn refresh(&mut self, list: &List, prices: &dyn PriceLookup, at: Moment) -> bool {
        self.learn_currencies(prices);
        let mut changed = false;
        while let Some((moment, item)) = self.expiries.first().cloned() {
            if moment > at {
                break;
            }
            self.set_line(list, &item, prices, at);
            // Whatever the lookup says, an expiry is handled once.
            self.expiries.remove(&(moment, item));
            changed = true;
        }
        changed
    }

    /// When a price in use next begins or ends by time alone: call `refresh` then.
    #[must_use]
    pub fn expires_at(&self) -> Option<Moment> {
        self.expiries.first().map(|(moment, _)| *moment)
    }

    /// The products on the list, in no order.
    pub fn products(&self) -> impl Iterator<Item = &ProductId> {
        self.of_product.keys()
    }

    /// Whether a line uses the product.
    #[must_use]
    pub fn holds(&self, product: &ProductId) -> bool {
        self.of_product.contains_key(product)
    }

    /// The figures for a store: the one asked for, else the list's own, else the one that prices most items.
    #[must_use]
    pub fn view(&self, store: Option<&StoreId>) -> TotalsView {
        TotalsView { stores: self.side_by_side(), ..self.brief(store) }
    }

    /// Like `view`, without the other stores.
    #[must_use]
    pub fn brief(&self, store: Option<&StoreId>) -> TotalsView {
        let wanted = store.or(self.chosen.as_ref());
        let shown = match wanted {
            Some(store) => self.of_store(store).map(|(key, sums)| (&key.1, sums)),
            None => None,
        };
        let suggested = if wanted.is_none() { self.suggested() } else { None };
        let store = wanted.or(suggested.map(|(key, _)| &key.0)).cloned();
        let (currency, sums) = match shown.or(suggested.map(|(key, sums)| (&key.1, sums))) {
            Some((currency, sums)) => (Some(*currency), sums.clone()),
            None => (if store == self.chosen { self.chosen_currency } else { None }, Sums::default()),
        };
        let money = |minor: i64| currency.map(|currency| Money::from_minor(minor, currency));
        let unpriced = self.unpriced(&sums);
        TotalsView {
            store,
            store_chosen: wanted.is_some(),
            currency,
            estimated: money(sums.estimated),
            in_cart: money(sums.in_cart),
            to_get: money(sums.estimated.saturating_sub(sums.in_cart)),
            savings: money(sums.savings),
            items: self.items(),
            checked_items: self.checked,
            unpriced_items: self.items().saturating_sub(sums.priced),
            unpriced,
            oldest_price_at: sums.oldest(),
            stores: Vec::new(),
        }
    }

    /// Every line with what it was computed from, in the list's order. The amounts add up to the store's total.
    /// `prices` and `at` are those the totals were last brought up to date with: the prices used are looked up again.
    #[must_use]
    pub fn explain(&self, list: &List, store: &StoreId, prices: &dyn PriceLookup, at: Moment) -> Vec<ExplainedLine> {
        let currency = self.of_store(store).map(|(key, _)| key.1);
        let mut items: Vec<_> = list.items.iter().collect();
        items.sort_by_key(|(id, item)| (item.rank, *id));
        let explained = |(id, item): (&ItemId, &crate::domain::list::Item)| {
            let amount = self.lines.get(id).and_then(|line| line.at(store)).filter(|amount| Some(amount.currency()) == currency);
            let (amount, savings, used, unpriced) = match amount {
                Some(Amount::Priced { minor, savings, currency, .. }) => {
                    let used = item.product.as_ref().and_then(|product| prices.best(product, store, at));
                    (Some(Money::from_minor(*minor, *currency)), Some(Money::from_minor(*savings, *currency)), used, None)
                }
                Some(Amount::UnitMismatch { .. }) => (None, None, None, Some(UnpricedReason::UnitMismatch)),
                None if item.product.is_none() => (None, None, None, Some(UnpricedReason::NoProduct)),
                None => (None, None, None, Some(UnpricedReason::NoPrice)),
            };
            ExplainedLine {
                item: id.clone(),
                name: item.name.clone(),
                product: item.product.clone(),
                quantity: item.quantity.clone(),
                checked: item.checked.is_some(),
                amount,
                savings,
                used,
                unpriced,
            }
        };
        items.into_iter().map(explained).collect()
    }

    /// A store may be registered after lists chose it.
    fn learn_currencies(&mut self, prices: &dyn PriceLookup) {
        if self.chosen_currency.is_none() {
            self.chosen_currency = self.chosen.as_ref().and_then(|store| prices.currency(store));
        }
        for (store, currency) in self.compared.iter_mut().filter(|(_, currency)| currency.is_none()) {
            *currency = prices.currency(store);
        }
    }

    fn kept(&self) -> Kept<'_> {
        Kept { named: [self.chosen.as_ref(), self.asked.as_ref()], compared: &self.compared }
    }

    /// Replaces the item's line, or removes it if the item is gone.
    fn set_line(&mut self, list: &List, id: &ItemId, prices: &dyn PriceLookup, at: Moment) {
        if let Some(line) = self.lines.remove(id) {
            self.count(&line, id, false);
        }
        if let Some(item) = list.items.get(id) {
            let line = Line::of(item, self.kept(), prices, at);
            self.count(&line, id, true);
            self.lines.insert(id.clone(), line);
        }
    }

    fn update_store(&mut self, list: &List, id: &ItemId, store: &StoreId, prices: &dyn PriceLookup, at: Moment) {
        let (Some(item), Some(line)) = (list.items.get(id), self.lines.get(id)) else { return };
        let next_change = line.product.as_ref().and_then(|product| prices.next_change(product, at));
        // Which stores are shown may change then, or when the line is due again.
        if line.amounts.len() >= STORES_SHOWN_MAX || next_change != line.next_change {
            return self.set_line(list, id, prices, at);
        }
        let mut line = self.lines.remove(id).expect("the line was just found");
        if let Some(before) = line.at(store) {
            subtract(&mut self.sums, store, before, line.checked);
        }
        line.update_store(item, store, self.kept(), prices, at);
        if let Some(after) = line.at(store) {
            self.sums.entry((store.clone(), after.currency())).or_default().add(after, line.checked);
        }
        self.lines.insert(id.clone(), line);
    }

    /// Adds a line to every figure, or subtracts it.
    fn count(&mut self, line: &Line, id: &ItemId, add: bool) {
        let step = |count: &mut u32, counts: bool| *count = if add { *count + u32::from(counts) } else { *count - u32::from(counts) };
        step(&mut self.checked, line.checked);
        step(&mut self.unmatched, line.product.is_none());
        for (store, amount) in &line.amounts {
            if add {
                self.sums.entry((store.clone(), amount.currency())).or_default().add(amount, line.checked);
            } else {
                subtract(&mut self.sums, store, amount, line.checked);
            }
        }
        if let Some(moment) = line.next_change {
            let key = (moment, id.clone());
            let _ = if add { self.expiries.insert(key) } else { self.expiries.remove(&key) };
        }
        if let Some(product) = &line.product {
            self.index(product, id, add);
        }
    }

    fn index(&mut self, product: &ProductId, id: &ItemId, add: bool) {
        if add {
            self.of_product.entry(product.clone()).or_default().push(id.clone());
        } else if let Some(items) = self.of_product.get_mut(product) {
            items.retain(|known| known != id);
            if items.is_empty() {
                self.of_product.remove(product);
            }
        }
    }

    fn items(&self) -> u32 {
        u32::try_from(self.lines.len()).unwrap_or(u32::MAX)
    }

    fn unpriced(&self, sums: &Sums) -> Unpriced {
        let (no_product, unit_mismatch) = (self.unmatched, sums.mismatched);
        let no_price = self.items().saturating_sub(sums.priced + unit_mismatch + no_product);
        Unpriced { no_product, no_price, unit_mismatch }
    }

    /// The sums of a store; in its second currency only if it has no first.
    fn of_store(&self, store: &StoreId) -> Option<(&(StoreId, Currency), &Sums)> {
        let of_store = self.sums.iter().skip_while(|((known, _), _)| known < store).take_while(|((known, _), _)| known == store);
        of_store.max_by_key(|(key, sums)| (sums.priced, std::cmp::Reverse(key.1)))
    }

    /// The store to show if none was chosen: it prices most items, and is the cheapest of those that do.
    fn suggested(&self) -> Option<(&(StoreId, Currency), &Sums)> {
        self.sums.iter().min_by_key(|(key, sums)| (std::cmp::Reverse(sums.priced), sums.estimated, *key))
    }

    /// One entry per store, by id.
    fn side_by_side(&self) -> Vec<StoreTotal> {
        if self.compared.is_empty() { self.first_stores() } else { self.compared_stores() }
    }

    /// The first stores by id that price anything, and always the chosen one.
    fn first_stores(&self) -> Vec<StoreTotal> {
        let mut stores: Vec<_> = self.sums.iter().take(STORES_SHOWN_MAX).map(|(key, sums)| self.store_total(key, sums)).collect();
        if let Some(chosen) = &self.chosen
            && stores.iter().all(|shown| shown.store != *chosen)
            && let Some((key, sums)) = self.of_store(chosen)
        {
            stores.truncate(STORES_SHOWN_MAX - 1);
            let place = stores.partition_point(|other| other.store < *chosen);
            stores.insert(place, self.store_total(key, sums));
        }
        stores
    }

    /// All that the household compares, even those without any price yet, and the chosen one.
    fn compared_stores(&self) -> Vec<StoreTotal> {
        let is_shown = |store: &StoreId| self.compared.contains_key(store) || self.chosen.as_ref() == Some(store);
        let priced = self.sums.iter().filter(|((store, _), _)| is_shown(store)).map(|(key, sums)| self.store_total(key, sums));
        let mut stores: Vec<_> = priced.collect();
        for (store, currency) in &self.compared {
            if let (Err(place), Some(currency)) = (stores.binary_search_by(|shown| shown.store.cmp(store)), currency) {
                stores.insert(place, self.store_total(&(store.clone(), *currency), &Sums::default()));
            }
        }
        stores
    }

    fn store_total(&self, (store, currency): &(StoreId, Currency), sums: &Sums) -> StoreTotal {
        let money = |minor| Money::from_minor(minor, *currency);
        StoreTotal {
            store: store.clone(),
            estimated: money(sums.estimated),
            in_cart: money(sums.in_cart),
            to_get: money(sums.estimated.saturating_sub(sums.in_cart)),
            savings: money(sums.savings),
            unpriced_items: self.items().saturating_sub(sums.priced),
            oldest_price_at: sums.oldest(),
        }
    }
}

fn subtract(sums: &mut BTreeMap<(StoreId, Currency), Sums>, store: &StoreId, amount: &Amount, checked: bool) {
    let key = (store.clone(), amount.currency());
    if let Some(known) = sums.get_mut(&key) {
        known.subtract(amount, checked);
        if known.is_empty() {
            sums.remove(&key);
        }
    }
}
