//! A household brought back to an earlier state: its members with their roles, its budget, its stores.

use serde::Serialize;

use super::{Household, HouseholdCommand as Command, HouseholdState, Households, undo::header};
use crate::domain::{
    Context, Principal, StreamId,
    changes::{Change, compare},
    restore::{Restorable, Restored, Restoring},
    rights::HouseholdRole as Role,
};

/// The differences of two moments of a household.
#[derive(Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct HouseholdDiff {
    pub changes: Vec<Change>,
}

impl Restorable for Households {
    type Diff = HouseholdDiff;

    fn diff(from: &HouseholdState, to: &HouseholdState) -> HouseholdDiff {
        HouseholdDiff { changes: compare(None, &header(from), &header(to)) }
    }

    fn restore(now: &HouseholdState, past: &HouseholdState, stream: &StreamId, _version: u64, context: &Context) -> Restored<Self> {
        restore(now, past, stream, context)
    }
}

/// Plans to bring a household back. What commands cannot express is noted: another name.
#[must_use]
pub fn restore(now: &HouseholdState, past: &HouseholdState, stream: &StreamId, context: &Context) -> Restored<Households> {
    let mut restoring = Restoring::from(now, stream, context);
    let HouseholdState::Active(past) = past else { return restoring.restored };
    restoring.command(Command::Create { name: past.name.clone() }, || "it keeps its current name".into());
    restoring.command(Command::SetBudget { monthly: past.monthly_budget }, || "its budget could not be set again".into());
    restoring.command(Command::ChooseStores { stores: past.stores.clone() }, || "its stores could not be chosen again".into());
    restoring.members(past, &context.who);
    restoring.restored
}

impl Restoring<'_, Households> {
    /// First those who were owners, so that there is always one; last the person who brings it back, who may lose the right to.
    fn members(&mut self, past: &Household, who: &Principal) {
        let mut roles: Vec<_> = past.members.iter().collect();
        roles.sort_by_key(|(member, role)| (**role != Role::Owner, *member == who));
        for (member, role) in roles.into_iter().filter(|(member, role)| self.role_now(member) != Some(**role)).collect::<Vec<_>>() {
            let command = if self.has(member) {
                Command::ChangeRole { member: member.clone(), role: *role }
            } else {
                Command::Join { member: member.clone(), role: *role }
            };
            if member == who && *role != Role::Owner {
                // Done last: see below.
                continue;
            }
            self.command(command, || format!("{member} is not a member as then"));
        }
        let mut extra: Vec<_> = self.members_now().into_iter().filter(|member| !past.members.contains_key(member)).collect();
        extra.sort_by_key(|member| member == who);
        for member in extra {
            self.command(Command::Leave { member: member.clone() }, || format!("{member} stays a member"));
        }
        if let Some(role) = past.members.get(who).filter(|role| **role != Role::Owner && self.role_now(who) != Some(**role)) {
            let member = who.clone();
            let command = if self.has(who) { Command::ChangeRole { member, role: *role } } else { Command::Join { member, role: *role } };
            self.command(command, || format!("{who} is not a member as then"));
        }
    }

    fn has(&self, member: &Principal) -> bool {
        matches!(self.state(), HouseholdState::Active(now) if now.members.contains_key(member))
    }

    fn role_now(&self, member: &Principal) -> Option<Role> {
        match self.state() {
            HouseholdState::Absent => None,
            HouseholdState::Active(now) => now.members.get(member).copied(),
        }
    }

    fn members_now(&self) -> Vec<Principal> {
        match self.state() {
            HouseholdState::Absent => Vec::new(),
            HouseholdState::Active(now) => now.members.keys().cloned().collect(),
        }
    }
}
