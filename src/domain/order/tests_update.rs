//! Given an order, when its source says something else of it, then its lines are amended.

use super::{tests::*, *};
use crate::domain::given::{Given, nothing};

fn update(lines: Vec<OrderLine>) -> OrderCommand {
    OrderCommand::Update(OrderPlacement { lines, ..placement() })
}

fn amended(given: &Given<Orders>, lines: Vec<OrderLine>) -> Vec<OrderLine> {
    match given.when(&update(lines)).unwrap().events.pop() {
        Some(OrderEvent::Amended { lines }) => lines,
        None => Vec::new(),
        Some(other) => panic!("{other:?}"),
    }
}

fn of(product: &str, line: OrderLine) -> OrderLine {
    OrderLine { product: Some(ProductId::new(product).unwrap()), ..line }
}

#[test]
fn an_order_that_is_not_there_is_placed() {
    let (updated, placed) = (nothing::<Orders>().after(&update(placement().lines)), placed());
    assert_eq!(updated.state, placed.state);
}

#[test]
fn the_same_lines_under_other_numbers_and_in_another_order_change_nothing() {
    let [first, second] = [line(7, 3, 900), line(3, 2, 500)];
    assert_eq!(amended(&placed(), vec![first, second]), []);
}

#[test]
fn a_line_keeps_its_number_a_new_one_gets_the_next_and_one_that_is_gone_is_amended_to_nothing() {
    let given = nothing().after(&update(vec![of("milk", line(1, 2, 500)), of("bread", line(2, 1, 300))]));
    let lines = amended(&given, vec![of("bread", line(1, 1, 310)), of("tea", line(2, 1, 200))]);
    assert_eq!(lines, [of("bread", line(2, 1, 310)), of("tea", line(3, 1, 200)), of("milk", line(1, 0, 0))]);
    let given = given.after(&update(vec![of("bread", line(1, 1, 310)), of("tea", line(2, 1, 200))]));
    let OrderState::Placed(order) = &given.state else { panic!("{:?}", given.state) };
    let extras = placement().extras.iter().map(|extra| extra.amount.minor()).sum::<i64>();
    assert_eq!(order.total.minor(), 510 + extras);
    assert_eq!(amended(&given, vec![of("tea", line(1, 1, 200)), of("bread", line(2, 1, 310))]), []);
}

#[test]
fn what_came_since_of_a_line_is_not_undone() {
    let given = placed().after(&refund(1, 1, 250));
    assert_eq!(given.code(&update(vec![line(1, 2, 499), line(2, 3, 900)])), "line_settled");
    assert_eq!(amended(&given, vec![line(1, 2, 500), line(2, 3, 901)]), [line(2, 3, 901)]);
    assert_eq!(placed().after(&cancel()).code(&update(vec![line(1, 2, 499)])), "order_cancelled");
}

#[test]
fn whose_it_is_and_when_it_was_placed_cannot_be_updated() {
    for other in [
        OrderPlacement { store: StoreId::new("other").unwrap(), ..placement() },
        OrderPlacement { placed_at: Moment(1), ..placement() },
        OrderPlacement { printed_total: None, ..placement() },
        OrderPlacement { source: "other".into(), ..placement() },
    ] {
        assert_eq!(placed().code(&OrderCommand::Update(other)), "order_exists");
    }
}
