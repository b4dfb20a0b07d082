//! Prices reach lists through the committed feed, awake or not.

use super::rig::{Rig, add, id, request};
use crate::domain::{
    Money,
    household::{HouseholdCommand, Households},
    list::{ListCommand, Lists},
};

fn euros(amount: &str) -> Money {
    Money::parse(amount, super::rig::eur()).expect("an amount")
}

#[actix_rt::test]
async fn a_price_change_moves_the_total_of_an_active_list() {
    let rig = Rig::new();
    rig.furnish().await;
    let first = rig.price("1.00", 0).await;
    rig.applied(first).await;
    rig.list(add("milk")).await.expect("added");
    assert_eq!(rig.loaded().await.view.estimated, Some(euros("1.00")));
    let second = rig.price("1.25", 1).await;
    rig.applied(second).await;
    let loaded = rig.loaded().await;
    assert_eq!(loaded.view.estimated, Some(euros("1.25")));
    assert!(loaded.position >= second);
}

#[actix_rt::test]
async fn an_active_list_follows_the_stores_that_its_household_compares() {
    let rig = Rig::new();
    rig.furnish().await;
    let household = |command| rig.registry.execute::<Households>("home", request(command));
    household(HouseholdCommand::Create { name: "Home".into() }).await.expect("a household");
    let create = ListCommand::Create { name: "Ours".into(), household: Some(id("home")), store: None };
    rig.registry.execute::<Lists>("ours", request(create)).await.expect("a list");
    assert!(rig.registry.load::<Lists>("ours").await.expect("loads").view.stores.is_empty());
    let chosen = household(HouseholdCommand::ChooseStores { stores: [id("markt")].into() }).await.expect("chosen");
    rig.applied(chosen.position).await;
    let loaded = rig.registry.load::<Lists>("ours").await.expect("loads");
    assert_eq!(loaded.view.stores.iter().map(|shown| shown.store.as_str()).collect::<Vec<_>>(), ["markt"]);
}

#[actix_rt::test]
async fn a_list_that_is_never_at_rest_is_not_registered_for_all_it_ever_held() {
    let rig = Rig::new();
    rig.furnish().await;
    for n in 0..200 {
        let ListCommand::AddItem { item, name, specification, quantity, note, .. } = add(&format!("i{n}")) else {
            panic!("`add` makes another command")
        };
        let added = ListCommand::AddItem { product: Some(id(&format!("p{n}"))), item: item.clone(), name, specification, quantity, note };
        rig.list(added).await.expect("added");
        rig.list(ListCommand::Remove { item }).await.expect("removed");
    }
    assert!(rig.registry.shared().interest.products_held() <= 66);
    rig.registry.rest_everybody().await;
    assert_eq!(rig.registry.shared().interest.products_held(), 0);
}

#[actix_rt::test]
async fn a_resting_list_takes_in_price_changes_when_it_wakes() {
    let rig = Rig::new();
    rig.furnish().await;
    rig.list(add("milk")).await.expect("added");
    rig.registry.rest_everybody().await;
    let position = rig.price("2.50", 0).await;
    rig.applied(position).await;
    assert_eq!(rig.loaded().await.view.estimated, Some(euros("2.50")));
}
