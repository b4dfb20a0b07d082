//! Laws that hold for every sequence of commands.

use proptest::prelude::*;

use super::*;
use crate::domain::{
    Currency, Outcome,
    given::{Given, NOW, nothing, replay, stored},
};

fn money(range: std::ops::Range<i64>) -> impl Strategy<Value = Money> {
    (range, prop_oneof![19 => Just("USD"), 1 => Just("EUR")])
        .prop_map(|(minor, currency)| Money::from_minor(minor, Currency::new(currency).unwrap()))
}

fn dollars(range: std::ops::Range<i64>) -> impl Strategy<Value = Money> {
    range.prop_map(|minor| Money::from_minor(minor, Currency::new("USD").unwrap()))
}

fn quantity() -> impl Strategy<Value = Quantity> {
    (0_i64..5).prop_map(Quantity::each)
}

fn line(number: u32) -> impl Strategy<Value = OrderLine> {
    (quantity(), dollars(0..1_000), prop::option::of(dollars(0..200))).prop_map(move |(quantity, charged, coupon_discount)| OrderLine {
        line: number,
        product: None,
        name: None,
        quantity,
        charged,
        shop_discount: None,
        coupon_discount,
        coupon_match: None,
    })
}

fn placement() -> impl Strategy<Value = OrderPlacement> {
    let extra = dollars(-100..100).prop_map(|amount| Extra { kind: "tax".into(), amount });
    let lines = (line(1), line(2), line(3)).prop_map(|(first, second, third)| vec![first, second, third]);
    (lines, prop::collection::vec(extra, 0..3), prop::option::of(dollars(0..3_000))).prop_map(|(lines, extras, printed_total)| {
        OrderPlacement {
            household: None,
            store: StoreId::new("s").unwrap(),
            list: None,
            placed_at: NOW,
            lines,
            extras,
            printed_total,
            source: "receipt".into(),
        }
    })
}

fn command() -> impl Strategy<Value = OrderCommand> {
    let number = || 1_u32..6;
    let substitute = (number(), "[ab]{0,1}", quantity(), money(-50..1_000))
        .prop_map(|(line, name, quantity, charged)| OrderCommand::SubstituteLine { line, product: None, name, quantity, charged });
    let refund = (number(), quantity(), money(-50..600), prop::option::of("[ab]"))
        .prop_map(|(line, quantity, amount, reason)| OrderCommand::RefundLine { line, quantity, amount, reason });
    let fulfil = (0_i64..3, prop::option::of(money(0..3_000)))
        .prop_map(|(days, receipt_total)| OrderCommand::Fulfil { at: NOW.days_before(days), receipt_total });
    prop_oneof![
        1 => placement().prop_map(OrderCommand::Place),
        3 => placement().prop_map(OrderCommand::Update),
        4 => substitute,
        4 => (number(), quantity(), money(-50..1_000)).prop_map(|(line, picked, charged)| OrderCommand::ShortLine { line, picked, charged }),
        6 => refund,
        3 => prop::collection::vec(number().prop_flat_map(line), 0..3).prop_map(|lines| OrderCommand::Amend { lines }),
        1 => fulfil,
        1 => Just(OrderCommand::Cancel { reason: None }),
    ]
}

/// Commands that begin with a placement, so that most of the rest concerns an existing order.
fn life() -> impl Strategy<Value = Vec<OrderCommand>> {
    (placement(), prop::collection::vec(command(), 0..30)).prop_map(|(placement, mut commands)| {
        commands.insert(0, OrderCommand::Place(placement));
        commands
    })
}

fn live(commands: &[OrderCommand]) -> Given<Orders> {
    commands.iter().fold(nothing(), Given::after)
}

fn order(state: &OrderState) -> Option<&Order> {
    match state {
        OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order) => Some(order),
        OrderState::Absent => None,
    }
}

proptest! {
    #[test]
    fn a_command_that_was_accepted_is_unchanged_when_repeated(commands in life()) {
        let mut given = nothing::<Orders>();
        for command in &commands {
            if given.tell(command).is_ok() {
                prop_assert_eq!(given.when(command).unwrap().outcome, Outcome::Unchanged);
            }
        }
    }

    #[test]
    fn the_total_is_always_lines_plus_extras(commands in life()) {
        let given = live(&commands);
        let order = order(&given.state).unwrap();
        let amounts = order.lines.values().map(|line| line.charged).chain(order.extras.iter().map(|extra| extra.amount));
        prop_assert_eq!(Money::sum(amounts, order.total.currency()).unwrap(), order.total);
        prop_assert_eq!(Money::sum(order.lines.values().map(|line| line.refunded), order.total.currency()).unwrap(), order.refunded);
        for line in order.lines.values() {
            let refunds = line.refunds.iter().map(|refund| refund.amount);
            prop_assert_eq!(Money::sum(refunds, order.total.currency()).unwrap(), line.refunded);
        }
    }

    #[test]
    fn refunds_stay_within_what_was_charged_and_what_came(commands in life()) {
        let given = live(&commands);
        for line in order(&given.state).unwrap().lines.values() {
            prop_assert!(line.refunded.is_zero() || line.refunded.minor() <= line.charged.minor());
            let expected = line.substitute.as_ref().map_or(&line.ordered.quantity, |substitute| &substitute.quantity);
            prop_assert!(line.picked.millionths() <= expected.millionths());
        }
    }

    #[test]
    fn what_the_printed_total_says_beyond_the_lines_is_the_variance(placement in placement()) {
        let given = live(&[OrderCommand::Place(placement.clone())]);
        let order = order(&given.state).unwrap();
        let explained = order.total.minor() + order.variance.map_or(0, Money::minor);
        prop_assert_eq!(explained, placement.printed_total.map_or(order.total.minor(), Money::minor));
    }

    #[test]
    fn replaying_the_events_gives_the_state_and_storing_it_keeps_it(commands in life()) {
        let given = live(&commands);
        prop_assert_eq!(&replay::<Orders>(&given.events), &given.state);
        prop_assert_eq!(stored::<Orders>(&given.state), given.state);
    }
}
