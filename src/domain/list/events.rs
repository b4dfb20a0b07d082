//! What can happen to a list: each event, its name and texts, and the facts that others read from it.

use serde::{Deserialize, Serialize};

use super::{
    Role,
    facts::{Facts, Presence, Reprices},
};
use crate::domain::{HouseholdId, ItemId, Money, OrderId, Principal, ProductId, Quantity, StoreId, event_table::event_table};

/// What happened to a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListEvent {
    Created {
        name: String,
        household: Option<HouseholdId>,
        store: Option<StoreId>,
    },
    Renamed {
        name: String,
    },
    StoreChosen {
        store: Option<StoreId>,
    },
    Shared {
        member: Principal,
        role: Role,
    },
    ItemAdded {
        item: ItemId,
        name: String,
        product: Option<ProductId>,
        specification: Option<String>,
        quantity: Quantity,
        note: Option<String>,
        rank: i64,
    },
    /// `by` is `None` for a set; `quantity` is the result.
    ItemQuantityChanged {
        item: ItemId,
        by: Option<Quantity>,
        quantity: Quantity,
    },
    ItemDetailsChanged {
        item: ItemId,
        name: Option<String>,
        specification: Option<String>,
        note: Option<String>,
    },
    ItemMatched {
        item: ItemId,
        product: Option<ProductId>,
    },
    ItemChecked {
        item: ItemId,
    },
    ItemUnchecked {
        item: ItemId,
    },
    ItemMoved {
        item: ItemId,
        rank: i64,
    },
    ItemRemoved {
        item: ItemId,
    },
    CheckedCleared {
        items: Vec<ItemId>,
    },
    BudgetSet {
        budget: Option<Money>,
    },
    Archived {},
    Revived {},
    CheckedOut {
        order: OrderId,
        items: Vec<ItemId>,
    },
}

event_table! { ListEvent {
    Created "list.created" ["name" Text, "household" Id(Household), "store" Id(Store)];
    Renamed "list.renamed" ["name" Text];
    StoreChosen "list.store_chosen" ["store" Id(Store)];
    Shared "list.shared" ["member" Person];
    ItemAdded "list.item_added" ["item" PartId, "name" Text, "product" Id(Product), "specification" Text, "note" Text];
    ItemQuantityChanged "list.item_quantity_changed" ["item" PartId];
    ItemDetailsChanged "list.item_details_changed" ["item" PartId, "name" Text, "specification" Text, "note" Text];
    ItemMatched "list.item_matched" ["item" PartId, "product" Id(Product)];
    ItemChecked "list.item_checked" ["item" PartId];
    ItemUnchecked "list.item_unchecked" ["item" PartId];
    ItemMoved "list.item_moved" ["item" PartId];
    ItemRemoved "list.item_removed" ["item" PartId];
    CheckedCleared "list.checked_cleared" ["items.*" PartId];
    BudgetSet "list.budget_set" [];
    Archived "list.archived" [];
    Revived "list.revived" [];
    CheckedOut "list.checked_out" ["order" Id(Order), "items.*" PartId];
} }

/// What an event changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Aspect<'a> {
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

impl ListEvent {
    /// What it is about, for everybody who does not need its values.
    #[must_use]
    pub fn facts(&self) -> Facts<'_> {
        let (list, item) = (Facts::of_list, Facts::of_item);
        match self {
            Self::Created { name, household, store } => {
                let named = Facts { name: Some(name), household: Some(household), store: Some(store), ..list(Aspect::Phase) };
                Facts { reprices: Reprices::List, ..named }
            }
            Self::Renamed { name } => Facts { name: Some(name), ..list(Aspect::Name) },
            Self::StoreChosen { store } => Facts { store: Some(store), reprices: Reprices::List, ..list(Aspect::Store) },
            Self::Shared { member, .. } => list(Aspect::Member(member)),
            Self::BudgetSet { .. } => list(Aspect::Budget),
            Self::Archived {} => Facts { archived: Some(true), ..list(Aspect::Phase) },
            Self::Revived {} => Facts { archived: Some(false), ..list(Aspect::Phase) },
            Self::ItemAdded { item: id, product, .. } => {
                Facts { presence: Presence::Open, product: product.as_ref(), ..item(id, Aspect::WholeItem) }
            }
            Self::ItemQuantityChanged { item: id, .. } => item(id, Aspect::Quantity),
            Self::ItemDetailsChanged { item: id, .. } => Facts { reprices: Reprices::Nothing, ..item(id, Aspect::Details) },
            Self::ItemMatched { item: id, product } => Facts { product: product.as_ref(), ..item(id, Aspect::Product) },
            Self::ItemChecked { item: id } => Facts { presence: Presence::Ticked, ..item(id, Aspect::Tick) },
            Self::ItemUnchecked { item: id } => Facts { presence: Presence::Open, ..item(id, Aspect::Tick) },
            Self::ItemMoved { item: id, .. } => Facts { reprices: Reprices::Nothing, ..item(id, Aspect::Place) },
            Self::ItemRemoved { item: id } => Facts { presence: Presence::Gone, ..item(id, Aspect::WholeItem) },
            Self::CheckedCleared { items } => Facts::of_gone(items),
            Self::CheckedOut { order, items } => Facts { order: Some(order), ..Facts::of_gone(items) },
        }
    }
}
