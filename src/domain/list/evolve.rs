//! How each event changes a list. Checks nothing: events are facts.

use std::collections::BTreeMap;

use super::{Item, List, ListEvent, ListState, Mark, Removed, Role};
use crate::domain::{Fact, ItemId, limits::REMOVED_PER_LIST_MAX};

pub(super) fn evolve(state: &mut ListState, event: &ListEvent, fact: &Fact<'_>) {
    match (event, &mut *state) {
        (ListEvent::Created { name, household, store }, _) => {
            *state = ListState::Active(List {
                name: name.clone(),
                household: household.clone(),
                store: store.clone(),
                members: BTreeMap::from([(fact.who.clone(), Role::Owner)]),
                items: BTreeMap::new(),
                removed: BTreeMap::new(),
                budget: None,
                last_order: None,
                created_at: fact.at,
            });
        }
        (ListEvent::Archived {} | ListEvent::Revived {}, _) => {
            *state = match (event, std::mem::take(state)) {
                (ListEvent::Archived {}, ListState::Active(list)) => ListState::Archived(list),
                (ListEvent::Revived {}, ListState::Archived(list)) => ListState::Active(list),
                (_, unchanged) => unchanged,
            };
        }
        (_, ListState::Active(list) | ListState::Archived(list)) => list.record(event, fact),
        (_, ListState::Absent) => {}
    }
}

impl List {
    fn record(&mut self, event: &ListEvent, fact: &Fact<'_>) {
        use ListEvent as E;
        match event {
            E::Created { .. } | E::Archived {} | E::Revived {} => {}
            E::Renamed { name } => self.name.clone_from(name),
            E::StoreChosen { store } => self.store.clone_from(store),
            E::Shared { member, role } => {
                self.members.insert(member.clone(), *role);
            }
            E::ItemRemoved { item } => self.take_off(std::slice::from_ref(item), fact),
            E::CheckedCleared { items } => self.take_off(items, fact),
            E::CheckedOut { order, items } => {
                self.take_off(items, fact);
                self.last_order = Some(order.clone());
            }
            E::BudgetSet { budget } => self.budget = *budget,
            E::ItemAdded { item, .. } => {
                self.removed.remove(item);
                self.items.extend(new_item(event, fact).map(|new| (item.clone(), new)));
            }
            E::ItemQuantityChanged { item, .. }
            | E::ItemDetailsChanged { item, .. }
            | E::ItemMatched { item, .. }
            | E::ItemChecked { item }
            | E::ItemUnchecked { item }
            | E::ItemMoved { item, .. } => {
                if let Some(item) = self.items.get_mut(item) {
                    item.record(event, fact);
                }
            }
        }
    }

    fn take_off(&mut self, ids: &[ItemId], fact: &Fact<'_>) {
        for id in ids {
            let Some(item) = self.items.remove(id) else { continue };
            let by = Mark { who: fact.who.clone(), at: fact.at };
            self.removed.insert(id.clone(), Removed { name: item.name, by, position: fact.position });
        }
        let excess = self.removed.len().saturating_sub(REMOVED_PER_LIST_MAX);
        if excess > 0 {
            let mut oldest: Vec<_> = self.removed.iter().map(|(id, removed)| (removed.position, id)).collect();
            oldest.select_nth_unstable(excess - 1);
            let forgotten: Vec<_> = oldest[..excess].iter().map(|(_, id)| (*id).clone()).collect();
            for id in &forgotten {
                self.removed.remove(id);
            }
        }
    }
}

fn new_item(event: &ListEvent, fact: &Fact<'_>) -> Option<Item> {
    let ListEvent::ItemAdded { item: _, name, product, specification, quantity, note, rank } = event else { return None };
    Some(Item {
        name: name.clone(),
        product: product.clone(),
        specification: specification.clone(),
        quantity: quantity.clone(),
        note: note.clone(),
        rank: *rank,
        added: Mark { who: fact.who.clone(), at: fact.at },
        checked: None,
    })
}

impl Item {
    fn record(&mut self, event: &ListEvent, fact: &Fact<'_>) {
        match event {
            ListEvent::ItemQuantityChanged { quantity, .. } => self.quantity.clone_from(quantity),
            ListEvent::ItemDetailsChanged { name, specification, note, .. } => {
                if let Some(name) = name {
                    self.name.clone_from(name);
                }
                replace(&mut self.specification, specification.as_deref());
                replace(&mut self.note, note.as_deref());
            }
            ListEvent::ItemMatched { product, .. } => self.product.clone_from(product),
            ListEvent::ItemChecked { .. } => self.checked = Some(Mark { who: fact.who.clone(), at: fact.at }),
            ListEvent::ItemUnchecked { .. } => self.checked = None,
            ListEvent::ItemMoved { rank, .. } => self.rank = *rank,
            ListEvent::Created { .. }
            | ListEvent::Renamed { .. }
            | ListEvent::StoreChosen { .. }
            | ListEvent::Shared { .. }
            | ListEvent::ItemAdded { .. }
            | ListEvent::ItemRemoved { .. }
            | ListEvent::CheckedCleared { .. }
            | ListEvent::BudgetSet { .. }
            | ListEvent::Archived { .. }
            | ListEvent::Revived { .. }
            | ListEvent::CheckedOut { .. } => {}
        }
    }
}

/// `None` leaves a text unchanged, an empty one clears it.
fn replace(text: &mut Option<String>, with: Option<&str>) {
    if let Some(with) = with {
        *text = Some(with.to_owned()).filter(|text| !text.is_empty());
    }
}
