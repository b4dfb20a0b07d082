//! What exactly a restore goes back to: the snapshot, the position, and what would be left out.

use serde::Serialize;
use utoipa::ToSchema;

use super::{
    error::SnapshotError,
    folder::SnapshotFolder,
    manifest::Manifest,
    progress::Progress,
    verify::{FileProblem, verify},
};
use crate::{
    domain::{
        Moment, StreamId, StreamKind,
        system::{ADMIN, SystemEvent},
    },
    events::{At, Event, Log, Position},
    log::{DiskLog, block::hex},
};

/// Which snapshot, up to where.
#[derive(Debug)]
pub struct Target {
    /// None if one must be made first, because none reaches the moment.
    pub snapshot: Option<Manifest>,
    pub position: Position,
    /// Whether it is a past of the served log.
    pub same_history: bool,
    /// What an admin should know before continuing.
    pub notes: Vec<String>,
}

/// What a restore would do.
#[derive(Debug, Serialize, ToSchema)]
pub struct RestorePlan {
    /// Absent if one is made first, because none reaches the moment.
    pub snapshot: Option<String>,
    /// The log would end here.
    #[schema(value_type = String)]
    pub position: Position,
    /// The log's current end.
    #[schema(value_type = String)]
    pub head: Position,
    /// Events after that position that would be left out. Undoing the restore brings them back.
    pub events_left: u64,
    /// False if the snapshot is of another history: then it need not contain anything served now.
    pub same_history: bool,
    pub files: u64,
    /// What an admin should know before continuing.
    pub notes: Vec<String>,
    /// Faulty files; with any, the restore would be refused.
    pub problems: Vec<FileProblem>,
    /// Send it with the same request to run it.
    pub confirm: String,
}

impl Target {
    /// Resolves a snapshot's name, a moment, or both. `log` is the served one, if it can be opened.
    ///
    /// # Errors
    /// When there is no such snapshot or moment.
    pub fn find(log: Option<&DiskLog>, folder: &SnapshotFolder, name: Option<&str>, at: Option<At>) -> Result<Self, SnapshotError> {
        match (name, at) {
            (Some(name), at) => Self::in_snapshot(log, folder, name, at),
            (None, Some(at)) => Self::of_moment(log.ok_or(SnapshotError::NothingNamed)?, folder, at),
            (None, None) => Err(SnapshotError::NothingNamed),
        }
    }

    fn in_snapshot(log: Option<&DiskLog>, folder: &SnapshotFolder, name: &str, at: Option<At>) -> Result<Self, SnapshotError> {
        let snapshot = folder.open(name)?;
        let end = snapshot.manifest.position;
        let past_of = log.filter(|log| is_past_of(log, &snapshot.manifest));
        let position = match (at, past_of) {
            (None, _) => end,
            (Some(At::Position(position)), _) => position,
            (Some(at), Some(log)) => at.find(log)?.position.min(end),
            (Some(At::Time(time)), None) => snapshot.last_until(time)?,
        };
        if end == Position::START {
            return Err(crate::events::AtError::Empty.into());
        }
        if position > end || position == Position::START {
            return Err(SnapshotError::BeyondSnapshot { asked: position, end });
        }
        Ok(Self { same_history: past_of.is_some(), snapshot: Some(snapshot.manifest), position, notes: Vec::new() })
    }

    fn of_moment(log: &DiskLog, folder: &SnapshotFolder, at: At) -> Result<Self, SnapshotError> {
        let position = at.find(log)?.position;
        let reaching = folder.whole().into_iter().filter(|manifest| manifest.position >= position && is_past_of(log, manifest));
        let notes = match at {
            At::Time(time) => left_since(log, folder, time)?.into_iter().collect(),
            At::Position(_) => Vec::new(),
        };
        Ok(Self { snapshot: reaching.min_by_key(|manifest| manifest.position), position, same_history: true, notes })
    }

    /// Distinguishes this restore of this history from any other.
    #[must_use]
    pub fn confirm(&self, epoch: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        let snapshot = self.snapshot.as_ref().map_or("", |manifest| &manifest.checksum);
        for part in [epoch, snapshot, &self.position.to_string()] {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        hasher.finalize().to_hex()[..12].to_owned()
    }

    /// What would happen; reads and checks every file.
    ///
    /// # Errors
    /// While the folder is being changed.
    pub fn plan(self, head: Position, epoch: &str, folder: &SnapshotFolder, progress: &Progress) -> Result<RestorePlan, SnapshotError> {
        let confirm = self.confirm(epoch);
        let verified = match &self.snapshot {
            Some(manifest) => {
                let _hold = folder.hold()?;
                Some(verify(&folder.open(&manifest.name)?, progress))
            }
            None => None,
        };
        let (files, problems) = verified.map_or((0, Vec::new()), |verified| (verified.files, verified.problems));
        Ok(RestorePlan {
            snapshot: self.snapshot.map(|manifest| manifest.name),
            position: self.position,
            head,
            events_left: if self.same_history { head.0.saturating_sub(self.position.0) } else { head.0 },
            same_history: self.same_history,
            notes: self.notes,
            files,
            problems,
            confirm,
        })
    }
}

/// Warns if another history was served at a time, because a later restore went back further, and names the snapshot that covers it.
fn left_since(log: &DiskLog, folder: &SnapshotFolder, time: Moment) -> Result<Option<String>, SnapshotError> {
    let Ok(stream) = StreamId::new(StreamKind::System, ADMIN) else { return Ok(None) };
    for recorded in log.read_stream(&stream, 0, usize::MAX)?.iter().rev().take_while(|recorded| recorded.at > time) {
        let Event::System(SystemEvent::Restored { position, left_epoch, .. }) = &recorded.event else { continue };
        if At::Position(Position(*position)).find(log)?.time >= time {
            continue;
        }
        let saved = folder.whole().into_iter().filter(|manifest| manifest.epoch == *left_epoch && manifest.last_at >= time);
        let snapshot = saved.min_by_key(|manifest| manifest.position);
        let way = snapshot.map_or("no snapshot covers that time".to_owned(), |found| {
            format!("snapshot {} covers that time: add `--snapshot {}`", found.name, found.name)
        });
        let when = recorded.at;
        return Ok(Some(format!(
            "another history was served at {time}; the restore of {when} replaced it after position {position}; {way}"
        )));
    }
    Ok(None)
}

fn is_past_of(log: &DiskLog, manifest: &Manifest) -> bool {
    let chain = log.chain_at(manifest.position).ok().flatten();
    chain.is_some_and(|chain| hex(&chain) == manifest.chain)
}
