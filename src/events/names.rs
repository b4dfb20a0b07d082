//! The stored name of every event. A name is a promise: once events carry it, it is never reused.

use crate::domain::{
    Event, household::HouseholdEvent as Household, list::ListEvent as List, order::OrderEvent as Order, product::ProductEvent as Product,
    store::StoreEvent as Store, system::SystemEvent as System,
};

macro_rules! names {
    ($($kind:ident::$variant:ident => $name:literal,)*) => {
        /// Every name, in the order of the code.
        pub const EVENT_NAMES: &[&str] = &[$($name),*];

        /// The name an event is stored under and clients see: the kind of its stream, a dot, and its variant.
        #[must_use]
        pub fn event_name(event: &Event) -> &'static str {
            match event {
                $(Event::$kind($kind::$variant { .. }) => $name,)*
            }
        }
    };
}

names! {
    List::Created => "list.created",
    List::Renamed => "list.renamed",
    List::StoreChosen => "list.store_chosen",
    List::Shared => "list.shared",
    List::ItemAdded => "list.item_added",
    List::ItemQuantityChanged => "list.item_quantity_changed",
    List::ItemDetailsChanged => "list.item_details_changed",
    List::ItemMatched => "list.item_matched",
    List::ItemChecked => "list.item_checked",
    List::ItemUnchecked => "list.item_unchecked",
    List::ItemMoved => "list.item_moved",
    List::ItemRemoved => "list.item_removed",
    List::CheckedCleared => "list.checked_cleared",
    List::BudgetSet => "list.budget_set",
    List::Archived => "list.archived",
    List::Revived => "list.revived",
    List::CheckedOut => "list.checked_out",
    Product::Registered => "product.registered",
    Product::DetailsChanged => "product.details_changed",
    Product::CodeLinked => "product.code_linked",
    Product::PriceObserved => "product.price_observed",
    Product::PriceWithdrawn => "product.price_withdrawn",
    Product::OfferAnnounced => "product.offer_announced",
    Product::OfferEnded => "product.offer_ended",
    Product::StockReported => "product.stock_reported",
    Product::Discontinued => "product.discontinued",
    Product::Merged => "product.merged",
    Order::Placed => "order.placed",
    Order::LineSubstituted => "order.line_substituted",
    Order::LineShorted => "order.line_shorted",
    Order::LineRefunded => "order.line_refunded",
    Order::Amended => "order.amended",
    Order::Fulfilled => "order.fulfilled",
    Order::Cancelled => "order.cancelled",
    Household::Created => "household.created",
    Household::MemberJoined => "household.member_joined",
    Household::MemberRoleChanged => "household.member_role_changed",
    Household::MemberLeft => "household.member_left",
    Household::BudgetSet => "household.budget_set",
    Household::StoresChosen => "household.stores_chosen",
    Store::Registered => "store.registered",
    Store::DetailsChanged => "store.details_changed",
    Store::AisleOrderLearned => "store.aisle_order_learned",
    System::SnapshotCreated => "system.snapshot_created",
    System::SnapshotDeleted => "system.snapshot_deleted",
    System::SnapshotVerified => "system.snapshot_verified",
    System::SelfRestored => "system.self_restored",
    System::RestoreBegun => "system.restore_begun",
    System::Restored => "system.restored",
    System::RestoreUndone => "system.restore_undone",
    System::StreamRestored => "system.stream_restored",
    System::ViewsRebuilt => "system.views_rebuilt",
}
