//! Makes a new log from sealed blocks: for an import of an export, a restored snapshot, a salvage. Every block is checked as it comes.
//!
//! The log is built beside its place and put there as a whole, so that a crash or a bad block leaves no log at all, never half of one.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::{
    block::Chain,
    folder::{self, Folder},
    index::{self, Index},
    store::Store,
    witness::{Seen, Witness},
};
use crate::events::{Position, StreamHead, codec::Envelope};

/// Blocks handed to the store at once, about half a megabyte.
const BATCH_BLOCKS: usize = 256;

/// Why no log came of it; the folder is as it was.
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

/// A log that is being built from its first block on. Dropped before [`Builder::finish`], nothing remains of it.
pub struct Builder {
    target: PathBuf,
    /// `None` once finished.
    site: Option<Site>,
    index: Index,
    batch: Vec<(Position, Vec<u8>)>,
    blocks: u64,
    raw: Vec<u8>,
}

/// Where it is built.
struct Site {
    store: Store,
    folder: Folder,
}

impl Builder {
    /// Begins a log that will be at `folder`, which must be absent or empty.
    ///
    /// # Errors
    /// When there is something in the folder, or nothing can be written beside it.
    pub fn create(folder: &Path) -> Result<Self, BuildError> {
        if folder.exists() && !fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()) {
            return Err(BuildError::NotEmpty(folder.to_owned()));
        }
        let site = site_of(folder);
        if site.exists() {
            fs::remove_dir_all(&site).map_err(storage)?;
        }
        let claimed = Folder::claim(&site).map_err(storage)?;
        let store = Store::open(&claimed.sled()).map_err(BuildError::Storage)?;
        let site = Some(Site { store, folder: claimed });
        Ok(Self { target: folder.to_owned(), site, index: Index::empty(), batch: Vec::new(), blocks: 0, raw: Vec::new() })
    }

    /// Adds the next block after checking its frame, checksum and chain, and the versions and links of its events.
    ///
    /// # Errors
    /// Names the position at which the block, or an event in it, is not what must follow.
    pub fn add(&mut self, first: Position, block: &[u8]) -> Result<(), BuildError> {
        let added = self.index.add_block(first, block, &mut self.raw, follows);
        added.map_err(|(position, reason)| BuildError::Refused { position, reason })?;
        self.batch.push((first, block.to_vec()));
        self.blocks += 1;
        if self.batch.len() == BATCH_BLOCKS { self.write() } else { Ok(()) }
    }

    /// How far it has come: the last position and the chain up to it.
    #[must_use]
    pub fn reached(&self) -> (Position, Chain) {
        (self.index.mark.position, self.index.chain)
    }

    /// Makes the log durable, with its stream heads and its witness, and puts it in its place.
    ///
    /// # Errors
    /// When it cannot be written or put in place.
    pub fn finish(mut self) -> Result<Built, BuildError> {
        self.write()?;
        let Some(Site { store, folder }) = self.site.take() else { return Err(BuildError::Storage("it is finished already".into())) };
        let Index { mark, chain, .. } = self.index;
        store.flush().map_err(BuildError::Storage)?;
        store.sync().map_err(storage)?;
        drop(store);
        let built = Built { head: mark.position, chain, blocks: self.blocks };
        self.settle(&folder, &built).map_err(storage)?;
        Ok(built)
    }

    fn settle(&self, folder: &Folder, built: &Built) -> io::Result<()> {
        index::save(folder.path(), &self.index.to_bytes())?;
        Witness::open(folder.path())?.0.see(&Seen { position: built.head, chain: built.chain })?;
        folder::sync_entries(folder.path(), &folder.sled())?;
        if self.target.exists() {
            fs::remove_dir(&self.target)?;
        }
        fs::rename(folder.path(), &self.target)?;
        File::open(parent_of(&self.target))?.sync_all()
    }

    fn write(&mut self) -> Result<(), BuildError> {
        let Some(site) = &self.site else { return Ok(()) };
        site.store.write(&self.batch).and_then(|()| site.store.flush()).map_err(BuildError::Storage)?;
        self.batch.clear();
        Ok(())
    }
}

impl Drop for Builder {
    fn drop(&mut self) {
        if let Some(site) = self.site.take() {
            let path = site.folder.path().to_owned();
            drop(site);
            // What is left is removed by the next try.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Whether an event is the next of its stream.
fn follows(envelope: &Envelope<'_>, head: Option<StreamHead>) -> Result<(), String> {
    let expected = head.map_or(0, |head| head.version) + 1;
    if envelope.version != expected {
        return Err(format!("version {} of {}, where {expected} is next", envelope.version, envelope.stream));
    }
    if envelope.previous != head.map(|head| head.position) {
        return Err(format!("it does not link to the event before it in {}", envelope.stream));
    }
    Ok(())
}

fn site_of(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".building");
    target.with_file_name(name)
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

fn storage(error: impl std::fmt::Display) -> BuildError {
    BuildError::Storage(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::{
        Log, contract,
        sled_log::{SledLog, SledOptions},
    };

    fn log_with(dir: &Path, events: u64) -> SledLog {
        let (log, _) = SledLog::open(SledOptions::new(dir)).unwrap();
        for version in 0..events {
            contract::put(&log, "weekly", version, &["milk"]).unwrap();
        }
        log
    }

    fn blocks(log: &SledLog) -> Vec<(Position, Vec<u8>)> {
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
        let (copy, report) = SledLog::open(SledOptions::new(&new)).unwrap();
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
