//! The facts of a list's event in one shape, so that who reads them need not know every event.

use super::{ListEvent, events::Aspect};
use crate::domain::{HouseholdId, ItemId, OrderId, ProductId, StoreId};

/// What an event is about. What is `None` stays as it was.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Two events of one aspect change the same thing.
    pub aspect: Aspect<'a>,
    pub items: Items<'a>,
    pub presence: Presence,
    pub reprices: Reprices,
    pub name: Option<&'a str>,
    pub household: Option<&'a Option<HouseholdId>>,
    pub store: Option<&'a Option<StoreId>>,
    /// The product that an item is matched to now.
    pub product: Option<&'a ProductId>,
    /// The order that the items went into.
    pub order: Option<&'a OrderId>,
    pub archived: Option<bool>,
}

/// The items that an event touches.
#[derive(Debug, Clone, Copy)]
pub enum Items<'a> {
    None,
    One(&'a ItemId),
    Several(&'a [ItemId]),
}

/// What the touched items are afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    Unchanged,
    Open,
    Ticked,
    Gone,
}

/// Whose prices an event changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reprices {
    Nothing,
    Items,
    List,
}

impl<'a> Facts<'a> {
    pub(super) fn of_list(aspect: Aspect<'a>) -> Self {
        Self {
            aspect,
            items: Items::None,
            presence: Presence::Unchanged,
            reprices: Reprices::Nothing,
            name: None,
            household: None,
            store: None,
            product: None,
            order: None,
            archived: None,
        }
    }

    pub(super) fn of_item(item: &'a ItemId, aspect: Aspect<'a>) -> Self {
        Self { items: Items::One(item), reprices: Reprices::Items, ..Self::of_list(aspect) }
    }

    /// Of items that were taken off together.
    pub(super) fn of_gone(items: &'a [ItemId]) -> Self {
        let items = Items::Several(items);
        Self { items, presence: Presence::Gone, reprices: Reprices::Items, ..Self::of_list(Aspect::WholeItem) }
    }
}

impl<'a> Items<'a> {
    #[must_use]
    pub fn all(self) -> &'a [ItemId] {
        match self {
            Self::None => &[],
            Self::One(item) => std::slice::from_ref(item),
            Self::Several(items) => items,
        }
    }

    /// Whether the event is about items, even if there are none of them.
    #[must_use]
    pub fn are_some(self) -> bool {
        !matches!(self, Self::None)
    }

    /// The item, if the event is about a single one.
    #[must_use]
    pub fn one(self) -> Option<&'a ItemId> {
        match self {
            Self::One(item) => Some(item),
            Self::None | Self::Several(_) => None,
        }
    }
}

/// Whether a later event changed the same thing again.
pub(super) fn overwrites(later: &ListEvent, event: &ListEvent) -> bool {
    let (later, event) = (later.facts(), event.facts());
    let is_same = later.aspect == event.aspect;
    if !later.items.are_some() || !event.items.are_some() {
        return is_same;
    }
    let is_whole = later.aspect == Aspect::WholeItem || event.aspect == Aspect::WholeItem;
    (is_same || is_whole) && later.items.all().iter().any(|item| event.items.all().contains(item))
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
