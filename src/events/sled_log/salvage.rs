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

/// The block that follows in the chain. Where two do (one of them was never acknowledged), the one that others were written behind.
fn successor(file: &File, blocks: &Blocks, last: Position, chain: &Chain) -> Result<Option<(Header, Vec<u8>)>, String> {
    let mut linked = Vec::new();
    for found in blocks.get(&last.next()).into_iter().flatten() {
        let bytes = read(file, found)?;
        if block::chain_of(chain, &bytes) == found.header.chain {
            linked.push((found.header, bytes));
        }
    }
    if linked.len() > 1 {
        linked.sort_by_key(|(header, _)| !blocks.contains_key(&header.last().next()));
    }
    Ok(linked.into_iter().next())
}

fn read(file: &File, found: &Found) -> Result<Vec<u8>, String> {
    let mut bytes = vec![0; found.bytes];
    file.read_exact_at(&mut bytes, found.at).map_err(|error| format!("sled's file cannot be read: {error}"))?;
    Ok(bytes)
}
