//! The counts are promised, and adding the demo twice must change nothing.

use std::collections::HashSet;

use super::*;
use crate::{
    domain::{list::ListCommand, order::OrderCommand, product::ProductCommand},
    events::{clock::ManualClock, memory::MemoryLog},
};

fn today() -> Moment {
    "2026-03-01".parse().unwrap()
}

#[test]
fn the_demo_has_6_stores_161_products_and_25_orders() {
    let intents = intents(today());
    let ids = |kind: StreamKind| intents.iter().map(Intent::stream).filter(|stream| stream.kind() == kind).collect::<HashSet<_>>().len();
    assert_eq!((ids(StreamKind::Store), ids(StreamKind::Product), ids(StreamKind::Order)), (6, 161, 25));
    assert_eq!((ids(StreamKind::List), ids(StreamKind::Household)), (3, 1));
}

#[test]
fn every_price_order_and_list_is_about_a_registered_product() {
    let intents = intents(today());
    let mut registered = HashSet::new();
    for intent in &intents {
        match intent {
            Intent::Product(id, ProductCommand::Register(_)) => assert!(registered.insert(id.clone()), "{id} is registered twice"),
            Intent::Product(id, _) | Intent::List(_, ListCommand::AddItem { product: Some(id), .. }) => {
                assert!(registered.contains(id), "{id}");
            }
            Intent::Order(_, OrderCommand::Place(placed)) => {
                placed.lines.iter().flat_map(|line| &line.product).for_each(|id| assert!(registered.contains(id), "{id}"));
            }
            Intent::Store(..) | Intent::Household(..) | Intent::Order(..) | Intent::List(..) => {}
        }
    }
}

#[test]
fn every_command_is_accepted_and_a_second_time_none_changes_anything() {
    let clock = Arc::new(ManualClock::at("2026-03-01T15:00:00Z".parse().unwrap()));
    let log: Arc<dyn Log> = Arc::new(MemoryLog::new(clock.clone()));
    let first = seed_at(&log, clock.clone()).unwrap();
    assert_eq!(first.refused, 0);
    assert!(first.events_appended > 1_900, "{first:?}");
    let head = log.head();
    clock.set("2026-04-11T09:00:00Z".parse().unwrap());
    let second = seed_at(&log, clock).unwrap();
    assert_eq!((second.refused, second.events_appended), (0, 0));
    assert_eq!(log.head(), head);
}
