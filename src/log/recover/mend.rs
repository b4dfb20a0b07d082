//! Broken frames of a journal, rewritten from sled's copy of the newest blocks. Only a block that follows by the hash chain is
//! used, so sled need not be trusted.

use std::{fs, path::PathBuf, sync::mpsc, thread, time::Duration};

use super::{Chain, Damage};
use crate::{
    disk::DiskFile,
    events::Position,
    log::{
        block,
        folder::Folder,
        journal::{frame, head::Head, scan::scan},
        storage::Keyed,
        window::sled::Sled,
    },
};

/// sled may hang on a damaged file; a start waits no longer than this.
const SLED_WAIT: Duration = Duration::from_secs(5);

/// Rewrites broken frames from sled's blocks and the marks that belong between them. Returns what was done.
pub fn from_window(folder: &Folder, damage: &Damage) -> Option<String> {
    let (path, at) = damage.frame.clone()?;
    let mut bytes = fs::read(&path).ok()?;
    let head = Head::from_bytes(&bytes).ok()?;
    let before = scan(&bytes, &head);
    let limit = before.after.first().copied();
    let (frames, blocks) = frames(folder, &head, (before.end, before.chain), limit.map(|limit| limit - at));
    bytes.get_mut(at..at + frames.len())?.copy_from_slice(&frames);
    let after = scan(&bytes, &head);
    if after.end_at <= before.end_at || limit.is_some_and(|limit| after.end_at <= limit) {
        return None;
    }
    let file = DiskFile::open(&path).ok()?;
    file.write_at(&frames, at as u64).and_then(|()| file.sync()).ok()?;
    Some(format!("rewrote {blocks} blocks from sled's copy to {}", path.display()))
}

/// The frames of sled's blocks after a position, padded with marks to a length.
fn frames(folder: &Folder, head: &Head, (mut end, mut chain): (Position, Chain), length: Option<usize>) -> (Vec<u8>, usize) {
    let (mut frames, mut count) = (Vec::new(), 0);
    for (first, bytes) in blocks(folder.window(), end.next()) {
        let Ok(header) = block::check(&bytes) else { break };
        let fits = length.is_none_or(|length| frames.len() + frame::frame_bytes(bytes.len()) <= length);
        if first != end.next() || block::chain_of(&chain, &bytes) != header.chain || !fits {
            break;
        }
        frame::write(&mut frames, head.generation, end, &bytes);
        (end, chain, count) = (header.last(), header.chain, count + 1);
    }
    while length.is_some_and(|length| frames.len() + frame::HEAD_BYTES <= length) {
        frames.extend(frame::mark(head.generation, end, false));
    }
    (frames, count)
}

/// The last position that sled's copy leads to from the end of the journals; `None` where it does not continue from there.
pub fn window_end(folder: &Folder, (mut end, mut chain): (Position, Chain)) -> Option<Position> {
    let start = end;
    for (first, bytes) in blocks(folder.window(), end.next()) {
        let Ok(header) = block::check(&bytes) else { break };
        if first != end.next() || block::chain_of(&chain, &bytes) != header.chain {
            break;
        }
        (end, chain) = (header.last(), header.chain);
    }
    (end > start).then_some(end)
}

/// The blocks that sled has from a position on; none if it does not answer in time.
pub fn blocks(window: PathBuf, from: Position) -> Vec<Keyed> {
    if !window.is_dir() {
        return Vec::new();
    }
    let (answer, answered) = mpsc::channel();
    let read = move || {
        let blocks = Sled::open(&window).map(|sled| sled.from(from).map_while(Result::ok).collect::<Vec<_>>());
        // The caller may have given up.
        let _ = answer.send(blocks.unwrap_or_default());
    };
    match thread::Builder::new().name("log-window-read".into()).spawn(read) {
        Ok(_) => answered.recv_timeout(SLED_WAIT).unwrap_or_default(),
        Err(_) => Vec::new(),
    }
}
