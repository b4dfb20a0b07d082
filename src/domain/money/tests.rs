//! Arithmetic of money as properties.

use proptest::prelude::*;

use super::{Currency, Money, MoneyError};

fn currency() -> impl Strategy<Value = Currency> {
    prop::sample::select(vec!["JPY", "EUR", "USD", "KWD", "CLF"]).prop_map(|code| Currency::new(code).unwrap())
}

fn money() -> impl Strategy<Value = Money> {
    (any::<i64>(), currency()).prop_map(|(minor, currency)| Money::from_minor(minor, currency))
}

proptest! {
    #[test]
    fn parts_of_a_spread_sum_exactly_and_differ_by_at_most_one_minor_unit(whole in money(), parts in 1_u32..500) {
        let spread = whole.spread(parts);
        prop_assert_eq!(spread.len(), parts as usize);
        prop_assert_eq!(spread.iter().map(|part| i128::from(part.minor())).sum::<i128>(), i128::from(whole.minor()));
        let (least, most) = (spread.iter().map(|part| part.minor()).min().unwrap(), spread.iter().map(|part| part.minor()).max().unwrap());
        prop_assert!(most - least <= 1);
        prop_assert!(spread.windows(2).all(|pair| pair[0].minor().unsigned_abs() >= pair[1].minor().unsigned_abs()), "odd cents come first");
    }

    #[test]
    fn printed_money_reads_back_as_itself(money in money()) {
        prop_assert_eq!(Money::parse(&money.amount_text(), money.currency()), Ok(money));
    }

    #[test]
    fn every_stored_form_reads_back_as_itself(money in money()) {
        prop_assert_eq!(serde_json::from_str::<Money>(&serde_json::to_string(&money).unwrap()).unwrap(), money);
        prop_assert_eq!(serde_json::from_value::<Money>(serde_json::to_value(money).unwrap()).unwrap(), money);
        prop_assert_eq!(rmp_serde::from_slice::<Money>(&rmp_serde::to_vec_named(&money).unwrap()).unwrap(), money);
    }

    #[test]
    fn sums_are_exact_in_any_order_or_an_error(mut minors in prop::collection::vec(any::<i32>(), 0..50)) {
        let sum = |minors: &[i32]| Money::sum(minors.iter().map(|minor| Money::from_minor((*minor).into(), Currency::EUR)), Currency::EUR);
        let expected: i64 = minors.iter().map(|minor| i64::from(*minor)).sum();
        prop_assert_eq!(sum(&minors), Ok(Money::from_minor(expected, Currency::EUR)));
        minors.reverse();
        prop_assert_eq!(sum(&minors), Ok(Money::from_minor(expected, Currency::EUR)));
    }

    #[test]
    fn adding_and_taking_away_is_exact_or_an_overflow(a in any::<i64>(), b in any::<i64>()) {
        let euro = |minor| Money::from_minor(minor, Currency::EUR);
        prop_assert_eq!(euro(a).checked_add(euro(b)).map(Money::minor), a.checked_add(b).ok_or(MoneyError::Overflow));
        prop_assert_eq!(euro(a).checked_sub(euro(b)).map(Money::minor), a.checked_sub(b).ok_or(MoneyError::Overflow));
        prop_assert_eq!(euro(a).checked_neg().map(Money::minor), a.checked_neg().ok_or(MoneyError::Overflow));
    }

    #[test]
    fn no_text_makes_reading_panic(text in ".{0,40}") {
        let _ = Money::parse(&text, Currency::EUR);
    }
}

#[test]
fn the_odd_cent_of_three_for_five_comes_first() {
    let parts = Money::from_minor(500, Currency::EUR).spread(3);
    assert_eq!(parts.iter().map(|part| part.minor()).collect::<Vec<_>>(), [167, 167, 166]);
    assert!(Money::from_minor(500, Currency::EUR).spread(0).is_empty());
}

#[test]
fn two_currencies_are_never_added() {
    let error = Money::from_minor(1, Currency::EUR).checked_add(Money::from_minor(1, Currency::USD)).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string()),
        ("currency_mismatch", "EUR and USD cannot be added: they are different currencies".into())
    );
    assert_eq!(Money::sum([Money::zero(Currency::USD)], Currency::EUR).unwrap_err().code(), "currency_mismatch");
}

#[test]
fn the_json_form_is_decimal_text_and_nothing_else() {
    let json = r#"{"amount":"3.49","currency":"EUR"}"#;
    let money: Money = serde_json::from_str(json).unwrap();
    assert_eq!((money.minor(), serde_json::to_string(&money).unwrap().as_str()), (349, json));
    for wrong in [
        r#"{"amount":3.49,"currency":"EUR"}"#,
        r#"{"amount":"3.499","currency":"EUR"}"#,
        r#"{"amount":"3.49","currency":"eur"}"#,
        r#"{"amount":"3.49"}"#,
        r#"{"amount":"3.49","currency":"EUR","note":""}"#,
        r#"{"amount":"1.5","currency":"JPY"}"#,
        r#"[349,"EUR"]x"#,
    ] {
        assert!(serde_json::from_str::<Money>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_budget_is_more_than_nothing_and_less_than_absurd() {
    let code = |minor| Money::from_minor(minor, Currency::EUR).validate_positive().err().map(|error| error.code());
    assert_eq!(
        (code(0), code(-1), code(1), code(i64::MAX)),
        (Some("amount_not_positive"), Some("amount_not_positive"), None, Some("amount_too_large"))
    );
}
