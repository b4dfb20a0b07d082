//! The hub, its workers and outboxes together, without sockets.

mod delivery;
mod hub;
mod rig;
