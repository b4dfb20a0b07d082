//! The shopping list: several people, many devices, no edit lost. Intents in, facts out.
//! `decide` holds the rules, `merge` what becomes of an addition, `rank` the order, `evolve` records.

mod aspects;
mod changes;
mod come_back;
mod decide;
mod diff;
mod evolve;
mod found;
mod merge;
mod order;
mod rank;
mod restore;
#[cfg(test)]
mod tests;
mod undo;

use std::collections::BTreeMap;

pub use diff::{ItemDiff, ListDiff, diff};
pub use restore::restore;
use serde::{Deserialize, Serialize};

use super::{
    Context, Decision, Entity, Fact, HouseholdId, ItemId, Moment, Money, OrderId, Principal, ProductId, Quantity, Refusal, StoreId,
    StreamKind,
};

/// A command to a list. The `op` names it on the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum ListCommand {
    Create {
        name: String,
        household: Option<HouseholdId>,
        store: Option<StoreId>,
    },
    Rename {
        name: String,
    },
    /// Chooses the store whose prices count; `None` chooses no store.
    ChooseStore {
        store: Option<StoreId>,
    },
    /// Gives a member a role, or another one. Editors may not share, and one owner always stays.
    Share {
        member: Principal,
        role: Role,
    },
    /// Adding what is already there (same product, or same name where neither has one; same specification; not ticked; a
    /// quantity that adds exactly) merges the quantities and joins the notes. Anything else becomes a new item under the given
    /// id, which is never used again once that item is removed.
    AddItem {
        item: ItemId,
        name: String,
        product: Option<ProductId>,
        specification: Option<String>,
        quantity: Quantity,
        note: Option<String>,
    },
    /// "Two more", "one less": changes add up.
    ChangeQuantity {
        item: ItemId,
        by: Quantity,
    },
    /// "Make it three": the last writer wins, by log order.
    SetQuantity {
        item: ItemId,
        quantity: Quantity,
    },
    /// `None` leaves a field unchanged, an empty text clears it.
    ChangeDetails {
        item: ItemId,
        name: Option<String>,
        specification: Option<String>,
        note: Option<String>,
    },
    /// `None` removes the match.
    Match {
        item: ItemId,
        product: Option<ProductId>,
    },
    Check {
        item: ItemId,
    },
    Uncheck {
        item: ItemId,
    },
    /// Puts the item directly after another, or first.
    Move {
        item: ItemId,
        after: Option<ItemId>,
    },
    /// Removing what was removed already changes nothing; every other edit of it is refused.
    Remove {
        item: ItemId,
    },
    /// Takes all ticked items off the list.
    #[serde(deserialize_with = "super::no_fields::deserialize")]
    ClearChecked,
    /// `None` removes the budget.
    SetBudget {
        budget: Option<Money>,
    },
    #[serde(deserialize_with = "super::no_fields::deserialize")]
    Archive,
    #[serde(deserialize_with = "super::no_fields::deserialize")]
    Revive,
    /// Turns the ticked items into an order and takes them off the list. The same order again changes nothing.
    CheckOut {
        order: OrderId,
    },
}

/// What a member may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Owner,
    Editor,
    Viewer,
}

/// What happened to a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListEvent {
    Created {
        name: String,
        household: Option<HouseholdId>,
        store: Option<StoreId>,
    },
    Renamed {
        name: String,
    },
    StoreChosen {
        store: Option<StoreId>,
    },
    Shared {
        member: Principal,
        role: Role,
    },
    ItemAdded {
        item: ItemId,
        name: String,
        product: Option<ProductId>,
        specification: Option<String>,
        quantity: Quantity,
        note: Option<String>,
        rank: i64,
    },
    /// `by` is `None` for a set; `quantity` is the result.
    ItemQuantityChanged {
        item: ItemId,
        by: Option<Quantity>,
        quantity: Quantity,
    },
    ItemDetailsChanged {
        item: ItemId,
        name: Option<String>,
        specification: Option<String>,
        note: Option<String>,
    },
    ItemMatched {
        item: ItemId,
        product: Option<ProductId>,
    },
    ItemChecked {
        item: ItemId,
    },
    ItemUnchecked {
        item: ItemId,
    },
    ItemMoved {
        item: ItemId,
        rank: i64,
    },
    ItemRemoved {
        item: ItemId,
    },
    CheckedCleared {
        items: Vec<ItemId>,
    },
    BudgetSet {
        budget: Option<Money>,
    },
    Archived {},
    Revived {},
    CheckedOut {
        order: OrderId,
        items: Vec<ItemId>,
    },
}

/// The phases of a list's life.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub enum ListState {
    #[default]
    Absent,
    Active(List),
    Archived(List),
}

/// An existing list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct List {
    pub name: String,
    pub household: Option<HouseholdId>,
    pub store: Option<StoreId>,
    pub members: BTreeMap<Principal, Role>,
    pub items: BTreeMap<ItemId, Item>,
    /// Removed items, so that a late edit learns who removed them.
    pub removed: BTreeMap<ItemId, Removed>,
    pub budget: Option<Money>,
    pub last_order: Option<OrderId>,
    pub created_at: Moment,
}

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub name: String,
    pub product: Option<ProductId>,
    pub specification: Option<String>,
    pub quantity: Quantity,
    pub note: Option<String>,
    /// Items are shown by rank, then id.
    pub rank: i64,
    pub added: Mark,
    pub checked: Option<Mark>,
}

/// Who did something, and when the log recorded it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub who: Principal,
    pub at: Moment,
}

/// What a list remembers of a removed item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    pub name: String,
    pub by: Mark,
    /// The log position of the removal; the oldest are forgotten first.
    pub position: u64,
}

/// The list as an entity.
#[derive(Debug)]
pub struct Lists;

impl Entity for Lists {
    const KIND: StreamKind = StreamKind::List;
    type State = ListState;
    type Command = ListCommand;
    type Event = ListEvent;

    fn decide(state: &ListState, command: &ListCommand, context: &Context) -> Result<Decision<ListEvent>, Refusal> {
        decide::decide(state, command, context)
    }

    fn evolve(state: &mut ListState, event: &ListEvent, fact: &Fact<'_>) {
        evolve::evolve(state, event, fact);
    }
}

impl ListState {
    /// The list in any phase but absence.
    #[must_use]
    pub fn list(&self) -> Option<&List> {
        match self {
            Self::Absent => None,
            Self::Active(list) | Self::Archived(list) => Some(list),
        }
    }
}

impl List {
    /// The items as they are shown: by rank, then id.
    #[must_use]
    pub fn items_in_order(&self) -> Vec<(&ItemId, &Item)> {
        let mut items: Vec<_> = self.items.iter().collect();
        items.sort_by_key(|(id, item)| (item.rank, *id));
        items
    }
}
