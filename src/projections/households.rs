//! Households as other views need them: name, members and the stores they compare.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{differences::Row, views::OwnView};
use crate::{
    domain::{Event, HouseholdId, Money, Principal, StoreId, household::HouseholdEvent, rights::HouseholdRole as Role},
    events::{Position, Recorded},
};

/// Every household by its id.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Households {
    by_id: BTreeMap<HouseholdId, HouseholdEntry>,
    /// Every choice of stores to compare, by its position: what a list cost in the past depends on it.
    choices: BTreeMap<HouseholdId, Vec<(Position, BTreeSet<StoreId>)>>,
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

    /// Households in order of their ids, after `after`.
    pub fn page(&self, after: Option<&HouseholdId>, limit: usize) -> impl Iterator<Item = (&HouseholdId, &HouseholdEntry)> {
        let start = after.map_or(std::ops::Bound::Unbounded, std::ops::Bound::Excluded);
        self.by_id.range((start, std::ops::Bound::Unbounded)).take(limit)
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
        let household = self.by_id.entry(id).or_default();
        match event {
            HouseholdEvent::Created { name } => {
                household.name.clone_from(name);
                household.members.insert(who.clone(), Role::Owner);
            }
            HouseholdEvent::MemberJoined { member, role } | HouseholdEvent::MemberRoleChanged { member, role } => {
                household.members.insert(member.clone(), *role);
            }
            HouseholdEvent::MemberLeft { member } => drop(household.members.remove(member)),
            HouseholdEvent::BudgetSet { monthly } => household.monthly_budget = *monthly,
            HouseholdEvent::StoresChosen { stores } => household.stores.clone_from(stores),
        }
    }
}
