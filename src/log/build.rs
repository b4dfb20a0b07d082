//! Makes a new log from sealed blocks: for an import of an export, a restored snapshot, an upgrade. Every block is checked as it comes; whole
//! segments are linked, not copied.
//!
//! The log is built next to its place and moved there as a whole: a crash or a bad block leaves no log at all, never half of one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use parking_lot::RwLock;

use super::{
    block::{CHAIN_START, Chain},
    folder::Folder,
    heads,
    index::Index,
    journal::{
        self, JournalFile, frame,
        head::{Head, LogId},
    },
    segment::{Filling, Segment},
};
use crate::{
    disk::{self, Pace},
    events::{Position, StreamHead, codec::Envelope},
};

/// Why no log was built; the folder is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// There is something in the folder already.
    #[error("{} is not empty", .0.display())]
    NotEmpty(PathBuf),
    /// The block is not the one that follows, or its events are not.
    #[error("position {position}: {reason}")]
    Refused { position: Position, reason: String },
    #[error("the new log cannot be written: {0}")]
    Storage(String),
    #[error("there is no room for the new log: {0}")]
    NoRoom(String),
}

/// What was built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Built {
    /// The newest position.
    pub head: Position,
    /// The chain up to it.
    pub chain: Chain,
    pub blocks: u64,
}

/// A log that is being built from its first block on. Dropped before [`Builder::finish`], it leaves nothing.
pub struct Builder {
    target: PathBuf,
    /// `None` once finished.
    site: Option<Folder>,
    index: Index,
    filling: Filling,
    blocks: u64,
    raw: Vec<u8>,
}

impl Builder {
    /// Starts a log that will be at `folder`, which must be absent or empty.
    ///
    /// # Errors
    /// When there is something in the folder, or nothing can be written next to it.
    pub fn create(folder: &Path) -> Result<Self, BuildError> {
        if folder.exists() && !fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(BuildError::NotEmpty(folder.to_owned()));
        }
        let site = site_of(folder);
        disk::remove_folder(&site).map_err(storage)?;
        let claimed = Folder::claim(&site).map_err(|error| BuildError::Storage(error.to_string()))?;
        claimed.lay_out().map_err(storage)?;
        Ok(Self {
            target: folder.to_owned(),
            site: Some(claimed),
            index: Index::empty(),
            filling: Filling::after(Position::START, CHAIN_START),
            blocks: 0,
            raw: Vec::new(),
        })
    }

    /// Adds the next block after checking its frame, checksum and chain, and the versions and links of its events.
    ///
    /// # Errors
    /// Names the position at which the block, or an event in it, is not what must follow.
    pub fn add(&mut self, first: Position, block: &[u8]) -> Result<(), BuildError> {
        self.check(first, block)?;
        self.filling.add(block).map_err(|reason| BuildError::Refused { position: first, reason })?;
        if self.filling.is_full() { self.write() } else { Ok(()) }
    }

    /// Adds a whole segment by a link to its file, after checking its blocks like any other.
    ///
    /// # Errors
    /// As [`Builder::add`].
    pub fn add_segment(&mut self, path: &Path, segment: &Segment) -> Result<(), BuildError> {
        if !self.filling.is_empty() || segment.head.format == 1 {
            return self.add_each(segment);
        }
        for found in segment.blocks() {
            let (header, bytes) = found.map_err(|(position, reason)| BuildError::Refused { position, reason })?;
            self.check(header.first, bytes)?;
        }
        let reached = (self.index.mark.position, self.index.chain);
        if reached != (segment.head.last, segment.head.chain) {
            let reason = format!("{} ends elsewhere than it says", path.display());
            return Err(BuildError::Refused { position: reached.0, reason });
        }
        disk::link_all([path], &self.site()?.segments()).map_err(storage)?;
        self.filling = Filling::after(reached.0, reached.1);
        Ok(())
    }

    fn add_each(&mut self, segment: &Segment) -> Result<(), BuildError> {
        segment.blocks().try_for_each(|found| {
            let (header, bytes) = found.map_err(|(position, reason)| BuildError::Refused { position, reason })?;
            self.add(header.first, bytes)
        })
    }

    fn check(&mut self, first: Position, block: &[u8]) -> Result<(), BuildError> {
        let added = self.index.add_block(first, block, &mut self.raw, follows);
        self.blocks += 1;
        added.map_err(|(position, reason)| BuildError::Refused { position, reason })
    }

    fn site(&self) -> Result<&Folder, BuildError> {
        self.site.as_ref().ok_or_else(|| BuildError::Storage("the build has already finished".into()))
    }

    /// How far it has come: the last position and the chain up to it.
    #[must_use]
    pub fn reached(&self) -> (Position, Chain) {
        (self.index.mark.position, self.index.chain)
    }

    /// Makes the log durable, with its stream heads and a journal to continue in, and puts it in its place.
    ///
    /// # Errors
    /// When it cannot be written or put in place.
    pub fn finish(self) -> Result<Built, BuildError> {
        let target = self.target.clone();
        let (site, built) = self.settle()?;
        if target.exists() {
            disk::remove_folder(&target).map_err(storage)?;
        }
        disk::rename(site.path(), &target).map_err(storage)?;
        Ok(built)
    }

    /// Makes it durable in its building place.
    pub(super) fn settle(mut self) -> Result<(Folder, Built), BuildError> {
        if !self.filling.is_empty() {
            self.write()?;
        }
        let built = Built { head: self.index.mark.position, chain: self.index.chain, blocks: self.blocks };
        let log = LogId::from(uuid::Uuid::now_v7().into_bytes());
        let head = Head {
            generation: 1,
            oldest: 1,
            begun: true,
            base: built.head,
            chain: built.chain,
            ..journal::blank(log, super::options::journal_bytes())
        };
        let site = self.site()?;
        JournalFile::prepare(&site.journal(), head, &frame::mark(1, built.head, false)).map_err(storage)?;
        heads::save(&site.heads(), &log, &RwLock::new(std::mem::take(&mut self.index)), Pace::AtOnce, || Ok(())).map_err(storage)?;
        let site = self.site.take().ok_or_else(|| BuildError::Storage("the build has already finished".into()))?;
        Ok((site, built))
    }

    fn write(&mut self) -> Result<(), BuildError> {
        let (position, chain) = self.filling.reached();
        let full = std::mem::replace(&mut self.filling, Filling::after(position, chain));
        full.write(&self.site()?.segments(), Pace::AtOnce).map(drop).map_err(storage)
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        if let Some(site) = self.site.take() {
            // The next attempt removes what is left.
            let _ = disk::remove_folder(site.path());
        }
    }
}

/// Whether an event is the next of its stream.
fn follows(envelope: &Envelope<'_>, head: Option<StreamHead>) -> Result<(), String> {
    let expected = head.map_or(0, |head| head.version) + 1;
    if envelope.version != expected {
        return Err(format!("version {} of {}, but {expected} is next", envelope.version, envelope.stream));
    }
    if envelope.previous != head.map(|head| head.position) {
        return Err(format!("it does not link to the previous event in {}", envelope.stream));
    }
    Ok(())
}

fn site_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".building");
    target.with_file_name(name)
}

fn storage(error: io::Error) -> BuildError {
    if disk::is_out_of_space(&error) { BuildError::NoRoom(error.to_string()) } else { BuildError::Storage(error.to_string()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        events::{Log, contract},
        log::{DiskLog, LogOptions},
    };

    fn log_with(dir: &Path, events: u64) -> DiskLog {
        let (log, _) = DiskLog::open(LogOptions::new(dir)).unwrap();
        for version in 0..events {
            contract::put(&log, "weekly", version, &["milk"]).unwrap();
        }
        log
    }

    fn blocks(log: &DiskLog) -> Vec<(Position, Vec<u8>)> {
        log.blocks_from(Position::START).map(|entry| entry.map(|(first, bytes)| (first, bytes.to_vec())).unwrap()).collect()
    }

    #[test]
    fn a_log_built_from_the_blocks_of_another_is_the_same_and_takes_events() {
        let dir = tempfile::tempdir().unwrap();
        let log = log_with(&dir.path().join("old"), 5);
        let new = dir.path().join("new");
        let mut builder = Builder::create(&new).unwrap();
        blocks(&log).iter().for_each(|(first, bytes)| builder.add(*first, bytes).unwrap());
        let built = builder.finish().unwrap();
        assert_eq!((built.head, built.chain), log.chain());
        let (copy, report) = DiskLog::open(LogOptions::new(&new)).unwrap();
        assert!(report.heads_from_file && report.events_read == 0);
        assert_eq!(copy.read(Position::START, 9).unwrap(), log.read(Position::START, 9).unwrap());
        contract::put(&copy, "weekly", 5, &["bread"]).unwrap();
        assert_eq!(copy.head(), Position(6));
    }

    #[test]
    fn blocks_are_handed_out_from_the_one_that_holds_a_position() {
        let dir = tempfile::tempdir().unwrap();
        let log = log_with(&dir.path().join("log"), 3);
        let firsts = |from| log.blocks_from(Position(from)).map(|entry| entry.unwrap().0.0).collect::<Vec<_>>();
        assert_eq!((firsts(0), firsts(2), firsts(9)), (vec![1, 2, 3], vec![2, 3], vec![]));
    }

    #[test]
    fn a_missing_or_changed_block_is_named_and_no_log_is_left() {
        let dir = tempfile::tempdir().unwrap();
        let all = blocks(&log_with(&dir.path().join("old"), 3));
        let new = dir.path().join("new");
        let mut changed = all[1].1.clone();
        *changed.last_mut().unwrap() ^= 1;
        for (first, block) in [(all[2].0, all[2].1.clone()), (all[1].0, changed)] {
            let mut builder = Builder::create(&new).unwrap();
            builder.add(all[0].0, &all[0].1).unwrap();
            let refused = builder.add(first, &block).unwrap_err();
            assert!(matches!(refused, BuildError::Refused { position: Position(2), .. }), "{refused}");
            drop(builder);
            assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "only the old log is there");
        }
    }

    #[test]
    fn a_folder_with_anything_in_it_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("photo"), "").unwrap();
        assert!(matches!(Builder::create(dir.path()), Err(BuildError::NotEmpty(_))));
    }
}
