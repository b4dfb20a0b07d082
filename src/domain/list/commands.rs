//! What can be asked of a list: each command, the rule that decides it, and what it names.

use serde::{Deserialize, Serialize};

use super::{
    List, ListEvent, ListState, Role,
    decide::{
        Decided, change_details, change_quantity, check_out, checked, create, id_taken, may_create, remove, rename, set_budget,
        set_quantity, share, when,
    },
    found::existing,
    merge, rank,
};
use crate::domain::{
    Context, Decision, HouseholdId, ItemId, Money, OrderId, Principal, ProductId, Quantity, Refusal,
    RefusalKind::{Conflict, NotFound},
    StoreId,
    limits::NAME_CHARS_MAX,
    references::{Reference, Refers, named_household, named_product, named_store},
    rights::Action,
    text::check_text,
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
    #[serde(deserialize_with = "crate::domain::no_fields::deserialize")]
    ClearChecked,
    /// `None` removes the budget.
    SetBudget {
        budget: Option<Money>,
    },
    #[serde(deserialize_with = "crate::domain::no_fields::deserialize")]
    Archive,
    #[serde(deserialize_with = "crate::domain::no_fields::deserialize")]
    Revive,
    /// Turns the ticked items into an order and takes them off the list. The same order again changes nothing.
    CheckOut {
        order: OrderId,
    },
}

pub(super) fn check_right(state: &ListState, command: &ListCommand, context: &Context) -> Result<(), Refusal> {
    match (state.list(), command) {
        (None, ListCommand::Create { household, .. }) => may_create(household.as_ref(), context),
        (None, _) => Err(unknown()),
        (Some(list), ListCommand::Create { .. }) => context.rights.on_list(&context.who, list).check(Action::SeeList, id_taken),
        (Some(list), command) => context.rights.on_list(&context.who, list).check(command.action(), unknown),
    }
}

pub(super) fn decide(state: &ListState, command: &ListCommand, context: &Context) -> Decided {
    check_right(state, command, context)?;
    if let ListCommand::Create { name, household, store } = command {
        check_text(name, NAME_CHARS_MAX, "/name")?;
        let created = ListEvent::Created { name: name.trim().to_owned(), household: household.clone(), store: store.clone() };
        return create(state, created);
    }
    let (list, active) = match state {
        ListState::Absent => return Err(unknown()),
        ListState::Active(list) => (list, true),
        ListState::Archived(list) => (list, false),
    };
    if active { decide_active(list, command) } else { decide_archived(command) }
}

/// The same for a list that is not there and for one that the sender must not know of.
fn unknown() -> Refusal {
    Refusal::new(NotFound, "list_not_found", "there is no such list; create it first")
}

fn decide_archived(command: &ListCommand) -> Decided {
    if matches!(command, ListCommand::Archive) {
        return Ok(Decision::unchanged());
    }
    if matches!(command, ListCommand::Revive) {
        return Ok(Decision::applied(ListEvent::Revived {}));
    }
    Err(Refusal::new(Conflict, "list_archived", "this list is archived; revive it before changing it"))
}

fn decide_active(list: &List, command: &ListCommand) -> Decided {
    use ListCommand as C;
    match command {
        C::Create { .. } | C::Revive => Ok(Decision::unchanged()),
        C::Rename { name } => rename(list, name),
        C::ChooseStore { store } => Ok(when(list.store != *store, ListEvent::StoreChosen { store: store.clone() })),
        C::Share { member, role } => share(list, member, *role),
        C::AddItem { item, name, product, specification, quantity, note } => {
            merge::add(list, item, &merge::Addition::checked(name, product.as_ref(), specification.as_deref(), quantity, note.as_deref())?)
        }
        C::ChangeQuantity { item, by } => change_quantity(list, item, by),
        C::SetQuantity { item, quantity } => set_quantity(list, item, quantity),
        C::ChangeDetails { item, name, specification, note } => {
            change_details(list, item, [name.as_deref(), specification.as_deref(), note.as_deref()])
        }
        C::Match { item, product } => {
            let event = ListEvent::ItemMatched { item: item.clone(), product: product.clone() };
            Ok(when(existing(list, item)?.product != *product, event))
        }
        C::Check { item } => Ok(when(existing(list, item)?.checked.is_none(), ListEvent::ItemChecked { item: item.clone() })),
        C::Uncheck { item } => Ok(when(existing(list, item)?.checked.is_some(), ListEvent::ItemUnchecked { item: item.clone() })),
        C::Move { item, after } => rank::move_behind(list, item, after.as_ref()),
        C::Remove { item } => remove(list, item),
        C::ClearChecked => {
            let items = checked(list);
            Ok(when(!items.is_empty(), ListEvent::CheckedCleared { items }))
        }
        C::SetBudget { budget } => set_budget(list, *budget),
        C::Archive => Ok(Decision::applied(ListEvent::Archived {})),
        C::CheckOut { order } => check_out(list, order),
    }
}

impl ListCommand {
    /// What the permission table calls it.
    #[must_use]
    pub fn action(&self) -> Action {
        match self {
            Self::AddItem { .. }
            | Self::ChangeQuantity { .. }
            | Self::SetQuantity { .. }
            | Self::ChangeDetails { .. }
            | Self::Match { .. }
            | Self::Check { .. }
            | Self::Uncheck { .. }
            | Self::Move { .. } => Action::FillList,
            Self::Create { .. } => Action::EditHousehold,
            Self::Rename { .. }
            | Self::ChooseStore { .. }
            | Self::Remove { .. }
            | Self::ClearChecked
            | Self::SetBudget { .. }
            | Self::Archive
            | Self::Revive
            | Self::CheckOut { .. } => Action::EditList,
            Self::Share { .. } => Action::ShareList,
        }
    }
}

impl Refers for ListCommand {
    fn references(&self) -> Vec<Reference<'_>> {
        let (household, store, product) = match self {
            Self::Create { household, store, .. } => (household.as_ref(), store.as_ref(), None),
            Self::ChooseStore { store } => (None, store.as_ref(), None),
            Self::AddItem { product, .. } | Self::Match { product, .. } => (None, None, product.as_ref()),
            Self::Rename { .. }
            | Self::Share { .. }
            | Self::ChangeQuantity { .. }
            | Self::SetQuantity { .. }
            | Self::ChangeDetails { .. }
            | Self::Check { .. }
            | Self::Uncheck { .. }
            | Self::Move { .. }
            | Self::Remove { .. }
            | Self::ClearChecked
            | Self::SetBudget { .. }
            | Self::Archive
            | Self::Revive
            | Self::CheckOut { .. } => (None, None, None),
        };
        let others = household.map(named_household).into_iter().chain(store.map(named_store));
        others.chain(product.map(named_product)).collect()
    }
}
