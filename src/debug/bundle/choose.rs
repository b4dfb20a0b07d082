//! Which events go into a bundle: chosen streams, and with them the prices that their lists' totals were computed with.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::BundleError;
use crate::{
    debug::range::{check_range, views_at},
    domain::{Event, ProductId, StreamId, StreamKind},
    events::{Log, LogError, Position, Recorded},
};

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Choice {
    pub streams: Vec<StreamId>,
    /// The first position, 1 by default.
    pub from: Option<Position>,
    /// The last position, the head by default.
    pub to: Option<Position>,
    /// With the products on the chosen lists, the stores that price them, and the list's household.
    pub with_prices: bool,
}

type Events = BTreeMap<Position, Arc<Recorded>>;

/// The events of a choice in log order, and the range they are of. A range leaves out events of the chosen streams, never of the prices.
///
/// # Errors
/// When a stream has no event there, the range is empty, or the log cannot be read.
pub fn choose(log: &dyn Log, choice: &Choice) -> Result<(Vec<Arc<Recorded>>, Position, Position), BundleError> {
    let (from, to) = check_range(choice.from, choice.to, log.head()).map_err(BundleError::Choice)?;
    let mut events = Events::new();
    for stream in &choice.streams {
        let before = events.len();
        take(log, stream, from, to, &mut events)?;
        if events.len() == before && !events.values().any(|event| event.stream == *stream) {
            return Err(BundleError::Choice(format!("there are no events of {stream} from position {from} to {to}")));
        }
    }
    if choice.with_prices {
        add_prices(log, to, &mut events)?;
    }
    Ok((events.into_values().collect(), from, to))
}

fn take(log: &dyn Log, stream: &StreamId, from: Position, to: Position, events: &mut Events) -> Result<(), LogError> {
    let recorded = log.read_stream(stream, 0, usize::MAX)?;
    events.extend(recorded.into_iter().filter(|event| (from..=to).contains(&event.position)).map(|event| (event.position, event)));
    Ok(())
}

/// Adds what the totals of the chosen lists need: their products and household, the stores that price them, and each event elsewhere,
/// such as an order, that holds a price in use.
fn add_prices(log: &dyn Log, to: Position, events: &mut Events) -> Result<(), LogError> {
    let mut needed = Needed::default();
    events.values().for_each(|event| needed.see(event));
    let (views, at) = views_at(log, to)?;
    let first = Position::START;
    let mut positions = BTreeSet::new();
    for product in &needed.products {
        take(log, &stream(StreamKind::Product, product.as_str()), first, to, events)?;
        for price in views.best_prices(product, at, false) {
            positions.insert(price.position);
            needed.others.insert(stream(StreamKind::Store, price.store.as_str()));
        }
    }
    for stream in &needed.others {
        take(log, stream, first, to, events)?;
    }
    for position in positions {
        if !events.contains_key(&position) {
            let found = log.read(Position(position.0 - 1), 1)?;
            events.extend(found.into_iter().map(|event| (event.position, event)));
        }
    }
    Ok(())
}

/// What the chosen lists name.
#[derive(Default)]
struct Needed {
    products: BTreeSet<ProductId>,
    /// Stores and households.
    others: BTreeSet<StreamId>,
}

impl Needed {
    fn see(&mut self, recorded: &Recorded) {
        let Event::List(event) = &recorded.event else { return };
        let facts = event.facts();
        let household = facts.household.iter().copied().flatten().map(|id| stream(StreamKind::Household, id.as_str()));
        let store = facts.store.iter().copied().flatten().map(|id| stream(StreamKind::Store, id.as_str()));
        self.others.extend(household.chain(store));
        self.products.extend(facts.product.cloned());
    }
}

fn stream(kind: StreamKind, id: &str) -> StreamId {
    StreamId::new(kind, id).expect("the id was checked when the event was written")
}
