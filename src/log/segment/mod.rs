//! A segment: consecutive blocks of the log in one file that never changes, hashed, with an index. Each block is compressed already, and
//! the hash chain runs through its stored bytes, so they are not compressed again. Logs, their histories and snapshots share
//! these files by hard links.

mod file;
mod filling;
pub mod head;
mod index;
mod whole;

pub use file::{OpenSegments, SegmentFile};
pub use filling::{Filling, SEGMENT_BYTES};
pub use head::{SegmentHead, named};
pub use whole::{Segment, SegmentError, blocks_despite_index, readable_blocks};
