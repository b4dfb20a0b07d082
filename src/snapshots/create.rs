//! Makes a snapshot of a log while it continues taking events: the log's own segments by links, and its newest blocks as one more.

use std::{fs, os::unix::fs::MetadataExt, path::Path};

use super::{
    error::SnapshotError,
    failed::WorkError,
    folder::{Claim, SnapshotFolder},
    manifest::{FORMAT, LEFT_OUT, Manifest, PeopleEntry, PeopleKept, SegmentEntry, ViewsProof},
    progress::Progress,
};
use crate::{
    disk::{self, Pace},
    domain::Moment,
    events::{Log, Position},
    failpoint,
    log::{
        DiskLog,
        block::{CHAIN_START, Chain, hex},
        segment::{Filling, SEGMENT_BYTES, Segment, SegmentFile, SegmentHead},
    },
};

/// The metadata of a snapshot.
#[derive(Debug, Clone)]
pub struct About {
    pub at: Moment,
    pub by: String,
    pub scheduled: bool,
    pub epoch: String,
    /// The views' digests at the position; none if unknown.
    pub views: Option<ViewsProof>,
    /// The accounts, sealed; none if they are left out.
    pub people: Option<Vec<u8>>,
    /// Gently if the log is served meanwhile.
    pub pace: Pace,
}

/// Writes everything up to a committed position, where a block ends: links to the log's segments, and one more segment of what is still in its
/// journals. Blocks; the log continues meanwhile. What an interrupted one has linked is reused.
///
/// # Errors
/// When a block is damaged, a file cannot be written or the disk is full; links stay for the next attempt.
pub fn create(
    log: &DiskLog,
    (position, chain): (Position, Chain),
    folder: &SnapshotFolder,
    claim: &Claim,
    about: About,
    progress: &Progress,
) -> Result<Manifest, SnapshotError> {
    // A copy of known damage would look like a way back.
    if let Some(reason) = log.verification().damaged.into_iter().next() {
        return Err(SnapshotError::Damaged { file: "the log".into(), position: None, reason });
    }
    progress.begin("linking segments", position.0);
    let mut segments = link_segments(log, position, folder)?;
    failpoint::reach("snapshot.reused");
    segments.extend(write_rest(log, position, segments.last(), (folder, about.pace), progress)?);
    let reached = segments.last().map(|segment| segment.chain.as_str());
    if reached.is_some_and(|reached| reached != hex(&chain)) {
        return Err(WorkError::Source("its blocks do not lead to its own hash chain; run `aisled verify`".into()).into());
    }
    failpoint::reach("snapshot.segments");
    let name = free_name(about.at, position, folder)?;
    let (people, people_bytes) = keep_people(about.people.as_deref(), &name, folder)?;
    failpoint::reach("snapshot.accounts");
    let manifest = Manifest {
        format: FORMAT,
        name,
        created_at: about.at,
        created_by: about.by,
        scheduled: about.scheduled,
        program: env!("CARGO_PKG_VERSION").into(),
        epoch: about.epoch,
        position,
        last_at: time_of(log, position)?,
        chain: hex(&chain),
        bytes: segments.iter().map(|segment| segment.bytes).sum::<u64>() + people_bytes,
        segments,
        views: about.views,
        people: Some(people),
        checksum: String::new(),
    }
    .sealed();
    save(&manifest, folder, claim)?;
    Ok(manifest)
}

fn save(manifest: &Manifest, folder: &SnapshotFolder, _claim: &Claim) -> Result<(), SnapshotError> {
    let file = folder.manifest_file(&manifest.name)?;
    disk::replace(&file, manifest.to_json().as_bytes()).map_err(|error| WorkError::io(&file, error))?;
    failpoint::reach("snapshot.manifest");
    Ok(())
}

/// Writes the sealed accounts next to where the manifest will be. Returns their bytes, too.
fn keep_people(sealed: Option<&[u8]>, name: &str, folder: &SnapshotFolder) -> Result<(PeopleKept, u64), SnapshotError> {
    let Some(sealed) = sealed else { return Ok((PeopleKept::LeftOut(LEFT_OUT.into()), 0)) };
    let file = folder.people_file(name);
    disk::replace(&file, sealed).map_err(|error| WorkError::io(&file, error))?;
    let bytes = sealed.len() as u64;
    let entry = PeopleEntry { file: super::error::name_of(&file), bytes, blake3: blake3::hash(sealed).to_hex().to_string() };
    Ok((PeopleKept::Sealed(entry), bytes))
}

/// Links the log's segments up to a position among the snapshots' segments.
fn link_segments(log: &DiskLog, upto: Position, folder: &SnapshotFolder) -> Result<Vec<SegmentEntry>, WorkError> {
    let (segments, place) = (log.segments(), folder.segments());
    let wanted: Vec<_> = segments.iter().take_while(|segment| segment.head.last <= upto).collect();
    for segment in &wanted {
        let there = place.join(segment.head.file_name());
        if is_broken_copy(&there, segment) {
            disk::remove_file(&there).map_err(|error| WorkError::io(&there, error))?;
        }
    }
    let files = wanted.iter().map(|segment| segment.path.as_path());
    disk::link_all(files, &place).map_err(|error| WorkError::io(&place, error))?;
    Ok(wanted.iter().map(|segment| entry(&segment.head)).collect())
}

/// Whether a file has a segment's name but is neither the segment itself nor a whole copy of it.
fn is_broken_copy(file: &Path, segment: &SegmentFile) -> bool {
    let place = |path: &Path| fs::metadata(path).map(|found| (found.dev(), found.ino())).ok();
    let Some(there) = place(file) else { return false };
    Some(there) != place(&segment.path) && !Segment::read(file).is_ok_and(|copy| copy.head == segment.head)
}

/// Writes what comes after the segments.
fn write_rest(
    log: &DiskLog,
    upto: Position,
    last: Option<&SegmentEntry>,
    (folder, pace): (&SnapshotFolder, Pace),
    progress: &Progress,
) -> Result<Option<SegmentEntry>, SnapshotError> {
    let last = last.map_or(Position::START, |segment| segment.last);
    let chain = log.chain_at(last).map_err(storage)?.unwrap_or(CHAIN_START);
    let mut filling = Filling::after(last, chain);
    for found in log.blocks_from(last.next()) {
        let (first, bytes) = found.map_err(storage)?;
        if first > upto {
            break;
        }
        filling.add(&bytes).map_err(|reason| SnapshotError::Damaged { file: "the log".into(), position: Some(first), reason })?;
        progress.reach(filling.reached().0.0);
    }
    if filling.is_empty() {
        return Ok(None);
    }
    super::space::check(folder.path(), SEGMENT_BYTES as u64)?;
    let head = filling.write(&folder.segments(), pace).map_err(|error| WorkError::io(&folder.segments(), error))?;
    failpoint::reach("snapshot.segment");
    Ok(Some(entry(&head)))
}

fn entry(head: &SegmentHead) -> SegmentEntry {
    SegmentEntry {
        file: head.file_name(),
        first: head.first,
        last: head.last,
        blocks: head.blocks,
        bytes: head.file_bytes(),
        blake3: head.hash(),
        chain: hex(&head.chain),
    }
}

/// A name that no snapshot has: another history may have reached the same position within the same second.
fn free_name(at: Moment, position: Position, folder: &SnapshotFolder) -> Result<String, SnapshotError> {
    let plain = name_for(at, position);
    let (mut name, mut number) = (plain.clone(), 1);
    while folder.manifest_file(&name)?.exists() {
        number += 1;
        name = format!("{plain}-{number}");
    }
    Ok(name)
}

/// Names sort by time and contain their position.
fn name_for(at: Moment, position: Position) -> String {
    let time: String = at.to_string().chars().take_while(|c| *c != '.' && *c != 'Z').filter(char::is_ascii_alphanumeric).collect();
    format!("{time}Z-{position}")
}

fn time_of(log: &DiskLog, position: Position) -> Result<Moment, WorkError> {
    let Some(before) = position.0.checked_sub(1) else { return Ok(Moment(0)) };
    Ok(log.read(Position(before), 1)?.first().map_or(Moment(0), |recorded| recorded.at))
}

fn storage(reason: String) -> WorkError {
    WorkError::Log(crate::events::LogError::Storage(reason))
}
