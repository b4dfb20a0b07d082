//! Read models: one per file, each a pure fold of the log with its queries. `Views` holds them all, applied in log order by one thread.
//! Prices are kept once, in `history`; the price book (`prices`), the deals and the totals read them there.

mod as_of;
mod basket;
pub mod catalog;
mod cells;
mod chunks;
pub mod commands;
pub mod deals;
mod differences;
pub mod history;
pub mod households;
mod interner;
pub mod last_changes;
pub mod lists;
mod median;
mod observation;
pub mod orders;
pub mod prices;
mod reach;
mod rebuild;
pub mod spend;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
pub mod timeline;
pub mod totals;
mod views;

/// Raise it whenever a stored field of any view changes, or a view is added: older checkpoints are then rebuilt from the log.
const VIEWS_VERSION: u32 = 5;

/// The views that follow from the events alone, each in the module of its name. `Views`, its digests and its differences are made from this list;
/// the others share numbers and prices, and are fields of `Views` itself. A new view is one line here, after the others.
macro_rules! own_views {
    ($then:ident) => {
        $then! {
            lists ListIndex;
            households Households;
        }
    };
}

pub(crate) use own_views;

pub use as_of::AsOf;
pub use basket::{Basket, BasketItem, BasketLine};
pub use catalog::{ProductEntry, StoreEntry};
pub use deals::{Deal, DealChange, DealMark, DealPage, DealQuery};
pub use differences::{Difference, touches};
pub use households::HouseholdEntry;
pub use lists::{ListEntry, ListQuery};
pub use orders::{OrderPhase, OrderSummary};
pub use prices::{BestPrice, HeldPrice, HistoryQuery, PriceEntry};
pub use spend::{CurrencySpend, MonthSpend, Spend, StoreSpend};
pub use totals::{ExplainedLine, ListTotals, PriceLookup, StoreTotal, Totals, TotalsView, Unpriced, UnpricedReason, UsedPrice};
pub use views::{Changes, SharedViews, Views};
