//! A log without its lost end, as somebody asked for: what is before the damage goes on, all the rest is moved aside, nothing is deleted.
//!
//! The new journal is the moment of truth: before it has its name the log is as damaged as before, and the same wish does the rest.

use std::{io, path::PathBuf};

use super::{Chain, Damage, Wish, entries};
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
        segment::{SegmentFile, readable_blocks},
    },
};

/// Ends the log before a position.
pub fn off(wish: &Wish<'_>, damage: &Damage) -> io::Result<()> {
    let (mut kept, segments) = Kept::of(wish, damage.position)?;
    let lost = lost_folder(wish)?;
    kept.add_blocks(wish, damage.position)?;
    // Both would say that there was more.
    disk::remove_file(&wish.folder.heads())?;
    disk::remove_folder(&wish.folder.window())?;
    let journals: Vec<_> = entries(&wish.folder.journal())?.into_iter().filter(|path| generation_of(path).is_some()).collect();
    let generation = journals.iter().filter_map(|path| generation_of(path)).max().unwrap_or_default() + 1;
    let aside = |path: &PathBuf| disk::rename(path, &lost.join(path.file_name().unwrap_or_default()));
    // The first of them stays until what is whole in it is in the new journal.
    segments.iter().skip(1).rev().try_for_each(aside)?;
    kept.write(wish, generation)?;
    segments.iter().take(1).chain(&journals).try_for_each(aside)
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
    /// The segment that is damaged.
    next: Option<PathBuf>,
}

impl Kept {
    /// The whole segments before a position stay; the others are the second half of the answer.
    fn of(wish: &Wish<'_>, position: Position) -> io::Result<(Self, Vec<PathBuf>)> {
        let (mut base, mut lost) = ((Position::START, CHAIN_START), Vec::new());
        for path in entries(&wish.folder.segments())? {
            match SegmentFile::find(&path) {
                Ok(segment) if segment.head.last < position && segment.head.chain_before == base.1 => {
                    base = (segment.head.last, segment.head.chain);
                }
                _ => lost.push(path),
            }
        }
        let next = lost.first().cloned();
        Ok((Self { base, end: base, blocks: Vec::new(), next }, lost))
    }

    /// Blocks that follow, from the damaged segment and from the journals.
    fn add_blocks(&mut self, wish: &Wish<'_>, position: Position) -> io::Result<()> {
        // A file that cannot be read at all is given up as a whole.
        let mut found = self.next.as_deref().and_then(|path| readable_blocks(path).ok()).unwrap_or_default();
        for path in entries(&wish.folder.journal())? {
            let bytes = std::fs::read(&path)?;
            let Ok(head) = Head::from_bytes(&bytes) else { continue };
            found.extend(scan(&bytes, &head).blocks.iter().map(|(_, at, length)| bytes[*at..at + length].to_vec()));
        }
        for bytes in found {
            let Ok(header) = block::check(&bytes) else { continue };
            if header.first == self.end.0.next() && header.last() < position && block::chain_of(&self.end.1, &bytes) == header.chain {
                self.end = (header.last(), header.chain);
                self.blocks.push(bytes);
            }
        }
        Ok(())
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
