//! Given prices over months, then deals: which there are, how large, and which are honest.

use crate::{
    domain::product::{PriceKind, ProductEvent},
    projections::{Deal, DealChange, DealMark, DealQuery, testing::*},
};

fn deals(log: &TestLog) -> Vec<Deal> {
    log.views().deals(&DealQuery { at: log.now, limit: 10, ..DealQuery::default() }).deals
}

fn shelf(prices: &[(&str, i64)]) -> TestLog {
    let mut log = TestLog::default();
    for (amount, on_day) in prices {
        log.price("milk", "spar", PriceKind::Shelf, amount, *on_day);
    }
    log
}

#[test]
fn a_drop_below_the_usual_price_is_a_deal_with_its_saving() {
    let log = shelf(&[("2.00", 1), ("1.50", 100)]);
    let [deal] = &deals(&log)[..] else { panic!("one deal") };
    assert_eq!((deal.price.clone(), deal.reference.clone()), (price("1.50"), price("2.00")));
    assert_eq!((deal.saving, deal.saving_basis_points, deal.since), (euros("0.50"), 2_500, day(100)));
    assert!(deal.honest && deal.new_low);
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Began(_)]));
}

#[test]
fn a_sale_after_a_raise_is_marked_as_not_honest() {
    // 1.00 for long, 1.60 for three weeks before the "sale", which is no lower than it was within 30 days.
    let mut log = shelf(&[("1.60", 1), ("1.00", 75), ("1.60", 82), ("1.20", 100)]);
    let deal = deals(&log).remove(0);
    assert_eq!((deal.reference, deal.lowest_30_days, deal.honest), (price("1.60"), price("1.00"), false));
    log.price("milk", "spar", PriceKind::Shelf, "0.99", 101);
    assert!(deals(&log)[0].honest);
}

#[test]
fn a_drop_needs_history_a_percent_and_a_cent() {
    assert!(deals(&shelf(&[("2.00", 1), ("1.00", 10)])).is_empty(), "nine days say nothing");
    assert!(deals(&shelf(&[("2.00", 1), ("1.99", 50)])).is_empty(), "half a percent is noise");
    assert!(deals(&shelf(&[("0.30", 1), ("0.296", 50)])).is_empty(), "less than a cent is noise");
}

#[test]
fn a_new_low_of_the_year_is_a_deal_even_when_small_and_an_old_low_is_none() {
    let log = shelf(&[("2.00", 1), ("1.99", 150)]);
    assert!(deals(&log)[0].new_low);
    let log = shelf(&[("1.50", 1), ("2.00", 20), ("1.60", 200)]);
    assert!(!deals(&log)[0].new_low, "it was cheaper in the year before");
}

#[test]
fn a_drop_below_a_third_is_an_outlier_and_left_out_unless_asked_for() {
    let mut log = shelf(&[("99.00", 1), ("99.00", 50), ("0.75", 100)]);
    assert!(deals(&log).is_empty());
    let all = |log: &TestLog| log.views().deals(&DealQuery { at: log.now, limit: 10, outliers: true, ..DealQuery::default() }).deals;
    assert!(matches!(&all(&log)[..], [deal] if deal.outlier && deal.price == price("0.75")));
    log.price("milk", "spar", PriceKind::Shelf, "33.00", 101);
    assert!(matches!(&deals(&log)[..], [deal] if !deal.outlier), "a third is not under a third");
}

#[test]
fn fewer_than_three_prices_make_no_outlier() {
    let mut log = shelf(&[("99.00", 1), ("0.75", 100)]);
    assert!(!deals(&log)[0].outlier);
    log.price("milk", "billa", PriceKind::Shelf, "99.00", 101).price("milk", "spar", PriceKind::Shelf, "0.74", 102);
    assert!(deals(&log).is_empty(), "prices at other stores are witnesses too");
}

#[test]
fn a_deal_ends_when_the_price_rises_back_or_is_withdrawn() {
    let mut log = shelf(&[("2.00", 1), ("1.50", 100), ("2.00", 110)]);
    assert!(deals(&log).is_empty());
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Ended(deal)] if deal.price == price("1.50")));
    log.price("milk", "spar", PriceKind::Shelf, "1.40", 111);
    assert_eq!(deals(&log).len(), 1);
    log.product("milk", ProductEvent::PriceWithdrawn { store: store("spar"), kind: PriceKind::Shelf });
    assert!(deals(&log).is_empty());
}

#[test]
fn the_same_price_seen_again_keeps_since_and_is_no_news() {
    let log = shelf(&[("2.00", 1), ("1.50", 100), ("1.50", 105)]);
    let deal = deals(&log).remove(0);
    assert_eq!((deal.since, deal.position.0), (day(100), 3));
    assert!(log.last_changes().deals.is_empty());
}

#[test]
fn a_promotion_is_measured_against_the_shelf_price_and_ends_with_its_validity() {
    let mut log = shelf(&[("2.00", 1)]);
    log.now = day(60);
    let mut promo = seen("spar", PriceKind::Promo, "1.50", 60);
    promo.valid_until = Some(day(67));
    log.product("milk", observed(promo));
    let deal = deals(&log).remove(0);
    assert_eq!((deal.kind, deal.reference, deal.until), (PriceKind::Promo, price("2.00"), Some(day(67))));
    log.price("bread", "spar", PriceKind::Shelf, "3.00", 67);
    assert!(matches!(&log.last_changes().deals[..], [DealChange::Ended(_)]));
    assert!(log.views().deals.is_empty());
}

#[test]
fn deals_are_paged_by_saving_and_filtered_by_store_category_and_percent() {
    let mut log = TestLog::default();
    for n in 1..=5 {
        let id = format!("p{n}");
        log.product(&id, ProductEvent::Registered(details(&id, None)));
        log.price(&id, if n == 5 { "billa" } else { "spar" }, PriceKind::Shelf, "10.00", 1);
    }
    for n in 1..=5 {
        log.price(&format!("p{n}"), if n == 5 { "billa" } else { "spar" }, PriceKind::Shelf, &format!("{}.00", 10 - n), 60);
    }
    let views = log.views();
    let query = |query: DealQuery| {
        let page = views.deals(&DealQuery { at: log.now, ..query });
        (page.deals.iter().map(|deal| deal.saving_basis_points / 1_000).collect::<Vec<_>>(), page.next)
    };
    let (first, next) = query(DealQuery { limit: 2, ..DealQuery::default() });
    assert_eq!(first, [5, 4]);
    let (second, next) = query(DealQuery { limit: 2, after: next.as_deref().and_then(DealMark::parse), ..DealQuery::default() });
    assert_eq!(second, [3, 2]);
    assert_eq!(query(DealQuery { limit: 2, after: next.as_deref().and_then(DealMark::parse), ..DealQuery::default() }), (vec![1], None));
    assert_eq!(query(DealQuery { limit: 9, store: Some(store("billa")), ..DealQuery::default() }).0, [5]);
    assert_eq!(query(DealQuery { limit: 9, saving_basis_points_min: 3_500, ..DealQuery::default() }).0, [5, 4]);
    assert_eq!(query(DealQuery { limit: 9, category: Some("dairy".into()), ..DealQuery::default() }).0.len(), 5);
    assert!(query(DealQuery { limit: 9, category: Some("wine".into()), ..DealQuery::default() }).0.is_empty());
}
