//! The commands of a stream's events: which events are of one command, which commands were undone, and how one can be.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use crate::{
    domain::{
        CommandId, Context, Entity, Refusal,
        RefusalKind::{Conflict, NotFound},
        StreamId,
        changes::{Change, trace},
        undo::{Happened, Planned, Undo, fold, plan},
    },
    events::{Position, Recorded},
};

/// The prefix of the id of a command that undoes another; the position of that one's first event follows.
const UNDO: &str = "undo:";
/// The prefix of the id of a command that brings a list or household back; the position it was brought back to follows.
const RESTORE: &str = "restore:";

/// The id of the command that undoes another one, and its digest, which distinguishes it from a client's command of the same id.
#[must_use]
pub fn undo_name(stream: &StreamId, first: Position) -> (CommandId, u64) {
    name(stream, format!("{UNDO}{first}"))
}

/// The id and digest of the command that brings an entity at a version back to a position.
#[must_use]
pub fn restore_name(stream: &StreamId, to: Position, version: u64) -> (CommandId, u64) {
    name(stream, format!("{RESTORE}{to}:{version}"))
}

fn name(stream: &StreamId, id: String) -> (CommandId, u64) {
    let hash = blake3::derive_key("aisled 2026 digest of a command of the server's own", format!("{stream}/{id}").as_bytes());
    let digest = u64::from_le_bytes(*hash.first_chunk().expect("32 bytes hold 8 because a hash has a fixed length"));
    (CommandId::new(&id).expect("it is an id because numbers are short and the rest are letters and colons"), digest)
}

/// The command that an event's command undoes, by the position of that one's first event.
#[must_use]
pub fn undoes(recorded: &Recorded) -> Option<Position> {
    let mark = recorded.command.as_ref()?;
    let first: Position = mark.id.as_str().strip_prefix(UNDO)?.parse().ok()?;
    (undo_name(&recorded.stream, first) == (mark.id.clone(), mark.digest)).then_some(first)
}

/// The position to which an event's command brought its entity back.
#[must_use]
pub fn restores(recorded: &Recorded) -> Option<Position> {
    let mark = recorded.command.as_ref()?;
    let (to, version) = mark.id.as_str().strip_prefix(RESTORE)?.split_once(':')?;
    let (to, version) = (to.parse().ok()?, version.parse().ok()?);
    (restore_name(&recorded.stream, to, version) == (mark.id.clone(), mark.digest)).then_some(to)
}

/// The undos of a stream.
#[derive(Debug, Default)]
pub struct Undos {
    /// By the first position of the command that was undone: the first of the undo.
    by: BTreeMap<Position, Position>,
    of: BTreeMap<Position, Position>,
}

impl Undos {
    /// Those of a whole history.
    #[must_use]
    pub fn of(history: &[Arc<Recorded>]) -> Self {
        let mut undos = Self::default();
        for recorded in history {
            if let Some(undone) = undoes(recorded).filter(|undone| !undos.by.contains_key(undone)) {
                undos.by.insert(undone, recorded.position);
                undos.of.insert(recorded.position, undone);
            }
        }
        undos
    }

    /// The position at which the command that begins here was undone.
    #[must_use]
    pub fn by(&self, first: Position) -> Option<Position> {
        self.by.get(&first).copied()
    }

    /// The command, then what undid it, then what undid that, and so on.
    fn chain_from(&self, first: Position) -> impl Iterator<Item = Position> {
        std::iter::successors(Some(first), |at| self.by(*at))
    }

    /// Whether a command undoes another after a position, so that the two cancel out.
    fn comes_to_nothing_behind(&self, first: Position, behind: Position) -> Option<Position> {
        let undone: Vec<_> = std::iter::successors(self.of.get(&first).copied(), |at| self.of.get(at).copied()).collect();
        let inside = undone.iter().filter(|at| **at > behind).count();
        (inside % 2 == 1).then(|| undone[0])
    }

    fn refusal(&self, first: Position) -> Option<Refusal> {
        let chain: Vec<_> = self.chain_from(first).collect();
        let (undo, last) = (chain.get(1)?, chain.last()?);
        let detail = match chain.len() {
            2 => format!("this was undone at position {undo}; undo that to restore it"),
            length if length % 2 == 0 => {
                format!("this was undone at position {undo} and last at position {last}; undo that to restore it")
            }
            _ => format!("this was undone at position {undo} and redone at position {last}; undo that instead"),
        };
        Some(Refusal::new(Conflict, "already_undone", detail))
    }
}

/// The events of the command that one of a history's events belongs to.
///
/// Events of an unnamed command cannot be distinguished from those of another in the same instant, so each stands alone unless
/// it can only be part of the one before.
#[must_use]
pub fn events_of<E: Undo>(history: &[Arc<Recorded>], index: usize) -> Range<usize> {
    let joined = |place: usize| is_one_command::<E>(&history[place - 1], &history[place]);
    let start = (1..=index).rev().find(|place| !joined(*place)).unwrap_or(0);
    let end = (index + 1..history.len()).find(|place| !joined(*place)).unwrap_or(history.len());
    start..end
}

fn is_one_command<E: Undo>(one: &Recorded, next: &Recorded) -> bool {
    match (&one.command, &next.command) {
        (Some(one), Some(next)) => one.id == next.id,
        (None, None) => {
            let together = one.position.next() == next.position && (one.at, &one.who, &one.by) == (next.at, &next.who, &next.by);
            together && E::own(&one.event).zip(E::own(&next.event)).is_some_and(|(one, next)| E::continues(one, next))
        }
        _ => false,
    }
}

/// How a command can be undone, or why not.
#[derive(Debug)]
pub struct UndoPlan<E: Undo> {
    /// The events of the command.
    pub events: Vec<Arc<Recorded>>,
    /// What it changed.
    pub was: Vec<Change>,
    /// The position of an earlier undo.
    pub undone: Option<Position>,
    pub planned: Result<Planned<E>, Refusal>,
}

/// Plans to undo the command that the event at a position belongs to. Where everything after a position is to be undone, an
/// undo within that range of a command within it is left alone: together they changed nothing.
///
/// The history must be the whole stream up to now.
///
/// # Errors
/// When the stream has no event there.
pub fn plan_undo<E: Undo>(
    stream: &StreamId,
    history: &[Arc<Recorded>],
    position: Position,
    behind: Option<Position>,
    context: &Context,
) -> Result<UndoPlan<E>, Refusal> {
    let missing = |_| Refusal::new(NotFound, "event_not_found", format!("{stream} has no event at position {position}"));
    let index = history.binary_search_by_key(&position, |recorded| recorded.position).map_err(missing)?;
    let range = events_of::<E>(history, index);
    let events = history[range.clone()].to_vec();
    let (happened, first) = (happened::<E>(history), history[range.start].position);
    let undos = Undos::of(history);
    let mut now = fold(E::State::default(), &happened[..range.start]);
    let was = happened[range.clone()].iter().flat_map(|one| trace::<E>(&mut now, one.event, &one.fact)).collect();
    let nothing = behind.and_then(|behind| undos.comes_to_nothing_behind(first, behind));
    let planned = if let Some(refusal) = undos.refusal(first) {
        Err(refusal)
    } else if let Some(undone) = nothing {
        let detail = format!("this undid the command at position {undone} in the same period: together they changed nothing");
        Err(Refusal::new(Conflict, "already_undone", detail))
    } else {
        let now = fold(now, &happened[range.end..]);
        plan::<E>(stream, &happened, range, &now, context)
    };
    Ok(UndoPlan { events, was, undone: undos.by(first).or(nothing), planned })
}

/// A history as the domain sees it.
#[must_use]
pub fn happened<E: Undo>(history: &[Arc<Recorded>]) -> Vec<Happened<'_, E>> {
    let own = history.iter().filter_map(|recorded| Some((E::own(&recorded.event)?, recorded)));
    own.map(|(event, recorded)| Happened { event, fact: recorded.fact() }).collect()
}

/// The state that a part of a history leads to.
#[must_use]
pub fn state_of<E: Entity>(history: &[Arc<Recorded>]) -> E::State {
    let mut state = E::State::default();
    history.iter().for_each(|recorded| recorded.evolve::<E>(&mut state));
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Moment, Outcome, list::ListEvent, list::Lists},
        events::CommandMark,
    };

    fn stream() -> StreamId {
        "list/l".parse().unwrap()
    }

    /// A rename at each of these positions, under a command id.
    fn renamed(position: u64, command: Option<(CommandId, u64)>) -> Arc<Recorded> {
        Arc::new(Recorded {
            position: Position(position),
            stream: stream(),
            version: position,
            previous: None,
            at: Moment(0),
            who: crate::domain::Principal::new("ann").unwrap(),
            by: None,
            command: command.map(|(id, digest)| CommandMark { id, digest, outcome: Outcome::Applied }),
            client: None,
            event: ListEvent::Renamed { name: position.to_string() }.into(),
        })
    }

    fn named(id: &str) -> (CommandId, u64) {
        (CommandId::new(id).unwrap(), 0)
    }

    fn undo_of(position: u64) -> (CommandId, u64) {
        undo_name(&stream(), Position(position))
    }

    #[test]
    fn events_under_one_name_are_one_command_and_unnamed_ones_each_their_own() {
        let history =
            [renamed(1, None), renamed(2, None), renamed(3, Some(named("a"))), renamed(4, Some(named("a"))), renamed(5, Some(named("b")))];
        let ranges: Vec<_> = (0..5).map(|index| events_of::<Lists>(&history, index)).collect();
        assert_eq!(ranges, [0..1, 1..2, 2..4, 2..4, 4..5]);
    }

    #[test]
    fn what_two_people_send_for_one_is_not_joined() {
        let moved = |position, by: &str| {
            let (by, item) = (crate::domain::Principal::new(by).ok(), crate::domain::ItemId::new(&format!("i{position}")).unwrap());
            Arc::new(Recorded { by, event: ListEvent::ItemMoved { item, rank: 0 }.into(), ..Recorded::clone(&renamed(position, None)) })
        };
        let history = [moved(1, "local"), moved(2, "local"), moved(3, "ben")];
        assert_eq!([0, 2].map(|index| events_of::<Lists>(&history, index)), [0..2, 2..3]);
    }

    #[test]
    fn an_undo_and_a_restore_are_known_by_name_and_digest() {
        assert_eq!(undoes(&renamed(9, Some(undo_of(7)))), Some(Position(7)));
        assert_eq!(undoes(&renamed(9, Some(named("undo:7")))), None, "a client may have taken the name");
        let restored = renamed(9, Some(restore_name(&stream(), Position(5), 8)));
        assert_eq!((restores(&restored), restores(&renamed(9, Some(named("restore:5:8"))))), (Some(Position(5)), None));
    }

    #[test]
    fn what_comes_to_nothing_within_a_time_is_left_alone() {
        let history = [renamed(1, Some(named("a"))), renamed(2, Some(undo_of(1))), renamed(3, Some(undo_of(2)))];
        let undos = Undos::of(&history);
        let nothing = |first, behind| undos.comes_to_nothing_behind(Position(first), Position(behind));
        assert_eq!(nothing(3, 0), None, "done, undone and done again is done");
        assert_eq!(nothing(3, 1), Some(Position(2)));
        assert_eq!((nothing(2, 0), nothing(2, 1)), (Some(Position(1)), None));
        assert_eq!(undos.refusal(Position(1)).map(|refusal| refusal.code), Some("already_undone"));
        assert_eq!(undos.refusal(Position(3)), None);
    }
}
