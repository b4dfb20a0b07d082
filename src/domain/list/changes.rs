//! What a list's event touches: fields of the list itself, of its items, or their order.

use serde_json::Value;

use super::{Item, List, ListEvent, ListState, events::Aspect, state::header};
use crate::domain::{
    ItemId,
    changes::{Fields, Touched, fields, of_itself, shown},
};

pub(super) fn touched(event: &ListEvent, state: &ListState) -> Touched {
    let facts = event.facts();
    let list = state.list();
    let fields_of = |id: &ItemId| {
        if facts.aspect == Aspect::Place {
            // The item in front of it defines its place.
            fields([("after", shown(&list.and_then(|list| list.in_front_of(id, |_| true))))])
        } else {
            list.and_then(|list| list.items.get(id)).map(item_fields).unwrap_or_default()
        }
    };
    let items = facts.items.all().iter().map(|id| (Some(id.to_string()), fields_of(id)));
    let is_of_itself = !facts.items.are_some() || facts.order.is_some();
    items.chain(is_of_itself.then(|| of_itself(header(state))).into_iter().flatten()).collect()
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
        self.items.index().places_before(here).find(|other| is_one(other)).cloned()
    }
}
