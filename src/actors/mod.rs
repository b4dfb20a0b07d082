//! One actor per list, product, order, household and store: each decides its entity's commands, one at a time.

mod entity;
pub mod failure;
pub mod handle;
pub mod hosted;
mod hydrate;
pub mod interest;
mod list;
pub mod listener;
pub mod memos;
pub mod message;
mod plain;
mod projector;
pub mod recent;
mod registry;
mod room;
pub mod shared;
#[cfg(test)]
mod tests;
pub mod threads;

pub use failure::Failure;
pub use hosted::Hosted;
pub use listener::{Listener, NoListener};
pub use message::{CommandKey, Done, Expected, Loaded, Rendered, Request};
pub use projector::{CheckpointPlan, Inspect, Projector};
pub use registry::Registry;
pub use shared::{ActorLimits, RegistryCounters, Shared};
pub use threads::Threads;
