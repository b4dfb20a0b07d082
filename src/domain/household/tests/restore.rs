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
    let role = || prop::sample::select(vec![Role::Owner, Role::Adult, Role::Viewer]);
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

fn restored(now: &HouseholdState, past: &HouseholdState, context: &Context) -> Restored<Households> {
    restore(now, past, &StreamId::new(StreamKind::Household, "x").unwrap(), context)
}

fn admin(who: &str) -> Context {
    Context::of_admin(person(who), Moment(0))
}

#[test]
fn whoever_is_no_owner_brings_back_what_he_may_and_is_told_the_rest() {
    let past = given(&[created(), joined("ben", Role::Adult)]);
    let now = given(&[created(), joined("ben", Role::Adult), joined("cleo", Role::Viewer)]);
    let ben = Context { rights: Rights::alone(), ..admin("ben") };
    let notes = restored(&now, &past, &ben).notes;
    assert_eq!(notes, ["cleo stays a member: you may not invite people to this household, or change its members; this takes: owner"]);
}

#[test]
fn a_household_that_is_not_there_is_made_again() {
    let past = given(&[created(), joined("ben", Role::Owner)]);
    assert_eq!(restored(&HouseholdState::Absent, &past, &admin("cleo")).plan.after, past);
}

proptest! {
    #[test]
    fn any_household_is_brought_back_from_whatever_became_of_it(
        commands in prop::collection::vec(any_change(), 0..20),
        since in prop::collection::vec(any_change(), 0..20),
        who in prop::sample::select(vec!["device", "tester"]),
    ) {
        let (past, now) = (after(&commands), after(&[commands, since].concat()));
        let Restored { plan, notes } = restored(&now, &past, &admin(who));
        prop_assert_eq!(&plan.after, &past, "{:?}", notes);
        prop_assert_eq!(&decide_all::<Households>(&now, &plan.commands, &admin(who)).unwrap().events, &plan.events);
    }
}
