//! The manifest of a snapshot: what it holds, of which history, and the hash of every file. JSON, so that people and scripts can read it.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    error::{SnapshotError, name_of},
    failed::WorkError,
};
use crate::{domain::Moment, events::Position};

/// The format written. Older ones are read: 1 had no digests of the views, so that a restore from it replays twice and compares; up to
/// 2 the segments had no index, and `blake3` was of the whole file; up to 3 nothing was said of accounts.
pub const FORMAT: u64 = 4;
/// What a snapshot without accounts says of them.
pub const LEFT_OUT: &str = "accounts are not in this snapshot: set backup_key";

/// Everything about one snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub format: u64,
    pub name: String,
    pub created_at: Moment,
    pub created_by: String,
    /// Made by the schedule, and thus subject to retention.
    pub scheduled: bool,
    /// The version of the program that made it.
    pub program: String,
    /// The history it belongs to.
    pub epoch: String,
    /// It holds every event up to here.
    #[schema(value_type = String)]
    pub position: Position,
    /// When the last of them was recorded.
    pub last_at: Moment,
    /// The log's hash chain up to there, in hex.
    pub chain: String,
    /// Of all files together.
    pub bytes: u64,
    pub segments: Vec<SegmentEntry>,
    /// What a replay must result in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub views: Option<ViewsProof>,
    /// Whether the accounts are in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<PeopleKept>,
    /// BLAKE3 of this manifest with this field empty, in hex.
    pub checksum: String,
}

/// One segment of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SegmentEntry {
    pub file: String,
    #[schema(value_type = String)]
    pub first: Position,
    #[schema(value_type = String)]
    pub last: Position,
    pub blocks: u64,
    pub bytes: u64,
    /// BLAKE3 of the file's first 192 bytes, which hold the hashes of the rest, in hex.
    pub blake3: String,
    /// The log's hash chain up to its end, in hex.
    pub chain: String,
}

/// What a snapshot has of the accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PeopleKept {
    /// A backup, sealed with a passphrase that is not in the snapshot.
    Sealed(PeopleEntry),
    /// Nothing, and what to do about it.
    LeftOut(String),
}

/// The sealed accounts of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PeopleEntry {
    /// Next to the manifest.
    pub file: String,
    pub bytes: u64,
    /// BLAKE3 of the file, in hex.
    pub blake3: String,
}

/// The digests of the views at a position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ViewsProof {
    /// Digests of different versions cannot be compared.
    pub version: u32,
    /// BLAKE3 by projection, in hex.
    pub digests: BTreeMap<String, String>,
}

impl Manifest {
    /// The manifest with its checksum.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.checksum = self.reckon_checksum();
        self
    }

    /// The file's content.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(self).expect("a manifest is plain data, which can be written as JSON");
        text.push('\n');
        text
    }

    /// Reads a file and checks its format and checksum.
    ///
    /// # Errors
    /// `Foreign`, `NewerFormat`, `Damaged` or `Io`, naming the file.
    pub fn read(path: &Path) -> Result<Self, SnapshotError> {
        let bytes = fs::read(path).map_err(|error| WorkError::io(path, error))?;
        Self::parsed(path, &bytes)
    }

    /// Like `read`, from bytes already read.
    pub(super) fn parsed(path: &Path, bytes: &[u8]) -> Result<Self, SnapshotError> {
        let manifest = Self::parse(path, bytes)?;
        // Not a byte may differ: some texts, such as times, have other forms with the same meaning.
        if manifest.reckon_checksum() != manifest.checksum || manifest.to_json().as_bytes() != bytes {
            return Err(SnapshotError::damaged(path, "its checksum is wrong: it was modified"));
        }
        let expected = format!("{}.json", manifest.name);
        if name_of(path) != expected {
            return Err(SnapshotError::damaged(path, format!("it says that it is {expected}")));
        }
        Ok(manifest)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self, SnapshotError> {
        /// The one field that every format has.
        #[derive(Deserialize)]
        struct Any {
            format: u64,
        }
        let foreign = |reason: String| SnapshotError::Foreign { file: name_of(path), reason };
        // What does not begin like JSON was never a manifest; what ends too early was one.
        let any: Any = serde_json::from_slice(bytes).map_err(|error| {
            if error.is_eof() && !bytes.is_empty() {
                SnapshotError::damaged(path, "it ends too early")
            } else {
                foreign(format!("it is not a manifest, or a damaged one ({error}): restore it from a backup, or delete it"))
            }
        })?;
        match any.format {
            1..=FORMAT => serde_json::from_slice(bytes).map_err(|error| SnapshotError::damaged(path, error.to_string())),
            found => Err(SnapshotError::NewerFormat { file: name_of(path), found, known: FORMAT }),
        }
    }

    fn reckon_checksum(&self) -> String {
        let open = Self { checksum: String::new(), ..self.clone() };
        blake3::hash(open.to_json().as_bytes()).to_hex().to_string()
    }
}
