//! What a list's event changed: fields of the list itself, of its items, or their order.

use serde_json::Value;

use super::{Item, List, ListEvent, ListState};
use crate::domain::{
    ItemId,
    changes::{Change, Fields, compare, fields, shown},
};

pub(super) fn changes(event: &ListEvent, before: &ListState, after: &ListState) -> Vec<Change> {
    use ListEvent as E;
    match event {
        E::Created { .. }
        | E::Renamed { .. }
        | E::StoreChosen { .. }
        | E::Shared { .. }
        | E::BudgetSet { .. }
        | E::Archived {}
        | E::Revived {} => compare(None, &header(before), &header(after)),
        E::ItemAdded { item, .. }
        | E::ItemQuantityChanged { item, .. }
        | E::ItemDetailsChanged { item, .. }
        | E::ItemMatched { item, .. }
        | E::ItemChecked { item }
        | E::ItemUnchecked { item }
        | E::ItemRemoved { item } => of_item(item, before, after),
        E::ItemMoved { item, .. } => moved(item, before, after),
        E::CheckedCleared { items } => items.iter().flat_map(|item| of_item(item, before, after)).collect(),
        E::CheckedOut { items, .. } => {
            let of_items = items.iter().flat_map(|item| of_item(item, before, after));
            of_items.chain(compare(None, &header(before), &header(after))).collect()
        }
    }
}

/// The fields of the list itself.
pub(super) fn header(state: &ListState) -> Fields {
    let Some(list) = state.list() else { return Fields::new() };
    let mut header = fields([
        ("name", shown(&list.name)),
        ("household", shown(&list.household)),
        ("store", shown(&list.store)),
        ("budget", shown(&list.budget)),
        ("last_order", shown(&list.last_order)),
        ("archived", Value::Bool(matches!(state, ListState::Archived(_)))),
    ]);
    header.extend(list.members.iter().map(|(member, role)| (format!("members/{member}"), shown(role))));
    header
}

/// The fields of one item.
pub(super) fn item_fields(item: &Item) -> Fields {
    fields([
        ("name", shown(&item.name)),
        ("product", shown(&item.product)),
        ("specification", shown(&item.specification)),
        ("quantity", shown(&item.quantity)),
        ("note", shown(&item.note)),
        ("checked", Value::Bool(item.checked.is_some())),
    ])
}

fn of_item(id: &ItemId, before: &ListState, after: &ListState) -> Vec<Change> {
    let of = |state: &ListState| state.list().and_then(|list| list.items.get(id)).map(item_fields).unwrap_or_default();
    compare(Some(id.as_str()), &of(before), &of(after))
}

/// The item that stands in front of it tells its place.
fn moved(id: &ItemId, before: &ListState, after: &ListState) -> Vec<Change> {
    let place = |state: &ListState| state.list().and_then(|list| list.in_front_of(id, |_| true));
    let place = |state| fields([("after", shown(&place(state)))]);
    compare(Some(id.as_str()), &place(before), &place(after))
}

impl List {
    /// The nearest item in front of another that is one of some.
    pub(super) fn in_front_of(&self, id: &ItemId, is_one: impl Fn(&ItemId) -> bool) -> Option<ItemId> {
        let here = (self.items.get(id)?.rank, id);
        let in_front = self.items.iter().map(|(other, item)| (item.rank, other)).filter(|place| *place < here && is_one(place.1));
        in_front.max().map(|(_, other)| other.clone())
    }
}
