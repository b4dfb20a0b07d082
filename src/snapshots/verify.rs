//! Checks every file of a snapshot and names everything that is wrong, not only the first.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    error::SnapshotError,
    manifest::{PeopleKept, SegmentEntry},
    progress::Progress,
    source::Snapshot,
};
use crate::{
    events::Position,
    log::{
        block::{self, CHAIN_START, Chain, hex},
        segment::Segment,
    },
};

/// What was found.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Verified {
    pub snapshot: String,
    pub files: u64,
    pub blocks: u64,
    #[schema(value_type = String)]
    pub position: Position,
    pub problems: Vec<FileProblem>,
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileProblem {
    pub file: String,
    #[schema(value_type = Option<String>)]
    pub position: Option<Position>,
    pub reason: String,
}

impl Verified {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_well(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Reads every file: sizes, hashes, frames and the hash chain from the first block to the last. Sealed accounts are not opened.
#[must_use]
pub fn verify(snapshot: &Snapshot, progress: &Progress) -> Verified {
    let manifest = &snapshot.manifest;
    progress.begin("verifying", manifest.position.0);
    let mut check = Check { verified: Verified::of(snapshot), last: Position::START, chain: CHAIN_START };
    for entry in &manifest.segments {
        check.verified.files += 1;
        match snapshot.read(entry) {
            Ok(segment) => check.segment(entry, &segment),
            Err(error) => check.unreadable(entry, error),
        }
        progress.reach(entry.last.0);
    }
    if check.verified.is_well() && (check.last != manifest.position || hex(&check.chain) != manifest.chain) {
        check.fault(&format!("{}.json", manifest.name), None, "its segments do not lead to the end that it states".into());
    }
    check.people(snapshot);
    check.verified
}

impl Verified {
    fn of(snapshot: &Snapshot) -> Self {
        let manifest = &snapshot.manifest;
        Self { snapshot: manifest.name.clone(), files: 1, blocks: 0, position: manifest.position, problems: Vec::new() }
    }
}

struct Check {
    verified: Verified,
    last: Position,
    chain: Chain,
}

impl Check {
    fn segment(&mut self, entry: &SegmentEntry, segment: &Segment) {
        let problems = self.verified.problems.len();
        for found in segment.blocks() {
            match found {
                Ok((header, bytes)) => self.block(&entry.file, &header, bytes),
                Err((position, reason)) => self.fault(&entry.file, Some(position), reason),
            }
        }
        let elsewhere = self.last != entry.last || hex(&self.chain) != entry.chain;
        if elsewhere && self.verified.problems.len() == problems {
            self.fault(&entry.file, Some(self.last), format!("it ends at position {}, not at {}", self.last, entry.last));
        }
    }

    fn people(&mut self, snapshot: &Snapshot) {
        let Some(PeopleKept::Sealed(entry)) = &snapshot.manifest.people else { return };
        self.verified.files += 1;
        match snapshot.people() {
            Ok(_) => {}
            Err(SnapshotError::Damaged { reason, .. }) => self.fault(&entry.file, None, reason),
            Err(error) => self.fault(&entry.file, None, error.to_string()),
        }
    }

    fn block(&mut self, file: &str, header: &block::Header, bytes: &[u8]) {
        self.verified.blocks += 1;
        if header.first != self.last.next() {
            self.fault(file, Some(self.last.next()), format!("the next block starts at {}", header.first));
        } else if block::chain_of(&self.chain, bytes) != header.chain {
            self.fault(file, Some(header.first), "its hash does not chain to the previous block".into());
        }
        // Continuing from the block's own header finds further faults instead of repeating this one.
        (self.last, self.chain) = (header.last(), header.chain);
    }

    /// The next segment is checked from where the manifest states that this one ends.
    fn unreadable(&mut self, entry: &SegmentEntry, error: SnapshotError) {
        let (position, reason) =
            if let SnapshotError::Damaged { position, reason, .. } = error { (position, reason) } else { (None, error.to_string()) };
        self.fault(&entry.file, position.or(Some(self.last.next())), reason);
        self.last = entry.last;
        self.chain = blake3::Hash::from_hex(&entry.chain).map_or(self.chain, Into::into);
    }

    fn fault(&mut self, file: &str, position: Option<Position>, reason: String) {
        self.verified.problems.push(FileProblem { file: file.to_owned(), position, reason });
    }
}
