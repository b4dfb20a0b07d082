//! The live gateway: WebSocket sessions that follow lists, products, deals and orders. The session actor owns requests and
//! lifecycle; pushes do not pass through its mailbox but go from the hub to its outbox, which the response body drains.

mod audience;
pub mod body;
pub mod close;
mod commands;
pub mod counters;
pub mod deflate;
mod fragments;
pub mod frame;
mod handshake;
pub mod hub;
pub mod limits;
pub mod outbox;
pub mod protocol;
pub mod session;
pub mod socket;
mod start;
mod subscribe;
pub mod topic;
mod watchdog;

pub use close::Close;
pub use hub::Hub;
pub use limits::Limits;
pub use socket::on_connect;
pub use topic::Topic;
