//! What a basket costs at a store: any products, at any moment, by any knowledge. It belongs to no list and changes nothing.

use serde::Serialize;
use utoipa::ToSchema;

use super::totals::{PriceLookup, UnpricedReason, UsedPrice};
use crate::domain::{Content, Currency, Moment, Money, MoneyError, ProductId, Quantity, StoreId, line_total};

/// An amount of a product.
#[derive(Debug, Clone, PartialEq)]
pub struct BasketItem {
    pub product: ProductId,
    pub quantity: Quantity,
}

/// One line of a basket, with everything its amount was computed from.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct BasketLine {
    pub product: ProductId,
    pub quantity: Quantity,
    pub amount: Option<Money>,
    /// Against the reference price; already taken off the amount.
    pub savings: Option<Money>,
    pub used: Option<UsedPrice>,
    pub unpriced: Option<UnpricedReason>,
}

/// A basket at one store. The lines add up to the total exactly.
#[derive(Debug, Clone, PartialEq)]
pub struct Basket {
    pub store: StoreId,
    /// The store's own, else that of the first price; none if unknown.
    pub currency: Option<Currency>,
    pub total: Option<Money>,
    pub savings: Option<Money>,
    pub lines: Vec<BasketLine>,
}

impl Basket {
    /// Prices a basket.
    ///
    /// # Errors
    /// When the sum is larger than money can be.
    pub fn reckon(items: &[BasketItem], store: &StoreId, prices: &dyn PriceLookup, at: Moment) -> Result<Self, MoneyError> {
        let used: Vec<_> = items.iter().map(|item| prices.best(&item.product, store, at)).collect();
        let currency = prices.currency(store).or_else(|| used.iter().flatten().next().map(|used| used.price.currency()));
        let lines: Vec<_> = items.iter().zip(used).map(|(item, used)| BasketLine::of(item, used, currency, prices)).collect();
        let sum = |amounts: Vec<Money>| currency.map(|currency| Money::sum(amounts, currency)).transpose();
        let total = sum(lines.iter().filter_map(|line| line.amount).collect())?;
        let savings = sum(lines.iter().filter_map(|line| line.savings).collect())?;
        Ok(Self { store: store.clone(), currency, total, savings, lines })
    }

    /// How many lines have no price.
    #[must_use]
    pub fn unpriced(&self) -> usize {
        self.lines.iter().filter(|line| line.unpriced.is_some()).count()
    }
}

impl BasketLine {
    fn of(item: &BasketItem, used: Option<UsedPrice>, currency: Option<Currency>, prices: &dyn PriceLookup) -> Self {
        let BasketItem { product, quantity } = item.clone();
        let unpriced = |reason| Self {
            product: product.clone(),
            quantity: quantity.clone(),
            amount: None,
            savings: None,
            used: None,
            unpriced: Some(reason),
        };
        // Prices in another currency than the store's are never added to it.
        let Some(used) = used.filter(|used| Some(used.price.currency()) == currency) else { return unpriced(UnpricedReason::NoPrice) };
        let content = prices.content(&product);
        let content = content.as_ref().map(|(quantity, sold_by_weight)| Content { quantity, sold_by_weight: *sold_by_weight });
        let Ok(amount) = line_total(&used.price, &quantity, content) else { return unpriced(UnpricedReason::UnitMismatch) };
        let reference = used.reference.as_ref().and_then(|reference| line_total(reference, &quantity, content).ok());
        let saved = reference.filter(|reference| reference.currency() == amount.currency()).map_or(0, |it| it.minor() - amount.minor());
        let savings = Some(Money::from_minor(saved, amount.currency()));
        Self { amount: Some(amount), savings, used: Some(used), unpriced: None, product, quantity }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::product::PriceKind,
        projections::testing::{TestLog, day, euros, product, store},
    };

    #[test]
    fn a_basket_is_priced_for_any_day_and_its_lines_add_up() {
        let mut log = TestLog::default();
        log.store("spar").price("milk", "spar", PriceKind::Shelf, "1.99", 1).price("bread", "spar", PriceKind::Shelf, "3.00", 1);
        log.price("milk", "spar", PriceKind::Promo, "1.49", 5);
        let item = |id: &str, count| BasketItem { product: product(id), quantity: Quantity::each(count) };
        let items = [item("milk", 2), item("bread", 1), item("caviar", 1)];
        let views = log.views();
        let on = |today| Basket::reckon(&items, &store("spar"), &views.now().true_at(day(today)), day(today)).unwrap();
        assert_eq!([1, 6].map(|today| on(today).total), [Some(euros("6.98")), Some(euros("5.98"))]);
        assert_eq!((on(6).savings, on(6).unpriced()), (Some(euros("1.00")), 1));
        assert_eq!(on(6).lines[0].used.as_ref().map(|used| (used.kind, used.position.0)), Some((PriceKind::Promo, 4)));
        assert_eq!(on(6).lines[2].unpriced, Some(UnpricedReason::NoPrice));
        let amounts: i64 = on(6).lines.iter().filter_map(|line| line.amount).map(Money::minor).sum();
        assert_eq!(Some(amounts), on(6).total.map(Money::minor));
    }
}
