//! Given lists and prices, then totals: exact, explained, and the same whichever way they were reached.

use proptest::prelude::*;

use super::{ListTotals, STORES_SHOWN_MAX, Totals, UnpricedReason, all::existing};
use crate::{
    domain::{ItemId, ListId, Moment, Money, Quantity, StreamKind, Unit, household::HouseholdEvent, list::ListEvent, product::PriceKind},
    projections::{Views, testing::*},
};

fn replay(log: &TestLog) -> (Views, Totals) {
    let (mut views, mut totals) = (Views::default(), Totals::default());
    for event in &log.events {
        let changes = views.apply(event);
        totals.apply(event, &changes, &views);
    }
    (views, totals)
}

fn view(log: &TestLog) -> super::TotalsView {
    replay(log).1.view(&ListId::new("weekly").unwrap(), None).unwrap()
}

fn item(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

#[test]
fn a_list_without_items_costs_nothing_at_its_store() {
    let mut log = TestLog::default();
    log.store("spar").list("weekly", created(Some("spar")));
    let totals = view(&log);
    assert_eq!((totals.estimated, totals.items, totals.unpriced_items), (Some(euros("0.00")), 0, 0));
}

#[test]
fn items_and_prices_and_ticks_move_the_total() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).list("weekly", created(Some("spar")));
    log.list("weekly", item_added("i1", Some("milk"), Quantity::each(2)));
    assert_eq!(view(&log).estimated, Some(euros("3.00")));
    log.list("weekly", ListEvent::ItemChecked { item: item("i1") });
    assert_eq!((view(&log).in_cart, view(&log).to_get), (Some(euros("3.00")), Some(euros("0.00"))));
    log.price("milk", "spar", PriceKind::Promo, "1.20", 2);
    let totals = view(&log);
    assert_eq!((totals.estimated, totals.savings, totals.oldest_price_at), (Some(euros("2.40")), Some(euros("0.60")), Some(day(2))));
}

#[test]
fn items_without_a_price_are_counted_with_the_reason() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).list("weekly", created(Some("spar")));
    log.list("weekly", item_added("i1", None, Quantity::each(1)));
    log.list("weekly", item_added("i2", Some("unknown"), Quantity::each(1)));
    log.list("weekly", item_added("i3", Some("milk"), Quantity::parse("1", Unit::parse("kg")).unwrap()));
    let totals = view(&log);
    assert_eq!((totals.unpriced.no_product, totals.unpriced.no_price, totals.unpriced.unit_mismatch), (1, 1, 1));
    assert_eq!(totals.unpriced_items, 3);
}

#[test]
fn a_pack_content_that_becomes_known_prices_the_line() {
    let mut log = TestLog::default();
    log.price("flour", "spar", PriceKind::Shelf, "1.50", 1).list("weekly", created(Some("spar")));
    log.list("weekly", item_added("i1", Some("flour"), Quantity::parse("1.5", Unit::parse("kg")).unwrap()));
    assert_eq!(view(&log).unpriced.unit_mismatch, 1);
    let content = Some(Quantity::parse("1", Unit::parse("kg")).unwrap());
    log.product("flour", crate::domain::product::ProductEvent::Registered(details("Flour", content)));
    assert_eq!(view(&log).estimated, Some(euros("3.00")), "two whole packs");
}

#[test]
fn without_a_chosen_store_the_one_that_prices_most_is_shown() {
    let mut log = TestLog::default();
    log.price("milk", "billa", PriceKind::Shelf, "1.00", 1).list("weekly", created(None));
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).price("bread", "spar", PriceKind::Shelf, "3.00", 1);
    log.list("weekly", item_added("i1", Some("milk"), Quantity::each(1)));
    assert_eq!(view(&log).store, Some(store("billa")), "the cheaper of equals");
    log.list("weekly", item_added("i2", Some("bread"), Quantity::each(1)));
    let totals = view(&log);
    assert_eq!((totals.store, totals.store_chosen, totals.estimated), (Some(store("spar")), false, Some(euros("4.50"))));
    let side_by_side: Vec<_> = totals.stores.iter().map(|total| (total.store.to_string(), total.unpriced_items)).collect();
    assert_eq!(side_by_side, [("billa".into(), 1), ("spar".into(), 0)]);
}

#[test]
fn a_chosen_store_counts_even_behind_the_stores_shown() {
    let mut log = TestLog::default();
    for n in 0..50 {
        log.price("milk", &format!("s{n:02}"), PriceKind::Shelf, &format!("2.{n:02}"), 1);
    }
    log.list("weekly", created(Some("s44"))).list("weekly", item_added("i1", Some("milk"), Quantity::each(1)));
    assert_eq!(view(&log).estimated, Some(euros("2.44")));
    log.price("milk", "s44", PriceKind::Shelf, "1.11", 2);
    let totals = view(&log);
    assert_eq!((totals.estimated, totals.stores.len()), (Some(euros("1.11")), STORES_SHOWN_MAX));
}

/// The stores side by side, each with its total and its number of unpriced items.
fn side_by_side(log: &TestLog) -> Vec<(String, Option<Money>, u32)> {
    view(log).stores.into_iter().map(|total| (total.store.to_string(), Some(total.estimated), total.unpriced_items)).collect()
}

fn compare(log: &mut TestLog, stores: &[&str]) {
    let stores = stores.iter().map(|id| store(id)).collect();
    log.push(StreamKind::Household, "home", HouseholdEvent::StoresChosen { stores });
}

#[test]
fn a_list_of_a_household_shows_just_the_stores_it_compares_and_its_own() {
    let mut log = TestLog::default();
    for n in 0..50 {
        log.price("milk", &format!("s{n:02}"), PriceKind::Shelf, &format!("2.{n:02}"), 1);
    }
    log.store("empty");
    compare(&mut log, &["s47", "s03", "empty", "unheard"]);
    log.list("weekly", created_for("home", Some("s44"))).list("weekly", item_added("i1", Some("milk"), Quantity::each(1)));
    let shown = |id: &str, amount: &str, unpriced| (id.to_string(), Some(euros(amount)), unpriced);
    let own = shown("s44", "2.44", 0);
    assert_eq!(side_by_side(&log), [shown("empty", "0.00", 1), shown("s03", "2.03", 0), own.clone(), shown("s47", "2.47", 0)]);
    log.price("milk", "s47", PriceKind::Shelf, "1.00", 2).price("milk", "s48", PriceKind::Shelf, "1.00", 2);
    compare(&mut log, &["s47", "s49"]);
    assert_eq!(side_by_side(&log), [own.clone(), shown("s47", "1.00", 0), shown("s49", "2.49", 0)]);
    compare(&mut log, &[]);
    assert_eq!(view(&log).stores.len(), STORES_SHOWN_MAX, "who compares no stores is shown the first ones again");
}

#[test]
fn a_store_that_is_not_compared_can_be_asked_about() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).price("milk", "billa", PriceKind::Shelf, "1.40", 1);
    compare(&mut log, &["billa"]);
    log.list("weekly", created_for("home", None)).list("weekly", item_added("i1", Some("milk"), Quantity::each(1)));
    let (views, totals) = replay(&log);
    let list = existing(&totals.lists[&ListId::new("weekly").unwrap()].0).unwrap();
    let asked = ListTotals::build_for(list, Some(&store("spar")), &views, log.now).view(Some(&store("spar")));
    assert_eq!((asked.estimated, asked.stores.len()), (Some(euros("1.50")), 1));
}

#[test]
fn a_promotion_that_ends_by_time_alone_is_due_and_recomputed() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).list("weekly", created(Some("spar")));
    log.list("weekly", item_added("i1", Some("milk"), Quantity::each(1)));
    let mut promo = seen("spar", PriceKind::Promo, "1.00", 2);
    (promo.valid_from, promo.valid_until) = (Some(day(5)), Some(day(9)));
    log.product("milk", observed(promo));
    let (views, mut totals) = replay(&log);
    let (state, totals) = totals.lists.get_mut(&ListId::new("weekly").unwrap()).unwrap();
    let list = existing(state).unwrap();
    assert_eq!(totals.expires_at(), Some(day(5)));
    assert!(totals.refresh(list, &views, day(5)));
    assert_eq!((totals.view(None).estimated, totals.expires_at()), (Some(euros("1.00")), Some(day(9))));
    assert!(totals.refresh(list, &views, day(9)) && !totals.refresh(list, &views, day(10)));
    assert_eq!((totals.view(None).estimated, totals.expires_at()), (Some(euros("1.50")), None));
}

#[test]
fn every_line_names_its_price() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.50", 1).list("weekly", created(Some("spar")));
    log.list("weekly", item_added("i1", Some("milk"), Quantity::each(2))).list("weekly", item_added("i2", None, Quantity::each(1)));
    let (views, totals) = replay(&log);
    let (state, totals) = &totals.lists[&ListId::new("weekly").unwrap()];
    let lines = totals.explain(existing(state).unwrap(), &store("spar"), &views, log.now);
    let used = lines[0].used.as_ref().unwrap();
    assert_eq!((used.position.0, used.kind, used.observed_at, &*used.source), (1, PriceKind::Shelf, day(1), "test"));
    assert_eq!((lines[0].amount, lines[1].unpriced), (Some(euros("3.00")), Some(UnpricedReason::NoProduct)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn incremental_totals_equal_those_built_from_scratch(log in any_log()) {
        let (views, mut totals) = replay(&log);
        for (state, incremental) in totals.lists.values_mut() {
            let Some(list) = existing(state) else { continue };
            incremental.refresh(list, &views, log.now);
            let built = ListTotals::build(list, &views, log.now);
            prop_assert_eq!(incremental.view(None), built.view(None));
            prop_assert_eq!(incremental.expires_at(), built.expires_at());
            for store_id in (0..5).map(|n| store(&format!("store{n}"))) {
                prop_assert_eq!(incremental.view(Some(&store_id)), built.view(Some(&store_id)));
                prop_assert_eq!(incremental.explain(list, &store_id, &views, log.now), built.explain(list, &store_id, &views, log.now));
            }
        }
    }

    #[test]
    fn the_explained_lines_add_up_to_the_total_exactly(log in any_log()) {
        let (views, mut totals) = replay(&log);
        for (state, totals) in totals.lists.values_mut() {
            let Some(list) = existing(state) else { continue };
            totals.refresh(list, &views, log.now);
            let shown = totals.view(None);
            let (Some(store_id), Some(currency)) = (&shown.store, shown.currency) else { continue };
            let lines = totals.explain(list, store_id, &views, log.now);
            let sum = |amounts: Vec<Option<Money>>| Money::sum(amounts.into_iter().flatten(), currency).ok();
            prop_assert_eq!(sum(lines.iter().map(|line| line.amount).collect()), shown.estimated);
            prop_assert_eq!(sum(lines.iter().map(|line| line.savings).collect()), shown.savings);
            prop_assert_eq!(sum(lines.iter().filter(|line| line.checked).map(|line| line.amount).collect()), shown.in_cart);
            prop_assert_eq!(lines.iter().filter(|line| line.unpriced.is_some()).count(), shown.unpriced_items as usize);
            let oldest: Option<Moment> = lines.iter().filter_map(|line| line.used.as_ref().map(|used| used.observed_at)).min();
            prop_assert_eq!(oldest, shown.oldest_price_at);
        }
    }
}
