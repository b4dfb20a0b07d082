//! A history that could have happened, as long as wanted: six events in ten are prices, four edit lists. It can be continued at any event.

use aisled::{
    domain::{
        Currency, Event, ItemId, Moment, Principal, ProductId, Quantity, StoreId, StreamId, Unit, UnitPrice,
        list::ListEvent,
        moment::DAY_MICROS,
        product::{PriceKind, PriceSeen, ProductDetails, ProductEvent},
        store::{StoreDetails, StoreEvent},
        stream::StreamKind,
    },
    events::Append,
};

const STORES: u64 = 50;
/// Products, unless more streams are wanted.
const PRODUCTS: u64 = 200_000;
const LISTS: u64 = 20_000;
/// Items on a list before they are ticked and cleared.
const ITEMS: u64 = 8;
/// One round of a list: every item added, every item ticked, all cleared.
const LIST_ROUND: u64 = 2 * ITEMS + 1;
/// 2020-01-01.
const FIRST_DAY_MICROS: i64 = 1_577_836_800_000_000;

/// Yields one append after the other, each with its stream's version at that point.
pub struct Synthetic {
    number: u64,
    prices: u64,
    edits: u64,
    products: u64,
    who: Principal,
    currency: Currency,
}

impl Synthetic {
    pub fn new() -> Self {
        Self::with_products(PRODUCTS)
    }

    /// A history with this many products, each a stream of its own.
    pub fn with_products(products: u64) -> Self {
        let who = Principal::new("synthetic").expect("this holds because the text is a valid id");
        let currency = Currency::new("EUR").expect("this holds because the euro is known");
        Self { number: 0, prices: 0, edits: 0, products, who, currency }
    }

    /// Continues after this many events.
    pub fn after(self, events: u64) -> Self {
        let behind_stores = events.saturating_sub(STORES);
        let prices = behind_stores / 10 * 6 + (behind_stores % 10).min(6);
        Self { number: events, prices, edits: behind_stores - prices, ..self }
    }

    /// How many streams there are so far.
    pub fn streams(&self) -> u64 {
        self.number.min(STORES) + self.prices.min(self.products) + self.edits.min(LISTS)
    }

    /// The next event. Stores and lists come before what happens to them, products with their first price.
    pub fn next(&mut self) -> Append {
        let number = self.number;
        self.number += 1;
        match number {
            ..STORES => self.append(StreamKind::Store, &store(number), 0, self.store()),
            number if number % 10 < 6 => self.price(),
            _ => self.edit(),
        }
    }

    /// Round after round over all products: registered first, then a price each round.
    fn price(&mut self) -> Append {
        let (product, version) = (self.prices % self.products, self.prices / self.products);
        self.prices += 1;
        let event = if version == 0 { ProductEvent::Registered(details(product)) } else { self.seen(product, version) };
        self.append(StreamKind::Product, &format!("synthetic:product-{product}"), version, event)
    }

    fn edit(&mut self) -> Append {
        let (list, version) = (self.edits % LISTS, self.edits / LISTS);
        self.edits += 1;
        self.list(&format!("synthetic-list-{list}"), list, version)
    }

    /// The next event of a list that may be none of its own.
    pub fn list(&self, id: &str, list: u64, version: u64) -> Append {
        let event = match version.checked_sub(1) {
            None => ListEvent::Created { name: format!("List {list}"), household: None, store: Some(store_id(list)) },
            Some(step) => list_event(list, step / LIST_ROUND, step % LIST_ROUND),
        };
        self.append(StreamKind::List, id, version, event)
    }

    fn append(&self, kind: StreamKind, id: &str, expected_version: u64, event: impl Into<Event>) -> Append {
        let stream = StreamId::new(kind, id).expect("this holds because the ids made here are valid");
        Append { stream, expected_version, who: self.who.clone(), by: None, command: None, client: None, events: vec![event.into()] }
    }

    fn store(&self) -> StoreEvent {
        StoreEvent::Registered(StoreDetails { name: "Store".into(), currency: self.currency, chain: None, country: None, time_zone: None })
    }

    fn seen(&self, product: u64, day: u64) -> ProductEvent {
        let ten_thousandths = 10_000 + i64::try_from((product * 7_919 + day * 104_729) % 90_000).unwrap_or(0) / 100 * 100;
        let seen = PriceSeen {
            store: store_id(product),
            kind: PriceKind::Shelf,
            price: UnitPrice::from_ten_thousandths(ten_thousandths, self.currency, Unit::parse("each")),
            valid_from: None,
            valid_until: None,
            observed_at: Moment(FIRST_DAY_MICROS + i64::try_from(day).unwrap_or(0) * 7 * DAY_MICROS),
            source: "synthetic".into(),
            evidence: None,
        };
        ProductEvent::PriceObserved { seen, outlier: false }
    }
}

fn details(product: u64) -> ProductDetails {
    ProductDetails {
        name: format!("Product {product} of the synthetic range"),
        brand: None,
        category: Some(format!("{:02X}", product % 91)),
        content: None,
        sold_by_weight: false,
        organic: product.is_multiple_of(9),
        codes: Vec::new(),
        ingredients: None,
        nutrition: std::collections::BTreeMap::new(),
    }
}

fn list_event(list: u64, round: u64, step: u64) -> ListEvent {
    let item = |number: u64| ItemId::new(&format!("{round}-{number}")).expect("this holds because the id is short and plain");
    if step < ITEMS {
        let product = (list * 31 + round * 17 + step * 7) % PRODUCTS;
        let product = ProductId::new(&format!("synthetic:product-{product}")).expect("this holds because the id is short and plain");
        let rank = i64::try_from(step).unwrap_or(0) << 20;
        let (name, quantity) = (format!("Item {step}"), Quantity::each(1 + i64::try_from(step % 3).unwrap_or(0)));
        ListEvent::ItemAdded { item: item(step), name, product: Some(product), specification: None, quantity, note: None, rank }
    } else if step < 2 * ITEMS {
        ListEvent::ItemChecked { item: item(step - ITEMS) }
    } else {
        ListEvent::CheckedCleared { items: (0..ITEMS).map(item).collect() }
    }
}

fn store(number: u64) -> String {
    format!("synthetic:store-{}", number % STORES)
}

fn store_id(number: u64) -> StoreId {
    StoreId::new(&store(number)).expect("this holds because the id is short and plain")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_goes_on_where_it_was_left() {
        for events in [0, 7, 50, 51, 57, 66, 12_345] {
            let mut whole = Synthetic::with_products(100);
            for _ in 0..events {
                whole.next();
            }
            let mut resumed = Synthetic::with_products(100).after(events);
            assert_eq!(resumed.streams(), whole.streams());
            for _ in 0..30 {
                let (next, expected) = (resumed.next(), whole.next());
                assert_eq!((next.stream, next.expected_version), (expected.stream, expected.expected_version), "after {events}");
            }
        }
    }
}
