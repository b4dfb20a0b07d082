//! (in progress)
pub mod live;
