//! Builds a log out of a snapshot next to the live one and proves that it is right, before it may be served.
//!
//! Proof: every file has its hash, the hash chain runs from the first block to the last, and a full replay of the new log results in the
//! digests that the views had when the snapshot was made. Where those cannot be compared (an older format or program, or a restore to a
//! position in between), the snapshot's own blocks are replayed a second time, and both replays must agree.

use std::{collections::BTreeMap, ops::ControlFlow, path::Path};

use serde::Serialize;
use utoipa::ToSchema;

use super::{error::SnapshotError, failed::WorkError, manifest::SegmentEntry, progress::Progress, source::Snapshot};
use crate::{
    events::{Log, Position, Recorded, codec::Decoder},
    failpoint,
    log::{
        DiskLog, LogOptions,
        block::{self, CHAIN_START, Chain, Events, Sealer, hex},
        build::Builder,
        segment::{Segment, SegmentHead},
    },
    projections::Views,
};

/// Events between two progress updates.
const PROGRESS_EVENTS: u64 = 4_096;

/// A log that is ready to be served.
pub struct Staged {
    pub log: DiskLog,
    pub views: Views,
    pub proof: Proof,
}

/// The proof that it is right.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Proof {
    pub snapshot: String,
    /// The restored log ends here.
    #[schema(value_type = String)]
    pub position: Position,
    pub blocks: u64,
    pub compared: Compared,
    /// BLAKE3 by projection, in hex.
    #[schema(value_type = BTreeMap<String, String>)]
    pub digests: BTreeMap<&'static str, String>,
}

/// What the digests of the replay were compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Compared {
    /// With those of the views at the snapshot's creation.
    WithSnapshot,
    /// With a second replay, straight from the snapshot's files.
    WithSecondReplay,
}

/// Restores a snapshot, up to a position if one is named, into an absent or empty folder for a log.
///
/// # Errors
/// The first fault; nothing is left in the folder's place unless the log is whole.
pub fn stage(snapshot: &Snapshot, upto: Option<Position>, options: LogOptions, progress: &Progress) -> Result<Staged, SnapshotError> {
    let end = snapshot.manifest.position;
    let upto = upto.unwrap_or(end);
    if upto > end {
        return Err(SnapshotError::BeyondSnapshot { asked: upto, end });
    }
    let place = options.dir.parent().unwrap_or(Path::new("."));
    super::space::check(place, snapshot.bytes_to_copy(place))?;
    // They too: a damaged snapshot is not trusted in part.
    snapshot.people()?;
    let blocks = build(snapshot, upto, &options.dir, progress)?;
    failpoint::reach("restore.built");
    let (log, _) = DiskLog::open(options).map_err(|error| WorkError::Staged(error.to_string()))?;
    let views = replay(&log, progress)?;
    progress.begin("comparing digests", 0);
    let digests = views.digests();
    let compared = compare(snapshot, upto, &digests, progress)?;
    failpoint::reach("restore.verified");
    let proof = Proof { snapshot: snapshot.manifest.name.clone(), position: upto, blocks, compared, digests };
    Ok(Staged { log, views, proof })
}

fn build(snapshot: &Snapshot, upto: Position, folder: &Path, progress: &Progress) -> Result<u64, SnapshotError> {
    progress.begin("building the log", upto.0);
    let mut builder = Builder::create(folder)?;
    let mut reached = (Position::START, CHAIN_START);
    for entry in &snapshot.manifest.segments {
        // The rest is read too: a damaged snapshot is not trusted in part.
        let segment = snapshot.read(entry)?;
        reached = meet(entry, &segment.head, reached)?;
        if entry.last <= upto {
            builder.add_segment(&snapshot.file(entry), &segment)?;
        } else if entry.first <= upto {
            add_part(&mut builder, &segment, upto)?;
        }
        progress.reach(builder.reached().0.0);
    }
    snapshot.check_end(reached)?;
    if builder.reached().0 != upto {
        return Err(WorkError::Staged(format!("it ends at position {} instead of {upto}", builder.reached().0)).into());
    }
    Ok(builder.finish()?.blocks)
}

/// A segment continues where the one before ended, and ends where the manifest states.
fn meet(entry: &SegmentEntry, head: &SegmentHead, before: (Position, Chain)) -> Result<(Position, Chain), SnapshotError> {
    let (last, chain) = before;
    if (head.first, head.chain_before) != (last.next(), chain) || head.last != entry.last || hex(&head.chain) != entry.chain {
        let reason = format!("it does not continue from position {last}, or does not end at {}", entry.last);
        return Err(SnapshotError::Damaged { file: entry.file.clone(), position: Some(last.next()), reason });
    }
    Ok((head.last, head.chain))
}

/// Adds the blocks of a segment up to a position, the last one perhaps in part.
fn add_part(builder: &mut Builder, segment: &Segment, upto: Position) -> Result<(), SnapshotError> {
    for found in segment.blocks() {
        let (header, bytes) = found.map_err(|(position, reason)| SnapshotError::Damaged {
            file: segment.head.file_name(),
            position: Some(position),
            reason,
        })?;
        if header.last() <= upto {
            builder.add(header.first, bytes)?;
        } else if header.first <= upto {
            let part = first_part(&header, bytes, upto, builder.reached().1).map_err(WorkError::Staged)?;
            builder.add(header.first, &part)?;
        }
    }
    Ok(())
}

/// The events of a block up to a position, as a block of their own.
fn first_part(header: &block::Header, bytes: &[u8], upto: Position, chain: block::Chain) -> Result<Vec<u8>, String> {
    let mut raw = Vec::new();
    block::unpack(header, bytes, &mut raw)?;
    let events = u32::try_from(upto.0 - header.first.0 + 1).map_err(|error| error.to_string())?;
    let mut kept = Vec::new();
    for event in Events(&raw).take(events as usize) {
        block::push_event(&mut kept, |into| into.extend_from_slice(event));
    }
    let mut sealer = Sealer::after(chain).map_err(|error| error.to_string())?;
    sealer.seal(&kept, header.first, events).map_err(|error| error.to_string())
}

/// Replays a whole log into fresh views.
///
/// # Errors
/// When an event cannot be read.
pub fn replay(log: &dyn Log, progress: &Progress) -> Result<Views, WorkError> {
    progress.begin("replaying", log.head().0);
    let mut views = Views::default();
    log.scan(Position::START, &mut |recorded| {
        apply(&mut views, &recorded, progress);
        ControlFlow::Continue(())
    })?;
    Ok(views)
}

fn apply(views: &mut Views, recorded: &Recorded, progress: &Progress) {
    views.absorb(recorded);
    if recorded.position.0.is_multiple_of(PROGRESS_EVENTS) {
        progress.reach(recorded.position.0);
    }
}

fn compare(
    snapshot: &Snapshot,
    upto: Position,
    digests: &BTreeMap<&'static str, String>,
    progress: &Progress,
) -> Result<Compared, SnapshotError> {
    let manifest = &snapshot.manifest;
    let proof = manifest.views.as_ref().filter(|proof| proof.version == Views::VERSION && upto == manifest.position);
    if let Some(proof) = proof {
        differing(digests, |name| proof.digests.get(name).map(String::as_str)).map_or(Ok(Compared::WithSnapshot), Err)
    } else {
        let second = replay_files(snapshot, upto, progress, &mut |_| {})?.digests();
        differing(digests, |name| second.get(name).map(String::as_str)).map_or(Ok(Compared::WithSecondReplay), Err)
    }
}

/// The projections of a replay that differ from the snapshot's manifest; unknown if it was made under another version.
#[must_use]
pub fn differing_from(snapshot: &Snapshot, digests: &BTreeMap<&'static str, String>) -> Option<Vec<String>> {
    let proof = snapshot.manifest.views.as_ref().filter(|proof| proof.version == Views::VERSION)?;
    match differing(digests, |name| proof.digests.get(name).map(String::as_str)) {
        Some(SnapshotError::Differs(names)) => Some(names),
        _ => Some(Vec::new()),
    }
}

fn differing<'a>(digests: &BTreeMap<&'static str, String>, other: impl Fn(&str) -> Option<&'a str>) -> Option<SnapshotError> {
    let differ: Vec<_> = digests.iter().filter(|(name, digest)| other(name) != Some(digest)).map(|(name, _)| (*name).to_owned()).collect();
    (!differ.is_empty()).then_some(SnapshotError::Differs(differ))
}

/// Replays a snapshot's own blocks, without a log that was built of them, and shows every event.
///
/// # Errors
/// What is wrong with its files.
pub fn replay_files(
    snapshot: &Snapshot,
    upto: Position,
    progress: &Progress,
    see: &mut dyn FnMut(&Recorded),
) -> Result<Views, SnapshotError> {
    progress.begin("replaying the snapshot's files", upto.0);
    let (mut views, mut decoder, mut raw) = (Views::default(), Decoder::default(), Vec::new());
    snapshot.visit(&mut |header, bytes| {
        let unreadable = |reason: String| SnapshotError::Damaged { file: "the snapshot".into(), position: Some(header.first), reason };
        block::unpack(header, bytes, &mut raw).map_err(unreadable)?;
        for (event, position) in Events(&raw).zip(header.first.0..=upto.0) {
            let recorded = decoder.decode(Position(position), event).map_err(|error| unreadable(error.to_string()))?;
            apply(&mut views, &recorded, progress);
            see(&recorded);
        }
        Ok(if header.last() < upto { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(views)
}
