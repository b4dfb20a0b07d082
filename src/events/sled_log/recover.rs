//! Opening a log: what the files hold is checked against itself and against what was acknowledged, before anybody may believe it.
//! Before sled may touch its files they are copied aside.
//!
//! 1. Every block must be there with a right checksum: sled 0.34 can lose blocks from the middle of its file and open without a word.
//! 2. Blocks behind the saved stream heads are read, their chain checked. 3. A damaged end that nobody was told of is cut, loudly.
//! 4. If sled cannot be opened, a block is missing, or the log is shorter than the witness says, the blocks are salvaged from sled's raw
//!    file. 5. If that is not enough, the log refuses to open and names the position.

use std::path::Path;

use super::{
    OpenError, OpenReport,
    aside::Aside,
    block::{self, Chain},
    folder::{self, Folder},
    index::{self, Index},
    salvage::{Salvaged, salvage},
    store::{Keyed, Store},
    witness::Seen,
};
use crate::events::Position;

/// Why the store cannot be believed as it is.
enum Doubt {
    /// Nothing can be read of it.
    Unusable(String),
    /// It is whole up to a position; behind it something is wrong.
    Damaged { position: Position, reason: String },
    /// It ends before what was acknowledged.
    Short { found: Position, acknowledged: Position },
}

/// Opens the store and reads what is behind the saved heads.
pub fn open(folder: &Folder, seen: Option<&Seen>, accept_lost_tail: bool, report: &mut OpenReport) -> Result<(Store, Index), OpenError> {
    let sled = folder.sled();
    report.half_snapshots_removed = folder::remove_half_snapshots(&sled).map_err(|error| OpenError::Storage(error.to_string()))?;
    let failed = |error: std::io::Error| OpenError::Storage(error.to_string());
    let aside = Aside::of(&sled).map_err(failed)?;
    let doubt = match attempt(folder, seen, report) {
        Ok(opened) => {
            aside.forget();
            return Ok(opened);
        }
        Err(doubt) => doubt,
    };
    // What sled made of its file while it tried is of no use to a salvage.
    aside.put_back().map_err(failed)?;
    tracing::warn!(reason = %doubt.sentence(), "the log's store is not whole; salvaging its blocks from the raw file");
    let salvaged = salvage(&sled).map_err(|reason| OpenError::Storage(format!("{}; salvage: {reason}", doubt.sentence())))?;
    report_salvage(&salvaged, &doubt, report);
    accept(folder, seen, accept_lost_tail, &salvaged, report)
}

/// Opens what was salvaged, if nothing acknowledged is missing or the loss is accepted.
fn accept(
    folder: &Folder,
    seen: Option<&Seen>,
    accept_lost_tail: bool,
    salvaged: &Salvaged,
    report: &mut OpenReport,
) -> Result<(Store, Index), OpenError> {
    let doubt = match attempt(folder, seen, report) {
        Ok(opened) if salvaged.seen <= salvaged.last => return Ok(opened),
        // Nothing behind the end was ever acknowledged.
        Ok(opened) if seen.is_some_and(|seen| opened.1.mark.position >= seen.position) => return Ok(opened),
        Ok(_) => Doubt::Damaged { position: salvaged.last.next(), reason: format!("missing, though events up to {} exist", salvaged.seen) },
        Err(doubt) => doubt,
    };
    if !accept_lost_tail {
        salvaged.undo(&folder.sled()).map_err(|error| OpenError::Storage(error.to_string()))?;
        return Err(doubt.refusal());
    }
    tracing::warn!(reason = %doubt.sentence(), "opening the log without its lost end, as asked");
    report.lost_tail = Some(doubt.sentence());
    attempt(folder, None, report).map_err(Doubt::refusal)
}

fn report_salvage(salvaged: &Salvaged, doubt: &Doubt, report: &mut OpenReport) {
    let kept = salvaged.kept.display();
    tracing::warn!(last = %salvaged.last, %kept, "salvaged the log up to this position; sled's old files are kept");
    report.salvaged = Some(format!("{}; salvaged up to position {}, the old files are kept in {kept}", doubt.sentence(), salvaged.last));
}

fn attempt(folder: &Folder, seen: Option<&Seen>, report: &mut OpenReport) -> Result<(Store, Index), Doubt> {
    let store = Store::open(&folder.sled()).map_err(Doubt::Unusable)?;
    let saved = index::load(folder.path()).filter(|saved| fits(&store, saved));
    report.heads_from_file = saved.is_some();
    let acknowledged = seen.map_or(Position::START, |seen| seen.position);
    let mut index = saved.unwrap_or_else(Index::empty);
    let from = index.mark.position;
    check_kept(&store, from)?;
    read_behind(&store, &mut index, acknowledged, report)?;
    report.events_read = index.mark.position.0 - from.0;
    check_witness(&store, &index, seen)?;
    Ok((store, index))
}

/// Looks at every block up to a position: none may be missing or have a wrong checksum.
fn check_kept(store: &Store, last: Position) -> Result<(), Doubt> {
    let mut next = Position::START.next();
    let mut blocks = store.from(next);
    while next <= last {
        let damaged = |reason| Doubt::Damaged { position: next, reason };
        let missing = || damaged("the block that starts there is missing".into());
        let (first, bytes) = blocks.next().ok_or_else(missing)?.map_err(damaged)?;
        let header = block::check(&bytes).map_err(damaged)?;
        if first != next || header.first != next {
            return Err(missing());
        }
        next = header.last().next();
    }
    Ok(())
}

/// Whether the saved heads belong to these blocks: their chain must be that of the block which ends there.
fn fits(store: &Store, saved: &Index) -> bool {
    saved.mark.position == Position::START || chain_at(store, saved.mark.position).is_ok_and(|chain| chain == Some(saved.chain))
}

/// The chain up to a position, if a block ends there.
pub fn chain_at(store: &Store, position: Position) -> Result<Option<Chain>, String> {
    let found = store.holding(position)?.and_then(|(_, bytes)| block::check(&bytes).ok());
    Ok(found.filter(|header| header.last() == position).map(|header| header.chain))
}

/// Adds every whole block behind the index to it. Stops at the first that is not; a damaged end is cut.
fn read_behind(store: &Store, index: &mut Index, acknowledged: Position, report: &mut OpenReport) -> Result<(), Doubt> {
    let mut raw = Vec::new();
    let mut behind = store.from(index.mark.position.next());
    while let Some(entry) = behind.next() {
        let (first, bytes) = entry.map_err(|reason| Doubt::Damaged { position: index.mark.position.next(), reason })?;
        if let Err((_, reason)) = index.add_block(first, &bytes, &mut raw, |_, _| Ok(())) {
            let rest = behind.filter_map(Result::ok);
            return cut(store, index, acknowledged, (first, reason), rest, report);
        }
    }
    Ok(())
}

/// Takes away a damaged end, unless it was acknowledged or whole blocks follow it: then it is no torn tail.
fn cut(
    store: &Store,
    index: &Index,
    acknowledged: Position,
    (first, reason): (Position, String),
    rest: impl Iterator<Item = Keyed>,
    report: &mut OpenReport,
) -> Result<(), Doubt> {
    let mut firsts = vec![first];
    let mut whole_follow = false;
    for (first, bytes) in rest {
        firsts.push(first);
        whole_follow |= block::check(&bytes).is_ok();
    }
    let position = index.mark.position.next();
    if whole_follow || position <= acknowledged {
        return Err(Doubt::Damaged { position, reason });
    }
    tracing::warn!(position = %position, blocks = firsts.len(), %reason, "cutting a torn end of the log that nobody was told of");
    report.cut_tail = Some(format!("{} blocks from position {position} on: {reason}", firsts.len()));
    store.remove(&firsts).map_err(Doubt::Unusable)
}

/// The log must hold everything that was acknowledged, and the same.
fn check_witness(store: &Store, index: &Index, seen: Option<&Seen>) -> Result<(), Doubt> {
    let Some(seen) = seen.filter(|seen| seen.position > Position::START) else { return Ok(()) };
    if index.mark.position < seen.position {
        return Err(Doubt::Short { found: index.mark.position, acknowledged: seen.position });
    }
    match chain_at(store, seen.position) {
        Ok(Some(chain)) if chain == seen.chain => Ok(()),
        Ok(_) => Err(Doubt::Damaged { position: seen.position, reason: "it is not what was acknowledged".into() }),
        Err(reason) => Err(Doubt::Unusable(reason)),
    }
}

impl Doubt {
    fn sentence(&self) -> String {
        match self {
            Self::Unusable(reason) => reason.clone(),
            Self::Damaged { position, reason } => format!("damaged at position {position}: {reason}"),
            Self::Short { found, acknowledged } => format!("ends at position {found}, but {acknowledged} was acknowledged"),
        }
    }

    fn refusal(self) -> OpenError {
        match self {
            Self::Unusable(reason) => OpenError::Storage(reason),
            Self::Damaged { position, reason } => OpenError::Damaged { position, reason },
            Self::Short { found, acknowledged } => OpenError::LostTail { found, acknowledged },
        }
    }
}

/// Whether a folder holds a log already.
#[must_use]
pub fn exists(folder: &Path) -> bool {
    folder.join("sled").join("db").exists()
}
