//! The item that a command is about, and refusals that several rules share.

use super::{Item, List};
use crate::domain::{
    ItemId, QuantityError, Refusal,
    RefusalKind::{Conflict, Invalid, NotFound},
};

/// The item to edit, or why it cannot be edited: who removed it and when.
pub(super) fn existing<'a>(list: &'a List, id: &ItemId) -> Result<&'a Item, Refusal> {
    list.items.get(id).ok_or_else(|| match removal(list, id) {
        Some(refusal) => refusal,
        None => Refusal::new(NotFound, "item_not_found", format!("this list has no item {id}")),
    })
}

/// The refusal of an id whose item was removed.
pub(super) fn removal(list: &List, id: &ItemId) -> Option<Refusal> {
    list.removed.get(id).map(|removed| {
        let detail = format!("“{}” was removed by {} at {}; add it again as a new item", removed.name, removed.by.who, removed.by.at);
        Refusal::new(Conflict, "item_removed", detail)
    })
}

/// The refusal of a quantity.
pub(super) fn quantity_refusal(error: &QuantityError, pointer: &'static str) -> Refusal {
    Refusal::new(Invalid, error.code(), error.to_string()).at(pointer)
}
