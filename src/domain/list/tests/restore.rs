//! A list brought back equals its earlier state, as far as commands can express it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    laws::any_command,
    undo_laws::{after, likeness},
    *,
};
use crate::domain::{StreamId, changes::Fields, decide_all, given::replay, list::diff, restore::Restored};

fn restored(now: &ListState, past: &ListState) -> Restored<Lists> {
    let context = Context::new(person("device"), Moment(0));
    restore(now, past, &StreamId::new(StreamKind::List, "x").unwrap(), 9, &context)
}

/// Like `likeness`, for the members of then.
fn likeness_to(state: &ListState, past: &ListState) -> (Fields, Vec<Fields>) {
    let (mut header, items) = likeness(state);
    let members: BTreeMap<_, _> = past.list().map(|list| list.members.clone()).unwrap_or_default();
    header.retain(|name, _| name.strip_prefix("members/").is_none_or(|member| members.contains_key(&person(member))));
    (header, items)
}

#[test]
fn a_removed_item_is_put_back_an_added_one_taken_off_and_a_changed_one_set_back() {
    let past = list_of(&["a", "b", "c"]);
    let mut now = past.clone();
    now.push(ListEvent::ItemRemoved { item: id("a") });
    now.push(ListEvent::ItemQuantityChanged { item: id("b"), by: None, quantity: Quantity::each(4) });
    now.push(added("x", "New", 99));
    let (now, past) = (given(&now), given(&past));
    let Restored { plan, notes } = restored(&now, &past);
    assert_eq!((notes, plan.commands.len()), (Vec::new(), 4));
    let names: Vec<_> = plan.after.list().unwrap().items_in_order().iter().map(|(_, item)| item.name.clone()).collect();
    assert_eq!(names, ["Thing a", "Thing b", "Thing c"]);
}

#[test]
fn what_is_as_it_was_needs_no_command() {
    for phase in [None, Some(ListEvent::Archived {})] {
        let mut events = list_of(&["a", "b"]);
        events.extend(phase);
        let state = given(&events);
        assert_eq!(restored(&state, &state).plan.commands, []);
    }
}

#[test]
fn what_commands_cannot_say_is_noted() {
    let past = list_of(&[]);
    let mut now = past.clone();
    now.push(ListEvent::Shared { member: person("ben"), role: Role::Editor });
    now.push(ListEvent::CheckedOut { order: OrderId::new("o").unwrap(), items: vec![] });
    let notes = restored(&given(&now), &given(&past)).notes;
    assert_eq!(
        notes,
        [
            "order o, created by a later check-out, stays; cancel it if it is not wanted",
            "ben was no member then and stays one: a list keeps its members",
        ]
    );
}

#[test]
fn a_list_that_is_not_there_is_made_again() {
    let past = given(&list_of(&["a", "b"]));
    let after = restored(&ListState::Absent, &past).plan.after;
    assert_eq!(likeness(&after).1, likeness(&past).1);
}

proptest! {
    #[test]
    fn any_list_is_brought_back_from_whatever_became_of_it(
        commands in prop::collection::vec(any_command(), 0..40),
        since in prop::collection::vec(any_command(), 0..40),
    ) {
        let past = after(&commands);
        let now = after(&[commands, since].concat());
        let (now, past) = (replay::<Lists>(&now.events), replay::<Lists>(&past.events));
        let Restored { plan, .. } = restored(&now, &past);
        prop_assert_eq!(likeness_to(&plan.after, &past), likeness(&past));
        let context = Context::new(person("device"), Moment(0));
        let decided = decide_all::<Lists>(&now, &plan.commands, &context).unwrap();
        prop_assert_eq!(&decided.events, &plan.events, "the actor decides what was planned");
        prop_assert_eq!(restored(&plan.after, &past).plan.commands, vec![], "once is enough");
    }

    #[test]
    fn two_moments_differ_in_nothing_only_if_they_look_the_same(
        commands in prop::collection::vec(any_command(), 0..20),
        since in prop::collection::vec(any_command(), 0..10),
    ) {
        let (from, to) = (after(&commands).state, after(&[commands, since].concat()).state);
        let likeness = |state: &ListState| (likeness(state), state.list().unwrap().last_order.clone());
        let difference = diff(&from, &to);
        prop_assert!(difference != crate::domain::list::ListDiff::default() || likeness(&from) == likeness(&to));
        prop_assert_eq!(diff(&from, &from), crate::domain::list::ListDiff::default());
    }
}
