//! Tools that read a log without changing it: step through a stream, ask what would have happened, reproduce a bug elsewhere.

pub mod bundle;
pub mod diff;
pub mod fork;
pub mod predicate;
pub mod range;
pub mod session;
pub mod state;
