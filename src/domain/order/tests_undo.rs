//! Given an order, when an event is undone, then commands, or a sentence that explains why not.

use super::{tests::*, *};
use crate::domain::given::{Given, NOW, nothing};

#[test]
fn a_placed_order_is_cancelled_unless_it_was_handed_over() {
    let order = nothing::<Orders>().after(&place(placement()));
    assert_eq!(order.undone(), Ok(vec![OrderCommand::Cancel { reason: Some("undone".into()) }]));
    assert_eq!(order.after(&fulfil(1_420)).undo_code(0), "order_fulfilled");
    let cancelled = placed().after(&cancel());
    assert_eq!((cancelled.undo_code(0), cancelled.undo_code(1)), ("nothing_to_undo", "cancellation_stays"));
}

#[test]
fn what_came_of_a_line_goes_back_only_while_it_stands() {
    let shorted = placed().after(&short(1, 1, 250));
    assert_eq!(shorted.undone(), Ok(vec![short(1, 2, 500)]));
    assert_eq!(
        shorted.changed()[0],
        "lines/1/charged: {\"amount\":\"5.00\",\"currency\":\"USD\"} > {\"amount\":\"2.50\",\"currency\":\"USD\"}"
    );
    assert_eq!(shorted.after(&short(1, 0, 0)).undo_code(1), "changed_since");
}

#[test]
fn a_substitute_goes_back_to_the_one_before_but_not_to_what_was_ordered() {
    let first = placed().after(&substitute(1, 2, 480));
    assert_eq!(first.undo_code(1), "substitution_stays");
    let other = |given: Given<Orders>| {
        given.after(&OrderCommand::SubstituteLine {
            line: 1,
            product: None,
            name: "third".into(),
            quantity: Quantity::each(2),
            charged: usd(470),
        })
    };
    assert_eq!(other(first).undone(), Ok(vec![substitute(1, 2, 480)]));
    let shorted_between = other(placed().after(&substitute(1, 2, 480)).after(&short(1, 1, 240)));
    assert_eq!(shorted_between.undone(), Ok(vec![substitute(1, 2, 480), short(1, 1, 240)]));
    assert_eq!(other(placed().after(&substitute(1, 2, 480))).undo_code(1), "changed_since");
}

#[test]
fn what_moved_goods_or_money_stays() {
    assert_eq!(placed().after(&refund(1, 1, 250)).undo_code(1), "refund_stays");
    assert_eq!(placed().after(&amend(vec![line(3, 1, 100)])).undo_code(1), "lines_stay");
    assert_eq!(placed().after(&fulfil(1_420)).undo_code(1), "handed_over");
}

#[test]
fn a_corrected_receipt_is_corrected_back() {
    let corrected = placed().after(&fulfil(1_400)).after(&fulfil(1_420));
    assert_eq!(corrected.undone(), Ok(vec![OrderCommand::Fulfil { at: NOW, receipt_total: Some(usd(1_400)) }]));
    assert_eq!(corrected.after(&fulfil(1_430)).undo_code(2), "changed_since");
}
