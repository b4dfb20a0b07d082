//! The items of a list: added, changed, taken off and remembered.

use serde::{Deserialize, Serialize};

use super::{List, ListEvent};
use crate::domain::{Fact, ItemId, Moment, Principal, ProductId, Quantity, limits::REMOVED_PER_LIST_MAX};

/// One line of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    pub name: String,
    pub product: Option<ProductId>,
    pub specification: Option<String>,
    pub quantity: Quantity,
    pub note: Option<String>,
    /// Items are shown by rank, then id.
    pub rank: i64,
    pub added: Mark,
    pub checked: Option<Mark>,
}

/// Who did something, and when the log recorded it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mark {
    pub who: Principal,
    pub at: Moment,
}

/// What a list remembers of a removed item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Removed {
    pub name: String,
    pub by: Mark,
    /// The log position of the removal; the oldest are forgotten first.
    pub position: u64,
}

impl Item {
    /// The item that an addition makes.
    pub(super) fn added(event: &ListEvent, fact: &Fact<'_>) -> Option<Self> {
        let ListEvent::ItemAdded { item: _, name, product, specification, quantity, note, rank } = event else { return None };
        Some(Self {
            name: name.clone(),
            product: product.clone(),
            specification: specification.clone(),
            quantity: quantity.clone(),
            note: note.clone(),
            rank: *rank,
            added: Mark::of(fact),
            checked: None,
        })
    }

    /// `None` leaves a text unchanged, an empty one clears it.
    pub(super) fn change_details(&mut self, name: Option<&str>, specification: Option<&str>, note: Option<&str>) {
        if let Some(name) = name {
            name.clone_into(&mut self.name);
        }
        replace(&mut self.specification, specification);
        replace(&mut self.note, note);
    }
}

impl Mark {
    pub(super) fn of(fact: &Fact<'_>) -> Self {
        Self { who: fact.who.clone(), at: fact.at }
    }
}

impl List {
    /// The items as they are shown: by rank, then id.
    #[must_use]
    pub fn items_in_order(&self) -> Vec<(&ItemId, &Item)> {
        let mut items: Vec<_> = self.items.iter().collect();
        items.sort_by_key(|(id, item)| (item.rank, *id));
        items
    }

    pub(super) fn take_off(&mut self, ids: &[ItemId], fact: &Fact<'_>) {
        for id in ids {
            let Some(item) = self.items.remove(id) else { continue };
            self.removed.insert(id.clone(), Removed { name: item.name, by: Mark::of(fact), position: fact.position });
        }
        while self.removed.len() > REMOVED_PER_LIST_MAX
            && let Some(oldest) = self.removed.index().oldest().cloned()
        {
            self.removed.remove(&oldest);
        }
    }
}

/// `None` leaves a text unchanged, an empty one clears it.
fn replace(text: &mut Option<String>, with: Option<&str>) {
    if let Some(with) = with {
        *text = Some(with.to_owned()).filter(|text| !text.is_empty());
    }
}
