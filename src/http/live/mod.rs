//! The live gateway: WebSocket sessions that follow lists, products, deals and orders. The session actor owns requests and
//! lifecycle; pushes do not pass through its mailbox but go from the hub to its outbox, which the response body drains.

pub mod admission;
pub mod asyncapi;
mod audience;
pub mod body;
pub mod channel;
pub mod close;
mod commands;
pub mod counters;
mod cursor;
pub mod deflate;
pub mod encoding;
pub mod errors;
pub mod feed;
pub mod follower;
mod fragments;
pub mod frame;
mod handshake;
pub mod hub;
pub mod inbox;
pub mod limits;
pub mod member;
pub mod membership;
pub mod notice;
pub mod outbox;
mod pace;
pub mod presence;
pub mod protocol;
pub mod publication;
pub mod rights;
pub mod session;
pub mod socket;
mod start;
mod subscribe;
mod throttle;
pub mod topic;
pub mod values;
mod worker;

pub use close::Close;
pub use hub::Hub;
pub use limits::Limits;
pub use rights::{Grant, OwnerRights, Rights};
pub use socket::on_connect;
pub use topic::Topic;

#[cfg(test)]
mod tests;
