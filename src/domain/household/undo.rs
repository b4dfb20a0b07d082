//! What each event of a household changed, and how it is undone.

use super::{Household, HouseholdCommand, HouseholdEvent, HouseholdState, Households};
use crate::domain::{
    Refusal,
    RefusalKind::Conflict,
    changes::{Fields, Touched, Traced, fields, of_itself, shown},
    undo::{Undo, Undoing, changed_since},
};

type Inverse = Result<Vec<HouseholdCommand>, Refusal>;

impl Traced for Households {
    fn touched(_: &HouseholdEvent, state: &HouseholdState) -> Touched {
        of_itself(header(state))
    }
}

pub(super) fn header(state: &HouseholdState) -> Fields {
    let HouseholdState::Active(household) = state else { return Fields::new() };
    let mut header = fields([("name", shown(&household.name)), ("monthly_budget", shown(&household.monthly_budget))]);
    header.extend((!household.stores.is_empty()).then(|| ("stores".to_owned(), shown(&household.stores))));
    header.extend(household.members.iter().map(|(member, role)| (format!("members/{member}"), shown(role))));
    header
}

impl Undo for Households {
    fn inverse(of: &Undoing<'_, Self>) -> Inverse {
        match (of.before, of.now) {
            (HouseholdState::Active(before), HouseholdState::Active(now)) => inverse(of.event, before, now),
            _ => Err(Refusal::new(Conflict, "creation_stays", "a household cannot be deleted; its members can leave it")),
        }
    }

    fn overwrites(later: &HouseholdEvent, event: &HouseholdEvent) -> bool {
        use HouseholdEvent as E;
        match (member(later), member(event)) {
            (Some(later), Some(member)) => later == member,
            (None, None) => {
                matches!((later, event), (E::BudgetSet { .. }, E::BudgetSet { .. }) | (E::StoresChosen { .. }, E::StoresChosen { .. }))
            }
            _ => false,
        }
    }
}

fn member(event: &HouseholdEvent) -> Option<&crate::domain::Principal> {
    use HouseholdEvent as E;
    match event {
        E::MemberJoined { member, .. } | E::MemberRoleChanged { member, .. } | E::MemberLeft { member } => Some(member),
        E::Created { .. } | E::BudgetSet { .. } | E::StoresChosen { .. } => None,
    }
}

fn inverse(event: &HouseholdEvent, before: &Household, now: &Household) -> Inverse {
    use HouseholdCommand as C;
    use HouseholdEvent as E;
    match event {
        E::Created { .. } => Err(Refusal::new(Conflict, "creation_stays", "a household cannot be deleted; its members can leave it")),
        E::MemberJoined { member, role } => back(now.members.get(member) == Some(role), C::Leave { member: member.clone() }, || {
            format!("{member} has another role by now, or left")
        }),
        E::MemberRoleChanged { member, role } => {
            let was = before.members.get(member).copied().unwrap_or(*role);
            let command = C::ChangeRole { member: member.clone(), role: was };
            back(now.members.get(member) == Some(role), command, || format!("{member} has another role by now, or left"))
        }
        E::MemberLeft { member } => {
            let Some(role) = before.members.get(member) else { return Ok(Vec::new()) };
            back(!now.members.contains_key(member), C::Join { member: member.clone(), role: *role }, || format!("{member} is back already"))
        }
        E::BudgetSet { monthly } => {
            let command = C::SetBudget { monthly: before.monthly_budget };
            back(now.monthly_budget == *monthly, command, || "the household has a different budget now".into())
        }
        E::StoresChosen { stores } => {
            let command = C::ChooseStores { stores: before.stores.clone() };
            back(now.stores == *stores, command, || "the household compares different stores now".into())
        }
    }
}

fn back(still: bool, command: HouseholdCommand, otherwise: impl FnOnce() -> String) -> Inverse {
    if still { Ok(vec![command]) } else { Err(changed_since(otherwise())) }
}
