//! Prices reach lists through the committed feed, awake or not.

use super::rig::{Rig, add};
use crate::domain::Money;

fn estimated(amount: &str) -> Option<Money> {
    Some(Money::parse(amount, super::rig::eur()).expect("an amount"))
}

#[actix_rt::test]
async fn a_price_change_moves_the_total_of_an_active_list() {
    let rig = Rig::new();
    rig.furnish().await;
    let first = rig.price("1.00", 0).await;
    rig.applied(first).await;
    rig.list(add("milk")).await.expect("added");
    assert_eq!(rig.loaded().await.view.estimated, estimated("1.00"));
    let second = rig.price("1.25", 1).await;
    rig.applied(second).await;
    let loaded = rig.loaded().await;
    assert_eq!(loaded.view.estimated, estimated("1.25"));
    assert!(loaded.position >= second);
}

#[actix_rt::test]
async fn a_resting_list_takes_in_price_changes_when_it_wakes() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.list(add("milk")).await.expect("added");
    rig.registry.rest_everybody().await;
    let position = rig.price("2.50", 0).await;
    rig.applied(position).await;
    assert_eq!(rig.loaded().await.view.estimated, estimated("2.50"));
}
