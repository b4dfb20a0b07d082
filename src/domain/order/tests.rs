//! Given events, when a command, then events or a refusal, grouped by the state they start from.

use super::*;
use crate::domain::{
    Currency, RefusalKind, Unit,
    given::{Given, NOW, nothing},
    limits::{FUTURE_MICROS_MAX, LINES_PER_ORDER_MAX},
};

pub(super) fn usd(minor: i64) -> Money {
    Money::from_minor(minor, Currency::new("USD").unwrap())
}

fn eur(minor: i64) -> Money {
    Money::from_minor(minor, Currency::new("EUR").unwrap())
}

pub(super) fn line(number: u32, count: i64, charged: i64) -> OrderLine {
    OrderLine {
        line: number,
        product: Some(ProductId::new("p").unwrap()),
        name: None,
        quantity: Quantity::each(count),
        charged: usd(charged),
        shop_discount: None,
        coupon_discount: None,
        coupon_match: None,
    }
}

pub(super) fn placement() -> OrderPlacement {
    OrderPlacement {
        household: None,
        store: StoreId::new("s").unwrap(),
        list: None,
        placed_at: NOW,
        lines: vec![line(1, 2, 500), line(2, 3, 900)],
        extras: vec![Extra { kind: "tax".into(), amount: usd(28) }, Extra { kind: "savings".into(), amount: usd(-8) }],
        printed_total: Some(usd(1_420)),
        source: "receipt".into(),
    }
}

pub(super) fn place(placement: OrderPlacement) -> OrderCommand {
    OrderCommand::Place(placement)
}

pub(super) fn placed() -> Given<Orders> {
    nothing().after(&place(placement()))
}

pub(super) fn short(line: u32, picked: i64, charged: i64) -> OrderCommand {
    OrderCommand::ShortLine { line, picked: Quantity::each(picked), charged: usd(charged) }
}

pub(super) fn substitute(line: u32, count: i64, charged: i64) -> OrderCommand {
    OrderCommand::SubstituteLine { line, product: None, name: "other".into(), quantity: Quantity::each(count), charged: usd(charged) }
}

pub(super) fn refund(line: u32, count: i64, amount: i64) -> OrderCommand {
    refund_because(line, count, amount, "broken")
}

fn refund_because(line: u32, count: i64, amount: i64, reason: &str) -> OrderCommand {
    OrderCommand::RefundLine { line, quantity: Quantity::each(count), amount: usd(amount), reason: Some(reason.into()) }
}

pub(super) fn amend(lines: Vec<OrderLine>) -> OrderCommand {
    OrderCommand::Amend { lines }
}

pub(super) fn fulfil(total: i64) -> OrderCommand {
    OrderCommand::Fulfil { at: NOW, receipt_total: Some(usd(total)) }
}

pub(super) fn cancel() -> OrderCommand {
    OrderCommand::Cancel { reason: None }
}

fn order(given: &Given<Orders>) -> &Order {
    match &given.state {
        OrderState::Placed(order) | OrderState::Fulfilled(order) | OrderState::Cancelled(order) => order,
        OrderState::Absent => panic!("there is an order"),
    }
}

mod absent {
    use super::*;

    #[test]
    fn an_order_is_placed_with_its_total() {
        let decision = nothing::<Orders>().when(&place(placement())).unwrap();
        let event = OrderEvent::Placed { placement: placement(), total: usd(1_420), variance: None };
        assert_eq!(decision, Decision::applied(event));
    }

    #[test]
    fn a_printed_total_that_differs_is_recorded_not_adjusted() {
        let given = nothing().after(&place(OrderPlacement { printed_total: Some(usd(1_400)), ..placement() }));
        assert_eq!(order(&given).total, usd(1_420));
        assert_eq!(order(&given).variance, Some(usd(-20)));
    }

    #[test]
    fn everything_else_finds_no_order() {
        for command in [short(1, 1, 1), substitute(1, 1, 1), refund(1, 1, 1), amend(vec![line(1, 1, 1)]), fulfil(1), cancel()] {
            let refusal = nothing::<Orders>().when(&command).unwrap_err();
            assert_eq!((refusal.code, refusal.kind), ("order_not_found", RefusalKind::NotFound));
        }
    }

    #[test]
    fn a_placement_that_cannot_be_is_refused_with_a_pointer() {
        let lines = |lines| OrderPlacement { lines, ..placement() };
        let second = |second| lines(vec![line(1, 1, 100), second]);
        let many = u32::try_from(LINES_PER_ORDER_MAX).unwrap() + 1;
        let broken = [
            (lines(vec![]), "no_lines", "/lines"),
            (lines((1..=many).map(|number| line(number, 1, 1)).collect()), "too_many_lines", "/lines"),
            (second(line(1, 1, 100)), "line_repeated", "/lines/1/line"),
            (second(line(0, 1, 100)), "line_number_zero", "/lines/1/line"),
            (second(line(2, -1, 100)), "quantity_negative", "/lines/1/quantity"),
            (second(line(2, 1_000_001, 100)), "quantity_too_large", "/lines/1/quantity"),
            (second(line(2, 1, -1)), "charged_negative", "/lines/1/charged"),
            (second(line(2, 1, 100_000_000_001)), "amount_too_large", "/lines/1/charged/amount"),
            (second(OrderLine { charged: eur(1), ..line(2, 1, 1) }), "currency_differs", "/lines/1/charged/currency"),
            (second(OrderLine { shop_discount: Some(eur(1)), ..line(2, 1, 1) }), "currency_differs", "/lines/1/shop_discount/currency"),
            (second(OrderLine { coupon_match: Some(usd(-1)), ..line(2, 1, 1) }), "amount_negative", "/lines/1/coupon_match"),
            (second(OrderLine { name: Some(" ".into()), ..line(2, 1, 1) }), "text_empty", "/lines/1/name"),
            (OrderPlacement { printed_total: Some(eur(1)), ..placement() }, "currency_differs", "/printed_total/currency"),
            (
                OrderPlacement { extras: vec![Extra { kind: "tip".into(), amount: eur(1) }], ..placement() },
                "currency_differs",
                "/extras/0/amount/currency",
            ),
            (OrderPlacement { source: String::new(), ..placement() }, "text_empty", "/source"),
            (OrderPlacement { placed_at: Moment(-1), ..placement() }, "moment_too_early", "/placed_at"),
            (OrderPlacement { placed_at: Moment(NOW.0 + FUTURE_MICROS_MAX + 1), ..placement() }, "moment_in_future", "/placed_at"),
        ];
        for (placement, code, pointer) in broken {
            let refusal = nothing::<Orders>().when(&place(placement)).unwrap_err();
            assert_eq!((refusal.code, refusal.pointer.as_deref()), (code, Some(pointer)));
        }
    }

    #[test]
    fn free_and_uncounted_lines_are_real() {
        let lines = vec![line(1, 0, 0), line(2, 0, 250), line(3, 1, 0)];
        assert_eq!(nothing::<Orders>().code(&place(OrderPlacement { lines, ..placement() })), "applied");
    }

    #[test]
    fn a_coupon_may_be_worth_more_than_its_line_but_explains_no_more() {
        let coupon = |charged| OrderLine { coupon_discount: Some(usd(100)), ..line(1, 1, charged) };
        let code = |charged| nothing::<Orders>().code(&place(OrderPlacement { lines: vec![coupon(charged)], ..placement() }));
        assert_eq!(code(-100), "applied");
        assert_eq!(code(-101), "charged_negative");
    }
}

mod placed {
    use super::*;

    #[test]
    fn placing_it_again_is_unchanged_or_a_conflict() {
        assert_eq!(placed().code(&place(placement())), "unchanged");
        assert_eq!(placed().code(&place(OrderPlacement { lines: vec![line(1, 2, 500)], ..placement() })), "order_exists");
        assert_eq!(placed().code(&place(OrderPlacement { printed_total: None, ..placement() })), "order_exists");
    }

    #[test]
    fn placing_it_again_is_unchanged_whatever_happened_since() {
        let since = [short(1, 1, 250), substitute(2, 1, 100), refund(1, 1, 50), amend(vec![line(3, 1, 1)]), fulfil(379)];
        let given = since.iter().fold(placed(), Given::after);
        assert_eq!(given.events.len(), 6);
        assert_eq!(given.code(&place(placement())), "unchanged");
        let with_the_amended = OrderPlacement { lines: vec![line(1, 2, 500), line(2, 3, 900), line(3, 1, 1)], ..placement() };
        assert_eq!(given.code(&place(with_the_amended)), "order_exists");
    }

    #[test]
    fn ordered_picked_charged_and_refunded_are_four_numbers() {
        let given = placed().after(&short(2, 2, 600)).after(&refund(2, 1, 300));
        let line = &order(&given).lines[&2];
        assert_eq!((line.ordered.quantity.clone(), line.picked.clone()), (Quantity::each(3), Quantity::each(2)));
        assert_eq!((line.charged, line.refunded), (usd(600), usd(300)));
        assert_eq!((order(&given).total, order(&given).refunded), (usd(1_120), usd(300)));
    }

    #[test]
    fn no_more_is_picked_than_was_to_come() {
        assert_eq!(placed().code(&short(2, 4, 900)), "picked_too_much");
        assert_eq!(placed().after(&substitute(2, 5, 900)).code(&short(2, 4, 900)), "applied");
        let kilos = OrderCommand::ShortLine { line: 2, picked: Quantity::parse("1", Unit::parse("kg")).unwrap(), charged: usd(1) };
        assert_eq!(placed().code(&kilos), "unit_mismatch");
    }

    #[test]
    fn a_wrong_report_of_missing_goods_can_be_corrected() {
        assert_eq!(placed().after(&short(2, 1, 300)).code(&short(2, 3, 900)), "applied");
    }

    #[test]
    fn a_substitute_keeps_what_was_ordered() {
        let given = placed().after(&substitute(1, 1, 450));
        let line = &order(&given).lines[&1];
        assert_eq!((line.ordered.charged, line.charged), (usd(500), usd(450)));
        assert_eq!(line.substitute.as_ref().map(|substitute| substitute.name.as_str()), Some("other"));
        assert_eq!(order(&given).total, usd(1_370));
    }

    #[test]
    fn repeated_facts_are_unchanged() {
        let facts = [substitute(1, 2, 450), short(1, 1, 225), short(2, 1, 300), refund(2, 1, 100), amend(vec![line(7, 1, 50)])];
        let given = facts.iter().fold(placed(), Given::after);
        for fact in &facts {
            assert_eq!(given.code(fact), "unchanged");
        }
    }

    #[test]
    fn refunds_never_exceed_the_charge() {
        let given = placed().after(&refund(1, 1, 300));
        assert_eq!(given.code(&refund(1, 1, 201)), "refund_exceeds_charge");
        assert_eq!(given.code(&refund(1, 1, 200)), "applied");
        assert_eq!(given.code(&short(1, 1, 299)), "refund_exceeds_charge");
        assert_eq!(given.code(&substitute(1, 1, 299)), "refund_exceeds_charge");
    }

    #[test]
    fn refunds_never_exceed_what_came() {
        let given = placed().after(&refund(1, 1, 1));
        assert_eq!(given.code(&refund(1, 2, 2)), "refund_exceeds_quantity");
        assert_eq!(given.code(&refund(1, 0, 2)), "applied");
    }

    #[test]
    fn equal_refunds_need_different_reasons() {
        let given = placed().after(&refund_because(1, 1, 100, "broken"));
        assert_eq!(given.code(&refund_because(1, 1, 100, "broken")), "unchanged");
        assert_eq!(given.code(&refund_because(1, 1, 100, "the other one too")), "applied");
    }

    #[test]
    fn a_refund_of_nothing_or_in_another_currency_is_refused() {
        assert_eq!(placed().code(&refund(1, 1, 0)), "amount_not_positive");
        let euros = OrderCommand::RefundLine { line: 1, quantity: Quantity::each(1), amount: eur(1), reason: None };
        assert_eq!(placed().code(&euros), "currency_differs");
    }

    #[test]
    fn an_unknown_line_is_not_found() {
        for command in [short(9, 1, 1), substitute(9, 1, 1), refund(9, 1, 1)] {
            assert_eq!(placed().code(&command), "line_not_found");
        }
    }

    #[test]
    fn an_amendment_adds_only_new_lines() {
        let command = amend(vec![line(1, 2, 500), line(3, 1, 80)]);
        let decision = placed().when(&command).unwrap();
        assert_eq!(decision, Decision::applied(OrderEvent::Amended { lines: vec![line(3, 1, 80)] }));
        assert_eq!(order(&placed().after(&command)).total, usd(1_500));
        let refusal = placed().when(&amend(vec![line(3, 1, 80), line(1, 2, 501)])).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), ("line_exists", Some("/lines/1/line")));
    }

    #[test]
    fn amendments_keep_the_limit_of_lines() {
        let many = u32::try_from(LINES_PER_ORDER_MAX).unwrap();
        let lines = (3..=many + 1).map(|number| line(number, 1, 1)).collect();
        assert_eq!(placed().code(&amend(lines)), "too_many_lines");
        let lines = (3..=many).map(|number| line(number, 1, 1)).collect();
        assert_eq!(placed().code(&amend(lines)), "applied");
    }
}

mod fulfilled {
    use super::*;

    fn fulfilled() -> Given<Orders> {
        placed().after(&fulfil(1_420))
    }

    #[test]
    fn the_receipt_is_kept_with_its_variance() {
        let given = placed().after(&fulfil(1_430));
        assert_eq!(order(&given).receipt, Some(Receipt { at: NOW, total: Some(usd(1_430)), variance: Some(usd(10)) }));
        assert_eq!(order(&given).total, usd(1_420));
    }

    #[test]
    fn the_same_receipt_is_unchanged_and_another_corrects_it() {
        assert_eq!(fulfilled().code(&fulfil(1_420)), "unchanged");
        assert_eq!(fulfilled().code(&fulfil(1_421)), "applied");
        assert_eq!(fulfilled().after(&amend(vec![line(3, 1, 80)])).code(&fulfil(1_420)), "applied");
    }

    #[test]
    fn what_came_is_settled() {
        for command in [short(1, 1, 1), substitute(1, 1, 1), cancel()] {
            assert_eq!(fulfilled().code(&command), "order_fulfilled");
        }
    }

    #[test]
    fn refunds_and_amendments_go_on() {
        assert_eq!(fulfilled().code(&refund(1, 1, 100)), "applied");
        assert_eq!(fulfilled().code(&amend(vec![line(3, 1, 80)])), "applied");
    }

    #[test]
    fn a_source_that_moves_backwards_changes_nothing() {
        let given = placed().after(&short(1, 1, 250)).after(&fulfil(1_170));
        assert_eq!(given.code(&short(1, 1, 250)), "unchanged");
        assert_eq!(given.code(&place(placement())), "unchanged");
    }
}

mod cancelled {
    use super::*;

    #[test]
    fn nothing_new_is_taken() {
        let given = placed().after(&cancel());
        for command in [short(1, 1, 1), substitute(1, 1, 1), refund(1, 1, 1), amend(vec![line(3, 1, 1)]), fulfil(1)] {
            let refusal = given.when(&command).unwrap_err();
            assert_eq!((refusal.code, refusal.kind), ("order_cancelled", RefusalKind::Conflict));
        }
    }

    #[test]
    fn known_facts_are_still_unchanged() {
        let given = placed().after(&refund(1, 1, 1)).after(&cancel());
        for command in [cancel(), refund(1, 1, 1), place(placement())] {
            assert_eq!(given.code(&command), "unchanged");
        }
    }
}
