//! A segment: consecutive blocks of the log in one file that never changes, hashed, with an index. The blocks are compressed in themselves, and
//! only as they are does the log's hash chain run through them, so they are not compressed again. Logs, their histories and snapshots share
//! these files by links.

mod file;
mod filling;
pub mod head;
mod index;
mod whole;

pub use file::{OpenSegments, SegmentFile};
pub use filling::{Filling, SEGMENT_BYTES};
pub use head::{SegmentHead, named};
pub use whole::{Segment, SegmentError, blocks_despite_index, readable_blocks};
