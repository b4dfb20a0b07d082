//! Given events, then views.

mod arrival;
mod deals;
mod laws;
mod prices;
mod records;
mod travel;
