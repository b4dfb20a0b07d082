//! Households as other views need them: name, members and the stores they compare.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use std::ops::Bound;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{differences::Row, views::OwnView};
use crate::{
    domain::{
        Event, HouseholdId, Money, Principal, StoreId,
        household::HouseholdEvent,
        rights::{Action, HouseholdRole as Role, Reader, Rights, Standing, Verdict},
    },
    events::{Position, Recorded},
};

/// Every household by its id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Households {
    by_id: BTreeMap<HouseholdId, HouseholdEntry>,
    /// Every choice of stores to compare, by its position: what a list cost in the past depends on it.
    choices: BTreeMap<HouseholdId, Vec<(Position, BTreeSet<StoreId>)>>,
    /// The households of each member.
    #[serde(skip)]
    of_member: HashMap<Principal, BTreeSet<HouseholdId>>,
}

/// What is known of a household.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HouseholdEntry {
    pub name: String,
    #[schema(value_type = BTreeMap<String, Role>)]
    pub members: BTreeMap<Principal, Role>,
    pub monthly_budget: Option<Money>,
    /// The stores whose totals are shown side by side.
    pub stores: BTreeSet<StoreId>,
}

impl OwnView for Households {
    fn apply(&mut self, recorded: &Recorded) {
        if let Event::Household(event) = &recorded.event {
            self.record(recorded.stream.id(), event, &recorded.who, recorded.position);
        }
    }

    fn rows(&self) -> Box<dyn Iterator<Item = Row> + '_> {
        Box::new(self.by_id.iter().map(|(id, household)| (format!("household/{id}"), format!("{household:?} {:?}", self.choices.get(id)))))
    }
}

impl Households {
    #[must_use]
    pub fn get(&self, id: &HouseholdId) -> Option<&HouseholdEntry> {
        self.by_id.get(id)
    }

    /// The stores that a household compared at a position; none if it had chosen none.
    #[must_use]
    pub fn compared_at(&self, id: &HouseholdId, known: Position) -> Option<&BTreeSet<StoreId>> {
        let choices = self.choices.get(id)?;
        let behind = choices.partition_point(|(position, _)| *position <= known);
        choices[..behind].last().map(|(_, stores)| stores)
    }

    /// The households that a reader may see, in order of their ids, after `after`.
    #[must_use]
    pub fn page(&self, reader: &Reader, after: Option<&HouseholdId>, limit: usize) -> Vec<(&HouseholdId, &HouseholdEntry)> {
        let range = (after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded);
        match &reader.rights {
            Rights::Admin => self.by_id.range(range).take(limit).collect(),
            Rights::Account(roles) => {
                let seen =
                    roles.households.range(range).filter(|(_, role)| Standing::from(**role).may(Action::SeeHousehold) == Verdict::Allowed);
                seen.filter_map(|(id, _)| self.by_id.get_key_value(id)).take(limit).collect()
            }
            Rights::Link(_) | Rights::Nobody => Vec::new(),
        }
    }

    /// The roles of a person, by household.
    #[must_use]
    pub fn roles_of(&self, who: &Principal) -> BTreeMap<HouseholdId, Role> {
        let role = |id: &HouseholdId| Some((id.clone(), *self.by_id.get(id)?.members.get(who)?));
        self.of_member.get(who).into_iter().flatten().filter_map(role).collect()
    }

    /// Whether anybody is a member under this name.
    #[must_use]
    pub fn knows_member(&self, who: &Principal) -> bool {
        self.of_member.contains_key(who)
    }

    /// Rebuilds what a checkpoint leaves out.
    pub(super) fn rebuild(&mut self) {
        self.of_member.clear();
        for (id, household) in &self.by_id {
            for member in household.members.keys() {
                self.of_member.entry(member.clone()).or_default().insert(id.clone());
            }
        }
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    fn record(&mut self, id: &str, event: &HouseholdEvent, who: &Principal, position: Position) {
        let Ok(id) = HouseholdId::new(id) else { return };
        if let HouseholdEvent::StoresChosen { stores } = event {
            self.choices.entry(id.clone()).or_default().push((position, stores.clone()));
        }
        match event {
            HouseholdEvent::Created { .. } => {
                self.of_member.entry(who.clone()).or_default().insert(id.clone());
            }
            HouseholdEvent::MemberJoined { member, .. } | HouseholdEvent::MemberRoleChanged { member, .. } => {
                self.of_member.entry(member.clone()).or_default().insert(id.clone());
            }
            HouseholdEvent::MemberLeft { member } => {
                if let Some(households) = self.of_member.get_mut(member) {
                    households.remove(&id);
                }
                if self.of_member.get(member).is_some_and(BTreeSet::is_empty) {
                    self.of_member.remove(member);
                }
            }
            HouseholdEvent::BudgetSet { .. } | HouseholdEvent::StoresChosen { .. } => {}
        }
        let household = self.by_id.entry(id).or_default();
        match event {
            HouseholdEvent::Created { name } => {
                household.name.clone_from(name);
                household.members.insert(who.clone(), Role::Owner);
            }
            HouseholdEvent::MemberJoined { member, role } | HouseholdEvent::MemberRoleChanged { member, role } => {
                household.members.insert(member.clone(), role.current());
            }
            HouseholdEvent::MemberLeft { member } => drop(household.members.remove(member)),
            HouseholdEvent::BudgetSet { monthly } => household.monthly_budget = *monthly,
            HouseholdEvent::StoresChosen { stores } => household.stores.clone_from(stores),
        }
    }
}
