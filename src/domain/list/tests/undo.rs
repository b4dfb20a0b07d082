//! Given a list, when an event is undone, then commands, or a sentence that explains why not.

use super::*;
use crate::domain::{
    StreamId,
    given::{Given, nothing},
    list::come_back::heir,
    undo::Undo,
};

/// A list of items a, b, c … that tester made.
fn list(items: &[&str]) -> Given<Lists> {
    list_of(items).into_iter().fold(nothing(), Given::event)
}

fn heir_of(item: &str, position: u64) -> ItemId {
    heir(&StreamId::new(StreamKind::List, "x").unwrap(), "undo", position, &id(item))
}

fn order(list: &Given<Lists>) -> String {
    list.state.list().unwrap().items_in_order().iter().map(|(_, item)| item.name.trim_start_matches("Thing ").to_owned()).collect()
}

fn quantity(list: &Given<Lists>, item: &str) -> Quantity {
    list.state.list().unwrap().items[&id(item)].quantity.clone()
}

#[test]
fn a_creation_stays() {
    let refusal = list(&[]).undone().unwrap_err();
    assert_eq!((refusal.code, refusal.detail.as_str()), ("creation_stays", "a list cannot be deleted; archive it instead"));
}

#[test]
fn a_new_name_store_and_budget_go_back_only_while_they_stand() {
    let store = StoreId::new("s").unwrap();
    let budget = Money::from_minor(500, Currency::EUR);
    for (change, again, back) in [
        (
            ListEvent::Renamed { name: "Party".into() },
            ListEvent::Renamed { name: "Picnic".into() },
            ListCommand::Rename { name: "Weekly".into() },
        ),
        (
            ListEvent::StoreChosen { store: Some(store.clone()) },
            ListEvent::StoreChosen { store: None },
            ListCommand::ChooseStore { store: None },
        ),
        (
            ListEvent::BudgetSet { budget: Some(budget) },
            ListEvent::BudgetSet { budget: Some(Money::from_minor(7, Currency::EUR)) },
            ListCommand::SetBudget { budget: None },
        ),
    ] {
        let changed = list(&[]).event(change);
        assert_eq!(changed.undone(), Ok(vec![back]));
        assert_eq!(changed.event(again).undo_code(1), "changed_since");
    }
}

#[test]
fn who_changed_it_since_is_named() {
    let refusal =
        list(&[]).event(ListEvent::Renamed { name: "Party".into() }).event(ListEvent::Renamed { name: "Picnic".into() }).undo(1..2);
    let detail = "the list is called “Picnic” now, not “Party”: tester changed it at 2024-01-01T00:00:00Z (position 3)";
    assert_eq!(refusal.unwrap_err().detail, detail);
}

#[test]
fn a_role_goes_back_and_a_new_member_stays() {
    let shared = |role| ListEvent::Shared { member: person("ben"), role };
    let list = list(&[]).event(shared(Role::Viewer));
    assert_eq!(list.undo_code(1), "member_stays");
    let list = list.event(shared(Role::Editor));
    assert_eq!(list.undone(), Ok(vec![ListCommand::Share { member: person("ben"), role: Role::Viewer }]));
    assert_eq!(list.event(shared(Role::Owner)).undo_code(2), "changed_since");
}

#[test]
fn an_added_item_is_taken_off_unless_somebody_made_something_of_it() {
    let list = list(&["a"]);
    assert_eq!(list.undone(), Ok(vec![ListCommand::Remove { item: id("a") }]));
    let ticked = list.event(ListEvent::ItemChecked { item: id("a") });
    assert_eq!(ticked.undo_code(1), "changed_since");
    assert_eq!(ticked.event(ListEvent::ItemRemoved { item: id("a") }).undo_code(1), "item_removed");
}

#[test]
fn two_more_are_two_less_whatever_came_between() {
    let by =
        |by, quantity| ListEvent::ItemQuantityChanged { item: id("a"), by: Some(Quantity::each(by)), quantity: Quantity::each(quantity) };
    let list = list(&["a"]).event(by(2, 3)).event(by(4, 7));
    assert_eq!(list.undo(2..3).unwrap().commands, [ListCommand::ChangeQuantity { item: id("a"), by: Quantity::each(-2) }]);
    assert_eq!(quantity(&list.after_undo(2..3), "a"), Quantity::each(5));
}

#[test]
fn a_merged_addition_is_undone_with_its_note() {
    let mut list = list(&["a"]);
    let note = Some("cold".to_owned());
    list.tell(&ListCommand::AddItem {
        item: id("b"),
        name: "Thing a".into(),
        product: None,
        specification: None,
        quantity: Quantity::each(2),
        note,
    })
    .unwrap();
    assert!(Lists::continues(&list.events[2], &list.events[3]));
    let list = list.after_undo(2..4);
    let item = &list.state.list().unwrap().items[&id("a")];
    assert_eq!((&item.quantity, &item.note), (&Quantity::each(1), &None));
}

#[test]
fn a_change_that_would_leave_nothing_is_not_undone() {
    let by =
        |by, quantity| ListEvent::ItemQuantityChanged { item: id("a"), by: Some(Quantity::each(by)), quantity: Quantity::each(quantity) };
    assert_eq!(list(&["a"]).event(by(2, 3)).event(by(-2, 1)).undo_code(2), "quantity_not_positive");
}

#[test]
fn a_sum_in_another_unit_goes_back_to_the_unit_of_before() {
    let spoon = Quantity::from_millionths(1_000_000, Unit::Tablespoon);
    let mut list = list(&["a"]).event(ListEvent::ItemQuantityChanged { item: id("a"), by: None, quantity: spoon.clone() });
    list.tell(&ListCommand::ChangeQuantity { item: id("a"), by: Quantity::from_millionths(1_000_000, Unit::Teaspoon) }).unwrap();
    assert_eq!(quantity(&list.after_undo(3..4), "a"), spoon);
}

#[test]
fn a_set_quantity_goes_back_only_while_it_stands() {
    let set = |count| ListEvent::ItemQuantityChanged { item: id("a"), by: None, quantity: Quantity::each(count) };
    let list = list(&["a"]).event(set(3));
    assert_eq!(list.undone(), Ok(vec![ListCommand::SetQuantity { item: id("a"), quantity: Quantity::each(1) }]));
    assert_eq!(list.event(set(5)).undo_code(2), "changed_since");
}

#[test]
fn only_the_details_that_were_changed_go_back() {
    let details = |note: &str| ListEvent::ItemDetailsChanged { item: id("a"), name: None, specification: None, note: Some(note.into()) };
    let list = list(&["a"]).event(details("cold"));
    let back = ListCommand::ChangeDetails { item: id("a"), name: None, specification: None, note: Some(String::new()) };
    assert_eq!(list.undone(), Ok(vec![back]));
    assert_eq!(list.event(details("warm")).undo_code(2), "changed_since");
}

#[test]
fn a_match_and_a_tick_go_back_only_while_they_stand() {
    let product = |product: &str| ListEvent::ItemMatched { item: id("a"), product: Some(ProductId::new(product).unwrap()) };
    let matched = list(&["a"]).event(product("p"));
    assert_eq!(matched.undone(), Ok(vec![ListCommand::Match { item: id("a"), product: None }]));
    assert_eq!(matched.event(product("q")).undo_code(2), "changed_since");
    let ticked = list(&["a"]).event(ListEvent::ItemChecked { item: id("a") });
    assert_eq!(ticked.undone(), Ok(vec![ListCommand::Uncheck { item: id("a") }]));
    let unticked = ticked.event(ListEvent::ItemUnchecked { item: id("a") });
    assert_eq!(unticked.undo_code(2), "changed_since");
    assert_eq!(unticked.undone(), Ok(vec![ListCommand::Check { item: id("a") }]));
    assert_eq!(unticked.event(ListEvent::ItemChecked { item: id("a") }).undo_code(3), "changed_since");
}

#[test]
fn a_moved_item_goes_back_behind_what_stood_in_front_of_it() {
    let mut list = list(&["a", "b", "c", "d"]);
    list.tell(&ListCommand::Move { item: id("d"), after: Some(id("a")) }).unwrap();
    let list = list.event(ListEvent::ItemRemoved { item: id("c") });
    assert_eq!(list.undo(5..6).unwrap().commands, [ListCommand::Move { item: id("d"), after: Some(id("b")) }]);
    let moved_on = list.after(&ListCommand::Move { item: id("d"), after: None });
    assert_eq!(moved_on.undo_code(5), "changed_since");
}

#[test]
fn a_move_that_gave_all_items_new_ranks_is_undone_as_one() {
    let mut list = [added("a", "a", 0), added("b", "b", 0), added("c", "c", 0)].into_iter().fold(list(&[]), Given::event);
    list.tell(&ListCommand::Move { item: id("c"), after: Some(id("a")) }).unwrap();
    assert_eq!((order(&list).as_str(), list.events.len()), ("acb", 6));
    assert!(Lists::continues(&list.events[4], &list.events[5]));
    assert_eq!(order(&list.after_undo(4..6)), "abc");
}

#[test]
fn a_removed_item_comes_back_under_a_new_id_in_its_place() {
    let list = list(&["a", "b", "c"]).event(ListEvent::ItemChecked { item: id("b") }).event(ListEvent::ItemRemoved { item: id("b") });
    let list = list.after_undo(5..6);
    assert_eq!(order(&list), "abc");
    let back = &list.state.list().unwrap().items[&heir_of("b", 6)];
    assert!(back.checked.is_some());
}

#[test]
fn an_item_that_comes_back_does_not_merge_with_one_like_it() {
    let list = list(&["a"]).event(ListEvent::ItemRemoved { item: id("a") }).event(added("b", "thing A", 0));
    let list = list.after_undo(2..3);
    let items = &list.state.list().unwrap().items;
    assert_eq!((items.len(), items[&heir_of("a", 3)].specification.as_deref()), (2, None));
}

#[test]
fn cleared_items_all_come_back_ticked_in_their_places() {
    let mut list = list(&["a", "b", "c", "d"]);
    for item in ["a", "b", "d"] {
        list = list.event(ListEvent::ItemChecked { item: id(item) });
    }
    list.tell(&ListCommand::ClearChecked).unwrap();
    let list = list.after_undo(8..9);
    assert_eq!(order(&list), "abcd");
    assert_eq!(list.state.list().unwrap().items.values().filter(|item| item.checked.is_some()).count(), 3);
}

#[test]
fn what_was_done_to_an_item_before_it_came_back_can_still_be_undone() {
    let list = list(&["a"]).event(ListEvent::ItemChecked { item: id("a") }).event(ListEvent::ItemRemoved { item: id("a") });
    let list = list.after_undo(3..4);
    assert_eq!(list.undo(2..3).unwrap().commands, [ListCommand::Uncheck { item: heir_of("a", 4) }]);
}

#[test]
fn an_archived_list_is_revived_and_a_revived_one_archived() {
    let archived = list(&[]).event(ListEvent::Archived {});
    assert_eq!(archived.undone(), Ok(vec![ListCommand::Revive]));
    let revived = archived.event(ListEvent::Revived {});
    assert_eq!((revived.undone(), revived.undo_code(1)), (Ok(vec![ListCommand::Archive]), "changed_since"));
    assert_eq!(revived.event(ListEvent::Archived {}).undo_code(2), "changed_since");
}

#[test]
fn nothing_of_an_archived_list_is_undone_but_that() {
    assert_eq!(list(&["a"]).event(ListEvent::Archived {}).undo_code(1), "list_archived");
}

#[test]
fn what_was_checked_out_stays_checked_out() {
    let mut list = list(&["a"]).event(ListEvent::ItemChecked { item: id("a") });
    list.tell(&ListCommand::CheckOut { order: OrderId::new("o").unwrap() }).unwrap();
    assert_eq!((list.undo_code(3), list.undo_code(2)), ("checked_out", "item_removed"));
}

#[test]
fn what_an_event_changed_is_told_field_by_field() {
    let list = list(&["a", "b"]);
    let plain = ["b/checked: null > false", "b/name: null > \"Thing b\"", "b/quantity: null > {\"amount\":\"1\",\"unit\":\"each\"}"];
    assert_eq!(list.changed(), plain);
    let list = list.event(ListEvent::ItemMoved { item: id("b"), rank: -5 });
    assert_eq!(list.changed(), ["b/after: \"a\" > null"]);
    let list = list.event(ListEvent::ItemChecked { item: id("b") });
    assert_eq!(list.changed(), ["b/checked: false > true"]);
    let list = list.event(ListEvent::Shared { member: person("ben"), role: Role::Viewer });
    assert_eq!(list.changed(), ["members/ben: null > \"viewer\""]);
    let list = list.event(ListEvent::CheckedOut { order: OrderId::new("o").unwrap(), items: vec![id("b")] });
    assert_eq!(list.changed().last().unwrap(), "last_order: null > \"o\"");
    assert_eq!(list.event(ListEvent::Archived {}).changed(), ["archived: false > true"]);
}
