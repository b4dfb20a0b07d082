//! Tools that look at a log without touching it: step through a stream, ask what would have happened, carry a bug elsewhere.

pub mod bundle;
pub mod diff;
pub mod fork;
pub mod predicate;
pub mod range;
pub mod session;
pub mod state;
