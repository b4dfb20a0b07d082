//! All blocks that can be had, from sled's raw file and from elsewhere, by their first position.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, Read},
    os::unix::fs::FileExt,
    path::Path,
};

use crate::events::{
    Position,
    sled_log::block::{self, HEADER_BYTES, Header, MAGIC},
};

/// The raw file is searched in pieces of this size.
const PIECE_BYTES: usize = 16 << 20;

/// A whole block: its frame and checksum are right.
pub struct Found {
    pub header: Header,
    place: Place,
}

enum Place {
    /// In sled's raw file.
    Raw {
        at: u64,
        bytes: usize,
    },
    Given(Vec<u8>),
}

/// Every whole block, each once. One position may have several: what was never acknowledged stays in sled's file.
pub struct Pool {
    file: Option<File>,
    blocks: BTreeMap<Position, Vec<Found>>,
}

impl Pool {
    /// The blocks in sled's raw file.
    pub fn of_file(path: &Path) -> Result<Self, String> {
        let unreadable = |error| format!("sled's file cannot be read: {error}");
        let file = File::open(path).map_err(unreadable)?;
        let mut pool = Self { file: None, blocks: BTreeMap::new() };
        pool.search(&file).map_err(unreadable)?;
        Ok(Self { file: Some(file), ..pool })
    }

    /// No block at all, where sled has no file any more.
    pub fn empty() -> Self {
        Self { file: None, blocks: BTreeMap::new() }
    }

    /// Adds a block from elsewhere, if it is whole and not here already.
    pub fn give(&mut self, block: Vec<u8>) {
        if let Ok(header) = block::check(&block) {
            self.keep(Found { header, place: Place::Given(block) });
        }
    }

    /// The blocks that start at a position.
    pub fn at(&self, first: Position) -> &[Found] {
        self.blocks.get(&first).map_or(&[], Vec::as_slice)
    }

    /// Every block, by first position.
    pub fn all(&self) -> impl Iterator<Item = &Found> {
        self.blocks.values().flatten()
    }

    /// A block's bytes.
    pub fn read(&self, found: &Found) -> Result<Vec<u8>, String> {
        let (at, bytes) = match &found.place {
            Place::Given(block) => return Ok(block.clone()),
            Place::Raw { at, bytes } => (*at, *bytes),
        };
        let mut block = vec![0; bytes];
        let file = self.file.as_ref().ok_or("sled's file is gone")?;
        file.read_exact_at(&mut block, at).map_err(|error| format!("sled's file cannot be read: {error}"))?;
        Ok(block)
    }

    fn keep(&mut self, found: Found) {
        let copies = self.blocks.entry(found.header.first).or_default();
        if copies.iter().all(|copy| copy.header.chain != found.header.chain) {
            copies.push(found);
        }
    }

    fn search(&mut self, file: &File) -> io::Result<()> {
        let mut reader = file;
        // `window` holds what is read and not yet searched; it starts at `offset` in the file.
        let (mut window, mut offset) = (Vec::new(), 0_u64);
        loop {
            let read = reader.by_ref().take(PIECE_BYTES as u64).read_to_end(&mut window)?;
            // A block may begin in this piece and end in the next, so the end of the window is searched only when nothing follows.
            let keep = if read == 0 { 0 } else { (HEADER_BYTES + 2 * block::RAW_BYTES_MAX).min(window.len()) };
            let searched = window.len() - keep;
            self.search_in(&window, searched, offset);
            if read == 0 {
                return Ok(());
            }
            window.drain(..searched);
            offset += searched as u64;
        }
    }

    fn search_in(&mut self, window: &[u8], searched: usize, offset: u64) {
        for start in 0..searched {
            if window[start] != MAGIC[0] || !window[start..].starts_with(&MAGIC) {
                continue;
            }
            let Some(header) = block::peek(&window[start..]) else { continue };
            let bytes = HEADER_BYTES + header.payload_bytes as usize;
            if window.get(start..start + bytes).is_some_and(|whole| block::check(whole).is_ok()) {
                self.keep(Found { header, place: Place::Raw { at: offset + start as u64, bytes } });
            }
        }
    }
}
