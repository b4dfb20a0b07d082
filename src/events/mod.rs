//! How facts are written and handed on: the envelope, the codec with upcasting, the log and the feed that reads it.

pub mod clock;
pub mod codec;
pub mod envelope;
pub mod feed;
pub mod log;
pub mod memory;
pub mod sled_log;
pub mod tail;
pub mod upcast;
pub mod verify;

pub use crate::domain::Event;
pub use envelope::{CommandMark, Position, Recorded};

pub use log::{Append, AppendError, Log, LogError, Pending, StreamHead};
