//! How a list differs between two moments.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{List, ListState, changes::item_fields, order::to_move, state::header};
use crate::domain::{
    ItemId,
    changes::{Change, Fields, compare, shown},
};

/// The differences of two moments of a list.
#[derive(Debug, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ListDiff {
    /// Fields of the list itself.
    pub changes: Vec<Change>,
    /// Items present only later.
    pub added: Vec<ItemDiff>,
    /// Items present only before.
    pub removed: Vec<ItemDiff>,
    /// Items present at both moments that differ. A moved one names the item in front of it as `after`.
    pub changed: Vec<ItemDiff>,
}

/// One item that differs.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct ItemDiff {
    pub item: ItemId,
    /// Its name at the later moment at which it is present.
    pub name: String,
    pub changes: Vec<Change>,
}

/// What differs from one moment of a list to another.
#[must_use]
pub fn diff(from: &ListState, to: &ListState) -> ListDiff {
    let mut diff = ListDiff { changes: compare(None, &header(from), &header(to)), ..ListDiff::default() };
    let items = |state: &ListState| state.list().map(shown_items).unwrap_or_default();
    let (before, after) = (items(from), items(to));
    let nothing = Fields::new();
    let mut ids: Vec<_> = before.keys().chain(after.keys().filter(|id| !before.contains_key(*id))).collect();
    ids.sort_unstable();
    let moved = moved(from, to);
    for id in ids {
        let (was, is) = (before.get(id), after.get(id));
        let mut changes = compare(None, was.unwrap_or(&nothing), is.unwrap_or(&nothing));
        changes.extend(moved.get(id).cloned());
        let name = is.or(was).and_then(|fields| fields.get("name")).and_then(Value::as_str).unwrap_or_default().to_owned();
        let one = || ItemDiff { item: id.clone(), name, changes: changes.clone() };
        match (was, is) {
            (None, _) => diff.added.push(one()),
            (_, None) => diff.removed.push(one()),
            _ if changes.is_empty() => {}
            _ => diff.changed.push(one()),
        }
    }
    diff
}

fn shown_items(list: &List) -> BTreeMap<ItemId, Fields> {
    list.items.iter().map(|(id, item)| (id.clone(), item_fields(item))).collect()
}

/// The fewest moved items, each with the item in front of it among those present at both moments.
fn moved(from: &ListState, to: &ListState) -> BTreeMap<ItemId, Change> {
    let (Some(from), Some(to)) = (from.list(), to.list()) else { return BTreeMap::new() };
    let order = |list: &List| list.items_in_order().into_iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
    let common = |id: &ItemId| from.items.contains_key(id) && to.items.contains_key(id);
    let place = |list: &List, id: &ItemId| shown(&list.in_front_of(id, common));
    let change = |id: &ItemId| Change { item: None, field: "after".into(), before: place(from, id), after: place(to, id) };
    to_move(&order(from), &order(to)).into_iter().map(|id| (id.clone(), change(&id))).collect()
}
