//! Given a known product, when its price is observed or withdrawn.

use super::*;

#[test]
fn a_price_that_cannot_be_is_refused_with_a_pointer() {
    let plain = || seen("a", 1, "1.00");
    let future = Moment(NOW.0 + FUTURE_MICROS_MAX + 1);
    let broken = [
        (seen("a", 1, "0"), "price_not_positive", "/price/amount"),
        (seen("a", 1, "-1"), "price_not_positive", "/price/amount"),
        (seen("a", 1, "1000000.0001"), "price_too_large", "/price/amount"),
        (PriceSeen { observed_at: future, ..plain() }, "observed_in_future", "/observed_at"),
        (PriceSeen { observed_at: Moment(-1), ..plain() }, "observed_too_early", "/observed_at"),
        (PriceSeen { valid_from: Some(NOW), valid_until: Some(NOW), ..plain() }, "validity_reversed", "/valid_until"),
        (PriceSeen { source: String::new(), ..plain() }, "text_empty", "/source"),
        (PriceSeen { source: "s".repeat(101), ..plain() }, "text_too_long", "/source"),
    ];
    for (seen, code, pointer) in broken {
        let refusal = product().when(&ProductCommand::ObservePrice(seen)).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), (code, Some(pointer)));
    }
}

#[test]
fn a_clock_that_is_wrong_by_minutes_is_forgiven() {
    let seen = PriceSeen { observed_at: Moment(NOW.0 + FUTURE_MICROS_MAX), ..seen("a", 0, "1.00") };
    assert_eq!(product().code(&ProductCommand::ObservePrice(seen)), "applied");
}

#[test]
fn the_same_observation_is_recorded_once() {
    let given = product().after(&observe("a", 3, "1.00")).after(&observe("a", 1, "1.10"));
    assert_eq!(given.code(&observe("a", 3, "1.00")), "unchanged");
    assert_eq!(given.code(&observe("a", 1, "1.10")), "unchanged");
}

#[test]
fn the_same_price_at_a_later_moment_proves_that_it_still_holds() {
    assert_eq!(product().after(&observe("a", 3, "1.00")).code(&observe("a", 2, "1.00")), "applied");
}

#[test]
fn another_price_of_the_same_moment_corrects_the_first() {
    let given = product().after(&observe("a", 3, "10.00")).after(&observe("a", 3, "1.00"));
    assert_eq!(given.code(&observe("a", 3, "1.00")), "unchanged");
    assert_eq!(given.code(&observe("a", 3, "10.00")), "applied");
}

#[test]
fn one_store_has_one_currency() {
    let given = product().after(&observe("b", 3, "1.00"));
    let dollars = UnitPrice::parse("1", Currency::new("USD").unwrap(), Unit::Each).unwrap();
    let at = |place| ProductCommand::ObservePrice(PriceSeen { price: dollars.clone(), ..seen(place, 1, "1") });
    let refusal = given.when(&at("b")).unwrap_err();
    assert_eq!((refusal.code, refusal.pointer.as_deref()), ("currency_differs", Some("/price/currency")));
    assert_eq!(given.code(&at("a")), "applied");
    assert_eq!(given.code(&at("c")), "applied");
}

#[test]
fn too_few_observations_call_nothing_an_outlier() {
    let given = product().after(&observe("a", 3, "1.00")).after(&observe("a", 2, "1.00"));
    assert!(!is_outlier(&given, &observe("a", 1, "99.00")));
}

#[test]
fn an_outlier_is_beyond_three_times_or_a_third_of_the_median() {
    let given = ["1.00", "1.20", "5.00"].iter().zip(5..).fold(product(), |given, (amount, days)| given.after(&observe("a", days, amount)));
    for (amount, expected) in [("3.60", false), ("3.6001", true), ("0.40", false), ("0.3999", true)] {
        assert_eq!(is_outlier(&given, &observe("a", 1, amount)), expected, "{amount}");
    }
}

#[test]
fn the_median_of_an_even_number_lies_between_the_middle_two() {
    let given = ["1.00", "1.00", "2.00", "2.00"].iter().zip(5..);
    let given = given.fold(product(), |given, (amount, days)| given.after(&observe("a", days, amount)));
    assert!(!is_outlier(&given, &observe("a", 1, "4.50")));
    assert!(is_outlier(&given, &observe("a", 1, "4.5001")));
}

#[test]
fn other_stores_are_asked_where_one_store_knows_too_little() {
    let given = ["b", "c", "d"].iter().fold(product(), |given, place| given.after(&observe(place, 2, "1.00")));
    assert!(is_outlier(&given, &observe("a", 1, "9.00")));
    let per_kilo = UnitPrice::parse("9.00", Currency::new("EUR").unwrap(), Unit::parse("kg")).unwrap();
    assert!(!is_outlier(&given, &ProductCommand::ObservePrice(PriceSeen { price: per_kilo, ..seen("a", 1, "9.00") })));
}

#[test]
fn withdrawing_nothing_is_unchanged() {
    assert_eq!(product().code(&withdraw("a")), "unchanged");
    let given = product().after(&observe("b", 1, "1.00"));
    assert_eq!(given.code(&withdraw("a")), "unchanged");
    assert_eq!(given.after(&withdraw("b")).code(&withdraw("b")), "unchanged");
}

#[test]
fn a_withdrawn_price_stays_so_until_something_new_is_seen() {
    let given = product().after(&observe("a", 2, "1.00")).after(&withdraw("a"));
    assert_eq!(given.code(&observe("a", 2, "1.00")), "unchanged");
    assert_eq!(given.after(&observe("a", 1, "1.00")).code(&withdraw("a")), "applied");
}

#[test]
fn beyond_the_limit_the_price_observed_longest_ago_is_forgotten() {
    let moment = |index: usize| Moment(i64::try_from(index).unwrap());
    let observe = |index| ProductCommand::ObservePrice(PriceSeen { observed_at: moment(index), ..seen("a", 0, "1.00") });
    let given = (0..=OBSERVATIONS_PER_PRODUCT_MAX).fold(product(), |given, index| given.after(&observe(index)));
    let ProductState::Active(product) = &given.state else { panic!("the product is active") };
    assert_eq!(product.observations.len(), OBSERVATIONS_PER_PRODUCT_MAX);
    assert_eq!(given.code(&observe(0)), "applied");
    assert_eq!(given.code(&observe(1)), "unchanged");
}
