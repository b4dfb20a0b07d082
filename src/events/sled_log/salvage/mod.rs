//! Saves the log when sled cannot: finds the blocks in sled's raw file by their own frames and chain, without sled, and builds a new store.
//!
//! sled 0.34 panics on a single flipped bit in an older part of its file, loses blocks from the middle when the file was cut, and can
//! then not be opened a second time. A block says itself where it belongs, and the chain proves that none is missing or foreign.

mod chain;
mod pool;
mod survey;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use self::{chain::Walk, pool::Pool};
use super::{
    OpenError,
    block::Chain,
    folder::{self, Folder},
    index,
    store::Store,
    witness::{self, Seen, Witness},
};
use crate::events::Position;

pub use survey::{Gap, Survey};

/// Blocks written to the new store at once.
const BATCH_BLOCKS: usize = 256;

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The last position up to which the chain is whole.
    pub last: Position,
    /// The chain up to there.
    pub chain: Chain,
    /// The last position of any block found; beyond `last` something is missing.
    pub seen: Position,
    /// Where sled's old files are now.
    pub kept: PathBuf,
}

impl Salvaged {
    /// Puts sled's old files back, so that a log which refuses to open is left as it was found.
    pub(super) fn undo(&self, sled: &Path) -> io::Result<()> {
        fs::remove_dir_all(sled)?;
        fs::rename(&self.kept, sled)
    }
}

/// Builds `sled` anew from the blocks in its raw file, up to the first one that is missing. The old files are kept beside it.
pub(super) fn salvage(sled: &Path) -> Result<Salvaged, String> {
    rebuild(sled, &Pool::of_file(&sled.join("db"))?)
}

/// A damaged log under examination: nothing of it is changed before [`Salvage::apply`].
pub struct Salvage {
    folder: Folder,
    pool: Pool,
    survey: Survey,
}

impl Salvage {
    /// Finds every whole block of the log in a folder, and of `extra`, such as those of snapshots: the best of both together counts.
    ///
    /// # Errors
    /// When there is no log, somebody has it open, or its files cannot be read.
    pub fn examine(log: &Path, extra: impl IntoIterator<Item = Vec<u8>>) -> Result<Self, OpenError> {
        if !log.is_dir() {
            return Err(OpenError::Folder { path: log.to_owned(), reason: "there is no event log".into() });
        }
        let folder = Folder::claim(log)?;
        let raw = folder.sled().join("db");
        let mut pool = if raw.exists() { Pool::of_file(&raw).map_err(OpenError::Storage)? } else { Pool::empty() };
        extra.into_iter().for_each(|block| pool.give(block));
        let survey = Survey::of(&pool, witness::read(log).as_ref()).map_err(OpenError::Storage)?;
        Ok(Self { folder, pool, survey })
    }

    /// What is whole and what is missing.
    #[must_use]
    pub fn survey(&self) -> &Survey {
        &self.survey
    }

    /// The whole blocks behind the end of the chain, by position; where two are for one place, both.
    pub fn behind(&self) -> impl Iterator<Item = Result<(Position, Vec<u8>), String>> {
        let behind = self.pool.all().filter(|found| found.header.first > self.survey.whole_to);
        behind.map(|found| self.pool.read(found).map(|block| (found.header.first, block)))
    }

    /// Builds the store anew from the longest chain. The old files are kept beside it; what is behind the chain is no longer waited for.
    ///
    /// # Errors
    /// When the new store cannot be written or put in place; the old one is then where it was.
    pub fn apply(self) -> Result<Salvaged, OpenError> {
        let salvaged = rebuild(&self.folder.sled(), &self.pool).map_err(OpenError::Storage)?;
        let settle = || {
            index::discard(self.folder.path());
            // What the old files were known to hold stays with them.
            let _ = fs::copy(self.folder.path().join(witness::FILE), salvaged.kept.join(witness::FILE));
            Witness::open(self.folder.path())?.0.see(&Seen { position: salvaged.last, chain: salvaged.chain })?;
            folder::sync_entries(self.folder.path(), &self.folder.sled())
        };
        settle().map_err(|error| OpenError::Storage(error.to_string()))?;
        Ok(salvaged)
    }
}

fn rebuild(sled: &Path, pool: &Pool) -> Result<Salvaged, String> {
    let seen = pool.all().map(|found| found.header.last()).max().unwrap_or_default();
    let new = sled.with_extension("salvaged");
    let _ = fs::remove_dir_all(&new);
    let (last, chain) = write_chain(pool, &new)?;
    let kept = unused_name(sled);
    let put = || {
        if sled.exists() {
            fs::rename(sled, &kept)?;
        }
        fs::rename(&new, sled)
    };
    put().map_err(|error| format!("the salvaged store cannot be put in place: {error}"))?;
    Ok(Salvaged { last, chain, seen, kept })
}

fn unused_name(sled: &Path) -> PathBuf {
    let names = (1..).map(|number: u32| sled.with_extension(format!("damaged-{number}")));
    names.into_iter().find(|name| !name.exists()).expect("the numbers do not end")
}

/// Follows the chain from the start and writes what it links. Returns how far it reaches.
fn write_chain(pool: &Pool, new: &Path) -> Result<(Position, Chain), String> {
    let store = Store::open(new)?;
    let mut walk = Walk::new(pool);
    let mut batch = Vec::new();
    while let Some(block) = walk.step()? {
        batch.push(block);
        if batch.len() == BATCH_BLOCKS {
            store.write(&std::mem::take(&mut batch))?;
        }
    }
    store.write(&batch)?;
    store.flush()?;
    store.sync().map_err(|error| error.to_string())?;
    Ok(walk.reached())
}

#[cfg(test)]
mod tests {
    use super::{
        super::block::{self, CHAIN_START, Sealer},
        *,
    };

    /// A raw file as sled leaves one: blocks, one a word, with bytes of its own between them. Returns the blocks.
    fn raw_file(log: &Path, words: &[&str]) -> Vec<Vec<u8>> {
        let mut sealer = Sealer::after(CHAIN_START).unwrap();
        let blocks: Vec<_> = (1..).zip(words).map(|(first, word)| sealer.seal(word.as_bytes(), Position(first), 1).unwrap()).collect();
        fs::create_dir(log.join("sled")).unwrap();
        fs::write(log.join("sled").join("db"), blocks.join(&b"sled aisB sled"[..])).unwrap();
        blocks
    }

    /// Flips a bit of a block in the raw file.
    fn damage(log: &Path, block: &[u8]) {
        let path = log.join("sled").join("db");
        let mut raw = fs::read(&path).unwrap();
        let at = raw.windows(block.len()).position(|window| window == block).unwrap();
        raw[at + block.len() - 1] ^= 1;
        fs::write(path, raw).unwrap();
    }

    fn gap(from: u64, to: u64) -> Gap {
        Gap { from: Position(from), to: Position(to) }
    }

    #[test]
    fn of_two_blocks_in_one_place_the_one_that_others_follow_is_saved() {
        let dir = tempfile::tempdir().unwrap();
        let sled = dir.path().join("sled");
        let store = Store::open(&sled).unwrap();
        let write = |first: u64, block: &[u8]| store.write(&[(Position(first), block.to_vec())]).and_then(|()| store.flush()).unwrap();
        let mut sealer = Sealer::after(CHAIN_START).unwrap();
        let mut seal = |raw: &[u8], first: u64| sealer.seal(raw, Position(first), 1).unwrap();
        let start = seal(b"start", 1);
        let blocks = [seal(b"acknowledged", 2), seal(b"and what follows", 3)];
        let abandoned = Sealer::after(block::check(&start).unwrap().chain).unwrap().seal(b"abandoned", Position(2), 1).unwrap();
        write(1, &start);
        write(2, &abandoned);
        store.remove(&[Position(2)]).unwrap();
        write(2, &blocks[0]);
        write(3, &blocks[1]);
        drop(store);
        assert_eq!(Pool::of_file(&sled.join("db")).unwrap().at(Position(2)).len(), 2, "both are still in the file");
        assert_eq!(salvage(&sled).unwrap().last, Position(3));
        let saved: Vec<_> = Store::open(&sled).unwrap().from(Position(2)).map(|entry| entry.unwrap().1.to_vec()).collect();
        assert_eq!(saved, blocks);
    }

    #[test]
    fn every_gap_is_named_and_what_is_behind_the_first_can_still_be_had() {
        let dir = tempfile::tempdir().unwrap();
        let blocks = raw_file(dir.path(), &["one", "two", "three", "four", "five", "six"]);
        Witness::open(dir.path()).unwrap().0.see(&Seen { position: Position(8), chain: CHAIN_START }).unwrap();
        [1, 3, 4].iter().for_each(|at: &usize| damage(dir.path(), &blocks[*at]));
        let salvage = Salvage::examine(dir.path(), []).unwrap();
        let survey = salvage.survey();
        assert_eq!(survey.missing, [gap(2, 2), gap(4, 5), gap(7, 8)]);
        assert_eq!((survey.whole_to, survey.seen, survey.known(), survey.blocks_behind), (Position(1), Position(6), Position(8), 2));
        let behind: Vec<_> = salvage.behind().map(|entry| entry.unwrap().1).collect();
        assert_eq!(behind, [blocks[2].clone(), blocks[5].clone()]);
    }

    #[test]
    fn blocks_from_elsewhere_fill_the_gaps() {
        let dir = tempfile::tempdir().unwrap();
        let blocks = raw_file(dir.path(), &["one", "two", "three", "four"]);
        damage(dir.path(), &blocks[0]);
        damage(dir.path(), &blocks[2]);
        let mut foreign = blocks[3].clone();
        *foreign.last_mut().unwrap() ^= 1;
        let salvage = Salvage::examine(dir.path(), [foreign, blocks[2].clone(), blocks[0].clone(), b"photo".to_vec()]).unwrap();
        assert!(salvage.survey().is_whole() && salvage.survey().missing.is_empty());
        let salvaged = salvage.apply().unwrap();
        assert_eq!(salvaged.last, Position(4));
        assert!(salvaged.kept.join("db").exists(), "the old files are kept");
        let saved: Vec<_> =
            Store::open(&dir.path().join("sled")).unwrap().from(Position(1)).map(|entry| entry.unwrap().1.to_vec()).collect();
        assert_eq!(saved, blocks);
    }

    #[test]
    fn a_log_without_any_of_sled_s_files_is_made_of_other_blocks_alone() {
        let dir = tempfile::tempdir().unwrap();
        let blocks = raw_file(dir.path(), &["one", "two"]);
        fs::remove_dir_all(dir.path().join("sled")).unwrap();
        let survey = Salvage::examine(dir.path(), []).unwrap().survey().clone();
        assert_eq!((survey.blocks, survey.whole_to), (0, Position::START));
        assert_eq!(Salvage::examine(dir.path(), blocks).unwrap().apply().unwrap().last, Position(2));
        assert!(Salvage::examine(&dir.path().join("none"), []).is_err());
    }
}
