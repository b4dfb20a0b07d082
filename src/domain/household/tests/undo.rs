//! Given a household, when an event is undone, then commands, or a sentence that explains why not.

use super::{restore::any_change, *};
use crate::domain::{
    Money,
    given::{Given, nothing},
};

fn household() -> Given<Households> {
    nothing().event(created())
}

fn ben() -> Principal {
    person("ben")
}

#[test]
fn a_creation_stays() {
    assert_eq!(household().undo_code(0), "creation_stays");
}

#[test]
fn whoever_joined_leaves_and_whoever_left_joins_again() {
    let joined = household().event(joined("ben", Role::Viewer));
    assert_eq!(joined.changed(), ["members/ben: null > \"viewer\""]);
    assert_eq!(joined.undone(), Ok(vec![HouseholdCommand::Leave { member: ben() }]));
    let left = joined.event(HouseholdEvent::MemberLeft { member: ben() });
    assert_eq!(left.undo_code(1), "changed_since");
    assert_eq!(left.undone(), Ok(vec![HouseholdCommand::Join { member: ben(), role: Role::Viewer }]));
    let back = left.event(HouseholdEvent::MemberJoined { member: ben(), role: Role::Adult });
    let refusal = back.undo(2..3).unwrap_err();
    assert_eq!(refusal.detail, "ben is back already: tester changed it at 2024-01-01T00:00:00Z (position 4)");
}

#[test]
fn a_role_goes_back_only_while_it_stands() {
    let role = |role| HouseholdEvent::MemberRoleChanged { member: ben(), role };
    let changed = household().event(joined("ben", Role::Viewer)).event(role(Role::Adult));
    assert_eq!(changed.undone(), Ok(vec![HouseholdCommand::ChangeRole { member: ben(), role: Role::Viewer }]));
    assert_eq!(changed.event(role(Role::Owner)).undo_code(2), "changed_since");
}

#[test]
fn a_budget_and_stores_go_back_only_while_they_stand() {
    let budget = |minor: i64| HouseholdEvent::BudgetSet { monthly: Some(Money::from_minor(minor, Currency::EUR)) };
    let set = household().event(budget(5));
    assert_eq!(set.undone(), Ok(vec![HouseholdCommand::SetBudget { monthly: None }]));
    assert_eq!(set.event(budget(6)).undo_code(1), "changed_since");
    let stores = |store: &str| HouseholdEvent::StoresChosen { stores: [StoreId::new(store).unwrap()].into() };
    let chosen = household().event(stores("s"));
    assert_eq!(chosen.undone(), Ok(vec![HouseholdCommand::ChooseStores { stores: BTreeSet::new() }]));
    assert_eq!(chosen.event(stores("t")).undo_code(1), "changed_since");
}

#[test]
fn the_last_owner_is_not_undone_away() {
    let owner = household().event(joined("ben", Role::Owner)).event(HouseholdEvent::MemberLeft { member: person("tester") });
    assert_eq!(owner.undo_code(1), "last_owner");
}

proptest! {
    #[test]
    fn an_undo_right_away_leads_back(commands in prop::collection::vec(any_change(), 0..20), last in any_change()) {
        let mut given = commands.iter().fold(household(), Given::after);
        let (before, start) = (given.state.clone(), given.events.len());
        let changed = given.tell(&last).is_ok_and(|decision| !decision.events.is_empty());
        let may = matches!(&given.state, HouseholdState::Active(now) if now.members.get(&person("tester")).is_none_or(|role| *role == Role::Owner));
        if changed && may {
            prop_assert_eq!(given.after_undo(start..start + 1).state, before);
        }
    }
}
