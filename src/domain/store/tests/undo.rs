//! Given a store, when an event is undone, then commands, or a sentence that explains why not.

use super::*;
use crate::domain::given::{Given, nothing};

fn store() -> Given<Stores> {
    nothing().event(StoreEvent::Registered(details("Billa")))
}

#[test]
fn a_registration_stays() {
    assert_eq!(store().undo_code(0), "registration_stays");
}

#[test]
fn only_the_details_that_were_changed_go_back() {
    let change = |zone: &str| StoreEvent::DetailsChanged {
        name: None,
        chain: None,
        country: Some(String::new()),
        time_zone: Some(zone.into()),
        from_source: false,
    };
    let changed = store().event(change("Europe/Vienna"));
    assert_eq!(changed.changed(), ["country: \"AT\" > null", "time_zone: null > \"Europe/Vienna\""]);
    let back = StoreCommand::ChangeDetails { name: None, chain: None, country: Some("AT".into()), time_zone: Some(String::new()) };
    assert_eq!(changed.undone(), Ok(vec![back]));
    assert_eq!(changed.event(change("Europe/Graz")).undo_code(1), "changed_since");
}

#[test]
fn an_order_of_aisles_goes_back_only_while_it_stands() {
    let learned = |category: &str| StoreEvent::AisleOrderLearned { categories: vec![category.into()] };
    let store = store().event(learned("fruit"));
    assert_eq!(store.undone(), Ok(vec![StoreCommand::LearnAisleOrder { categories: vec![] }]));
    assert_eq!(store.event(learned("bread")).undo_code(1), "changed_since");
}
