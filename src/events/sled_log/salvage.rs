//! Saves the log when sled cannot: finds the blocks in sled's raw file by their own frames and chain, without sled, and builds a new store.
//!
//! sled 0.34 panics on a single flipped bit in an older part of its file, loses blocks from the middle when the file was cut, and can
//! then not be opened a second time. A block says itself where it belongs, and the chain proves that none is missing or foreign.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use super::{
    block::{self, CHAIN_START, Chain, HEADER_BYTES, Header, MAGIC},
    store::Store,
};
use crate::events::Position;

/// The raw file is searched in pieces of this size.
const PIECE_BYTES: usize = 16 << 20;
/// Blocks written to the new store at once.
const BATCH_BLOCKS: usize = 256;

/// A block found in the raw file.
struct Found {
    at: u64,
    bytes: usize,
    header: Header,
}

/// All blocks found, by first position. sled keeps several copies of most.
type Blocks = BTreeMap<Position, Vec<Found>>;

/// What was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Salvaged {
    /// The last position up to which the chain is whole.
    pub last: Position,
    /// The last position of any block found; beyond `last` something is missing.
    pub seen: Position,
    /// Where sled's old files are now.
    pub kept: PathBuf,
}

impl Salvaged {
    /// Puts sled's old files back, so that a log which refuses to open is left as it was found.
    pub fn undo(&self, sled: &Path) -> io::Result<()> {
        fs::remove_dir_all(sled)?;
        fs::rename(&self.kept, sled)
    }
}

/// Builds `sled` anew from the blocks in its raw file, up to the first one that is missing. The old files are kept beside it.
pub fn salvage(sled: &Path) -> Result<Salvaged, String> {
    let file = File::open(sled.join("db")).map_err(|error| format!("sled's file cannot be read: {error}"))?;
    let blocks = find(&file).map_err(|error| format!("sled's file cannot be read: {error}"))?;
    let seen = blocks.values().flatten().map(|found| found.header.last()).max().unwrap_or_default();
    let new = sled.with_extension("salvaged");
    let _ = fs::remove_dir_all(&new);
    let last = rebuild(&file, &blocks, &new)?;
    let kept = unused_name(sled);
    fs::rename(sled, &kept)
        .and_then(|()| fs::rename(&new, sled))
        .map_err(|error| format!("the salvaged store cannot be put in place: {error}"))?;
    Ok(Salvaged { last, seen, kept })
}

fn unused_name(sled: &Path) -> PathBuf {
    let names = (1..).map(|number: u32| sled.with_extension(format!("damaged-{number}")));
    names.into_iter().find(|name| !name.exists()).expect("the numbers do not end")
}

fn find(file: &File) -> io::Result<Blocks> {
    let mut blocks = Blocks::new();
    let mut reader = file;
    // `window` holds what is read and not yet searched; it starts at `offset` in the file.
    let (mut window, mut offset) = (Vec::new(), 0_u64);
    loop {
        let read = reader.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut window)?;
        // A block may begin in this piece and end in the next, so the end of the window is searched only when nothing follows.
        let keep = if read == 0 { 0 } else { (HEADER_BYTES + 2 * block::RAW_BYTES_MAX).min(window.len()) };
        let searched = window.len() - keep;
        find_in(&window, searched, offset, &mut blocks);
        if read == 0 {
            return Ok(blocks);
        }
        window.drain(..searched);
        offset += searched as u64;
    }
}

fn find_in(window: &[u8], searched: usize, offset: u64, blocks: &mut Blocks) {
    for start in 0..searched {
        if window[start] != MAGIC[0] || !window[start..].starts_with(&MAGIC) {
            continue;
        }
        let Some(header) = block::peek(&window[start..]) else { continue };
        let bytes = HEADER_BYTES + header.payload_bytes as usize;
        let Some(whole) = window.get(start..start + bytes) else { continue };
        if block::check(whole).is_err() {
            continue;
        }
        let copies = blocks.entry(header.first).or_default();
        if copies.iter().all(|copy| copy.header.chain != header.chain) {
            copies.push(Found { at: offset + start as u64, bytes, header });
        }
    }
}

/// Follows the chain from the start and writes what it links. Returns the last position that it reaches.
fn rebuild(file: &File, blocks: &Blocks, new: &Path) -> Result<Position, String> {
    let store = Store::open(new)?;
    let (mut last, mut chain) = (Position::START, CHAIN_START);
    let mut batch = Vec::new();
    while let Some((header, bytes)) = successor(file, blocks, last, &chain)? {
        batch.push((header.first, bytes));
        (last, chain) = (header.last(), header.chain);
        if batch.len() == BATCH_BLOCKS {
            store.write(&std::mem::take(&mut batch))?;
        }
    }
    store.write(&batch)?;
    store.flush()?;
    store.sync().map_err(|error| error.to_string())?;
    Ok(last)
}

/// The block that follows in the chain. Where several do (all but one of them were never acknowledged), the one that most was
/// written behind.
fn successor(file: &File, blocks: &Blocks, last: Position, chain: &Chain) -> Result<Option<(Header, Vec<u8>)>, String> {
    let mut linked = linked(file, blocks, last, chain)?;
    if linked.len() > 1 {
        let mut reaches = Vec::with_capacity(linked.len());
        for (header, _) in &linked {
            reaches.push(reach(file, blocks, header)?);
        }
        let furthest = (0..linked.len()).rev().max_by_key(|at| reaches[*at]).unwrap_or(0);
        linked.swap(0, furthest);
    }
    Ok(linked.into_iter().next())
}

fn linked(file: &File, blocks: &Blocks, last: Position, chain: &Chain) -> Result<Vec<(Header, Vec<u8>)>, String> {
    let mut linked = Vec::new();
    for found in blocks.get(&last.next()).into_iter().flatten() {
        let bytes = read(file, found)?;
        if block::chain_of(chain, &bytes) == found.header.chain {
            linked.push((found.header, bytes));
        }
    }
    Ok(linked)
}

/// The last position that the chain through a block comes to.
fn reach(file: &File, blocks: &Blocks, start: &Header) -> Result<Position, String> {
    let (mut furthest, mut open) = (start.last(), vec![*start]);
    while let Some(header) = open.pop() {
        furthest = furthest.max(header.last());
        open.extend(linked(file, blocks, header.last(), &header.chain)?.into_iter().map(|(next, _)| next));
    }
    Ok(furthest)
}

fn read(file: &File, found: &Found) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; found.bytes];
    file.read_exact_at(&mut bytes, found.at).map_err(|error| format!("sled's file cannot be read: {error}"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{super::block::Sealer, *};

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
        assert_eq!(find(&File::open(sled.join("db")).unwrap()).unwrap()[&Position(2)].len(), 2, "both are still in the file");
        assert_eq!(salvage(&sled).unwrap().last, Position(3));
        let saved: Vec<_> = Store::open(&sled).unwrap().from(Position(2)).map(|entry| entry.unwrap().1.to_vec()).collect();
        assert_eq!(saved, blocks);
    }
}
