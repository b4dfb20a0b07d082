//! The law of standing: whatever happened to a household and its list, who is nothing to them changes nothing.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::{HouseholdRole, Rights, Roles};
use crate::domain::{
    Context, Decision, Entity, Fact, HouseholdId, ItemId, ListId, Moment, Principal, Quantity, Refusal,
    household::{HouseholdCommand, HouseholdState, Households},
    list::{ListCommand, ListState, Lists, Role},
};

const PEOPLE: [&str; 5] = ["anna", "ben", "cleo", "dan", "eve"];

fn person(name: &str) -> Principal {
    Principal::new(name).expect("an id")
}

fn home() -> HouseholdId {
    HouseholdId::new("home").expect("an id")
}

/// A household and its list, as they are after some commands.
#[derive(Default)]
struct World {
    household: HouseholdState,
    list: ListState,
}

#[derive(Debug, Clone)]
enum Command {
    Household(HouseholdCommand),
    List(ListCommand),
}

fn any_person() -> impl Strategy<Value = Principal> {
    prop::sample::select(PEOPLE.to_vec()).prop_map(person)
}

fn any_household_command() -> impl Strategy<Value = HouseholdCommand> {
    let role = || prop::sample::select(HouseholdRole::ALL.to_vec());
    prop_oneof![
        (any_person(), role()).prop_map(|(member, role)| HouseholdCommand::Join { member, role }),
        (any_person(), role()).prop_map(|(member, role)| HouseholdCommand::ChangeRole { member, role }),
        any_person().prop_map(|member| HouseholdCommand::Leave { member }),
        Just(HouseholdCommand::Create { name: "Home".into() }),
        Just(HouseholdCommand::SetBudget { monthly: None }),
        Just(HouseholdCommand::ChooseStores { stores: BTreeSet::new() }),
    ]
}

fn any_list_command() -> impl Strategy<Value = ListCommand> {
    let item = || prop::sample::select(vec!["a", "b"]).prop_map(|id| ItemId::new(id).expect("an id"));
    let role = prop::sample::select(vec![Role::Owner, Role::Editor, Role::Viewer]);
    let added = |item| ListCommand::AddItem {
        item,
        name: "Milk".into(),
        product: None,
        specification: None,
        quantity: Quantity::each(1),
        note: None,
    };
    prop_oneof![
        item().prop_map(added),
        item().prop_map(|item| ListCommand::Check { item }),
        item().prop_map(|item| ListCommand::Remove { item }),
        (any_person(), role).prop_map(|(member, role)| ListCommand::Share { member, role }),
        "[ab]".prop_map(|name| ListCommand::Rename { name }),
        Just(ListCommand::ClearChecked),
        Just(ListCommand::Archive),
        Just(ListCommand::Revive),
    ]
}

fn any_command() -> impl Strategy<Value = Command> {
    prop_oneof![any_household_command().prop_map(Command::Household), any_list_command().prop_map(Command::List)]
}

impl World {
    /// Anna's household and its list.
    fn new() -> Self {
        let mut world = Self::default();
        let anna = person("anna");
        world.act(&anna, &Rights::alone(), &Command::Household(HouseholdCommand::Create { name: "Home".into() })).expect("anna may");
        let create = ListCommand::Create { name: "Weekly".into(), household: Some(home()), store: None };
        world.act(&anna, &world.rights(&anna), &Command::List(create)).expect("anna may");
        world
    }

    fn role(&self, who: &Principal) -> Option<HouseholdRole> {
        match &self.household {
            HouseholdState::Active(household) => household.members.get(who).copied(),
            HouseholdState::Absent => None,
        }
    }

    fn rights(&self, who: &Principal) -> Rights {
        let roles: BTreeMap<_, _> = self.role(who).map(|role| (home(), role)).into_iter().collect();
        Rights::Account(Roles::new(roles, false, false).into())
    }

    /// Whether somebody is anything to what a command is for.
    fn has_standing(&self, who: &Principal, command: &Command) -> bool {
        match command {
            Command::Household(_) => self.role(who).is_some(),
            Command::List(_) => self.role(who).is_some() || self.list.list().is_some_and(|list| list.members.contains_key(who)),
        }
    }

    /// Has a command decided, and what comes of it happen. Returns how many events that were.
    fn act(&mut self, who: &Principal, rights: &Rights, command: &Command) -> Result<usize, Refusal> {
        match command {
            Command::Household(command) => act::<Households>(&mut self.household, who, rights, command),
            Command::List(command) => act::<Lists>(&mut self.list, who, rights, command),
        }
    }
}

fn act<E: Entity>(state: &mut E::State, who: &Principal, rights: &Rights, command: &E::Command) -> Result<usize, Refusal> {
    let context = Context { who: who.clone(), by: None, at: Moment(0), rights: rights.clone() };
    let Decision { events, .. } = E::decide(state, command, &context)?;
    let fact = Fact { who, at: Moment(0), position: 1, version: 1 };
    events.iter().for_each(|event| E::evolve(state, event, &fact));
    Ok(events.len())
}

proptest! {
    #[test]
    fn who_is_nothing_to_a_household_and_its_list_changes_neither(
        steps in prop::collection::vec((any_person(), any_command()), 0..40),
        tried in prop::collection::vec(any_command(), 1..8),
    ) {
        let mut world = World::new();
        for (who, command) in steps {
            let rights = world.rights(&who);
            let _ = world.act(&who, &rights, &command);
            for command in &tried {
                let strangers: Vec<_> = PEOPLE.map(person).into_iter().filter(|who| !world.has_standing(who, command)).collect();
                for stranger in strangers {
                    let rights = world.rights(&stranger);
                    prop_assert!(world.act(&stranger, &rights, command).is_err(), "{} {:?}", stranger, command);
                }
                let link = Rights::Link(ListId::new("weekly").expect("an id"));
                for rights in [Rights::Nobody, link] {
                    prop_assert!(world.act(&person("anna"), &rights, command).is_err(), "{:?} {:?}", rights, command);
                }
            }
        }
    }
}
