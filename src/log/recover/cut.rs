//! A log without its lost end, on request: what precedes the damage continues, the rest is moved aside, nothing is deleted.
//!
//! The new journal is the commit point: until it has its name the log is as damaged as before, and the same request completes the work.

use std::{io, path::PathBuf};

use super::{
    Chain, Damage, Failure, Wish, entries, mend,
    segments::{read_often, whole_segments},
};
use crate::{
    disk,
    events::Position,
    log::{
        block,
        block::CHAIN_START,
        journal::{
            self, JournalFile, frame, generation_of,
            head::{HEAD_BYTES, Head, LogId},
            scan::scan,
        },
        segment::{named, readable_blocks},
    },
};

/// Ends the log before a position.
pub fn off(wish: &Wish<'_>, damage: &Damage) -> Result<(), Failure> {
    let mut kept = Kept::of(wish, damage.position)?;
    let lost = lost_folder(wish)?;
    kept.add_blocks(wish, damage.position)?;
    // Both would state that there was more.
    disk::remove_file(&wish.folder.heads())?;
    disk::remove_folder(&wish.folder.window())?;
    let journals: Vec<_> = entries(&wish.folder.journal())?.into_iter().filter(|path| generation_of(path).is_some()).collect();
    let generation = journals.iter().filter_map(|path| generation_of(path)).max().unwrap_or_default() + 1;
    let aside = |path: &PathBuf| disk::rename(path, &lost.join(path.file_name().unwrap_or_default()));
    kept.lost.iter().rev().try_for_each(aside)?;
    kept.write(wish, generation)?;
    kept.next.iter().chain(&journals).try_for_each(aside)?;
    Ok(())
}

/// How far segments and journals lead, however damaged the rest is.
pub fn whole_end(wish: &Wish<'_>) -> Result<Position, Failure> {
    let everything = Position(u64::MAX);
    let mut kept = Kept::of(wish, everything)?;
    kept.add_blocks(wish, everything)?;
    Ok(kept.end.0)
}

/// A new folder for what is lost.
fn lost_folder(wish: &Wish<'_>) -> io::Result<PathBuf> {
    let free = (1..1_000).map(|number: u32| wish.folder.path().join(format!("lost-{number}"))).find(|path| !path.exists());
    let lost = free.ok_or_else(|| io::Error::other("there are too many folders of lost files"))?;
    disk::create_folder(&lost).map(|()| lost)
}

/// What is before the damage and not in a whole segment.
struct Kept {
    base: (Position, Chain),
    end: (Position, Chain),
    blocks: Vec<Vec<u8>>,
    /// Segments that begin where the whole ones end: they stay until their whole blocks are in the new journal.
    next: Vec<PathBuf>,
    /// All other segments that are not kept.
    lost: Vec<PathBuf>,
}

impl Kept {
    /// The whole segments before a position.
    fn of(wish: &Wish<'_>, position: Position) -> Result<Self, Failure> {
        let whole: Vec<_> = whole_segments(wish)?.into_iter().take_while(|segment| segment.head.last < position).collect();
        let base = whole.last().map_or((Position::START, CHAIN_START), |last| (last.head.last, last.head.chain));
        let is_other = |path: &PathBuf| named(path).is_some() && whole.iter().all(|segment| segment.path != *path);
        let others = entries(&wish.folder.segments())?.into_iter().filter(is_other);
        let (next, lost) = others.partition(|path| named(path).is_some_and(|(first, ..)| first == base.0.next()));
        Ok(Self { base, end: base, blocks: Vec::new(), next, lost })
    }

    /// The following blocks: from the damaged segment, from the journals, and what sled has beyond those. A file that cannot be read at all
    /// is given up as a whole.
    fn add_blocks(&mut self, wish: &Wish<'_>, position: Position) -> Result<(), Failure> {
        let segments: Vec<_> = self.next.iter().filter_map(|path| readable_blocks(path).ok()).flatten().collect();
        self.take(segments, position);
        for path in entries(&wish.folder.journal())? {
            if let (Some(generation), Ok(bytes)) = (generation_of(&path), read_often(|| Ok(std::fs::read(&path)?))) {
                self.take(self.blocks_of(&bytes, generation), position);
            }
        }
        self.take(mend::blocks(wish.folder.window(), self.end.0.next()).into_iter().map(|(_, bytes)| bytes.to_vec()), position);
        Ok(())
    }

    /// The blocks of a journal. Where its head is damaged, those that continue from here under the generation in its name.
    fn blocks_of(&self, bytes: &[u8], generation: u64) -> Vec<Vec<u8>> {
        let (base, chain) = self.end;
        let lost = || Head { generation, begun: true, base, chain, ..journal::blank(LogId::default(), bytes.len() as u64) };
        let head = Head::from_bytes(bytes).unwrap_or_else(|_| lost());
        scan(bytes, &head).blocks.iter().map(|(_, at, length)| bytes[*at..at + length].to_vec()).collect()
    }

    /// Takes those that follow by the chain and end before a position.
    fn take(&mut self, blocks: impl IntoIterator<Item = Vec<u8>>, position: Position) {
        for bytes in blocks {
            let Ok(header) = block::check(&bytes) else { continue };
            if header.first == self.end.0.next() && header.last() < position && block::chain_of(&self.end.1, &bytes) == header.chain {
                self.end = (header.last(), header.chain);
                self.blocks.push(bytes);
            }
        }
    }

    /// Writes them to a journal that makes all others obsolete.
    fn write(&self, wish: &Wish<'_>, generation: u64) -> io::Result<()> {
        let mut frames = Vec::new();
        self.blocks.iter().for_each(|block| frame::write(&mut frames, generation, self.base.0, block));
        frames.extend(frame::mark(generation, self.end.0, false));
        let log = LogId::from(uuid::Uuid::now_v7().into_bytes());
        let bytes = wish.journal_bytes.max((HEAD_BYTES + frames.len()).next_multiple_of(HEAD_BYTES) as u64 + HEAD_BYTES as u64);
        let (base, chain) = self.base;
        let head = Head { generation, oldest: generation, begun: true, base, chain, ..journal::blank(log, bytes) };
        JournalFile::prepare(&wish.folder.journal(), head, &frames).map(drop)
    }
}
