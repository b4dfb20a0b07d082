//! Undoes commands one after the other, each planned on the result of those before it and recorded as one append. A preview
//! does the same without recording.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{
    report::{UndoOutcome, UndoneCommand},
    targets::Target,
};
use crate::{
    actors::{CommandKey, Failure, Hosted},
    app::App,
    commands::{
        Caller, execute,
        stream::{self, StreamEvents, blocking},
    },
    domain::{
        CommandId, StreamId,
        changes::Change,
        entities::entities,
        undo::{Planned, Undo},
    },
    events::{CommandMark, Position, Recorded, names::event_name},
    projections::commands::{UndoPlan, plan_undo, undo_name},
};

/// How often an undo is planned again because another command came first.
const PLANS_MAX: u32 = 3;

/// One request's undos.
pub struct Run<'a> {
    app: &'a App,
    caller: &'a Caller,
    preview: bool,
    behind: Option<Position>,
    /// The histories of the streams so far, including previewed events.
    histories: HashMap<StreamId, StreamEvents>,
    /// The first events of the commands handled so far.
    met: HashSet<Position>,
    done: Vec<UndoneCommand>,
}

impl<'a> Run<'a> {
    pub fn new(app: &'a App, caller: &'a Caller, preview: bool, behind: Option<Position>) -> Self {
        Self { app, caller, preview, behind, histories: HashMap::new(), met: HashSet::new(), done: Vec::new() }
    }

    /// The outcome of each command.
    pub fn finish(self) -> Vec<UndoneCommand> {
        self.done
    }

    /// Undoes a command. Of a person's many, one that cannot be undone, or fails, is reported and does not stop the others.
    ///
    /// # Errors
    /// Why a command asked for by itself cannot be undone; else only when the log cannot be read.
    pub async fn undo(&mut self, target: &Target) -> Result<(), Failure> {
        entities!(kind target.stream.kind(), E => self.undo_of::<E>(target).await)
    }

    async fn undo_of<E: Undo + Hosted>(&mut self, target: &Target) -> Result<(), Failure> {
        for _ in 0..PLANS_MAX {
            let plan = self.plan::<E>(target).await?;
            if self.met.contains(&plan.events[0].position) {
                return Ok(());
            }
            if let Some(entry) = self.attempt(plan).await? {
                self.met.insert(entry.position);
                self.done.push(entry);
                return Ok(());
            }
        }
        Err(Failure::Contended(target.stream.clone()))
    }

    /// Does what was planned. `None` if somebody was quicker.
    async fn attempt<E: Undo + Hosted>(&mut self, plan: UndoPlan<E>) -> Result<Option<UndoneCommand>, Failure> {
        let UndoPlan { events, was, undone, planned } = plan;
        let (first, mut entry) = (Arc::clone(&events[0]), told(&events, was));
        let planned = match planned {
            Ok(planned) => planned,
            Err(refusal) => return self.refused(entry, undone, refusal.into()).map(Some),
        };
        let changes = planned.changes.clone();
        if self.preview {
            self.on_paper(&first, planned);
        } else {
            match self.record::<E>(&first, planned).await {
                Ok(Some(undo)) => entry.undo = Some(undo),
                Ok(None) => return Ok(None),
                Err(failure) => return self.refused(entry, None, failure).map(Some),
            }
        }
        entry.changes = changes;
        Ok(Some(entry))
    }

    async fn plan<E: Undo>(&mut self, target: &Target) -> Result<UndoPlan<E>, Failure> {
        let Target { stream, position } = target.clone();
        if !self.histories.contains_key(&stream) {
            let history = stream::history(self.app, &stream).await?;
            self.histories.insert(stream.clone(), history);
        }
        let history = self.histories.get(&stream).cloned().unwrap_or_default();
        let (behind, context) = (self.behind, self.caller.context());
        Ok(blocking(move || plan_undo::<E>(&stream, &history, position, behind, &context)).await??)
    }

    /// For one command the refusal is the answer; for many it is part of the report.
    fn refused(&self, mut entry: UndoneCommand, undone: Option<Position>, failure: Failure) -> Result<UndoneCommand, Failure> {
        if self.behind.is_none() {
            return Err(failure);
        }
        entry.outcome = if failure.code() == "already_undone" { UndoOutcome::AlreadyUndone } else { UndoOutcome::Cannot };
        (entry.code, entry.reason, entry.undo) = (Some(failure.code()), Some(failure.detail()), undone);
        Ok(entry)
    }

    /// Records an undo. `None` if somebody was quicker: the history has what they did then.
    async fn record<E: Undo + Hosted>(&mut self, first: &Recorded, planned: Planned<E>) -> Result<Option<Position>, Failure> {
        let stream = &first.stream;
        let version = self.histories.get(stream).and_then(|history| history.last()).map_or(0, |last| last.version);
        let (id, digest) = undo_name(stream, first.position);
        let Some(request) = self.caller.own_request(planned.commands, CommandKey { id: id.clone(), digest }, version) else {
            return Ok(None);
        };
        let outcome = execute::<E>(self.app, stream.id(), request).await;
        if let Some(history) = self.histories.get_mut(stream) {
            stream::catch_up(self.app, stream, history).await?;
        }
        match outcome {
            Ok(done) if !done.repeated => Ok(self.begins(stream, &id).or(Some(done.position))),
            Ok(_) => Ok(None),
            Err(Failure::VersionMismatch { .. }) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// The start of a command's events.
    fn begins(&self, stream: &StreamId, id: &CommandId) -> Option<Position> {
        let is_it = |recorded: &&Arc<Recorded>| recorded.command.as_ref().is_some_and(|mark| mark.id == *id);
        self.histories.get(stream)?.iter().find(is_it).map(|recorded| recorded.position)
    }

    /// Adds the events of a previewed undo to the history, as if they were recorded.
    fn on_paper<E: Undo>(&mut self, first: &Recorded, planned: Planned<E>) {
        let Some(history) = self.histories.get_mut(&first.stream).map(Arc::make_mut) else { return };
        let (id, digest) = undo_name(&first.stream, first.position);
        let mark = CommandMark { id, digest, outcome: planned.outcome };
        for event in planned.events {
            let Some((version, previous)) = history.last().map(|last| (last.version, last.position)) else { return };
            history.push(Arc::new(Recorded {
                position: previous.next(),
                stream: first.stream.clone(),
                version: version + 1,
                previous: Some(previous),
                at: self.caller.at,
                who: self.caller.who.clone(),
                by: self.caller.by.clone(),
                command: Some(mark.clone()),
                client: self.caller.client.clone(),
                event: event.into(),
            }));
        }
    }
}

/// A command that was not handled yet.
fn told(events: &[Arc<Recorded>], was: Vec<Change>) -> UndoneCommand {
    let first = &events[0];
    UndoneCommand {
        position: first.position,
        stream: first.stream.clone(),
        who: first.who.clone(),
        by: first.by.clone(),
        at: first.at,
        command_id: first.command.as_ref().map(|mark| mark.id.clone()),
        events: events.iter().map(|recorded| event_name(&recorded.event)).collect(),
        was,
        outcome: UndoOutcome::Undone,
        changes: Vec::new(),
        code: None,
        reason: None,
        undo: None,
    }
}
