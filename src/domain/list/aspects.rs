//! What an event of a list is about: it shows which events change the same thing, or belong together.

use super::ListEvent;
use crate::domain::{ItemId, Principal};

/// Whether a later event changed the same thing again.
pub(super) fn overwrites(later: &ListEvent, event: &ListEvent) -> bool {
    let same_item = || later.items().iter().any(|item| event.items().contains(item));
    match (aspect(later), aspect(event)) {
        (Aspect::WholeItem, aspect) | (aspect, Aspect::WholeItem) if aspect.is_of_items() => same_item(),
        (later, aspect) if later == aspect => !aspect.is_of_items() || same_item(),
        _ => false,
    }
}

/// Whether two events of the same instant are of one command: an addition that was merged changes the quantity and then the
/// note; a move may give every item a new rank.
pub(super) fn continues(previous: &ListEvent, event: &ListEvent) -> bool {
    use ListEvent as E;
    match (previous, event) {
        (
            E::ItemQuantityChanged { item: merged, by: Some(_), .. },
            E::ItemDetailsChanged { item, name: None, specification: None, note: Some(_) },
        ) => merged == item,
        (E::ItemMoved { item: other, .. }, E::ItemMoved { item, .. }) => other != item,
        _ => false,
    }
}

/// What an event changes.
#[derive(PartialEq)]
enum Aspect<'a> {
    Name,
    Store,
    Member(&'a Principal),
    Budget,
    Phase,
    WholeItem,
    Quantity,
    Details,
    Product,
    Tick,
    Place,
}

impl Aspect<'_> {
    fn is_of_items(&self) -> bool {
        matches!(self, Self::WholeItem | Self::Quantity | Self::Details | Self::Product | Self::Tick | Self::Place)
    }
}

fn aspect(event: &ListEvent) -> Aspect<'_> {
    use ListEvent as E;
    match event {
        E::Created { .. } | E::Archived {} | E::Revived {} => Aspect::Phase,
        E::Renamed { .. } => Aspect::Name,
        E::StoreChosen { .. } => Aspect::Store,
        E::Shared { member, .. } => Aspect::Member(member),
        E::BudgetSet { .. } => Aspect::Budget,
        E::ItemAdded { .. } | E::ItemRemoved { .. } | E::CheckedCleared { .. } | E::CheckedOut { .. } => Aspect::WholeItem,
        E::ItemQuantityChanged { .. } => Aspect::Quantity,
        E::ItemDetailsChanged { .. } => Aspect::Details,
        E::ItemMatched { .. } => Aspect::Product,
        E::ItemChecked { .. } | E::ItemUnchecked { .. } => Aspect::Tick,
        E::ItemMoved { .. } => Aspect::Place,
    }
}

impl ListEvent {
    /// The items that it touches.
    #[must_use]
    pub fn items(&self) -> &[ItemId] {
        use ListEvent as E;
        match self {
            E::Created { .. }
            | E::Renamed { .. }
            | E::StoreChosen { .. }
            | E::Shared { .. }
            | E::BudgetSet { .. }
            | E::Archived {}
            | E::Revived {} => &[],
            E::ItemAdded { item, .. }
            | E::ItemQuantityChanged { item, .. }
            | E::ItemDetailsChanged { item, .. }
            | E::ItemMatched { item, .. }
            | E::ItemChecked { item }
            | E::ItemUnchecked { item }
            | E::ItemMoved { item, .. }
            | E::ItemRemoved { item } => std::slice::from_ref(item),
            E::CheckedCleared { items } | E::CheckedOut { items, .. } => items,
        }
    }
}
