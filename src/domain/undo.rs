//! Undo of a command: the new commands that lead to a state as if it had not been sent, or why that is no longer possible.

use std::ops::Range;

use super::{
    Context, Decision, Entity, Fact, Moment, Outcome, Refusal,
    RefusalKind::Conflict,
    StreamId,
    changes::{Change, Traced, trace},
};

/// The code of a refusal to undo what was changed again since.
const CHANGED_SINCE: &str = "changed_since";

/// An entity whose events can be undone, as far as its commands can express it.
pub trait Undo: Traced {
    /// The commands that undo what one event changed. None where it changed nothing visible.
    ///
    /// # Errors
    /// Why it cannot be undone (any more), as a sentence.
    fn inverse(of: &Undoing<'_, Self>) -> Result<Vec<Self::Command>, Refusal>;

    /// Whether a later event changed the same thing again.
    fn overwrites(later: &Self::Event, event: &Self::Event) -> bool;

    /// Whether an event of an unnamed command can only be of the same command as the one directly before it.
    fn continues(_previous: &Self::Event, _event: &Self::Event) -> bool {
        false
    }
}

/// One event to undo, and its context.
#[derive(Debug)]
pub struct Undoing<'a, E: Entity + ?Sized> {
    pub stream: &'a StreamId,
    pub event: &'a E::Event,
    pub position: u64,
    /// What happened in the stream before it.
    pub earlier: &'a [Happened<'a, E>],
    pub before: &'a E::State,
    pub after: &'a E::State,
    /// The state including what was already planned.
    pub now: &'a E::State,
    /// When it is undone.
    pub at: Moment,
}

/// One event of a stream's history.
#[derive(Debug)]
pub struct Happened<'a, E: Entity + ?Sized> {
    pub event: &'a E::Event,
    pub fact: Fact<'a>,
}

/// New commands and their result, decided on the state they were planned for.
#[derive(Debug)]
pub struct Planned<E: Entity> {
    pub commands: Vec<E::Command>,
    pub events: Vec<E::Event>,
    pub changes: Vec<Change>,
    pub after: E::State,
    pub outcome: Outcome,
}

/// Plans to undo a command whose events are at these places of the history.
///
/// # Errors
/// Why it cannot be undone, or what the entity's own rules refuse.
pub fn plan<E: Undo>(
    stream: &StreamId,
    history: &[Happened<'_, E>],
    command: Range<usize>,
    now: &E::State,
    context: &Context,
) -> Result<Planned<E>, Refusal> {
    let start = fold(E::State::default(), &history[..command.start]);
    let later = &history[command.end..];
    let mut planned = Planned::on(now.clone());
    for index in command.clone().rev() {
        let happened = &history[index];
        // Folded again for each event: a command of a thousand events would not fit into memory as a thousand states.
        let before = fold(start.clone(), &history[command.start..index]);
        let after = fold(before.clone(), std::slice::from_ref(happened));
        let undoing = Undoing {
            stream,
            event: happened.event,
            position: happened.fact.position,
            earlier: &history[..index],
            before: &before,
            after: &after,
            now: &planned.after,
            at: context.at,
        };
        let commands = E::inverse(&undoing).map_err(|refusal| blamed(refusal, happened.event, later))?;
        commands.into_iter().try_for_each(|command| planned.take(stream, command, context))?;
    }
    if planned.commands.is_empty() {
        return Err(Refusal::new(Conflict, "nothing_to_undo", "everything it changed is already as it was before"));
    }
    Ok(planned)
}

/// The state that some events lead to.
#[must_use]
pub fn fold<E: Entity>(mut state: E::State, events: &[Happened<'_, E>]) -> E::State {
    for Happened { event, fact } in events {
        E::evolve(&mut state, event, fact);
    }
    state
}

/// The refusal for a value that is no longer the one the event set.
#[must_use]
pub fn changed_since(detail: impl Into<String>) -> Refusal {
    Refusal::new(Conflict, CHANGED_SINCE, detail)
}

/// Names the first person to change it again.
fn blamed<E: Undo>(mut refusal: Refusal, event: &E::Event, later: &[Happened<'_, E>]) -> Refusal {
    if refusal.code == CHANGED_SINCE
        && let Some(Happened { fact, .. }) = later.iter().find(|later| E::overwrites(later.event, event))
    {
        refusal.detail = format!("{}: {} changed it at {} (position {})", refusal.detail, fact.who, fact.at, fact.position);
    }
    refusal
}

impl<E: Traced> Planned<E> {
    /// An empty plan on this state.
    #[must_use]
    pub fn on(state: E::State) -> Self {
        Self { commands: Vec::new(), events: Vec::new(), changes: Vec::new(), after: state, outcome: Outcome::Unchanged }
    }

    /// Adds a command, decided on the result of those before it; one that changes nothing is left out.
    ///
    /// # Errors
    /// What the entity's rules refuse; nothing is added then.
    pub fn take(&mut self, stream: &StreamId, command: E::Command, context: &Context) -> Result<(), Refusal> {
        E::check_own(stream.id(), &command)?;
        let Decision { outcome, events } = E::decide(&self.after, &command, context)?;
        if events.is_empty() {
            return Ok(());
        }
        for event in &events {
            // Its position is not known yet, and no rule needs it.
            let fact = Fact { who: &context.who, at: context.at, position: 0, version: 0 };
            self.changes.extend(trace::<E>(&mut self.after, event, &fact));
        }
        if self.outcome == Outcome::Unchanged {
            self.outcome = outcome;
        }
        self.commands.push(command);
        self.events.extend(events);
        Ok(())
    }
}
