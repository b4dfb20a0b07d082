//! What a list is, and how each event changes it. Checks nothing: events are facts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Indexed, Item, ListCommand, ListEvent, Mark, Removed, Role};
use crate::domain::{
    Fact, HouseholdId, ItemId, Moment, Money, OrderId, Principal, StoreId,
    changes::{Fields, fields, shown},
};

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
    pub items: Indexed<Item>,
    /// Removed items, so that a late edit learns who removed them.
    pub removed: Indexed<Removed>,
    pub budget: Option<Money>,
    pub last_order: Option<OrderId>,
    pub created_at: Moment,
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

pub(super) fn evolve(state: &mut ListState, event: &ListEvent, fact: &Fact<'_>) {
    match (event, &mut *state) {
        (ListEvent::Created { name, household, store }, _) => {
            *state = ListState::Active(List {
                name: name.clone(),
                household: household.clone(),
                store: store.clone(),
                members: BTreeMap::from([(fact.who.clone(), Role::Owner)]),
                items: Indexed::default(),
                removed: Indexed::default(),
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
                if let Some(new) = Item::added(event, fact) {
                    self.items.insert(item.clone(), new);
                }
            }
            E::ItemQuantityChanged { item, quantity, .. } => self.change(item, |item| item.quantity.clone_from(quantity)),
            E::ItemDetailsChanged { item, name, specification, note } => {
                self.change(item, |item| item.change_details(name.as_deref(), specification.as_deref(), note.as_deref()));
            }
            E::ItemMatched { item, product } => self.change(item, |item| item.product.clone_from(product)),
            E::ItemChecked { item } => self.change(item, |item| item.checked = Some(Mark::of(fact))),
            E::ItemUnchecked { item } => self.change(item, |item| item.checked = None),
            E::ItemMoved { item, rank } => self.change(item, |item| item.rank = *rank),
        }
    }

    fn change(&mut self, id: &ItemId, change: impl FnOnce(&mut Item)) {
        self.items.change(id, change);
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

/// The commands that give another list these fields of its own, and what is said where one is refused.
pub(super) fn own_fields(list: &List) -> Vec<(ListCommand, String)> {
    vec![
        (ListCommand::Rename { name: list.name.clone() }, format!("it could not be renamed to “{}” again", list.name)),
        (ListCommand::ChooseStore { store: list.store.clone() }, "its store could not be chosen again".into()),
        (ListCommand::SetBudget { budget: list.budget }, "its budget could not be set again".into()),
    ]
}
