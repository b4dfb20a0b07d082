//! Arithmetic of quantities as properties.

use proptest::prelude::*;

use super::{Quantity, QuantityError, Unit};

fn unit() -> impl Strategy<Value = Unit> {
    prop_oneof![prop::sample::select(Unit::KNOWN.to_vec()), "[a-zäß]{1,3}/[a-z0-9]{1,8}".prop_map(|text| Unit::parse(&text))]
}

fn quantity() -> impl Strategy<Value = Quantity> {
    (any::<i64>(), unit()).prop_map(|(millionths, unit)| Quantity::from_millionths(millionths, unit))
}

/// The amount in the base unit, exactly.
fn base(quantity: &Quantity) -> i128 {
    i128::from(quantity.millionths()) * i128::from(quantity.unit().size())
}

proptest! {
    #[test]
    fn printed_quantities_read_back_as_themselves(quantity in quantity()) {
        prop_assert_eq!(Quantity::parse(&quantity.amount_text(), Unit::parse(quantity.unit().as_str())), Ok(quantity));
    }

    #[test]
    fn every_stored_form_reads_back_as_itself(quantity in quantity()) {
        prop_assert_eq!(&serde_json::from_str::<Quantity>(&serde_json::to_string(&quantity).unwrap()).unwrap(), &quantity);
        prop_assert_eq!(&rmp_serde::from_slice::<Quantity>(&rmp_serde::to_vec(&quantity).unwrap()).unwrap(), &quantity);
    }

    #[test]
    fn a_sum_is_exact_or_an_error(left in quantity(), right in quantity()) {
        match left.checked_add(&right) {
            Ok(sum) => {
                prop_assert_eq!(sum.unit(), left.unit());
                prop_assert_eq!(base(&sum), base(&left) + base(&right));
            }
            Err(QuantityError::UnitMismatch { .. }) => prop_assert!(left.unit().ratio_to(right.unit()).is_none()),
            Err(QuantityError::Inexact { .. }) => prop_assert!(base(&right) % i128::from(left.unit().size()) != 0),
            Err(error) => prop_assert_eq!(error, QuantityError::TooLarge),
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in ".{0,40}", unit in ".{0,40}") {
        let _ = Quantity::parse(&text, Unit::parse(&unit));
    }
}

#[test]
fn units_of_one_dimension_add_up_in_the_first_ones_unit() {
    let kilograms = Quantity::parse("1.5", Unit::Kilogram).unwrap();
    let sum = kilograms.checked_add(&Quantity::parse("250", Unit::Gram).unwrap()).unwrap();
    assert_eq!(sum.to_string(), "1.75 kg");
    let error = kilograms.checked_add(&Quantity::each(1)).unwrap_err();
    assert_eq!(error.code(), "unit_mismatch");
    let error = kilograms.checked_add(&Quantity::from_millionths(1, Unit::Ounce)).unwrap_err();
    assert_eq!(error.code(), "quantity_inexact");
}

#[test]
fn nothing_and_the_absurd_are_no_quantities_to_buy() {
    let code = |text: &str| Quantity::parse(text, Unit::Each).unwrap().validate_positive().err().map(|error| error.code());
    assert_eq!(code("0"), Some("quantity_not_positive"));
    assert_eq!(code("-1"), Some("quantity_not_positive"));
    assert_eq!(code("1000000"), None);
    assert_eq!(code("1000000.000001"), Some("quantity_too_large"));
    assert_eq!(Quantity::parse("0.0000001", Unit::Each).unwrap_err().code(), "quantity_too_precise");
}

#[test]
fn the_json_form_is_decimal_text_with_a_unit() {
    let quantity: Quantity = serde_json::from_str(r#"{"amount":"1.50","unit":"KG"}"#).unwrap();
    assert_eq!(serde_json::to_string(&quantity).unwrap(), r#"{"amount":"1.5","unit":"kg"}"#);
    for wrong in [
        r#"{"amount":1.5,"unit":"kg"}"#,
        r#"{"amount":"1.5"}"#,
        r#"{"amount":"1.5","unit":""}"#,
        r#"{"amount":"1.5","unit":" "}"#,
        r#"{"amount":"1.5","unit":"a\u0000"}"#,
        r#"{"amount":"1.5","unit":"kg","x":1}"#,
    ] {
        assert!(serde_json::from_str::<Quantity>(wrong).is_err(), "{wrong}");
    }
}
