//! Line totals against an oracle that divides without fractions, and the rules of packs.

use proptest::prelude::*;

use super::{Content, UnitPrice, line_total};
use crate::domain::{Currency, Money, Quantity, Unit};

fn price(amount: &str, per: Unit) -> UnitPrice {
    UnitPrice::parse(amount, Currency::EUR, per).unwrap()
}

fn quantity(amount: &str, unit: Unit) -> Quantity {
    Quantity::parse(amount, unit).unwrap()
}

fn cents(price: &UnitPrice, quantity: &Quantity, content: Option<Content<'_>>) -> Result<i64, &'static str> {
    line_total(price, quantity, content).map(Money::minor).map_err(|error| error.code())
}

/// Whole part and remainder of `price × quantity × size / per` kept apart: no fraction type, no reduction.
fn oracle(price: &UnitPrice, quantity: &Quantity) -> i64 {
    let over = i128::from(price.ten_thousandths()) * i128::from(quantity.millionths());
    let (size, per) = (i128::from(quantity.unit().size()), i128::from(price.per().size()));
    let under = 10_i128.pow(4 - price.currency().decimals()) * 1_000_000;
    let (whole, rest) = (over / under, over % under);
    // whole × size / per + rest × size / (under × per), each with its own remainder.
    let (first, first_rest) = (whole * size / per, whole * size % per);
    let last = first_rest * under + rest * size;
    i64::try_from(first + (2 * last + under * per) / (2 * under * per)).unwrap()
}

proptest! {
    #[test]
    fn a_line_total_is_rounded_once_half_up(
        ten_thousandths in 1_i64..10_000_000,
        millionths in 1_i64..10_000_000_000,
        currency in prop::sample::select(vec!["JPY", "EUR", "KWD"]),
        units in prop::sample::select(vec![
            (Unit::Gram, Unit::Kilogram), (Unit::Kilogram, Unit::Kilogram), (Unit::Ounce, Unit::Pound), (Unit::Pound, Unit::Ounce),
            (Unit::Millilitre, Unit::Litre), (Unit::Centilitre, Unit::Decilitre), (Unit::Each, Unit::Pack), (Unit::Each, Unit::Dozen),
        ]),
    ) {
        let price = UnitPrice::from_ten_thousandths(ten_thousandths, Currency::new(currency).unwrap(), units.1);
        let quantity = Quantity::from_millionths(millionths, units.0);
        prop_assert_eq!(line_total(&price, &quantity, None).unwrap().minor(), oracle(&price, &quantity));
    }

    #[test]
    fn no_numbers_make_it_panic_or_wrap(tt in any::<i64>(), millionths in any::<i64>(), held in any::<i64>(), loose in any::<bool>()) {
        let units = [Unit::Each, Unit::Pound, Unit::FluidOunce, Unit::Litre, Unit::Metre, Unit::WashLoad];
        for per in &units {
            for unit in &units {
                let price = UnitPrice::from_ten_thousandths(tt, Currency::EUR, per.clone());
                let held = Quantity::from_millionths(held, Unit::Gallon);
                let content = Content { quantity: &held, sold_by_weight: loose };
                let _ = line_total(&price, &Quantity::from_millionths(millionths, unit.clone()), Some(content));
            }
        }
    }

    #[test]
    fn within_the_limits_nothing_overflows(
        tt in 1..=crate::domain::limits::UNIT_PRICE_TEN_THOUSANDTHS_MAX,
        millionths in 1..=crate::domain::limits::QUANTITY_MILLIONTHS_MAX,
    ) {
        let price = UnitPrice::from_ten_thousandths(tt, Currency::EUR, Unit::Kilogram);
        prop_assert!(line_total(&price, &Quantity::from_millionths(millionths, Unit::Kilogram), None).is_ok());
    }

    #[test]
    fn every_stored_form_reads_back_as_itself(tt in any::<i64>(), per in prop::sample::select(Unit::KNOWN.to_vec())) {
        let price = UnitPrice::from_ten_thousandths(tt, Currency::USD, per);
        prop_assert_eq!(&serde_json::from_str::<UnitPrice>(&serde_json::to_string(&price).unwrap()).unwrap(), &price);
        prop_assert_eq!(&rmp_serde::from_slice::<UnitPrice>(&rmp_serde::to_vec_named(&price).unwrap()).unwrap(), &price);
    }
}

#[test]
fn half_a_cent_rounds_up() {
    assert_eq!(cents(&price("0.005", Unit::Each), &Quantity::each(1), None), Ok(1));
    assert_eq!(cents(&price("0.0049", Unit::Each), &Quantity::each(1), None), Ok(0));
    assert_eq!(cents(&price("1.999", Unit::Kilogram), &quantity("250", Unit::Gram), None), Ok(50));
}

#[test]
fn packs_are_bought_whole_unless_sold_by_weight() {
    let half_litre = quantity("500", Unit::Millilitre);
    let whole = Content { quantity: &half_litre, sold_by_weight: false };
    let loose = Content { sold_by_weight: true, ..whole };
    let (price, wanted) = (price("2.00", Unit::Each), quantity("1.2", Unit::Litre));
    assert_eq!(cents(&price, &wanted, Some(whole)), Ok(600));
    assert_eq!(cents(&price, &wanted, Some(loose)), Ok(480));
    assert_eq!(cents(&price, &quantity("1", Unit::Litre), Some(whole)), Ok(400));
}

#[test]
fn packs_priced_by_weight_weigh_what_they_hold() {
    let held = quantity("400", Unit::Gram);
    let content = Content { quantity: &held, sold_by_weight: false };
    assert_eq!(cents(&price("10.00", Unit::Kilogram), &Quantity::each(2), Some(content)), Ok(800));
}

#[test]
fn without_a_fact_dimensions_do_not_convert() {
    let each = price("2.00", Unit::Each);
    assert_eq!(cents(&each, &quantity("500", Unit::Gram), None), Err("unit_mismatch"));
    let (litre, nothing) = (quantity("1", Unit::Litre), quantity("0", Unit::Gram));
    for quantity_held in [&litre, &nothing] {
        let content = Content { quantity: quantity_held, sold_by_weight: true };
        assert_eq!(cents(&each, &quantity("500", Unit::Gram), Some(content)), Err("unit_mismatch"));
    }
    assert_eq!(cents(&price("2.00", Unit::Ounce), &quantity("1", Unit::FluidOunce), None), Err("unit_mismatch"));
    let unknown = Unit::parse("Abtr.G.");
    assert_eq!(cents(&each, &quantity("1", unknown.clone()), None), Err("unit_mismatch"));
    assert_eq!(cents(&price("2.00", unknown.clone()), &quantity("2", unknown), None), Ok(400));
}

#[test]
fn the_json_form_prints_no_useless_zeros_and_defaults_to_each() {
    let price: UnitPrice = serde_json::from_str(r#"{"amount":"1.9990","currency":"EUR"}"#).unwrap();
    assert_eq!(serde_json::to_string(&price).unwrap(), r#"{"amount":"1.999","currency":"EUR","per":"each"}"#);
    assert!(serde_json::from_str::<UnitPrice>(r#"{"amount":"1.99999","currency":"EUR"}"#).is_err());
    assert!(serde_json::from_str::<UnitPrice>(r#"{"amount":"1","currency":"EUR","unit":"kg"}"#).is_err());
}

#[test]
fn free_negative_and_absurd_prices_are_refused() {
    let code = |text: &str| price(text, Unit::Each).validate_positive().err().map(|error| error.code());
    assert_eq!(code("0"), Some("amount_not_positive"));
    assert_eq!(code("-0.01"), Some("amount_not_positive"));
    assert_eq!(code("1000000"), None);
    assert_eq!(code("1000000.0001"), Some("amount_too_large"));
}
