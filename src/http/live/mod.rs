//! The WebSocket side of live delivery: the session actor owns a connection's requests and its life. Pushes do not pass through its mailbox
//! but go from the hub to its outbox, which the response body drains.

pub mod asyncapi;
mod body;
mod commands;
mod cursor;
pub mod errors;
pub mod feed;
mod fragments;
mod handshake;
pub mod protocol;
pub mod session;
mod start;
mod subscribe;
mod throttle;
pub mod values;
