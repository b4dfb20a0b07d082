//! The household: the people who share lists, the stores they compare and what they want to spend. Minimal until accounts arrive.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Money, Principal, StoreId, list::Role};

/// What somebody wants of a household.
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
    /// `None` takes the budget away.
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

/// The phases of a household's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum HouseholdState {
    #[default]
    Absent,
    Active(Household),
}

/// A household that exists.
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
