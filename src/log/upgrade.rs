//! Upgrades the folder of a log from before journals to this layout, once: its blocks were only in sled then. The old files are read
//! from a copy, every block is checked by its chain and against what was acknowledged, and the old files stay until the new log has been
//! opened again. Nothing else knows the old layout.
//!
//! ```text
//! log/sled/  sled.before-open/   blocks by position; the second is a copy that the old program left when it was killed at a start
//! log/witness                    "aisWit01", position u64, chain, CRC-32: what was acknowledged
//! log/upgrade/                   the new log while it is built
//! ```

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    OpenError,
    block::{self, Chain},
    build::{BuildError, Builder, Built},
    folder::Folder,
    heads,
    segment::{Segment, SegmentFile},
    window::sled::Sled,
};
use crate::{disk, events::Position, failpoint};

const WITNESS_BYTES: usize = 52;

/// What the old program acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Witness {
    position: Position,
    chain: Chain,
}

/// Upgrades a folder of the old layout. False where there is nothing to do.
///
/// # Errors
/// When the old log is damaged: the program that wrote it can salvage it. Its files are unchanged.
pub fn if_needed(folder: &Folder, accept_lost_tail: bool) -> Result<bool, OpenError> {
    // First: leftovers of the old files no longer matter.
    if has_journal(folder) || is_upgraded(folder) {
        return Ok(false);
    }
    let witness = read_witness(folder)?;
    // If nothing was acknowledged, a store without its file holds nothing.
    let is_old = |store: &PathBuf| store.join("db").is_file() || store.is_dir() && (witness.is_some() || holds_any(&store.join("blobs")));
    let old: Vec<PathBuf> = old_stores(folder).into_iter().filter(is_old).collect();
    if old.is_empty() && witness.is_none() {
        return Ok(false);
    }
    if witness.is_none() && !accept_lost_tail {
        let reason =
            format!("{}: it is missing, so nobody knows how far everything was acknowledged", folder.path().join("witness").display());
        return Err(OpenError::Old { position: Position::START.next(), reason: reason + ". `--accept-lost-tail` goes on without it" });
    }
    tracing::info!(folder = %folder.path().display(), "upgrading the log to journals and segments");
    let storage = |error: io::Error| OpenError::Storage(format!("the log cannot be upgraded: {error}"));
    for half_done in [folder.segments(), folder.journal(), site_of(folder)] {
        disk::remove_folder(&half_done).map_err(storage)?;
    }
    let mut refused = None;
    for store in &old {
        match build(folder, store, witness) {
            Ok((site, built)) => return put_in_place(folder, &site, built).map(|()| true).map_err(storage),
            Err(error) => drop(refused.get_or_insert(error)),
        }
    }
    disk::remove_folder(&site_of(folder)).map_err(storage)?;
    Err(refused.unwrap_or_else(|| damaged(Position::START.next(), format!("{}: it is missing", old_stores(folder)[0].display()))))
}

/// Whether the new log was complete once: an upgrade under way has its site until then, and nothing else writes these before. What is
/// missing now is not rebuilt from the old log, which may be shorter.
fn is_upgraded(folder: &Folder) -> bool {
    // The old program also had a file of heads, in another format.
    let is_new = || holds_any(&folder.segments()) || folder.window().exists() || heads::load(&folder.heads()).is_some();
    !site_of(folder).exists() && is_new()
}

/// Removes the old files, once the new log has been opened again after the upgrade and every segment of it was read and is whole.
///
/// # Errors
/// As the system's, or that a segment is damaged: the old files stay then.
pub fn forget_old(folder: &Folder, segments: &[SegmentFile]) -> io::Result<()> {
    let has_old = old_stores(folder).iter().any(|store| store.exists()) || folder.path().join("witness").exists();
    if has_old {
        for segment in segments {
            let whole = Segment::read(&segment.path).and_then(|read| read.check_chain());
            whole.map_err(|error| io::Error::other(format!("{}: {error}", segment.path.display())))?;
        }
    }
    for store in old_stores(folder) {
        disk::remove_folder(&store)?;
    }
    disk::remove_folder(&site_of(folder))?;
    disk::remove_file(&folder.path().join("witness"))
}

fn old_stores(folder: &Folder) -> [PathBuf; 2] {
    ["sled", "sled.before-open"].map(|name| folder.path().join(name))
}

fn site_of(folder: &Folder) -> PathBuf {
    folder.path().join("upgrade")
}

fn has_journal(folder: &Folder) -> bool {
    holds_any(&folder.journal())
}

fn holds_any(folder: &Path) -> bool {
    fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some())
}

fn read_witness(folder: &Folder) -> Result<Option<Witness>, OpenError> {
    let file = folder.path().join("witness");
    match fs::read(&file) {
        Ok(bytes) => match Witness::from_bytes(&bytes) {
            Some(witness) => Ok(Some(witness)),
            None => Err(damaged(Position::START.next(), format!("{}: its checksum is wrong", file.display()))),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(OpenError::Storage(format!("{}: {error}", file.display()))),
    }
}

impl Witness {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; WITNESS_BYTES] = bytes.try_into().ok()?;
        if bytes[..8] != *b"aisWit01" || bytes[48..] != crc32fast::hash(&bytes[..48]).to_le_bytes() {
            return None;
        }
        let position = bytes[8..16].try_into().map(u64::from_le_bytes).ok()?;
        Some(Self { position: Position(position), chain: bytes[16..48].try_into().ok()? })
    }
}

/// Builds the new log from a copy of the old store: opening a damaged one makes sled cut its file.
fn build(folder: &Folder, store: &Path, witness: Option<Witness>) -> Result<(Folder, Built), OpenError> {
    let copy = site_of(folder).join("copy");
    let storage = |error: io::Error| OpenError::Storage(format!("the log cannot be upgraded: {error}"));
    disk::remove_folder(&site_of(folder)).map_err(storage)?;
    if !store.join("db").is_file() {
        return Err(damaged(Position::START.next(), format!("{}: it is missing", store.join("db").display())));
    }
    disk::copy_folder(store, &copy).map_err(storage)?;
    let sled = Sled::open(&copy).map_err(|reason| damaged(Position::START.next(), reason))?;
    let mut builder = Builder::create(&site_of(folder).join("log")).map_err(|error| OpenError::Storage(error.to_string()))?;
    let mut reached = Reached { last: Position::START, met: witness.is_none_or(|witness| witness.position == Position::START) };
    reached.take_all(&sled, &mut builder, witness)?;
    if !reached.met {
        let known = witness.map_or(0, |witness| witness.position.0);
        return Err(damaged(reached.last.next(), format!("the log ends there, but everything up to {known} was acknowledged")));
    }
    let settled = builder.settle().map_err(|error| OpenError::Storage(error.to_string()))?;
    failpoint::reach("upgrade.built");
    Ok(settled)
}

fn damaged(position: Position, reason: String) -> OpenError {
    OpenError::Old { position, reason }
}

/// How far the old blocks lead.
struct Reached {
    last: Position,
    /// Whether everything acknowledged is there.
    met: bool,
}

impl Reached {
    fn take_all(&mut self, sled: &Sled, builder: &mut Builder, witness: Option<Witness>) -> Result<(), OpenError> {
        let mut blocks = sled.from(Position::START);
        while let Some(entry) = blocks.next() {
            let next = self.last.next();
            let (first, bytes) = entry.map_err(|reason| damaged(next, reason))?;
            match builder.add(first, &bytes) {
                Ok(()) => self.note(&bytes, witness)?,
                Err(BuildError::Refused { position, reason }) => {
                    // A torn end that was never acknowledged; whole blocks after it would be another matter.
                    let is_end = self.met && blocks.filter_map(Result::ok).all(|(_, bytes)| block::check(&bytes).is_err());
                    return if is_end { Ok(()) } else { Err(damaged(position, reason)) };
                }
                Err(other) => return Err(OpenError::Storage(other.to_string())),
            }
        }
        Ok(())
    }

    fn note(&mut self, bytes: &[u8], witness: Option<Witness>) -> Result<(), OpenError> {
        let Some(header) = block::peek(bytes) else { return Ok(()) };
        self.last = header.last();
        match witness {
            Some(witness) if witness.position == header.last() && witness.chain != header.chain => {
                Err(damaged(header.last(), "it differs from what was acknowledged".into()))
            }
            Some(witness) => {
                self.met |= witness.position == header.last();
                Ok(())
            }
            None => Ok(()),
        }
    }
}

/// The journal's name is the commit point: before it the old files count, after it the new ones.
fn put_in_place(folder: &Folder, site: &Folder, built: Built) -> io::Result<()> {
    disk::rename(&site.segments(), &folder.segments())?;
    disk::rename(&site.heads(), &folder.heads())?;
    failpoint::reach("upgrade.segments");
    disk::rename(&site.journal(), &folder.journal())?;
    failpoint::reach("upgrade.journal");
    disk::remove_folder(&site_of(folder))?;
    tracing::info!(events = built.head.0, blocks = built.blocks, "the log is upgraded; its old files are removed at the next start");
    Ok(())
}
