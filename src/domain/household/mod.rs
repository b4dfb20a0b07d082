//! The household: the people who share lists, the stores they compare and what they want to spend.

mod restore;
#[cfg(test)]
mod tests;
mod undo;

use std::collections::{BTreeMap, BTreeSet};

pub use restore::{HouseholdDiff, restore};

use serde::{Deserialize, Serialize};

use super::{
    Context, Decision, Entity, Fact, Money, Principal, Refusal,
    RefusalKind::{Conflict, Invalid, NotFound},
    StoreId, StreamKind,
    event_table::event_table,
    limits::{MEMBERS_MAX, NAME_CHARS_MAX, STORES_PER_HOUSEHOLD_MAX},
    rights::{Action, HouseholdRole as Role, Rights, Standing, Verdict},
    text::check_text,
};

/// A command to a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum HouseholdCommand {
    Create {
        name: String,
    },
    Join {
        member: Principal,
        role: Role,
    },
    ChangeRole {
        member: Principal,
        role: Role,
    },
    Leave {
        member: Principal,
    },
    /// `None` removes the budget.
    SetBudget {
        monthly: Option<Money>,
    },
    /// The stores whose totals are shown side by side.
    ChooseStores {
        stores: BTreeSet<StoreId>,
    },
}

/// What happened to a household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HouseholdEvent {
    Created { name: String },
    MemberJoined { member: Principal, role: Role },
    MemberRoleChanged { member: Principal, role: Role },
    MemberLeft { member: Principal },
    BudgetSet { monthly: Option<Money> },
    StoresChosen { stores: BTreeSet<StoreId> },
}

event_table! { HouseholdEvent {
    Created "household.created" ["name" Text];
    MemberJoined "household.member_joined" ["member" Person];
    MemberRoleChanged "household.member_role_changed" ["member" Person];
    MemberLeft "household.member_left" ["member" Person];
    BudgetSet "household.budget_set" [];
    StoresChosen "household.stores_chosen" ["stores.*" Id(Store)];
} }

/// The phases of a household's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum HouseholdState {
    #[default]
    Absent,
    Active(Household),
}

/// An existing household.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Household {
    pub name: String,
    pub members: BTreeMap<Principal, Role>,
    pub monthly_budget: Option<Money>,
    pub stores: BTreeSet<StoreId>,
}

/// The household as an entity.
#[derive(Debug)]
pub struct Households;

type Decided = Result<Decision<HouseholdEvent>, Refusal>;

impl Entity for Households {
    const KIND: StreamKind = StreamKind::Household;
    type State = HouseholdState;
    type Command = HouseholdCommand;
    type Event = HouseholdEvent;

    fn check_right(state: &HouseholdState, command: &HouseholdCommand, context: &Context) -> Result<(), Refusal> {
        match (state, command) {
            (HouseholdState::Absent, HouseholdCommand::Create { .. }) => context.rights.by_itself().check(Action::FoundHousehold, id_taken),
            (HouseholdState::Absent, _) => Err(unknown()),
            (HouseholdState::Active(household), command) => household.check(command, context),
        }
    }

    fn decide(state: &HouseholdState, command: &HouseholdCommand, context: &Context) -> Decided {
        use HouseholdCommand as C;
        Self::check_right(state, command, context)?;
        match (state, command) {
            (_, C::Create { name }) => create(state, name),
            (HouseholdState::Absent, _) => Err(unknown()),
            (HouseholdState::Active(household), C::Join { member, role }) => join(household, member, role.current()),
            (HouseholdState::Active(household), C::ChangeRole { member, role }) => change_role(household, member, role.current()),
            (HouseholdState::Active(household), C::Leave { member }) => leave(household, member),
            (HouseholdState::Active(household), C::SetBudget { monthly }) => set_budget(household, *monthly),
            (HouseholdState::Active(household), C::ChooseStores { stores }) => choose_stores(household, stores),
        }
    }

    fn evolve(state: &mut HouseholdState, event: &HouseholdEvent, fact: &Fact<'_>) {
        use HouseholdEvent as E;
        if let E::Created { name } = event {
            let members = BTreeMap::from([(fact.who.clone(), Role::Owner)]);
            *state = HouseholdState::Active(Household { name: name.clone(), members, monthly_budget: None, stores: BTreeSet::new() });
        }
        let HouseholdState::Active(household) = state else { return };
        match event {
            E::Created { .. } => {}
            E::MemberJoined { member, role } | E::MemberRoleChanged { member, role } => {
                household.members.insert(member.clone(), role.current());
            }
            E::MemberLeft { member } => {
                household.members.remove(member);
            }
            E::BudgetSet { monthly } => household.monthly_budget = *monthly,
            E::StoresChosen { stores } => household.stores.clone_from(stores),
        }
    }
}

/// The same for a household that is not there and for one that the sender must not know of.
fn unknown() -> Refusal {
    Refusal::new(NotFound, "household_not_found", "there is no such household; create it first")
}

/// A stranger learns that the id is taken, which no choice of an id can hide, and nothing else.
fn id_taken() -> Refusal {
    Refusal::new(Conflict, "household_exists", "a household with this id already exists; choose another id")
}

fn create(state: &HouseholdState, name: &str) -> Decided {
    check_text(name, NAME_CHARS_MAX, "/name")?;
    match state {
        HouseholdState::Absent => Ok(Decision::applied(HouseholdEvent::Created { name: name.trim().to_owned() })),
        HouseholdState::Active(household) if household.name == name.trim() => Ok(Decision::unchanged()),
        HouseholdState::Active(household) => {
            let detail = format!("a household with this id already exists: “{}”; choose another id", household.name);
            Err(Refusal::new(Conflict, "household_exists", detail))
        }
    }
}

impl Household {
    /// What somebody is to it, by its own state: that is newer than the roles that came with the request.
    #[must_use]
    pub fn standing(&self, who: &Principal, rights: &Rights) -> Standing {
        match rights {
            Rights::Admin => Standing::Admin,
            Rights::Account(_) => self.members.get(who).map_or(Standing::Stranger, |role| (*role).into()),
            Rights::Link(_) => Standing::Stranger,
            Rights::Nobody => Standing::Nobody,
        }
    }

    /// Every member who is signed in may leave, whatever else it may. Who sees it may send its creation again.
    fn check(&self, command: &HouseholdCommand, context: &Context) -> Result<(), Refusal> {
        let standing = self.standing(&context.who, &context.rights);
        match command {
            HouseholdCommand::Leave { member } if *member == context.who && standing <= Standing::Guest => Ok(()),
            HouseholdCommand::Create { .. } if standing.may(Action::SeeHousehold) != Verdict::Allowed => Err(id_taken()),
            HouseholdCommand::Create { .. } => Ok(()),
            HouseholdCommand::Join { .. }
            | HouseholdCommand::ChangeRole { .. }
            | HouseholdCommand::Leave { .. }
            | HouseholdCommand::SetBudget { .. }
            | HouseholdCommand::ChooseStores { .. } => standing.check(command.action(), unknown),
        }
    }
}

impl HouseholdCommand {
    /// What the permission table calls it.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::Create { .. } => Action::FoundHousehold,
            // Nobody is put into a household who has not agreed: an invitation is accepted first.
            Self::Join { .. } => Action::EnrolMember,
            Self::ChangeRole { .. } | Self::Leave { .. } => Action::ManageHousehold,
            Self::SetBudget { .. } | Self::ChooseStores { .. } => Action::EditHousehold,
        }
    }
}

fn join(household: &Household, member: &Principal, role: Role) -> Decided {
    match household.members.get(member) {
        Some(own) if *own == role => Ok(Decision::unchanged()),
        Some(_) => {
            Err(Refusal::new(Conflict, "member_exists", format!("{member} is a member already; change the role instead")).at("/member"))
        }
        None if household.members.len() >= MEMBERS_MAX => {
            Err(Refusal::new(Conflict, "members_full", format!("a household has at most {MEMBERS_MAX} members")))
        }
        None => Ok(Decision::applied(HouseholdEvent::MemberJoined { member: member.clone(), role })),
    }
}

fn change_role(household: &Household, member: &Principal, role: Role) -> Decided {
    let own = household.members.get(member).ok_or_else(|| unknown_member(member))?;
    if *own == role {
        return Ok(Decision::unchanged());
    }
    keeps_an_owner(household, member)?;
    Ok(Decision::applied(HouseholdEvent::MemberRoleChanged { member: member.clone(), role }))
}

fn leave(household: &Household, member: &Principal) -> Decided {
    if !household.members.contains_key(member) {
        return Err(unknown_member(member));
    }
    keeps_an_owner(household, member)?;
    Ok(Decision::applied(HouseholdEvent::MemberLeft { member: member.clone() }))
}

fn unknown_member(member: &Principal) -> Refusal {
    Refusal::new(NotFound, "member_not_found", format!("{member} is no member of this household")).at("/member")
}

/// At least one owner must remain.
fn keeps_an_owner(household: &Household, without: &Principal) -> Result<(), Refusal> {
    let another = household.members.iter().any(|(member, role)| member != without && *role == Role::Owner);
    if another || household.members.get(without) != Some(&Role::Owner) {
        return Ok(());
    }
    Err(Refusal::new(Conflict, "last_owner", "a household keeps at least one owner; make somebody else an owner first").at("/member"))
}

fn set_budget(household: &Household, monthly: Option<Money>) -> Decided {
    if let Some(monthly) = monthly {
        monthly.validate_positive().map_err(|error| Refusal::new(Invalid, error.code(), error.to_string()).at("/monthly/amount"))?;
    }
    if household.monthly_budget == monthly {
        return Ok(Decision::unchanged());
    }
    Ok(Decision::applied(HouseholdEvent::BudgetSet { monthly }))
}

fn choose_stores(household: &Household, stores: &BTreeSet<StoreId>) -> Decided {
    if stores.len() > STORES_PER_HOUSEHOLD_MAX {
        let detail = format!("a household compares at most {STORES_PER_HOUSEHOLD_MAX} stores");
        return Err(Refusal::new(Invalid, "too_many_stores", detail).at("/stores"));
    }
    if household.stores == *stores {
        return Ok(Decision::unchanged());
    }
    Ok(Decision::applied(HouseholdEvent::StoresChosen { stores: stores.clone() }))
}
