//! A snapshot to read from: its blocks in order, each file checked against the manifest before its content is trusted.

use std::{
    fs, io,
    ops::ControlFlow,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    error::SnapshotError,
    failed::WorkError,
    folder::SnapshotFolder,
    manifest::{Manifest, PeopleKept, SegmentEntry},
};
use crate::{
    domain::{Moment, StreamId},
    events::{
        Position, Recorded,
        codec::{Decoder, read_envelope},
    },
    log::{
        block::{self, CHAIN_START, Chain, Events, hex},
        segment::Segment,
    },
};

/// Sees one block; may end the visit, or refuse the block.
pub type VisitBlock<'a> = &'a mut dyn FnMut(&block::Header, &[u8]) -> Result<ControlFlow<()>, SnapshotError>;

/// A manifest and where its segments are.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub manifest: Manifest,
    folder: SnapshotFolder,
}

impl Snapshot {
    pub(super) fn new(manifest: Manifest, folder: SnapshotFolder) -> Self {
        Self { manifest, folder }
    }

    /// Where a segment's file is.
    #[must_use]
    pub fn file(&self, entry: &SegmentEntry) -> PathBuf {
        self.folder.segments().join(&entry.file)
    }

    /// The sealed accounts, if it has them.
    ///
    /// # Errors
    /// Names the file.
    pub fn people(&self) -> Result<Option<Vec<u8>>, SnapshotError> {
        let Some(PeopleKept::Sealed(entry)) = &self.manifest.people else { return Ok(None) };
        let file = self.folder.path().join(&entry.file);
        if Path::new(&entry.file).components().count() != 1 {
            return Err(SnapshotError::damaged(&file, "its name points outside the folder"));
        }
        let bytes = fs::read(&file).map_err(|error| {
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            if is_missing { SnapshotError::damaged(&file, "it is missing") } else { WorkError::io(&file, error).into() }
        })?;
        if bytes.len() as u64 != entry.bytes || blake3::hash(&bytes).to_hex().as_str() != entry.blake3 {
            return Err(SnapshotError::damaged(&file, "it is not the file in the manifest: its hash differs"));
        }
        Ok(Some(bytes))
    }

    /// What a restore into a folder must copy, because links do not reach it: everything or nothing.
    #[must_use]
    pub fn bytes_to_copy(&self, place: &Path) -> u64 {
        let device = |path: &Path| fs::metadata(path).map(|found| found.dev()).ok();
        let linked = device(place).is_some() && device(place) == device(&self.folder.segments()) && self.manifest.format >= 3;
        if linked { 0 } else { self.manifest.bytes }
    }

    /// Visits every block in order until the visitor breaks. Checks files, frames and the hash chain from the first block to the last.
    ///
    /// # Errors
    /// The first difference from the manifest; names the file, and the position if there is one.
    pub fn visit(&self, visit: VisitBlock<'_>) -> Result<(), SnapshotError> {
        let mut walk = Walk { last: Position::START, chain: CHAIN_START };
        for entry in &self.manifest.segments {
            let segment = self.read(entry)?;
            for found in segment.blocks() {
                let (header, bytes) = found.map_err(|(position, reason)| damaged(entry, position, reason))?;
                walk.take(&header, bytes).map_err(|reason| damaged(entry, header.first, reason))?;
                if visit(&header, bytes)?.is_break() {
                    return Ok(());
                }
            }
            walk.meet(entry)?;
        }
        self.check_end((walk.last, walk.chain))
    }

    /// The segments must end where the manifest states.
    ///
    /// # Errors
    /// `Damaged`, naming the manifest.
    pub fn check_end(&self, (last, reached): (Position, Chain)) -> Result<(), SnapshotError> {
        let Manifest { position, chain, name, .. } = &self.manifest;
        if last != *position || hex(&reached) != *chain {
            let file = format!("{name}.json");
            return Err(SnapshotError::Damaged { file, position: Some(last.next()), reason: "its segments do not end there".into() });
        }
        Ok(())
    }

    /// The last position that was recorded up to a time.
    ///
    /// # Errors
    /// `BeforeFirst`, or what is wrong with the files.
    pub fn last_until(&self, time: Moment) -> Result<Position, SnapshotError> {
        // Time may step back where a clock was set back, so all events are looked at.
        let (mut last, mut next, mut first_at, mut raw) = (Position::START, Position::START, None, Vec::new());
        self.visit(&mut |header, bytes| {
            let unreadable = |reason: String| SnapshotError::Damaged { file: "the snapshot".into(), position: Some(header.first), reason };
            block::unpack(header, bytes, &mut raw).map_err(unreadable)?;
            for event in Events(&raw) {
                let at = read_envelope(event).map_err(|error| unreadable(error.to_string()))?.at;
                first_at.get_or_insert(at);
                next = next.next();
                if at <= time {
                    last = next;
                }
            }
            Ok(ControlFlow::Continue(()))
        })?;
        if last > Position::START { Ok(last) } else { Err(SnapshotError::BeforeFirst(first_at.unwrap_or(time))) }
    }

    /// The events of one stream up to a position, in order.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub fn stream(&self, stream: &StreamId, upto: Position) -> Result<Vec<Arc<Recorded>>, SnapshotError> {
        let (mut events, mut decoder, mut raw, name) = (Vec::new(), Decoder::default(), Vec::new(), stream.to_string());
        self.visit(&mut |header, bytes| {
            let unreadable = |reason: String| SnapshotError::Damaged { file: "the snapshot".into(), position: Some(header.first), reason };
            block::unpack(header, bytes, &mut raw).map_err(unreadable)?;
            for (event, position) in Events(&raw).zip(header.first.0..=upto.0) {
                if read_envelope(event).map_err(|error| unreadable(error.to_string()))?.stream == name {
                    events.push(Arc::new(decoder.decode(Position(position), event).map_err(|error| unreadable(error.to_string()))?));
                }
            }
            Ok(if header.last() < upto { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
        })?;
        Ok(events)
    }

    /// Reads one segment and checks that it is the one the manifest means.
    ///
    /// # Errors
    /// Names the file.
    pub fn read(&self, entry: &SegmentEntry) -> Result<Segment, SnapshotError> {
        let file = self.file(entry);
        if Path::new(&entry.file).components().count() != 1 {
            return Err(SnapshotError::damaged(&file, "its name points outside the folder"));
        }
        let segment = Segment::read(&file).map_err(|error| SnapshotError::segment(&file, error))?;
        if segment.hash() != entry.blake3 {
            return Err(SnapshotError::damaged(&file, "it is not the file in the manifest: its hash differs"));
        }
        Ok(segment)
    }
}

/// How far the chain has been followed.
struct Walk {
    last: Position,
    chain: Chain,
}

impl Walk {
    fn take(&mut self, header: &block::Header, bytes: &[u8]) -> Result<(), String> {
        if header.first != self.last.next() {
            return Err(format!("the events from {} on are missing", self.last.next()));
        }
        if block::chain_of(&self.chain, bytes) != header.chain {
            return Err("its hash does not chain to the previous block".into());
        }
        (self.last, self.chain) = (header.last(), header.chain);
        Ok(())
    }

    /// A segment must end where the manifest states.
    fn meet(&self, entry: &SegmentEntry) -> Result<(), SnapshotError> {
        if self.last == entry.last && hex(&self.chain) == entry.chain {
            return Ok(());
        }
        Err(damaged(entry, self.last, format!("it ends at position {}, not at {}", self.last, entry.last)))
    }
}

fn damaged(entry: &SegmentEntry, position: Position, reason: String) -> SnapshotError {
    SnapshotError::Damaged { file: entry.file.clone(), position: Some(position), reason }
}
