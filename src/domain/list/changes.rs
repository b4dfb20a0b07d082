//! What a list's event touches: fields of the list itself, of its items, or their order.

use serde_json::Value;

use super::{Item, List, ListEvent, ListState};
use crate::domain::{
    ItemId,
    changes::{Fields, Touched, fields, of_itself, shown},
};

pub(super) fn touched(event: &ListEvent, state: &ListState) -> Touched {
    use ListEvent as E;
    let item = |id: &ItemId| (Some(id.to_string()), state.list().and_then(|list| list.items.get(id)).map(item_fields).unwrap_or_default());
    match event {
        E::Created { .. }
        | E::Renamed { .. }
        | E::StoreChosen { .. }
        | E::Shared { .. }
        | E::BudgetSet { .. }
        | E::Archived {}
        | E::Revived {} => of_itself(header(state)),
        E::ItemAdded { item: id, .. }
        | E::ItemQuantityChanged { item: id, .. }
        | E::ItemDetailsChanged { item: id, .. }
        | E::ItemMatched { item: id, .. }
        | E::ItemChecked { item: id }
        | E::ItemUnchecked { item: id }
        | E::ItemRemoved { item: id } => vec![item(id)],
        // The item in front of it defines its place.
        E::ItemMoved { item: id, .. } => {
            let in_front = state.list().and_then(|list| list.in_front_of(id, |_| true));
            vec![(Some(id.to_string()), fields([("after", shown(&in_front))]))]
        }
        E::CheckedCleared { items } => items.iter().map(item).collect(),
        E::CheckedOut { items, .. } => items.iter().map(item).chain(of_itself(header(state))).collect(),
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

impl List {
    /// The nearest item in front of another that is in a set.
    pub(super) fn in_front_of(&self, id: &ItemId, is_one: impl Fn(&ItemId) -> bool) -> Option<ItemId> {
        let here = (self.items.get(id)?.rank, id);
        let in_front = self.items.iter().map(|(other, item)| (item.rank, other)).filter(|place| *place < here && is_one(place.1));
        in_front.max().map(|(_, other)| other.clone())
    }
}
