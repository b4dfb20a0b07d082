//! How facts are written and passed on: the envelope, the codec with upcasting, the log and the feed that reads it.

pub mod at;
pub mod clock;
pub mod codec;
mod content;
#[cfg(test)]
pub(crate) mod contract;
mod direct;
pub mod envelope;
pub mod feed;
#[cfg(test)]
mod fixtures;
pub mod from_json;
pub mod heads;
pub mod lineage;
pub mod log;
pub mod memory;
pub mod names;
mod pack;
pub mod sequence;
pub mod served;
pub mod tail;
pub mod upcast;

pub use crate::domain::Event;
pub use at::{At, AtError, Point, SeenAt};
pub use clock::{Clock, ManualClock, Skew, SteadyClock, SystemClock};
pub use envelope::{CommandMark, Position, Recorded};
pub use feed::{Feed, FeedReader};
pub use lineage::{Break, Lineage, Mark, Seen};
pub use log::{Append, AppendError, Appended, Log, LogError, Pending, StreamHead};
pub use memory::MemoryLog;
pub use served::{Scope, Served};
