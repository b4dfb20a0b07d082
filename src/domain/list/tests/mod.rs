//! Given events, when a command, then events or a refusal; grouped by phase.

mod laws;
mod restore;
mod undo;
mod undo_laws;

use super::*;
use crate::domain::{
    Currency, ItemId, Moment, Money, OrderId, Outcome, Principal, ProductId, Quantity, StoreId, Unit,
    limits::{ITEMS_PER_LIST_MAX, REMOVED_PER_LIST_MAX},
    rights::Rights,
};

fn person(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

fn id(name: &str) -> ItemId {
    ItemId::new(name).unwrap()
}

fn grams(amount: i64) -> Quantity {
    Quantity::from_millionths(amount * 1_000_000, Unit::Gram)
}

/// Evolves the events as anna did them, one second apart.
fn evolved(state: &mut ListState, events: &[ListEvent], after: u64) {
    let who = person("anna");
    for (version, event) in (after + 1..).zip(events) {
        let at = Moment(i64::try_from(version).unwrap() * 1_000_000);
        Lists::evolve(state, event, &Fact { who: &who, at, position: version, version });
    }
}

fn given(events: &[ListEvent]) -> ListState {
    let mut state = ListState::default();
    evolved(&mut state, events, 0);
    state
}

fn when_done_by(state: &ListState, who: &str, command: &ListCommand) -> Result<Decision<ListEvent>, Refusal> {
    Lists::decide(state, command, &Context { who: person(who), by: None, at: Moment(0), rights: Rights::alone() })
}

fn when(state: &ListState, command: &ListCommand) -> Result<Decision<ListEvent>, Refusal> {
    Lists::decide(state, command, &Context::of_admin(person("device"), Moment(0)))
}

fn code(state: &ListState, command: &ListCommand) -> &'static str {
    when(state, command).unwrap_err().code
}

fn created() -> ListEvent {
    ListEvent::Created { name: "Weekly".into(), household: None, store: None }
}

fn add(item: &str, name: &str, quantity: Quantity) -> ListCommand {
    ListCommand::AddItem { item: id(item), name: name.into(), product: None, specification: None, quantity, note: None }
}

fn added(item: &str, name: &str, rank: i64) -> ListEvent {
    let (item, name, quantity) = (id(item), name.into(), Quantity::each(1));
    ListEvent::ItemAdded { item, name, product: None, specification: None, quantity, note: None, rank }
}

/// A list of items a, b, c … with ranks 0, 10, 20 …
fn list_of(items: &[&str]) -> Vec<ListEvent> {
    let items = items.iter().zip(0..).map(|(item, number)| added(item, &format!("Thing {item}"), number * 10));
    std::iter::once(created()).chain(items).collect()
}

mod absent {
    use super::*;

    #[test]
    fn whoever_creates_a_list_owns_it() {
        let create = ListCommand::Create { name: " Weekly ".into(), household: None, store: None };
        let decision = when(&ListState::Absent, &create).unwrap();
        assert_eq!(decision, Decision::applied(created()));
        assert_eq!(given(&decision.events).list().unwrap().members, [(person("anna"), Role::Owner)].into());
    }

    #[test]
    fn nothing_else_can_be_done() {
        assert_eq!(code(&ListState::Absent, &add("a", "Milk", Quantity::each(1))), "list_not_found");
        assert_eq!(code(&ListState::Absent, &ListCommand::Archive), "list_not_found");
    }

    #[test]
    fn a_name_must_say_something_on_one_line() {
        let create = |name: &str| ListCommand::Create { name: name.into(), household: None, store: None };
        assert_eq!(code(&ListState::Absent, &create(" ")), "text_empty");
        assert_eq!(code(&ListState::Absent, &create(&"x".repeat(301))), "text_too_long");
        assert_eq!(code(&ListState::Absent, &create("a\u{7}")), "text_control_character");
    }
}

mod adding {
    use super::*;

    #[test]
    fn the_same_name_in_another_case_merges() {
        let state = given(&[created(), added("a", "Müsli", 0)]);
        let decision = when(&state, &add("b", " MÜSLI ", Quantity::each(2))).unwrap();
        let merged = ListEvent::ItemQuantityChanged { item: id("a"), by: Some(Quantity::each(2)), quantity: Quantity::each(3) };
        assert_eq!(decision, Decision::merged(merged));
    }

    #[test]
    fn another_specification_product_or_dimension_does_not_merge() {
        let state = given(&[created(), added("a", "Milk", 0)]);
        let command = |product: Option<&str>, specification: Option<&str>, quantity| ListCommand::AddItem {
            item: id("b"),
            name: "Milk".into(),
            product: product.map(|product| ProductId::new(product).unwrap()),
            specification: specification.map(str::to_owned),
            quantity,
            note: None,
        };
        for command in [
            command(Some("p"), None, Quantity::each(1)),
            command(None, Some("organic"), Quantity::each(1)),
            command(None, None, grams(500)),
            command(None, None, Quantity::from_millionths(1, Unit::parse("glass"))),
        ] {
            assert_eq!(when(&state, &command).unwrap().outcome, Outcome::Applied);
        }
        for empty in ["", "  "] {
            assert_eq!(when(&state, &command(None, Some(empty), Quantity::each(1))).unwrap().outcome, Outcome::Merged);
        }
    }

    #[test]
    fn a_ticked_item_takes_no_more() {
        let state = given(&[created(), added("a", "Milk", 0), ListEvent::ItemChecked { item: id("a") }]);
        assert_eq!(when(&state, &add("b", "Milk", Quantity::each(1))).unwrap().outcome, Outcome::Applied);
    }

    #[test]
    fn a_merged_note_is_not_lost() {
        let note = |note: &str| Some(note.to_owned());
        let command = |item: &str, text| ListCommand::AddItem {
            item: id(item),
            name: "Milk".into(),
            product: None,
            specification: None,
            quantity: Quantity::each(1),
            note: text,
        };
        let mut events = vec![created(), added("a", "Milk", 0)];
        for (text, noted) in [("cold", "cold"), ("for Ben", "cold; for Ben"), ("cold", "cold; for Ben")] {
            let decision = when(&given(&events), &command("b", note(text))).unwrap();
            events.extend(decision.events);
            assert_eq!(given(&events).list().unwrap().items[&id("a")].note.as_deref(), Some(noted));
        }
    }

    #[test]
    fn the_same_item_again_changes_nothing_and_another_under_its_id_is_refused() {
        let state = given(&[created(), added("a", "Milk", 0)]);
        assert_eq!(when(&state, &add("a", "Milk", Quantity::each(1))), Ok(Decision::unchanged()));
        assert_eq!(code(&state, &add("a", "Milk", Quantity::each(2))), "item_exists");
    }

    #[test]
    fn the_id_of_a_removed_item_is_not_taken_again() {
        let state = given(&[created(), added("a", "Milk", 0), ListEvent::ItemRemoved { item: id("a") }]);
        assert_eq!(code(&state, &add("a", "Milk", Quantity::each(1))), "item_removed");
    }

    #[test]
    fn quantities_that_cannot_be_bought_are_refused_with_a_pointer() {
        let state = given(&[created(), added("a", "Milk", 0)]);
        for (quantity, code) in [
            (Quantity::each(0), "quantity_not_positive"),
            (Quantity::each(-1), "quantity_not_positive"),
            (Quantity::each(1_000_001), "quantity_too_large"),
            (Quantity::each(1_000_000), "quantity_too_large"),
        ] {
            let refusal = when(&state, &add("b", "Milk", quantity)).unwrap_err();
            assert_eq!((refusal.code, refusal.pointer.as_deref()), (code, Some("/quantity/amount")));
        }
    }

    #[test]
    fn a_full_list_refuses_another_item_but_still_merges() {
        let items = (0..ITEMS_PER_LIST_MAX).map(|number| added(&format!("i{number}"), &format!("Thing {number}"), 0));
        let state = given(&std::iter::once(created()).chain(items).collect::<Vec<_>>());
        assert_eq!(code(&state, &add("x", "Milk", Quantity::each(1))), "list_full");
        assert_eq!(when(&state, &add("x", "Thing 7", Quantity::each(1))).unwrap().outcome, Outcome::Merged);
    }
}

mod quantities {
    use super::*;

    #[test]
    fn changes_add_up_and_convert() {
        let mut events = vec![created(), added("a", "Flour", 0)];
        events.push(ListEvent::ItemQuantityChanged { item: id("a"), by: None, quantity: grams(500) });
        let by = Quantity::parse("0.25", Unit::Kilogram).unwrap();
        let decision = when(&given(&events), &ListCommand::ChangeQuantity { item: id("a"), by: by.clone() }).unwrap();
        assert_eq!(decision, Decision::applied(ListEvent::ItemQuantityChanged { item: id("a"), by: Some(by), quantity: grams(750) }));
    }

    #[test]
    fn nothing_left_is_refused_because_removing_says_so() {
        let state = given(&[created(), added("a", "Milk", 0)]);
        let change = |by| ListCommand::ChangeQuantity { item: id("a"), by };
        assert_eq!(code(&state, &change(Quantity::each(-1))), "quantity_not_positive");
        assert_eq!(code(&state, &change(Quantity::each(1_000_000))), "quantity_too_large");
        assert_eq!(code(&state, &change(grams(1))), "unit_mismatch");
        assert_eq!(when(&state, &change(Quantity::each(0))), Ok(Decision::unchanged()));
    }

    #[test]
    fn setting_the_same_quantity_changes_nothing() {
        let state = given(&[created(), added("a", "Milk", 0)]);
        let set = |quantity| ListCommand::SetQuantity { item: id("a"), quantity };
        assert_eq!(when(&state, &set(Quantity::each(1))), Ok(Decision::unchanged()));
        assert_eq!(when(&state, &set(grams(3))).unwrap().outcome, Outcome::Applied);
        assert_eq!(code(&state, &set(grams(0))), "quantity_not_positive");
    }
}

mod removed_items {
    use super::*;

    #[test]
    fn editing_one_names_who_removed_it_and_when() {
        let state = given(&[created(), added("a", "Milk", 0), ListEvent::ItemRemoved { item: id("a") }]);
        let refusal = when(&state, &ListCommand::Check { item: id("a") }).unwrap_err();
        assert_eq!(refusal.code, "item_removed");
        assert_eq!(refusal.detail, "“Milk” was removed by anna at 1970-01-01T00:00:03Z; add it again as a new item");
        assert_eq!(code(&state, &ListCommand::Check { item: id("b") }), "item_not_found");
        assert_eq!(when(&state, &ListCommand::Remove { item: id("a") }), Ok(Decision::unchanged()));
    }

    #[test]
    fn only_the_last_removals_are_remembered() {
        let names: Vec<_> = (0..REMOVED_PER_LIST_MAX + 2).map(|number| format!("i{number:05}")).collect();
        let mut events = vec![created()];
        for name in &names {
            events.extend([added(name, name, 0), ListEvent::ItemRemoved { item: id(name) }]);
        }
        let state = given(&events);
        let removed = &state.list().unwrap().removed;
        assert_eq!(removed.len(), REMOVED_PER_LIST_MAX);
        assert_eq!(removed.keys().next(), Some(&id("i00002")));
    }
}

mod moving {
    use super::*;

    fn order(state: &ListState) -> String {
        state.list().unwrap().items_in_order().iter().map(|(id, _)| id.as_str()).collect()
    }

    fn moved(events: &mut Vec<ListEvent>, item: &str, after: Option<&str>) -> String {
        let command = ListCommand::Move { item: id(item), after: after.map(id) };
        events.extend(when(&given(events), &command).unwrap().events);
        assert_eq!(when(&given(events), &command), Ok(Decision::unchanged()));
        order(&given(events))
    }

    #[test]
    fn an_item_moves_behind_another_or_to_the_front() {
        let mut events = list_of(&["a", "b", "c", "d"]);
        assert_eq!(moved(&mut events, "d", Some("a")), "adbc");
        assert_eq!(moved(&mut events, "c", None), "cadb");
        assert_eq!(moved(&mut events, "c", Some("b")), "adbc");
        assert_eq!(moved(&mut events, "a", Some("d")), "dabc");
    }

    #[test]
    fn a_used_up_gap_is_respaced_with_the_moved_item_named_first() {
        let mut events = list_of(&["a", "b", "c"]);
        for _ in 0..40 {
            assert_eq!(moved(&mut events, "c", Some("a")), "acb");
            assert_eq!(moved(&mut events, "b", Some("a")), "abc");
        }
        let mut events = vec![created(), added("a", "A", 0), added("b", "B", 0), added("c", "C", 0)];
        let decision = when(&given(&events), &ListCommand::Move { item: id("c"), after: Some(id("a")) }).unwrap();
        assert_eq!(decision.events.first(), Some(&ListEvent::ItemMoved { item: id("c"), rank: 1 << 24 }));
        assert_eq!(moved(&mut events, "c", Some("a")), "acb");
    }

    #[test]
    fn impossible_moves_are_refused() {
        let state = given(&list_of(&["a", "b"]));
        let after = |after: &str| ListCommand::Move { item: id("a"), after: Some(id(after)) };
        assert_eq!(code(&state, &after("a")), "move_behind_itself");
        let refusal = when(&state, &after("z")).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), ("item_not_found", Some("/after")));
    }
}

mod checking_out {
    use super::*;

    fn check_out(order: &str) -> ListCommand {
        ListCommand::CheckOut { order: OrderId::new(order).unwrap() }
    }

    #[test]
    fn ticked_items_leave_the_list_as_an_order() {
        let mut events = list_of(&["a", "b"]);
        assert_eq!(code(&given(&events), &check_out("o1")), "nothing_checked");
        events.push(ListEvent::ItemChecked { item: id("b") });
        let decision = when(&given(&events), &check_out("o1")).unwrap();
        assert_eq!(decision.events, [ListEvent::CheckedOut { order: OrderId::new("o1").unwrap(), items: vec![id("b")] }]);
        events.extend(decision.events);
        let state = given(&events);
        assert_eq!(when(&state, &check_out("o1")), Ok(Decision::unchanged()));
        assert_eq!(code(&state, &ListCommand::Uncheck { item: id("b") }), "item_removed");
    }

    #[test]
    fn an_order_is_made_once() {
        let mut events = list_of(&["a"]);
        events.push(ListEvent::CheckedOut { order: OrderId::new("o1").unwrap(), items: vec![] });
        events.push(ListEvent::ItemChecked { item: id("a") });
        assert_eq!(code(&given(&events), &check_out("o1")), "already_checked_out");
    }

    #[test]
    fn clearing_without_ticks_changes_nothing() {
        let mut events = list_of(&["a", "b"]);
        assert_eq!(when(&given(&events), &ListCommand::ClearChecked), Ok(Decision::unchanged()));
        events.push(ListEvent::ItemChecked { item: id("a") });
        events.extend(when(&given(&events), &ListCommand::ClearChecked).unwrap().events);
        assert_eq!(given(&events).list().unwrap().items.len(), 1);
    }
}

mod people {
    use super::*;

    #[test]
    fn a_viewer_may_not_edit_and_an_editor_may_not_share() {
        let shared = |member, role| ListEvent::Shared { member: person(member), role };
        let state = given(&[created(), shared("ben", Role::Viewer), shared("cleo", Role::Editor)]);
        let code = |who, command| when_done_by(&state, who, &command).map_err(|refusal| refusal.code);
        assert_eq!(code("ben", add("a", "Milk", Quantity::each(1))), Err("not_permitted"));
        assert_eq!(code("ben", ListCommand::Archive), Err("not_permitted"));
        assert!(code("cleo", add("a", "Milk", Quantity::each(1))).is_ok());
        assert_eq!(code("cleo", ListCommand::Share { member: person("cleo"), role: Role::Owner }), Err("not_permitted"));
        assert_eq!(code("anna", ListCommand::Share { member: person("anna"), role: Role::Editor }), Err("last_owner"));
    }
}

mod archived {
    use super::*;

    #[test]
    fn it_can_only_be_revived() {
        let mut events = list_of(&["a"]);
        events.push(ListEvent::Archived {});
        let state = given(&events);
        assert_eq!(code(&state, &ListCommand::Check { item: id("a") }), "list_archived");
        assert_eq!(when(&state, &ListCommand::Archive), Ok(Decision::unchanged()));
        assert_eq!(when(&state, &ListCommand::Revive), Ok(Decision::applied(ListEvent::Revived {})));
        events.push(ListEvent::Revived {});
        assert_eq!(given(&events), {
            let mut again = given(&events[..2]);
            evolved(&mut again, &[], 0);
            again
        });
    }
}
