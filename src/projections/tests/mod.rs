//! Given events, then views.

mod deals;
mod laws;
mod prices;
mod records;
mod travel;
