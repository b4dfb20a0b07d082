//! Live delivery: who follows what, and the way of a committed event from the hub to the bytes that wait for a session. It knows neither
//! the application nor HTTP; `http/live/` is the WebSocket session and the event stream on top of it.

pub mod admission;
pub mod channel;
pub mod close;
pub mod counters;
pub mod encoding;
pub mod follower;
pub mod frame;
pub mod hub;
pub mod inbox;
pub mod limits;
pub mod member;
pub mod membership;
pub mod notice;
pub mod outbox;
pub mod pace;
pub mod presence;
pub mod publication;
mod publish;
pub mod push;
pub mod rights;
pub mod socket;
pub mod topic;
mod worker;

pub use close::Close;
pub use hub::Hub;
pub use inbox::Whose;
pub use limits::Limits;
pub use publish::{DealsChanged, household_of_order, is_price};
pub use rights::{Grant, Rights};
pub use socket::on_connect;
pub use topic::Topic;

#[cfg(test)]
mod tests;
