//! Which commands to undo: found by position, by id, or by person and time.

use std::{collections::HashSet, ops::ControlFlow, sync::Arc};

use super::Selection;
use crate::{
    actors::Failure,
    app::App,
    commands::stream::blocking,
    domain::{
        CommandId, Moment, Principal, Refusal, RefusalKind, StreamId, StreamKind,
        rights::{Reader, Rights},
    },
    events::{At, AtError, CommandMark, Log, LogError, Position, Recorded},
};

/// Commands of one person undone in one go; more are refused, naming this.
const COMMANDS_MAX: usize = 500;
/// How many of the newest events are searched for a command's id or a person's commands.
const SEARCHED_EVENTS_MAX: u64 = 1_000_000;

/// One event of each command to undo, newest first.
pub struct Targets {
    pub found: Vec<Target>,
    /// Everything that the person did after this position is to be undone.
    pub behind: Option<Position>,
}

/// An event, and so the command that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub stream: StreamId,
    pub position: Position,
}

/// Finds what to undo.
///
/// # Errors
/// 422 for a body that names none or several; 400 for a missing position; 404 for a missing command; 422 if
/// there is too much to search or to undo.
pub async fn find(app: &App, reader: Reader, selection: Selection) -> Result<Targets, Failure> {
    let Selection { position, command_id, who, since, until, stream } = selection;
    if who.is_none()
        && let Some(pointer) = since.map(|_| "/since").or(until.map(|_| "/until"))
    {
        return Err(invalid("who_missing", pointer, "since and until need who: whose commands should be undone?"));
    }
    let log = Arc::clone(&app.log);
    let views = Arc::clone(&app.views);
    // What the sender must not know of is as if it were not there.
    let seen = move |stream: &StreamId| matches!(reader.rights, Rights::Admin) || views.read().may_read(&reader, stream);
    match (position, command_id, who) {
        (Some(_), None, None) if stream.is_some() => {
            Err(invalid("one_target_only", "/stream", "a position already identifies its stream: remove stream"))
        }
        (Some(position), None, None) => blocking(move || at_position(&*log, position, &seen)).await?,
        (None, Some(id), None) => blocking(move || by_id(&*log, &id, stream.as_ref(), &seen)).await?,
        (None, None, Some(who)) => {
            let since = since.ok_or_else(|| invalid("since_missing", "/since", "who needs since: the time from which to undo"))?;
            let only = move |of: &StreamId| stream.as_ref().is_none_or(|stream| of == stream) && seen(of);
            blocking(move || of_person(&*log, &who, since, until, &only)).await?
        }
        _ => Err(invalid("one_target_only", "", "give exactly one of position, command_id, and who with since")),
    }
}

fn at_position(log: &dyn Log, position: Position, seen: &dyn Fn(&StreamId) -> bool) -> Result<Targets, Failure> {
    let unknown =
        || refused(RefusalKind::Malformed, "position_unknown", "/position", format!("the log has no event at position {position}"));
    if position == Position::START || position > log.head() {
        return Err(unknown());
    }
    let read = log.read(Position(position.0 - 1), 1)?;
    let recorded = read.first().filter(|recorded| seen(&recorded.stream)).ok_or_else(unknown)?;
    Ok(Targets { found: vec![target(recorded)], behind: None })
}

fn target(recorded: &Recorded) -> Target {
    Target { stream: recorded.stream.clone(), position: recorded.position }
}

/// The id is looked for in one stream, else among the newest events of all.
fn by_id(log: &dyn Log, id: &CommandId, stream: Option<&StreamId>, seen: &dyn Fn(&StreamId) -> bool) -> Result<Targets, Failure> {
    let is_it = |recorded: &Recorded| recorded.command.as_ref().is_some_and(|mark| mark.id == *id) && seen(&recorded.stream);
    let mut found: Vec<Target> = Vec::new();
    let mut keep = |recorded: &Recorded| {
        if is_it(recorded) && found.iter().all(|known| known.stream != recorded.stream) {
            found.push(target(recorded));
        }
    };
    if let Some(stream) = stream {
        log.read_stream(stream, 0, usize::MAX)?.iter().for_each(|recorded| keep(recorded));
    } else {
        let behind = Position(log.head().0.saturating_sub(SEARCHED_EVENTS_MAX));
        scan(log, behind, log.head(), |recorded| {
            keep(recorded);
            true
        })?;
    }
    match found.as_slice() {
        [_] => Ok(Targets { found, behind: None }),
        [] => {
            let detail =
                format!("the newest {SEARCHED_EVENTS_MAX} events contain none of the command {id}; add its stream to look further back");
            Err(refused(RefusalKind::NotFound, "command_not_found", "/command_id", detail))
        }
        several => {
            let streams: Vec<_> = several.iter().map(|target| target.stream.to_string()).collect();
            let detail = format!("the command id {id} was used in several streams: add one of {}", streams.join(", "));
            Err(invalid("command_ambiguous", "/stream", detail))
        }
    }
}

/// What a person did, newest first. What admins did to the server is nobody's list or household, and left aside.
fn of_person(
    log: &dyn Log,
    who: &Principal,
    since: Moment,
    until: Option<Moment>,
    wanted: &dyn Fn(&StreamId) -> bool,
) -> Result<Targets, Failure> {
    if until.is_some_and(|until| until < since) {
        return Err(invalid("time_reversed", "/until", "until must not be before since"));
    }
    let before = position_until(log, Moment(since.0.saturating_sub(1)))?;
    let last = until.map_or_else(|| Ok(log.head()), |until| position_until(log, until))?;
    if last.0.saturating_sub(before.0) > SEARCHED_EVENTS_MAX {
        let detail = format!("more than {SEARCHED_EVENTS_MAX} events were recorded in that time: choose a shorter period");
        return Err(invalid("time_too_long", "/since", detail));
    }
    let (mut found, mut named) = (Vec::new(), HashSet::new());
    let mine = |recorded: &Recorded| recorded.who == *who && recorded.stream.kind() != StreamKind::System && wanted(&recorded.stream);
    scan(log, before, last, |recorded| {
        // All events of a named command are found again by one of them.
        let again = |mark: &CommandMark| !named.insert((recorded.stream.clone(), mark.id.clone()));
        if mine(recorded) && !recorded.command.as_ref().is_some_and(again) {
            found.push(target(recorded));
        }
        found.len() <= COMMANDS_MAX
    })?;
    if found.len() > COMMANDS_MAX {
        let detail = format!(
            "{who} gave more than {COMMANDS_MAX} commands in that time, which is the most that is undone in one go: choose a shorter time, or a stream"
        );
        return Err(invalid("too_many_commands", "/since", detail));
    }
    found.reverse();
    Ok(Targets { found, behind: Some(before) })
}

/// The last position recorded up to a time; the start where there is none.
fn position_until(log: &dyn Log, time: Moment) -> Result<Position, Failure> {
    match At::Time(time).find(log) {
        Ok(point) => Ok(point.position),
        Err(AtError::BeforeFirst { .. } | AtError::Zero | AtError::Empty) => Ok(Position::START),
        Err(error @ AtError::BeyondHead { .. }) => Err(Failure::Internal(error.to_string())),
        Err(AtError::Log(error)) => Err(error.into()),
    }
}

/// Visits the events after a position up to another one, until the visitor stops.
fn scan(log: &dyn Log, behind: Position, last: Position, mut visit: impl FnMut(&Recorded) -> bool) -> Result<(), LogError> {
    log.scan(behind, &mut |recorded| {
        let go_on = recorded.position <= last && visit(&recorded) && recorded.position < last;
        if go_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    })
}

fn invalid(code: &'static str, pointer: &'static str, detail: impl Into<String>) -> Failure {
    refused(RefusalKind::Invalid, code, pointer, detail)
}

fn refused(kind: RefusalKind, code: &'static str, pointer: &'static str, detail: impl Into<String>) -> Failure {
    Refusal::new(kind, code, detail).at(pointer).into()
}
