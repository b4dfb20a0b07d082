//! Given events, when a command, then events or a refusal; grouped by phase.

mod restore;
mod undo;

use proptest::prelude::*;

use super::*;
use crate::domain::{Currency, Moment, Outcome};

fn person(name: &str) -> Principal {
    Principal::new(name).unwrap()
}

/// Everything is recorded as done by anna, who thereby owns the household.
fn given(events: &[HouseholdEvent]) -> HouseholdState {
    let (mut state, who) = (HouseholdState::default(), person("anna"));
    for (version, event) in (1..).zip(events) {
        Households::evolve(&mut state, event, &Fact { who: &who, at: Moment(0), position: version, version });
    }
    state
}

fn when(state: &HouseholdState, who: &str, command: &HouseholdCommand) -> Decided {
    Households::decide(state, command, &Context { who: person(who), by: None, at: Moment(0), rights: Rights::alone() })
}

fn created() -> HouseholdEvent {
    HouseholdEvent::Created { name: "Home".into() }
}

fn joined(member: &str, role: Role) -> HouseholdEvent {
    HouseholdEvent::MemberJoined { member: person(member), role }
}

mod absent {
    use super::*;

    #[test]
    fn whoever_creates_a_household_owns_it() {
        let decision = when(&HouseholdState::Absent, "anna", &HouseholdCommand::Create { name: " Home ".into() }).unwrap();
        let HouseholdState::Active(household) = given(&decision.events) else { panic!("it exists now") };
        assert_eq!((household.name.as_str(), household.members), ("Home", [(person("anna"), Role::Owner)].into()));
    }

    #[test]
    fn nobody_joins_what_does_not_exist() {
        let refusal = when(&HouseholdState::Absent, "anna", &HouseholdCommand::SetBudget { monthly: None }).unwrap_err();
        assert_eq!(refusal.code, "household_not_found");
    }
}

mod active {
    use super::*;

    #[test]
    fn creating_it_again_under_another_name_is_refused() {
        let state = given(&[created()]);
        assert_eq!(when(&state, "anna", &HouseholdCommand::Create { name: "Home".into() }), Ok(Decision::unchanged()));
        assert_eq!(when(&state, "anna", &HouseholdCommand::Create { name: "Flat".into() }).unwrap_err().code, "household_exists");
    }

    #[test]
    fn a_viewer_may_leave_and_nothing_else() {
        let state = given(&[created(), joined("ben", Role::Viewer)]);
        let code = |command| when(&state, "ben", &command).map_err(|refusal| refusal.code);
        assert_eq!(code(HouseholdCommand::SetBudget { monthly: None }), Err("not_permitted"));
        assert_eq!(code(HouseholdCommand::Leave { member: person("anna") }), Err("not_permitted"));
        assert!(code(HouseholdCommand::Leave { member: person("ben") }).is_ok());
    }

    #[test]
    fn an_editor_cannot_lift_himself_or_throw_others_out() {
        let state = given(&[created(), joined("ben", Role::Adult)]);
        let code = |command| when(&state, "ben", &command).map_err(|refusal| refusal.code);
        assert_eq!(code(HouseholdCommand::ChangeRole { member: person("ben"), role: Role::Owner }), Err("not_permitted"));
        assert_eq!(code(HouseholdCommand::Leave { member: person("anna") }), Err("not_permitted"));
        assert_eq!(code(HouseholdCommand::Join { member: person("cleo"), role: Role::Owner }), Err("not_permitted"));
    }

    #[test]
    fn the_last_owner_stays() {
        let state = given(&[created(), joined("ben", Role::Adult)]);
        let code = |command| when(&state, "anna", &command).map_err(|refusal| refusal.code);
        assert_eq!(code(HouseholdCommand::Leave { member: person("anna") }), Err("last_owner"));
        assert_eq!(code(HouseholdCommand::ChangeRole { member: person("anna"), role: Role::Viewer }), Err("last_owner"));
        assert_eq!(code(HouseholdCommand::Leave { member: person("cleo") }), Err("member_not_found"));
        assert_eq!(code(HouseholdCommand::Join { member: person("ben"), role: Role::Viewer }), Err("not_permitted"));
    }

    #[test]
    fn a_budget_is_more_than_nothing() {
        let monthly = Some(Money::zero(Currency::EUR));
        let refusal = when(&given(&[created()]), "anna", &HouseholdCommand::SetBudget { monthly }).unwrap_err();
        assert_eq!((refusal.code, refusal.pointer.as_deref()), ("amount_not_positive", Some("/monthly/amount")));
    }

    #[test]
    fn only_so_many_stores_are_compared() {
        let stores = (0..=STORES_PER_HOUSEHOLD_MAX).map(|number| StoreId::new(&format!("s{number}")).unwrap()).collect();
        let refusal = when(&given(&[created()]), "anna", &HouseholdCommand::ChooseStores { stores }).unwrap_err();
        assert_eq!(refusal.code, "too_many_stores");
    }
}

fn command() -> impl Strategy<Value = HouseholdCommand> {
    let member = || prop::sample::select(vec!["anna", "ben", "cleo"]).prop_map(person);
    let role = || prop::sample::select(vec![Role::Owner, Role::Adult, Role::Viewer]);
    let monthly = prop::option::of(-1_i64..3).prop_map(|minor| minor.map(|minor| Money::from_minor(minor, Currency::EUR)));
    prop_oneof![
        "[ab ]{0,1}".prop_map(|name| HouseholdCommand::Create { name }),
        (member(), role()).prop_map(|(member, role)| HouseholdCommand::Join { member, role }),
        (member(), role()).prop_map(|(member, role)| HouseholdCommand::ChangeRole { member, role }),
        member().prop_map(|member| HouseholdCommand::Leave { member }),
        monthly.prop_map(|monthly| HouseholdCommand::SetBudget { monthly }),
        prop::collection::btree_set("[ab]".prop_map(|id| StoreId::new(&id).unwrap()), 0..3)
            .prop_map(|stores| HouseholdCommand::ChooseStores { stores }),
    ]
}

proptest! {
    #[test]
    fn decided_events_replay_to_the_same_state_and_somebody_owns_it(commands in prop::collection::vec(command(), 0..40)) {
        let (mut events, mut state) = (Vec::new(), HouseholdState::default());
        for command in commands {
            let when = |state: &HouseholdState| Households::decide(state, &command, &Context::of_admin(person("device"), Moment(0)));
            let Ok(decision) = when(&state) else { continue };
            prop_assert_eq!(decision.outcome == Outcome::Unchanged, decision.events.is_empty());
            events.extend(decision.events);
            state = given(&events);
            if !matches!(command, HouseholdCommand::Leave { .. }) {
                prop_assert_eq!(when(&state), Ok(Decision::unchanged()));
            }
            let HouseholdState::Active(household) = &state else { panic!("it exists") };
            prop_assert!(household.members.values().any(|role| *role == Role::Owner));
        }
        let stored = rmp_serde::to_vec_named(&state).unwrap();
        prop_assert_eq!(rmp_serde::from_slice::<HouseholdState>(&stored).unwrap(), state);
    }
}
