//! Given lists and prices, then totals.
