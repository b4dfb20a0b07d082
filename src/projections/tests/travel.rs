//! Time travel: what the views answer for a position equals the answer of views that never saw more.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::{
    domain::{
        Entity, Event, HouseholdId, ListId, Moment,
        codes::Gtin,
        list::{ListState, Lists},
        moment::DAY_MICROS,
        product::PriceKind,
    },
    events::Position,
    projections::{AsOf, HistoryQuery, PriceLookup, Views, testing::*, totals::ListTotals},
};

const EVERYTHING: HistoryQuery = HistoryQuery { store: None, kind: None, from: None, to: None, limit: usize::MAX };

/// Everything that can be asked about a position, as comparable text.
fn everything(views: AsOf<'_>, lists: &BTreeMap<ListId, ListState>, at: Moment) -> Vec<String> {
    let mut told = vec![format!("{:?} {:?}", views.products(None, 99), views.stores(None, 99))];
    for product in (0..4).map(|n| product(&format!("product{n}"))) {
        told.push(format!("{:?}", views.product(&product)));
        told.push(format!("{:?}", views.best_prices(&product, at, true)));
        told.push(format!("{:?}", views.price_history(&product, &EVERYTHING)));
        told.push(format!("{:?} {:?}", views.content(&product), views.next_change(&product, at)));
        for store in views.stores_of(&product) {
            let moments = [at, Moment(at.0 - DAY_MICROS), Moment(at.0 + 2 * DAY_MICROS)];
            told.push(format!("{:?}", moments.map(|moment| views.price_at(&product, &store, PriceKind::Shelf, moment))));
            told.push(format!("{:?}", views.true_at(moments[1]).best(&product, &store, moments[1])));
        }
    }
    told.push(format!("{:?}", views.compared(&HouseholdId::new("home").unwrap())));
    told.push(format!("{:?}", ["4006381333931", "96385074"].map(|code| views.product_by_gtin(Gtin::parse(code).unwrap()))));
    for (id, state) in lists {
        let (ListState::Active(list) | ListState::Archived(list)) = state else { continue };
        let totals = ListTotals::build(list, &views, at);
        let view = totals.view(None);
        let lines = view.store.as_ref().map(|store| totals.explain(list, store, &views, at));
        told.push(format!("{id} {view:?} {lines:?}"));
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_position_of_a_history_is_told_as_a_fresh_fold_of_its_prefix_tells_it(log in any_log()) {
        let whole = log.views();
        let (mut prefix, mut lists) = (Views::default(), BTreeMap::<ListId, ListState>::new());
        for recorded in &log.events {
            prefix.apply(recorded);
            if let Event::List(event) = &recorded.event {
                Lists::evolve(lists.entry(ListId::new(recorded.stream.id()).unwrap()).or_default(), event, &recorded.fact());
            }
            let then = whole.as_of(recorded.position);
            prop_assert_eq!(everything(then, &lists, recorded.at), everything(prefix.now(), &lists, recorded.at), "at {}", recorded.position);
        }
    }
}

fn best_at(views: &Views, position: u64) -> Option<String> {
    views.as_of(Position(position)).best_price(&product("milk"), &store("spar"), day(9), false).map(|best| best.price.amount_text())
}

#[test]
fn a_corrected_price_is_still_known_as_it_was_before_the_correction() {
    let mut log = TestLog::default();
    for amount in ["19.9", "1.99", "1.89"] {
        log.price("milk", "spar", PriceKind::Shelf, amount, 5);
    }
    let views = log.views();
    assert_eq!(
        [0, 1, 2, 3].map(|position| best_at(&views, position)),
        [None, Some("19.90".into()), Some("1.99".into()), Some("1.89".into())]
    );
}

#[test]
fn a_forgotten_withdrawal_is_still_known_before_it_was_forgotten() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 5);
    log.product("milk", crate::domain::product::ProductEvent::PriceWithdrawn { store: store("spar"), kind: PriceKind::Shelf });
    log.price("milk", "spar", PriceKind::Shelf, "1.89", 5);
    let views = log.views();
    assert_eq!([1, 2, 3].map(|position| best_at(&views, position)), [Some("1.99".into()), None, Some("1.89".into())]);
}

#[test]
fn a_price_that_was_imported_later_counts_for_its_day_but_not_for_what_was_known() {
    let mut log = TestLog::default();
    log.price("milk", "spar", PriceKind::Shelf, "1.99", 9).price("milk", "spar", PriceKind::Shelf, "1.79", 5);
    let views = log.views();
    let on_day_six = |known: AsOf<'_>| known.true_at(day(6)).best(&product("milk"), &store("spar"), day(6)).map(|used| used.price);
    assert_eq!(on_day_six(views.now()), Some(price("1.79")));
    assert_eq!(on_day_six(views.as_of(Position(1))), None);
}
