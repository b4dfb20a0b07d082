//! Waking an entity: its memo, if there is a valid one, and the tail of its stream.

use super::{
    failure::Failure,
    hosted::Hosted,
    memos::Memos,
    recent::{Answered, RecentCommands},
};
use crate::{
    domain::{Moment, StreamId},
    events::{Log, LogError, Position, Recorded},
};

/// Events read from the log at a time while waking. Large, because each read walks the stream back from its newest event.
const READ_EVENTS: usize = 65_536;

/// An entity as its stream defines it.
#[derive(Debug)]
pub struct Hydrated<E: Hosted> {
    pub state: E::State,
    pub version: u64,
    pub position: Position,
    /// When the newest event was recorded.
    pub at: Moment,
    pub recent: RecentCommands,
    /// The version of the memo it started from, zero without one.
    pub memo_version: u64,
}

impl<E: Hosted> Default for Hydrated<E> {
    fn default() -> Self {
        Self {
            state: E::State::default(),
            version: 0,
            position: Position::START,
            at: Moment::default(),
            recent: RecentCommands::default(),
            memo_version: 0,
        }
    }
}

impl<E: Hosted> Hydrated<E> {
    /// Applies one committed event of the stream. The only way a state ever changes.
    pub fn record(&mut self, recorded: &Recorded) {
        recorded.evolve::<E>(&mut self.state);
        self.version = recorded.version;
        self.position = recorded.position;
        self.at = recorded.at;
        if let Some(mark) = &recorded.command {
            let answer = Answered {
                digest: mark.digest,
                outcome: mark.outcome,
                version: recorded.version,
                position: recorded.position,
                subject: E::subject(&recorded.event),
            };
            self.recent.remember(&mark.id, answer);
        }
    }
}

/// Reads an entity from the log. Blocks on storage.
///
/// # Errors
/// `Poisoned` when its history cannot be replayed; names the position.
pub fn hydrate<E: Hosted>(log: &dyn Log, memos: &Memos, stream: &StreamId) -> Result<Hydrated<E>, Failure> {
    let Some(head) = log.stream_head(stream) else { return Ok(Hydrated::default()) };
    let mut entity = from_memo(log, memos, stream, head.version).unwrap_or_default();
    catch_up(log, stream, &mut entity)?;
    Ok(entity)
}

/// Reads what was recorded since.
///
/// # Errors
/// See `hydrate`.
pub fn catch_up<E: Hosted>(log: &dyn Log, stream: &StreamId, entity: &mut Hydrated<E>) -> Result<(), Failure> {
    loop {
        let events = log.read_stream(stream, entity.version, READ_EVENTS).map_err(|error| poisoned(stream, error))?;
        for recorded in &events {
            entity.record(recorded);
        }
        if events.len() < READ_EVENTS {
            return Ok(());
        }
    }
}

/// A memo counts only if the log has the exact event it ends with.
fn from_memo<E: Hosted>(log: &dyn Log, memos: &Memos, stream: &StreamId, head_version: u64) -> Option<Hydrated<E>> {
    let memo = memos.load::<E::State>(stream)?;
    let last = (memo.version <= head_version).then(|| log.read_stream(stream, memo.version.checked_sub(1)?, 1).ok()).flatten()?;
    let same = last.first().is_some_and(|event| event.version == memo.version && event.position == memo.position && event.at == memo.at);
    same.then(|| Hydrated {
        state: memo.state,
        version: memo.version,
        position: memo.position,
        at: memo.at,
        recent: memo.recent,
        memo_version: memo.version,
    })
}

fn poisoned(stream: &StreamId, error: LogError) -> Failure {
    match error {
        LogError::Damaged { position, reason } | LogError::Undecodable { position, reason } => {
            Failure::Poisoned { stream: stream.clone(), position, reason }
        }
        LogError::Storage(reason) => Failure::Internal(reason),
    }
}
