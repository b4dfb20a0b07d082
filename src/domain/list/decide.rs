//! Every rule of a list. Each command is decided by one short function.

use super::{
    List, ListCommand, ListEvent, ListState, Role,
    found::{existing, quantity_refusal},
    merge, rank,
};
use crate::domain::{
    Context, Decision, ItemId, Money, OrderId, Principal, Quantity, QuantityError, Refusal,
    RefusalKind::{Conflict, Forbidden, Invalid, NotFound},
    limits::{MEMBERS_MAX, NAME_CHARS_MAX, NOTE_CHARS_MAX},
    text::{check_optional_text, check_text},
};

type Decided = Result<Decision<ListEvent>, Refusal>;

pub(super) fn decide(state: &ListState, command: &ListCommand, context: &Context) -> Decided {
    if let ListCommand::Create { name, household, store } = command {
        check_text(name, NAME_CHARS_MAX, "/name")?;
        let created = ListEvent::Created { name: name.trim().to_owned(), household: household.clone(), store: store.clone() };
        return create(state, created);
    }
    match state {
        ListState::Absent => Err(Refusal::new(NotFound, "list_not_found", "there is no such list; create it first")),
        ListState::Active(list) => may_edit(list, &context.who).and_then(|()| decide_active(list, command, context)),
        ListState::Archived(list) => may_edit(list, &context.who).and_then(|()| decide_archived(command)),
    }
}

fn create(state: &ListState, created: ListEvent) -> Decided {
    let Some(list) = state.list() else { return Ok(Decision::applied(created)) };
    let existing = ListEvent::Created { name: list.name.clone(), household: list.household.clone(), store: list.store.clone() };
    if existing == created {
        return Ok(Decision::unchanged());
    }
    Err(Refusal::new(Conflict, "list_exists", format!("a list with this id already exists: “{}”; choose another id", list.name)))
}

/// Viewers only look; all others may edit. Who may open a list is not decided here.
fn may_edit(list: &List, who: &Principal) -> Result<(), Refusal> {
    if list.members.get(who) != Some(&Role::Viewer) {
        return Ok(());
    }
    Err(Refusal::new(Forbidden, "viewer_may_not_edit", "you may look at this list but not change it; ask its owner to make you an editor"))
}

fn decide_archived(command: &ListCommand) -> Decided {
    match command {
        ListCommand::Revive => Ok(Decision::applied(ListEvent::Revived {})),
        ListCommand::Archive => Ok(Decision::unchanged()),
        ListCommand::Create { .. }
        | ListCommand::Rename { .. }
        | ListCommand::ChooseStore { .. }
        | ListCommand::Share { .. }
        | ListCommand::AddItem { .. }
        | ListCommand::ChangeQuantity { .. }
        | ListCommand::SetQuantity { .. }
        | ListCommand::ChangeDetails { .. }
        | ListCommand::Match { .. }
        | ListCommand::Check { .. }
        | ListCommand::Uncheck { .. }
        | ListCommand::Move { .. }
        | ListCommand::Remove { .. }
        | ListCommand::ClearChecked
        | ListCommand::SetBudget { .. }
        | ListCommand::CheckOut { .. } => {
            Err(Refusal::new(Conflict, "list_archived", "this list is archived; revive it before changing it"))
        }
    }
}

fn decide_active(list: &List, command: &ListCommand, context: &Context) -> Decided {
    use ListCommand as C;
    match command {
        C::Create { .. } | C::Revive => Ok(Decision::unchanged()),
        C::Rename { name } => rename(list, name),
        C::ChooseStore { store } => Ok(when(list.store != *store, ListEvent::StoreChosen { store: store.clone() })),
        C::Share { member, role } => share(list, member, *role, &context.who),
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

/// The event, if there is something to record.
fn when(something: bool, event: ListEvent) -> Decision<ListEvent> {
    if something { Decision::applied(event) } else { Decision::unchanged() }
}

fn rename(list: &List, name: &str) -> Decided {
    check_text(name, NAME_CHARS_MAX, "/name")?;
    let name = name.trim();
    Ok(when(list.name != name, ListEvent::Renamed { name: name.to_owned() }))
}

fn share(list: &List, member: &Principal, role: Role, who: &Principal) -> Decided {
    if list.members.get(member) == Some(&role) {
        return Ok(Decision::unchanged());
    }
    if list.members.get(who) == Some(&Role::Editor) {
        return Err(Refusal::new(Forbidden, "only_owner_may_share", "only an owner of this list may share it or change somebody's role"));
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

fn change_quantity(list: &List, id: &ItemId, by: &Quantity) -> Decided {
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

fn set_quantity(list: &List, id: &ItemId, quantity: &Quantity) -> Decided {
    let item = existing(list, id)?;
    quantity.validate_positive().map_err(|error| quantity_refusal(&error, "/quantity/amount"))?;
    let event = ListEvent::ItemQuantityChanged { item: id.clone(), by: None, quantity: quantity.clone() };
    Ok(when(item.quantity != *quantity, event))
}

/// Name, specification and note: only what differs is recorded.
fn change_details(list: &List, id: &ItemId, [name, specification, note]: [Option<&str>; 3]) -> Decided {
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
fn remove(list: &List, id: &ItemId) -> Decided {
    if list.removed.contains_key(id) && !list.items.contains_key(id) {
        return Ok(Decision::unchanged());
    }
    existing(list, id).map(|_| Decision::applied(ListEvent::ItemRemoved { item: id.clone() }))
}

fn set_budget(list: &List, budget: Option<Money>) -> Decided {
    if let Some(budget) = budget {
        budget.validate_positive().map_err(|error| Refusal::new(Invalid, error.code(), error.to_string()).at("/budget/amount"))?;
    }
    Ok(when(list.budget != budget, ListEvent::BudgetSet { budget }))
}

/// The same order again without new ticks is a repetition; with new ticks it would lose them, so it is refused.
fn check_out(list: &List, order: &OrderId) -> Decided {
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

fn checked(list: &List) -> Vec<ItemId> {
    list.items.iter().filter(|(_, item)| item.checked.is_some()).map(|(id, _)| id.clone()).collect()
}
