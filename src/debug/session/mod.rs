//! Stepping through one stream, forward and back: what happened, the state before and after, and what changed. Text in, text out.

mod command;
mod show;

use std::sync::Arc;

use serde_json::Value;

use super::{
    predicate::Predicate,
    state::{AnyState, state_of},
};
use crate::{
    domain::StreamKind,
    events::{Recorded, codec::event_json},
};
use command::{Command, Step};

/// A state is kept at this interval of events, so that a step back costs no more than that.
const KEPT_EVERY: usize = 256;

/// The answer to a line of input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Text(String),
    Quit,
}

/// One session on one stream.
pub struct Session {
    events: Vec<Arc<Recorded>>,
    /// The state before every `KEPT_EVERY`th event.
    kept: Vec<Box<dyn AnyState>>,
    /// How many events are applied.
    at: usize,
    breakpoints: Vec<Predicate>,
    /// What an empty line repeats.
    last: Option<Step>,
}

impl Session {
    /// Starts before the first event of a stream.
    #[must_use]
    pub fn new(kind: StreamKind, events: Vec<Arc<Recorded>>) -> Self {
        Self { events, kept: vec![state_of(kind)], at: 0, breakpoints: Vec::new(), last: None }
    }

    /// A summary in one line.
    #[must_use]
    pub fn greeting(&self) -> String {
        match (self.events.first(), self.events.last()) {
            (Some(first), Some(last)) => format!(
                "{}: {} events, versions {} to {}, positions {} to {}; h lists the commands",
                first.stream,
                self.events.len(),
                first.version,
                last.version,
                first.position,
                last.position
            ),
            _ => "there are no events".into(),
        }
    }

    /// Carries out a line of input.
    pub fn execute(&mut self, line: &str) -> Reply {
        let text = match Command::parse(line) {
            Ok(Command::Quit) => return Reply::Quit,
            Ok(Command::Again) => self.last.map_or_else(|| "no step to repeat yet; n steps forward".into(), |step| self.step(step)),
            Ok(Command::Step(step)) => {
                self.last = Some(step);
                self.step(step)
            }
            Ok(Command::Go(version)) => self.go(version),
            Ok(Command::Break(predicate)) => {
                let text = format!("breakpoint {}: {predicate}", self.breakpoints.len() + 1);
                self.breakpoints.push(predicate);
                text
            }
            Ok(Command::Delete(which)) => self.delete(which),
            Ok(Command::List) => show::breakpoints(&self.breakpoints),
            Ok(Command::State) => show::state(&self.state(self.at).to_json()),
            Ok(Command::Help) => command::HELP.into(),
            Err(reason) => reason,
        };
        Reply::Text(text)
    }

    fn step(&mut self, step: Step) -> String {
        match step {
            Step::Next if self.at == self.events.len() => "this is the newest event".into(),
            Step::Next => self.show_at(self.at + 1),
            Step::Back if self.at == 0 => "this is before the first event".into(),
            Step::Back => self.show_at(self.at - 1),
            Step::Continue | Step::ReverseContinue if self.breakpoints.is_empty() => "there is no breakpoint; b sets one".into(),
            Step::Continue => match self.next_match() {
                Some((at, which)) => self.stop_at(at, which),
                None => format!("no breakpoint on the way; {}", self.show_at(self.events.len())),
            },
            Step::ReverseContinue => match self.previous_match() {
                Some((at, which)) => self.stop_at(at, which),
                None => format!("no breakpoint on the way back; {}", self.show_at(0)),
            },
        }
    }

    fn go(&mut self, version: u64) -> String {
        let known = |event: &Arc<Recorded>| event.version <= version;
        let at = self.events.partition_point(known);
        let is_there = at.checked_sub(1).is_some_and(|last| self.events[last].version == version);
        if version > 0 && !is_there {
            return format!("there is no version {version} here; {}", self.greeting());
        }
        self.show_at(at)
    }

    fn delete(&mut self, which: Option<usize>) -> String {
        match which {
            None => self.breakpoints.clear(),
            Some(which) if (1..=self.breakpoints.len()).contains(&which) => drop(self.breakpoints.remove(which - 1)),
            Some(which) => return format!("there is no breakpoint {which}"),
        }
        show::breakpoints(&self.breakpoints)
    }

    fn stop_at(&mut self, at: usize, which: usize) -> String {
        let shown = self.show_at(at);
        format!("breakpoint {}: {}\n{shown}", which + 1, self.breakpoints[which])
    }

    /// Goes to a place and shows the event that led there.
    fn show_at(&mut self, at: usize) -> String {
        self.at = at;
        let Some(before) = at.checked_sub(1) else { return "before the first event".into() };
        let (old, new) = (self.state(before).to_json(), self.state(at).to_json());
        show::step(&self.events[before], &old, &new)
    }

    /// The first place ahead where a breakpoint holds, and which.
    fn next_match(&mut self) -> Option<(usize, usize)> {
        let mut state = self.state(self.at);
        for at in self.at..self.events.len() {
            state.apply(&self.events[at]);
            if let Some(which) = self.matching(at, &state.to_json()) {
                return Some((at + 1, which));
            }
        }
        None
    }

    /// The last earlier place where a breakpoint holds: one fold of all before it.
    fn previous_match(&mut self) -> Option<(usize, usize)> {
        let mut state = self.state(0);
        let mut found = None;
        for at in 0..self.at.saturating_sub(1) {
            state.apply(&self.events[at]);
            found = self.matching(at, &state.to_json()).map(|which| (at + 1, which)).or(found);
        }
        found
    }

    fn matching(&self, at: usize, state: &Value) -> Option<usize> {
        let event = event_json(&self.events[at]);
        self.breakpoints.iter().position(|predicate| predicate.holds(&event, state))
    }

    /// The state after this many events.
    fn state(&mut self, events: usize) -> Box<dyn AnyState> {
        let known = (events / KEPT_EVERY).min(self.kept.len() - 1);
        let mut state = self.kept[known].boxed_clone();
        for at in known * KEPT_EVERY..events {
            state.apply(&self.events[at]);
            if (at + 1) % KEPT_EVERY == 0 && (at + 1) / KEPT_EVERY == self.kept.len() {
                self.kept.push(state.boxed_clone());
            }
        }
        state
    }
}

#[cfg(test)]
mod tests;
