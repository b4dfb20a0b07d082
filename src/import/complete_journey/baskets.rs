//! Rows of transactions, gathered into orders. Rows are chronological and a basket has one time, so every basket is whole
//! as soon as the time moves on: memory holds the baskets of one second.

use std::collections::{HashMap, HashSet, VecDeque};

use super::{Column, ImportError, Intent, Optional, Required, Row, SOURCE, Table, dollars, id, product_id, text};
use crate::{
    domain::{
        HouseholdId, Moment, Money, OrderId, Quantity, StoreId, Unit,
        household::HouseholdCommand,
        limits::QUANTITY_MILLIONTHS_MAX,
        order::{OrderCommand, OrderLine, OrderPlacement},
        store::{StoreCommand, StoreDetails},
    },
    import::{Item, SourceLine},
};

pub(super) const COLUMNS: [Column; 10] = [
    Required("household_id"),
    Required("store_id"),
    Required("basket_id"),
    Required("product_id"),
    Required("quantity"),
    Required("sales_value"),
    Required("transaction_timestamp"),
    Optional("retail_disc"),
    Optional("coupon_disc"),
    Optional("coupon_match_disc"),
];

/// Baskets open at the same time; beyond it all are finished, so that a file in another order cannot fill the memory.
const OPEN_BASKETS_MAX: usize = 10_000;

/// Yields a store and a household when first seen, and an order when its basket is complete.
pub(super) struct Baskets {
    table: Table,
    now: Moment,
    open: HashMap<String, Basket>,
    ready: VecDeque<Item>,
    stores_seen: HashSet<StoreId>,
    households_seen: HashSet<HouseholdId>,
    ended: bool,
}

/// One basket as far as it was read.
struct Basket {
    place: SourceLine,
    order: OrderId,
    household: HouseholdId,
    store: StoreId,
    placed_at: Moment,
    lines: Vec<OrderLine>,
}

/// One parsed row.
struct Bought {
    basket: String,
    order: OrderId,
    household: HouseholdId,
    store: StoreId,
    at: Moment,
    line: OrderLine,
}

impl Baskets {
    pub(super) fn new(table: Table) -> Self {
        Self {
            table,
            now: Moment(i64::MIN),
            open: HashMap::new(),
            ready: VecDeque::new(),
            stores_seen: HashSet::new(),
            households_seen: HashSet::new(),
            ended: false,
        }
    }

    /// Reads one row; what it completes goes to `ready`.
    fn advance(&mut self) -> Result<(), ImportError> {
        let Some((place, row)) = self.table.next_row()? else {
            self.ended = true;
            self.finish_open();
            return Ok(());
        };
        match row.and_then(|row| bought(&row)) {
            Ok(bought) => self.take(place, bought),
            Err(reason) => self.ready.push_back(refused(place, reason)),
        }
        Ok(())
    }

    fn take(&mut self, place: SourceLine, bought: Bought) {
        if bought.at != self.now || self.open.len() >= OPEN_BASKETS_MAX {
            self.finish_open();
            self.now = bought.at;
        }
        match self.open.get_mut(&bought.basket) {
            Some(basket) if basket.household != bought.household || basket.store != bought.store => {
                let reason = format!("basket {} belongs to {} at {}", bought.basket, basket.household, basket.store);
                self.ready.push_back(refused(place, reason));
            }
            Some(basket) => basket.add(bought.line),
            None => {
                self.introduce(&place, &bought);
                self.open.insert(bought.basket.clone(), Basket::new(place, bought));
            }
        }
    }

    /// Registers the row's store and household when they are new to this run.
    fn introduce(&mut self, place: &SourceLine, bought: &Bought) {
        let follows = |intent| Item { place: place.clone(), rows: 0, intent: Ok(intent), warnings: Vec::new() };
        if self.stores_seen.insert(bought.store.clone()) {
            let name = format!("Store {}", number_of(bought.store.as_str()));
            let details = StoreDetails { name, currency: dollars(), chain: None, country: Some("US".into()), time_zone: None };
            self.ready.push_back(follows(Intent::Store(bought.store.clone(), StoreCommand::Register(details))));
        }
        if self.households_seen.insert(bought.household.clone()) {
            let name = format!("Household {}", number_of(bought.household.as_str()));
            self.ready.push_back(follows(Intent::Household(bought.household.clone(), HouseholdCommand::Create { name })));
        }
    }

    fn finish_open(&mut self) {
        let mut baskets: Vec<_> = std::mem::take(&mut self.open).into_values().collect();
        baskets.sort_by_key(|basket| basket.place.line);
        self.ready.extend(baskets.into_iter().map(Basket::into_item));
    }
}

impl Iterator for Baskets {
    type Item = Result<Item, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(item) = self.ready.pop_front() {
                return Some(Ok(item));
            }
            if self.ended {
                return None;
            }
            if let Err(error) = self.advance() {
                self.ended = true;
                return Some(Err(error));
            }
        }
    }
}

impl Basket {
    fn new(place: SourceLine, bought: Bought) -> Self {
        let Bought { order, household, store, at, line, .. } = bought;
        let mut basket = Self { place, order, household, store, placed_at: at, lines: Vec::new() };
        basket.add(line);
        basket
    }

    /// Lines are numbered by their order in the file.
    fn add(&mut self, mut line: OrderLine) {
        line.line = u32::try_from(self.lines.len() + 1).unwrap_or(u32::MAX);
        self.lines.push(line);
    }

    fn into_item(self) -> Item {
        let rows = self.lines.len() as u64;
        let placement = OrderPlacement {
            household: Some(self.household),
            store: self.store,
            list: None,
            placed_at: self.placed_at,
            lines: self.lines,
            extras: Vec::new(),
            printed_total: None,
            source: SOURCE.into(),
        };
        Item { place: self.place, rows, intent: Ok(Intent::Order(self.order, OrderCommand::Place(placement))), warnings: Vec::new() }
    }
}

fn refused(place: SourceLine, reason: String) -> Item {
    Item { place, rows: 1, intent: Err(reason), warnings: Vec::new() }
}

fn bought(row: &Row<'_>) -> Result<Bought, String> {
    let [household, store, basket, product, quantity, sales_value, time, retail_disc, coupon_disc, coupon_match_disc] = row.texts();
    let quantity = Quantity::parse(quantity, Unit::Each).map_err(|error| format!("quantity {quantity:?}: {error}"))?;
    let sales_value = dollar_amount("sales_value", sales_value)?;
    let coupon = discount("coupon_disc", coupon_disc)?;
    let charged = coupon.map_or(Ok(sales_value), |coupon| sales_value.checked_sub(coupon)).map_err(|error| error.to_string())?;
    let line = OrderLine {
        line: 0,
        product: Some(product_id(product)?),
        name: None,
        quantity,
        charged,
        shop_discount: discount("retail_disc", retail_disc)?,
        coupon_discount: coupon,
        coupon_match: discount("coupon_match_disc", coupon_match_disc)?,
    };
    check_amounts(&line, sales_value)?;
    Ok(Bought {
        basket: basket.to_owned(),
        order: id("basket_id", basket, OrderId::new)?,
        household: id("household_id", household, HouseholdId::new)?,
        store: id("store_id", store, StoreId::new)?,
        at: text::moment(time)?,
        line,
    })
}

/// Refuses only the row for what would make the order's decider refuse the whole basket.
fn check_amounts(line: &OrderLine, sales_value: Money) -> Result<(), String> {
    if line.quantity.millionths() < 0 || sales_value.is_negative() {
        return Err("a purchase cannot have a quantity or sales value below zero".into());
    }
    if line.quantity.millionths() > QUANTITY_MILLIONTHS_MAX {
        return Err(format!("quantity {} is too large", line.quantity.amount_text()));
    }
    Ok(())
}

fn dollar_amount(column: &str, text: &str) -> Result<Money, String> {
    let amount = Money::parse(text, dollars()).map_err(|error| format!("{column} {text:?}: {error}"))?;
    amount.validate_limit().map_err(|error| format!("{column} {text:?}: {error}"))?;
    Ok(amount)
}

/// A discount of the whole line; none counts as zero.
fn discount(column: &str, text: &str) -> Result<Option<Money>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let amount = dollar_amount(column, text)?;
    if amount.is_negative() {
        return Err(format!("{column} {text:?} is below zero"));
    }
    Ok(Some(amount).filter(|amount| !amount.is_zero()))
}

/// One of our ids with the source's own number.
fn number_of(id: &str) -> &str {
    id.rsplit(':').next().unwrap_or(id)
}
