//! Rows of transactions, gathered into orders by the number of their basket. A first reading learns where the last row of each basket is,
//! so that the second one can finish it there: memory holds only the baskets that are open, one second's where rows are in order of time.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use parking_lot::Mutex;

use super::{
    SOURCE, Table,
    bought::{Bought, Whose, bought, numbers},
    dollars, id,
};
use crate::{
    domain::{
        HouseholdId, Moment, Money, OrderId, ProductId, StoreId,
        household::HouseholdCommand,
        limits::LINES_PER_ORDER_MAX,
        order::{OrderCommand, OrderLine, OrderPlacement},
        store::{StoreCommand, StoreDetails},
    },
    import::{
        ImportError, Intent, Item, Items, SourceLine,
        chosen::key_of,
        reason::{Read, Reason},
        table::{Made, Row},
    },
};

/// Stores, households, products and baskets, in this order.
pub(super) fn items(
    transactions: Vec<Table>,
    products: impl FnOnce() -> Items + Send,
) -> impl Iterator<Item = Result<Item, ImportError>> + Send {
    std::iter::once_with(move || -> Items {
        let mut seen = Seen::default();
        if let Err(error) = transactions.iter().try_for_each(|table| table.each(|place, row| seen.look(&place, &row))) {
            return Box::new(std::iter::once(Err(error)));
        }
        let Seen { stores, households, last, .. } = seen;
        let introduced = stores.into_iter().chain(households).map(Ok);
        let open = Arc::new(Mutex::new(Open { row: 0, last, baskets: HashMap::new() }));
        let baskets = transactions.into_iter().flat_map(move |table| {
            let open = open.clone();
            table.into_flat_items(move |place, row| open.lock().take(place, row))
        });
        Box::new(introduced.chain(products()).chain(baskets))
    })
    .flatten()
}

/// What a first reading of the rows learns.
#[derive(Default)]
struct Seen {
    stores: Vec<Item>,
    households: Vec<Item>,
    names: HashSet<u64>,
    rows: u64,
    /// The number of the last row of each basket, by the key of its number.
    last: HashMap<u64, u64>,
}

impl Seen {
    fn look(&mut self, place: &SourceLine, row: &Read<Row<'_>>) {
        self.rows += 1;
        let Ok(row) = row else { return };
        let [basket, household, store] = numbers(row);
        self.last.insert(key_of(basket), self.rows);
        if self.names.insert(key_of(("store", store)))
            && let Ok(id) = id("store_id", store, StoreId::new)
        {
            let name = format!("Store {store}");
            let details = StoreDetails { name, currency: dollars(), chain: None, country: Some("US".into()), time_zone: None };
            self.stores.push(Item::of(place.clone(), 0, Intent::Store(id, StoreCommand::Update(details))));
        }
        if self.names.insert(key_of(("household", household)))
            && let Ok(id) = id("household_id", household, HouseholdId::new)
        {
            let create = HouseholdCommand::Create { name: format!("Household {household}") };
            self.households.push(Item::of(place.clone(), 0, Intent::Household(id, create)));
        }
    }
}

/// The baskets that are open in the second reading.
struct Open {
    row: u64,
    last: HashMap<u64, u64>,
    baskets: HashMap<u64, Vec<Gathered>>,
}

/// A row of an open basket.
struct Gathered {
    place: SourceLine,
    bought: Bought,
}

impl Open {
    /// Takes a row; returns what it makes complete.
    fn take(&mut self, place: SourceLine, row: Read<Row<'_>>) -> Made {
        self.row += 1;
        let row = match row {
            Ok(row) => row,
            Err(reason) => return Made::from_iter([Item::refused(place, reason)]),
        };
        let key = key_of(numbers(&row)[0]);
        let mut made = Made::new();
        match bought(&row) {
            Ok(bought) => self.baskets.entry(key).or_default().push(Gathered { place, bought }),
            Err(reason) => made.push(Item::refused(place, reason)),
        }
        if self.last.get(&key) == Some(&self.row) {
            made.extend(self.baskets.remove(&key).into_iter().flat_map(finished));
        }
        made
    }
}

/// A whole basket as orders: one, or more where it has more lines than an order may have.
fn finished(rows: Vec<Gathered>) -> Made {
    let whose = whose(&rows);
    let (mut rows, others): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.bought.of == whose);
    let mut made: Made = others.into_iter().map(|row| Item::refused(row.place, other(&whose))).collect();
    let at = rows.iter().map(|row| row.bought.at).min().unwrap_or_default();
    // Whatever the order of the rows, the same lines have the same numbers.
    rows.sort_by_cached_key(|row| content(&row.bought.line));
    for (part, rows) in rows.chunks(LINES_PER_ORDER_MAX).enumerate() {
        made.push(order(part, rows, &whose, at));
    }
    made
}

/// Whose basket it is: as most of its rows say.
fn whose(rows: &[Gathered]) -> Whose {
    let mut votes = BTreeMap::<&Whose, usize>::new();
    rows.iter().for_each(|row| *votes.entry(&row.bought.of).or_default() += 1);
    let most = votes.into_iter().max_by(|one, other| one.1.cmp(&other.1).then(other.0.cmp(one.0)));
    most.map(|(whose, _)| whose.clone()).expect("this holds because a basket is open only while it has rows")
}

fn other(whose: &Whose) -> Reason {
    Reason::new("basket_differs", format!("most rows of this basket are of {} at {}", whose.household, whose.store))
}

/// What a line is, without its number.
fn content(line: &OrderLine) -> (String, i64, i64, [Option<i64>; 3]) {
    let product = line.product.as_ref().map(ProductId::to_string).unwrap_or_default();
    let discounts = [line.shop_discount, line.coupon_discount, line.coupon_match].map(|amount| amount.map(Money::minor));
    (product, line.quantity.millionths(), line.charged.minor(), discounts)
}

fn order(part: usize, rows: &[Gathered], whose: &Whose, placed_at: Moment) -> Item {
    let first = rows.iter().min_by_key(|row| row.place.line).expect("this holds because chunks are never empty");
    let number = |(index, row): (usize, &Gathered)| OrderLine {
        line: u32::try_from(index + 1).expect("this holds because an order's lines are few"),
        ..row.bought.line.clone()
    };
    let placement = OrderPlacement {
        household: Some(whose.household.clone()),
        store: whose.store.clone(),
        list: None,
        placed_at,
        lines: rows.iter().enumerate().map(number).collect(),
        extras: Vec::new(),
        printed_total: None,
        source: SOURCE.into(),
    };
    let needs = Intent::Store(whose.store.clone(), StoreCommand::LearnAisleOrder { categories: Vec::new() }).stream();
    Item {
        needs: std::iter::once(Arc::new(needs)).collect(),
        ..match part_id(&first.bought.order, part) {
            Ok(id) => Item::of(first.place.clone(), rows.len() as u64, Intent::Order(id, OrderCommand::Update(placement))),
            Err(reason) => Item { rows: rows.len() as u64, ..Item::refused(first.place.clone(), reason) },
        }
    }
}

/// The first part of a basket has its id, further ones say so.
fn part_id(id: &OrderId, part: usize) -> Read<OrderId> {
    if part == 0 {
        return Ok(id.clone());
    }
    OrderId::new(&format!("{id}:part-{}", part + 1)).map_err(|error| Reason::of("id_wrong", "basket_id", id.as_str(), error))
}
