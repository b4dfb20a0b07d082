//! A household brought back equals its earlier state, as far as commands can express it.

use super::*;
use crate::domain::{
    Money, StreamId, decide_all,
    given::{Given, nothing},
    household::restore,
    restore::Restored,
};

pub(super) fn any_change() -> impl Strategy<Value = HouseholdCommand> {
    let member = || "[abc]".prop_map(|name| person(&name));
    let role = || prop::sample::select(vec![Role::Owner, Role::Editor, Role::Viewer]);
    prop_oneof![
        (member(), role()).prop_map(|(member, role)| HouseholdCommand::Join { member, role }),
        (member(), role()).prop_map(|(member, role)| HouseholdCommand::ChangeRole { member, role }),
        member().prop_map(|member| HouseholdCommand::Leave { member }),
        prop::option::of(1_i64..3)
            .prop_map(|minor| HouseholdCommand::SetBudget { monthly: minor.map(|minor| Money::from_minor(minor, Currency::EUR)) }),
        prop::collection::btree_set("[st]".prop_map(|text| StoreId::new(&text).unwrap()), 0..3)
            .prop_map(|stores| HouseholdCommand::ChooseStores { stores }),
    ]
}

fn after(commands: &[HouseholdCommand]) -> HouseholdState {
    commands.iter().fold(nothing::<Households>().event(created()), Given::after).state
}

fn restored(now: &HouseholdState, past: &HouseholdState, who: &str) -> Restored<Households> {
    let context = Context::new(person(who), Moment(0));
    restore(now, past, &StreamId::new(StreamKind::Household, "x").unwrap(), &context)
}

#[test]
fn whoever_is_no_owner_brings_back_what_he_may_and_is_told_the_rest() {
    let past = given(&[created(), joined("ben", Role::Editor)]);
    let now = given(&[created(), joined("ben", Role::Editor), joined("cleo", Role::Viewer)]);
    let notes = restored(&now, &past, "ben").notes;
    assert_eq!(notes, ["cleo stays a member: only an owner may change somebody else's membership"]);
}

#[test]
fn a_household_that_is_not_there_is_made_again() {
    let past = given(&[created(), joined("ben", Role::Owner)]);
    assert_eq!(restored(&HouseholdState::Absent, &past, "cleo").plan.after, past);
}

proptest! {
    #[test]
    fn any_household_is_brought_back_from_whatever_became_of_it(
        commands in prop::collection::vec(any_change(), 0..20),
        since in prop::collection::vec(any_change(), 0..20),
        who in prop::sample::select(vec!["device", "tester"]),
    ) {
        let (past, now) = (after(&commands), after(&[commands, since].concat()));
        let may = matches!(&now, HouseholdState::Active(now) if now.members.get(&person(who)).is_none_or(|role| *role == Role::Owner));
        prop_assume!(may);
        let Restored { plan, notes } = restored(&now, &past, who);
        prop_assert_eq!(&plan.after, &past, "{:?}", notes);
        let context = Context::new(person(who), Moment(0));
        prop_assert_eq!(&decide_all::<Households>(&now, &plan.commands, &context).unwrap().events, &plan.events);
    }
}
