//! Snapshots: everything up to a position of the log in files that can be copied away, checked and restored.
//!
//! A snapshot is a manifest and the segments it names. A segment is some consecutive blocks of the log as they are, so that the log's own
//! hash chain runs through it; full segments are shared by all later snapshots, which makes each but the first small.

mod create;
pub mod error;
mod failed;
mod folder;
pub mod manifest;
pub mod operations;
pub mod progress;
pub mod retention;
mod source;
pub mod space;
pub mod stage;
mod target;
#[cfg(test)]
mod tests;
mod verify;

pub use create::{About, create};
pub use error::SnapshotError;
pub use failed::{Busy, WorkError};
pub use folder::{Listed, SnapshotFolder};
pub use manifest::{LEFT_OUT, Manifest, PeopleEntry, PeopleKept, SegmentEntry, ViewsProof};
pub use operations::{Operation, Operations};
pub use progress::Progress;
pub use source::Snapshot;
pub use stage::{Proof, Staged, stage};
pub use target::{RestorePlan, Target};
pub use verify::{FileProblem, Verified, verify};
