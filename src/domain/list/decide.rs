//! Every rule of a list. Each command is decided by one short function.

use super::{
    List, ListEvent, ListState, Role,
    found::{existing, quantity_refusal},
    merge,
};
use crate::domain::{
    Context, Decision, HouseholdId, ItemId, Money, OrderId, Principal, Quantity, QuantityError, Refusal,
    RefusalKind::{Conflict, Invalid},
    limits::{MEMBERS_MAX, NAME_CHARS_MAX, NOTE_CHARS_MAX},
    references::named_household,
    rights::Action,
    text::{check_optional_text, check_text},
};

pub(super) type Decided = Result<Decision<ListEvent>, Refusal>;

pub(super) fn create(state: &ListState, created: ListEvent) -> Decided {
    let Some(list) = state.list() else { return Ok(Decision::applied(created)) };
    let existing = ListEvent::Created { name: list.name.clone(), household: list.household.clone(), store: list.store.clone() };
    if existing == created {
        return Ok(Decision::unchanged());
    }
    Err(Refusal::new(Conflict, "list_exists", format!("a list with this id already exists: “{}”; choose another id", list.name)))
}

/// A list of a household takes the right to make one there; any other list is its creator's own.
pub(super) fn may_create(household: Option<&HouseholdId>, context: &Context) -> Result<(), Refusal> {
    match household {
        Some(household) => context.rights.through(household).check(Action::EditHousehold, || named_household(household).unknown()),
        None => context.rights.by_itself().check(Action::FoundHousehold, id_taken),
    }
}

/// A stranger learns that the id is taken, which no choice of an id can hide, and nothing else.
pub(super) fn id_taken() -> Refusal {
    Refusal::new(Conflict, "list_exists", "a list with this id already exists; choose another id")
}

/// The event, if there is something to record.
pub(super) fn when(something: bool, event: ListEvent) -> Decision<ListEvent> {
    if something { Decision::applied(event) } else { Decision::unchanged() }
}

pub(super) fn rename(list: &List, name: &str) -> Decided {
    check_text(name, NAME_CHARS_MAX, "/name")?;
    let name = name.trim();
    Ok(when(list.name != name, ListEvent::Renamed { name: name.to_owned() }))
}

pub(super) fn share(list: &List, member: &Principal, role: Role) -> Decided {
    if list.members.get(member) == Some(&role) {
        return Ok(Decision::unchanged());
    }
    if !list.members.contains_key(member) && list.members.len() >= MEMBERS_MAX {
        return Err(Refusal::new(Conflict, "members_full", format!("a list has at most {MEMBERS_MAX} members")));
    }
    let another_owner = list.members.iter().any(|(other, role)| other != member && *role == Role::Owner);
    if list.members.get(member) == Some(&Role::Owner) && !another_owner {
        return Err(Refusal::new(Conflict, "last_owner", "a list keeps at least one owner; make somebody else an owner first").at("/role"));
    }
    Ok(Decision::applied(ListEvent::Shared { member: member.clone(), role }))
}

pub(super) fn change_quantity(list: &List, id: &ItemId, by: &Quantity) -> Decided {
    let item = existing(list, id)?;
    if by.millionths() == 0 {
        return Ok(Decision::unchanged());
    }
    let quantity = merge::sum(&item.quantity, by).map_err(|error| match error {
        QuantityError::TooLarge => quantity_refusal(&error, "/by/amount"),
        QuantityError::Malformed
        | QuantityError::TooManyDecimals
        | QuantityError::NotPositive
        | QuantityError::UnitMismatch { .. }
        | QuantityError::Inexact { .. } => quantity_refusal(&error, "/by/unit"),
    })?;
    if !quantity.is_positive() {
        let detail = format!("“{}” would be {quantity}: nothing would be left; remove the item instead", item.name);
        return Err(Refusal::new(Invalid, "quantity_not_positive", detail).at("/by/amount"));
    }
    quantity.validate_positive().map_err(|error| quantity_refusal(&error, "/by/amount"))?;
    Ok(Decision::applied(ListEvent::ItemQuantityChanged { item: id.clone(), by: Some(by.clone()), quantity }))
}

pub(super) fn set_quantity(list: &List, id: &ItemId, quantity: &Quantity) -> Decided {
    let item = existing(list, id)?;
    quantity.validate_positive().map_err(|error| quantity_refusal(&error, "/quantity/amount"))?;
    let event = ListEvent::ItemQuantityChanged { item: id.clone(), by: None, quantity: quantity.clone() };
    Ok(when(item.quantity != *quantity, event))
}

/// Name, specification and note: only what differs is recorded.
pub(super) fn change_details(list: &List, id: &ItemId, [name, specification, note]: [Option<&str>; 3]) -> Decided {
    let item = existing(list, id)?;
    if let Some(name) = name {
        check_text(name, NAME_CHARS_MAX, "/name")?;
    }
    check_optional_text(specification.unwrap_or_default(), NOTE_CHARS_MAX, "/specification")?;
    check_optional_text(note.unwrap_or_default(), NOTE_CHARS_MAX, "/note")?;
    let name = differing(name, &item.name);
    let specification = differing(specification, item.specification.as_deref().unwrap_or_default());
    let note = differing(note, item.note.as_deref().unwrap_or_default());
    let something = name.is_some() || specification.is_some() || note.is_some();
    Ok(when(something, ListEvent::ItemDetailsChanged { item: id.clone(), name, specification, note }))
}

fn differing(after: Option<&str>, before: &str) -> Option<String> {
    after.map(str::trim).filter(|after| *after != before).map(str::to_owned)
}

/// Removing what is already gone succeeds: nothing to record.
pub(super) fn remove(list: &List, id: &ItemId) -> Decided {
    if list.removed.contains_key(id) && !list.items.contains_key(id) {
        return Ok(Decision::unchanged());
    }
    existing(list, id).map(|_| Decision::applied(ListEvent::ItemRemoved { item: id.clone() }))
}

pub(super) fn set_budget(list: &List, budget: Option<Money>) -> Decided {
    if let Some(budget) = budget {
        budget.validate_positive().map_err(|error| Refusal::new(Invalid, error.code(), error.to_string()).at("/budget/amount"))?;
    }
    Ok(when(list.budget != budget, ListEvent::BudgetSet { budget }))
}

/// The same order again without new ticks is a repetition; with new ticks it would lose them, so it is refused.
pub(super) fn check_out(list: &List, order: &OrderId) -> Decided {
    let items = checked(list);
    let repeated = list.last_order.as_ref() == Some(order);
    match (items.is_empty(), repeated) {
        (true, true) => Ok(Decision::unchanged()),
        (true, false) => Err(Refusal::new(Conflict, "nothing_checked", "no item is ticked, so there is nothing to check out")),
        (false, true) => {
            let detail = format!("order {order} was already created from this list; choose a new order id for what was ticked since");
            Err(Refusal::new(Conflict, "already_checked_out", detail).at("/order"))
        }
        (false, false) => Ok(Decision::applied(ListEvent::CheckedOut { order: order.clone(), items })),
    }
}

pub(super) fn checked(list: &List) -> Vec<ItemId> {
    list.items.index().ticked().cloned().collect()
}
