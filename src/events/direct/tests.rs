//! The direct reader agrees with serde: on every fixture, on any event, and on damaged bytes.

use proptest::{collection::vec, option, prelude::*};

use super::*;
use crate::{
    domain::{Currency, Money, Quantity, Unit, UnitPrice},
    events::{
        content::{read_any, write_content},
        fixtures::fixture,
        names::event_name,
    },
};

fn written(event: &Event) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_content(&mut bytes, event);
    bytes
}

fn any_id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._:-]{1,64}"
}

fn any_moment() -> impl Strategy<Value = Moment> {
    any::<i64>().prop_map(Moment)
}

/// Of every width that a number is written in.
fn any_number() -> impl Strategy<Value = i64> {
    prop_oneof![-40_i64..300, -70_000_i64..70_000, any::<i32>().prop_map(i64::from), any::<i64>()]
}

fn any_currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just("EUR"), Just("USD"), Just("JPY")].prop_map(|code| Currency::new(code).unwrap())
}

/// Known units, and sometimes an unknown one.
fn any_unit() -> impl Strategy<Value = Unit> {
    prop_oneof![30 => proptest::sample::select(Unit::KNOWN), 1 => Just(Unit::parse("Abtr.G."))]
}

fn any_money() -> impl Strategy<Value = Money> {
    (any_number(), any_currency()).prop_map(|(minor, currency)| Money::from_minor(minor, currency))
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    (any_number(), any_unit()).prop_map(|(millionths, unit)| Quantity::from_millionths(millionths, unit))
}

fn any_kind() -> impl Strategy<Value = PriceKind> {
    prop_oneof![Just(PriceKind::Shelf), Just(PriceKind::Promo), Just(PriceKind::Member), Just(PriceKind::Clearance)]
}

fn any_price_event() -> impl Strategy<Value = Event> {
    let price = (any_number(), any_currency(), any_unit()).prop_map(|(n, currency, per)| UnitPrice::from_ten_thousandths(n, currency, per));
    let times = (option::of(any_moment()), option::of(any_moment()), any_moment());
    (any_id(), any_kind(), price, times, ".{0,40}", option::of(".{0,300}"), any::<bool>()).prop_map(
        |(store, kind, price, (valid_from, valid_until, observed_at), source, evidence, outlier)| {
            let store = StoreId::new(&store).unwrap();
            let seen = PriceSeen { store, kind, price, valid_from, valid_until, observed_at, source, evidence };
            ProductEvent::PriceObserved { seen, outlier }.into()
        },
    )
}

fn any_code() -> impl Strategy<Value = ProductCode> {
    let own = || "[a-z0-9]{1,64}";
    prop_oneof![
        4 => (own(), own()).prop_map(|(source, id)| ProductCode::source(&source, &id).unwrap()),
        4 => Just(ProductCode::Gtin(Gtin::parse("4006381333931").unwrap())),
        1 => own().prop_map(|code| ProductCode::store_made(StoreId::new("s").unwrap(), &code).unwrap()),
    ]
}

fn any_registration() -> impl Strategy<Value = Event> {
    let labels = (".{0,60}", option::of(".{0,30}"), option::of(".{0,30}"), option::of(".{0,400}"));
    let nutrition = proptest::collection::btree_map("[a-z-]{0,40}", any_number(), 0..20);
    (labels, option::of(any_quantity()), any::<(bool, bool)>(), vec(any_code(), 0..20), nutrition).prop_map(
        |((name, brand, category, ingredients), content, (sold_by_weight, organic), codes, nutrition)| {
            let details = ProductDetails { name, brand, category, content, sold_by_weight, organic, codes, ingredients, nutrition };
            ProductEvent::Registered(details).into()
        },
    )
}

fn any_line() -> impl Strategy<Value = OrderLine> {
    let amounts = (any_money(), option::of(any_money()), option::of(any_money()), option::of(any_money()));
    (any::<u32>(), option::of(any_id()), option::of(".{0,40}"), any_quantity(), amounts).prop_map(
        |(line, product, name, quantity, (charged, shop_discount, coupon_discount, coupon_match))| {
            let product = product.map(|id| ProductId::new(&id).unwrap());
            OrderLine { line, product, name, quantity, charged, shop_discount, coupon_discount, coupon_match }
        },
    )
}

fn any_order() -> impl Strategy<Value = Event> {
    let extra = (".{0,40}", any_money()).prop_map(|(kind, amount)| Extra { kind, amount });
    let ids = (any_id(), option::of(any_id()), option::of(any_id()));
    let sums = (option::of(any_money()), any_money(), option::of(any_money()));
    (ids, any_moment(), vec(any_line(), 0..20), vec(extra, 0..3), sums, ".{0,40}").prop_map(
        |((store, household, list), placed_at, lines, extras, (printed_total, total, variance), source)| {
            let store = StoreId::new(&store).unwrap();
            let household = household.map(|id| HouseholdId::new(&id).unwrap());
            let list = list.map(|id| ListId::new(&id).unwrap());
            let placement = OrderPlacement { household, store, list, placed_at, lines, extras, printed_total, source };
            OrderEvent::Placed { placement, total, variance }.into()
        },
    )
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![any_price_event(), any_registration(), any_order()]
}

/// What only serde can read.
fn is_rare(event: &Event) -> bool {
    let text = format!("{event:?}");
    text.contains("Other(") || text.contains("StoreMade")
}

#[test]
fn the_fixtures_are_read_directly_but_for_rare_codes() {
    for name in ["product.price_observed", "order.placed"] {
        let event = fixture(name).event;
        assert_eq!(read(name, &written(&event)), Some(event));
    }
    let registered = fixture("product.registered").event;
    assert_eq!(read("product.registered", &written(&registered)), None, "it has a code that a store made");
}

#[test]
fn more_lines_than_a_short_length_can_say_are_read() {
    let Event::Order(OrderEvent::Placed { mut placement, total, variance }) = fixture("order.placed").event else { panic!("an order") };
    for lines in [15, 16, 70_000] {
        placement.lines = vec![placement.lines[0].clone(); lines];
        let event: Event = OrderEvent::Placed { placement: placement.clone(), total, variance }.into();
        assert!(read("order.placed", &written(&event)) == Some(event), "{lines} lines");
    }
}

proptest! {
    #[test]
    fn any_event_is_read_as_it_was_written(event in any_event()) {
        let (name, bytes) = (event_name(&event), written(&event));
        let directly = read(name, &bytes);
        prop_assert_eq!(directly.is_none(), is_rare(&event));
        prop_assert_eq!(directly.unwrap_or_else(|| event.clone()), event.clone());
        prop_assert_eq!(read_any(name, &bytes), Ok(event));
    }

    #[test]
    fn damaged_bytes_are_read_as_serde_reads_them_or_left_to_it(
        event in any_event(),
        damage in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3),
        cut in option::of(any::<proptest::sample::Index>()),
    ) {
        let mut bytes = written(&event);
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        for (at, byte) in damage {
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
            }
        }
        if let Some(directly) = read(event_name(&event), &bytes) {
            prop_assert_eq!(read_any(event_name(&event), &bytes), Ok(directly));
        }
    }
}
