//! Makes a snapshot of a log while it goes on taking events: what full segments hold already is not read again.

use super::{
    error::SnapshotError,
    folder::{Claim, SnapshotFolder},
    manifest::{FORMAT, Manifest, SegmentEntry, ViewsProof},
    progress::Progress,
    segment::{Filling, Pace, Segment, SegmentHead, hex, write_whole},
};
use crate::{
    domain::Moment,
    events::{
        Log, Position,
        sled_log::{
            SledLog,
            block::{CHAIN_START, Chain},
        },
    },
    failpoint,
};

/// What is to be said of a snapshot beside what it holds.
#[derive(Debug, Clone)]
pub struct About {
    pub at: Moment,
    pub by: String,
    pub scheduled: bool,
    pub epoch: String,
    /// What the views were at the position; none where nobody knew.
    pub views: Option<ViewsProof>,
    /// Gently where the log is served meanwhile.
    pub pace: Pace,
}

/// Writes everything up to a committed position, where a block ends. Blocks; the log goes on meanwhile. What an interrupted
/// one has written is used again.
///
/// # Errors
/// When a block is damaged, a file cannot be written or the disk is full; whole segments stay for the next try.
pub fn create(
    log: &SledLog,
    (position, chain): (Position, Chain),
    folder: &SnapshotFolder,
    claim: &Claim,
    about: About,
    progress: &Progress,
) -> Result<Manifest, SnapshotError> {
    progress.begin("writing segments", position.0);
    let mut segments = full_segments(log, position, folder)?;
    failpoint::reach("snapshot.reused");
    write_rest(log, position, (folder, about.pace), &mut segments, progress)?;
    let reached = segments.last().map(|segment| segment.chain.as_str());
    if reached.is_some_and(|reached| reached != hex(&chain)) {
        return Err(SnapshotError::Staged("the log's blocks do not lead to its own hash chain; run `aisled verify`".into()));
    }
    failpoint::reach("snapshot.segments");
    let manifest = Manifest {
        format: FORMAT,
        name: free_name(about.at, position, folder)?,
        created_at: about.at,
        created_by: about.by,
        scheduled: about.scheduled,
        program: env!("CARGO_PKG_VERSION").into(),
        epoch: about.epoch,
        position,
        last_at: time_of(log, position)?,
        chain: hex(&chain),
        bytes: segments.iter().map(|segment| segment.bytes).sum(),
        segments,
        views: about.views,
        checksum: String::new(),
    }
    .sealed();
    save(&manifest, folder, claim)?;
    Ok(manifest)
}

fn save(manifest: &Manifest, folder: &SnapshotFolder, _claim: &Claim) -> Result<(), SnapshotError> {
    let file = folder.manifest_file(&manifest.name)?;
    write_whole(&file, &[manifest.to_json().as_bytes()]).map_err(|error| SnapshotError::io(&file, error))?;
    failpoint::reach("snapshot.manifest");
    Ok(())
}

/// The full segments of this very history that are there already, without a gap from the first position on.
fn full_segments(log: &SledLog, upto: Position, folder: &SnapshotFolder) -> Result<Vec<SegmentEntry>, SnapshotError> {
    let mut found = Vec::new();
    let (mut last, mut chain) = (Position::START, CHAIN_START);
    loop {
        let fits = |head: &SegmentHead| {
            head.last <= upto && head.chain_before == chain && log.chain_at(head.last).is_ok_and(|known| known == Some(head.chain))
        };
        let Some((file, head)) = folder.full_segments_at(last.next()).find(|(_, head)| fits(head)) else { return Ok(found) };
        // A file that is not whole any more is written anew.
        let Ok(segment) = Segment::read(&file) else { return Ok(found) };
        found.push(entry(&head, segment.file_hash()));
        (last, chain) = (head.last, head.chain);
    }
}

/// Writes what comes behind the full segments.
fn write_rest(
    log: &SledLog,
    upto: Position,
    to: (&SnapshotFolder, Pace),
    segments: &mut Vec<SegmentEntry>,
    progress: &Progress,
) -> Result<(), SnapshotError> {
    let last = segments.last().map_or(Position::START, |segment| segment.last);
    let chain = log.chain_at(last).map_err(storage)?.unwrap_or(CHAIN_START);
    let mut filling = Filling::behind(last, chain);
    for found in log.blocks_from(last.next()) {
        let (first, bytes) = found.map_err(storage)?;
        if first > upto {
            break;
        }
        filling.add(&bytes).map_err(|reason| SnapshotError::Damaged { file: "the log".into(), position: Some(first), reason })?;
        progress.reach(filling.reached().0.0);
        if filling.is_full() {
            let (last, chain) = filling.reached();
            segments.push(write(std::mem::replace(&mut filling, Filling::behind(last, chain)), to)?);
        }
    }
    if !filling.is_empty() {
        segments.push(write(filling, to)?);
    }
    Ok(())
}

fn write(filling: Filling, (folder, pace): (&SnapshotFolder, Pace)) -> Result<SegmentEntry, SnapshotError> {
    super::space::check(folder.path(), super::segment::SEGMENT_BYTES as u64)?;
    let (head, hash) = filling.write(&folder.segments(), pace)?;
    failpoint::reach("snapshot.segment");
    Ok(entry(&head, hash))
}

fn entry(head: &SegmentHead, blake3: String) -> SegmentEntry {
    SegmentEntry {
        file: head.file_name(),
        first: head.first,
        last: head.last,
        blocks: head.blocks,
        bytes: head.file_bytes(),
        blake3,
        chain: hex(&head.chain),
    }
}

/// A name that no snapshot has: another history may have come to the same position within the same second.
fn free_name(at: Moment, position: Position, folder: &SnapshotFolder) -> Result<String, SnapshotError> {
    let plain = name_for(at, position);
    let (mut name, mut number) = (plain.clone(), 1);
    while folder.manifest_file(&name)?.exists() {
        number += 1;
        name = format!("{plain}-{number}");
    }
    Ok(name)
}

/// Names sort by time, and say which position they hold.
fn name_for(at: Moment, position: Position) -> String {
    let time: String = at.to_string().chars().take_while(|c| *c != '.' && *c != 'Z').filter(char::is_ascii_alphanumeric).collect();
    format!("{time}Z-{position}")
}

fn time_of(log: &SledLog, position: Position) -> Result<Moment, SnapshotError> {
    let Some(before) = position.0.checked_sub(1) else { return Ok(Moment(0)) };
    Ok(log.read(Position(before), 1)?.first().map_or(Moment(0), |recorded| recorded.at))
}

fn storage(reason: String) -> SnapshotError {
    SnapshotError::Log(crate::events::LogError::Storage(reason))
}
