//! The laws every list obeys: proven on random commands.

use proptest::prelude::*;

use super::*;

fn any_id() -> impl Strategy<Value = ItemId> {
    prop::sample::select(vec!["a", "b", "c", "d", "e"]).prop_map(id)
}

fn any_quantity() -> impl Strategy<Value = Quantity> {
    (-2_i64..6, prop::sample::select(vec![Unit::Each, Unit::Gram, Unit::Kilogram, Unit::Teaspoon, Unit::Tablespoon]))
        .prop_map(|(count, unit)| Quantity::from_millionths(count * 1_000_000, unit))
}

fn any_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(prop::sample::select(vec!["", " ", "Milk", "milk ", "Brot", "\t"]).prop_map(str::to_owned))
}

fn any_product() -> impl Strategy<Value = Option<ProductId>> {
    prop::option::of(prop::sample::select(vec!["p", "q"]).prop_map(|text| ProductId::new(text).unwrap()))
}

fn any_addition() -> impl Strategy<Value = ListCommand> {
    (any_id(), any_text(), any_product(), any_text(), any_quantity(), any_text()).prop_map(
        |(item, name, product, specification, quantity, note)| ListCommand::AddItem {
            item,
            name: name.unwrap_or_else(|| "Milk".into()),
            product,
            specification,
            quantity,
            note,
        },
    )
}

fn any_edit() -> impl Strategy<Value = ListCommand> {
    prop_oneof![
        (any_id(), any_quantity()).prop_map(|(item, by)| ListCommand::ChangeQuantity { item, by }),
        (any_id(), any_quantity()).prop_map(|(item, quantity)| ListCommand::SetQuantity { item, quantity }),
        (any_id(), any_text(), any_text(), any_text()).prop_map(|(item, name, specification, note)| ListCommand::ChangeDetails {
            item,
            name,
            specification,
            note
        }),
        (any_id(), any_product()).prop_map(|(item, product)| ListCommand::Match { item, product }),
        any_id().prop_map(|item| ListCommand::Check { item }),
        any_id().prop_map(|item| ListCommand::Uncheck { item }),
        (any_id(), prop::option::of(any_id())).prop_map(|(item, after)| ListCommand::Move { item, after }),
        any_id().prop_map(|item| ListCommand::Remove { item }),
    ]
}

fn any_list_change() -> impl Strategy<Value = ListCommand> {
    let store = prop::option::of("[st]".prop_map(|text| StoreId::new(&text).unwrap()));
    let budget = prop::option::of(-1_i64..3).prop_map(|minor| minor.map(|minor| Money::from_minor(minor, Currency::EUR)));
    prop_oneof![
        "[ab ]".prop_map(|name| ListCommand::Create { name, household: None, store: None }),
        "[ab ]".prop_map(|name| ListCommand::Rename { name }),
        store.prop_map(|store| ListCommand::ChooseStore { store }),
        ("[ab]", prop::sample::select(vec![Role::Owner, Role::Editor, Role::Viewer]))
            .prop_map(|(member, role)| ListCommand::Share { member: person(&member), role }),
        budget.prop_map(|budget| ListCommand::SetBudget { budget }),
        Just(ListCommand::ClearChecked),
        Just(ListCommand::Archive),
        Just(ListCommand::Revive),
        "[op]".prop_map(|order| ListCommand::CheckOut { order: OrderId::new(&order).unwrap() }),
    ]
}

pub(super) fn any_command() -> impl Strategy<Value = ListCommand> {
    prop_oneof![4 => any_addition(), 8 => any_edit(), 3 => any_list_change()]
}

/// Whether repeating it at once must change nothing.
fn is_idempotent(command: &ListCommand, outcome: Outcome) -> bool {
    let adds_up = matches!(command, ListCommand::ChangeQuantity { .. });
    let may_merge = matches!(command, ListCommand::AddItem { .. });
    !adds_up && (!may_merge || outcome == Outcome::Applied)
}

/// The list's invariants: no item both present and removed, nothing that cannot be bought, no blank text.
fn check_invariants(state: &ListState) -> Result<(), TestCaseError> {
    let Some(list) = state.list() else { return Ok(()) };
    for (id, item) in &list.items {
        prop_assert!(!list.removed.contains_key(id));
        prop_assert!(item.quantity.validate_positive().is_ok());
        prop_assert_eq!(item.name.trim(), item.name.as_str());
        prop_assert!(!item.name.is_empty());
        let texts = [&item.specification, &item.note];
        prop_assert!(texts.into_iter().flatten().all(|text| !text.trim().is_empty()));
    }
    prop_assert!(list.members.values().any(|role| *role == Role::Owner));
    check_index(list)
}

/// What the index finds is what a look at every item finds: it was kept through all changes, a copy builds its own.
fn check_index(list: &List) -> Result<(), TestCaseError> {
    let copy = list.clone();
    prop_assert_eq!(format!("{:?}", list.items.index()), format!("{:?}", copy.items.index()));
    prop_assert_eq!(format!("{:?}", list.removed.index()), format!("{:?}", copy.removed.index()));
    let ticked: Vec<_> = list.items.iter().filter(|(_, item)| item.checked.is_some()).map(|(id, _)| id).collect();
    prop_assert_eq!(list.items.index().ticked().collect::<Vec<_>>(), ticked);
    prop_assert_eq!(list.items.index().last_rank(), list.items.values().map(|item| item.rank).max());
    let order = list.items_in_order().into_iter().map(|(id, item)| (item.rank, id)).collect::<Vec<_>>();
    prop_assert_eq!(list.items.index().places_after(None).collect::<Vec<_>>(), order);
    for (id, item) in list.items.iter().filter(|(_, item)| item.checked.is_none()) {
        let digest = index::digest(&item.name.to_uppercase(), item.product.as_ref(), item.specification.as_deref());
        prop_assert!(list.items.index().alike(digest).any(|known| known == id));
    }
    Ok(())
}

/// Everything of one product on the list, in millionths of the base unit of its dimension.
fn total(state: &ListState) -> i128 {
    let items = state.list().unwrap().items.values();
    items.map(|item| i128::from(item.quantity.millionths()) * i128::from(item.quantity.unit().size())).sum()
}

fn after_adding(quantities: impl Iterator<Item = Quantity>) -> ListState {
    let mut events = vec![created()];
    for (number, quantity) in quantities.enumerate() {
        events.extend(when(&given(&events), &add(&format!("i{number}"), "Milk", quantity)).unwrap().events);
    }
    given(&events)
}

proptest! {
    #[test]
    fn whatever_is_decided_evolves_replays_and_repeats_as_promised(commands in prop::collection::vec(any_command(), 0..60)) {
        let mut events = vec![created()];
        let mut state = given(&events);
        for command in commands {
            let Ok(decision) = when(&state, &command) else { continue };
            prop_assert_eq!(decision.outcome == Outcome::Unchanged, decision.events.is_empty());
            evolved(&mut state, &decision.events, events.len() as u64);
            events.extend(decision.events);
            check_invariants(&state)?;
            if is_idempotent(&command, decision.outcome) {
                prop_assert_eq!(when(&state, &command), Ok(Decision::unchanged()), "{:?}", command);
            }
        }
        prop_assert_eq!(&given(&events), &state, "replaying the events gives the same state");
        let stored = rmp_serde::to_vec_named(&state).unwrap();
        prop_assert_eq!(&rmp_serde::from_slice::<ListState>(&stored).unwrap(), &state);
        for event in &events {
            prop_assert_eq!(&rmp_serde::from_slice::<ListEvent>(&rmp_serde::to_vec_named(event).unwrap()).unwrap(), event);
            prop_assert_eq!(&serde_json::from_value::<ListEvent>(serde_json::to_value(event).unwrap()).unwrap(), event);
        }
    }

    #[test]
    fn additions_commute_in_the_total_quantity(
        quantities in prop::collection::vec(
            (1_i64..50_000_000, prop::sample::select(vec![Unit::Gram, Unit::Kilogram, Unit::Dekagram, Unit::Pound, Unit::Ounce])), 1..12)
            .prop_map(|quantities| quantities.into_iter().map(|(amount, unit)| Quantity::from_millionths(amount, unit)).collect::<Vec<_>>())
            .prop_flat_map(|quantities| (Just(quantities.clone()), Just(quantities).prop_shuffle())),
    ) {
        let (ordered, shuffled) = quantities;
        prop_assert_eq!(total(&after_adding(ordered.into_iter())), total(&after_adding(shuffled.into_iter())));
    }

    #[test]
    fn a_late_tick_never_touches_a_re_added_item(quantity in 1_i64..1000, late in prop::sample::select(vec!["a", "b"])) {
        let mut events = vec![created(), added("a", "Milk", 0), ListEvent::ItemRemoved { item: id("a") }];
        events.extend(when(&given(&events), &add("b", "Milk", Quantity::each(quantity))).unwrap().events);
        let state = given(&events);
        let ticked = when(&state, &ListCommand::Check { item: id(late) });
        if late == "a" {
            prop_assert_eq!(ticked.unwrap_err().code, "item_removed");
        } else {
            prop_assert_eq!(ticked.unwrap().events, vec![ListEvent::ItemChecked { item: id("b") }]);
        }
        prop_assert!(state.list().unwrap().items[&id("b")].checked.is_none());
    }

    #[test]
    fn a_moved_item_stands_right_behind_the_other(moves in prop::collection::vec((any_id(), prop::option::of(any_id())), 1..80)) {
        let mut state = given(&list_of(&["a", "b", "c", "d", "e"]));
        for (item, after) in moves {
            let Ok(decision) = when(&state, &ListCommand::Move { item: item.clone(), after: after.clone() }) else { continue };
            evolved(&mut state, &decision.events, 10);
            let order: Vec<_> = state.list().unwrap().items_in_order().into_iter().map(|(id, _)| id.clone()).collect();
            let place = order.iter().position(|id| *id == item).unwrap();
            prop_assert_eq!(place.checked_sub(1).map(|before| &order[before]), after.as_ref());
        }
    }
}
