//! What would have happened: the log up to a position in memory, and commands decided on top of it. Nothing reaches the log.

mod entities;

use std::{cell::Cell, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::entities::{AnyEntity, Others, entity_of};
use crate::{
    debug::range::{check_range, views_at},
    domain::{
        Context, ListId, Moment, Outcome, Principal, Refusal, StreamId, StreamKind,
        references::{Found, Referent},
    },
    events::{Log, LogError, Position, Recorded, codec::event_json},
    projections::{ListTotals, StoreTotal, TotalsView, Views, totals::PriceLookup},
};

/// The principal of a command that names none, as over HTTP.
const WHO_DEFAULT: &str = "local";

/// One line of what-if commands.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WhatIf {
    pub stream: StreamId,
    /// Like the body of a request to the stream's entity.
    pub command: Value,
    pub who: Option<Principal>,
}

/// The result of one command.
#[derive(Debug, Clone, Serialize)]
pub struct Decided {
    pub stream: StreamId,
    pub outcome: Verdict,
    /// Why it was refused, as a stable code and a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// What it would have recorded, as clients would see it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Value>,
}

/// An outcome, or a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Applied,
    Merged,
    Unchanged,
    Refused,
}

/// A list's totals, per store.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Totals {
    /// For the store that the list is shown with.
    pub shown: Value,
    pub stores: Vec<StoreTotal>,
}

/// A copy of the log at a position, with the commands tried on it.
pub struct Fork<'a> {
    log: &'a dyn Log,
    position: Position,
    at: Moment,
    views: Views,
    entities: BTreeMap<StreamId, Box<dyn AnyEntity>>,
    /// The position of the newest event, tried ones included.
    newest: Position,
}

/// Why there is no fork.
#[derive(Debug, thiserror::Error)]
pub enum ForkError {
    #[error("{0}")]
    Position(String),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl<'a> Fork<'a> {
    /// Replays a log up to and including a position.
    ///
    /// # Errors
    /// When the log does not hold that position, or cannot be read.
    pub fn at(log: &'a dyn Log, position: Position) -> Result<Self, ForkError> {
        check_range(None, Some(position), log.head()).map_err(ForkError::Position)?;
        let (views, at) = views_at(log, position)?;
        Ok(Self { log, position, at, views, entities: BTreeMap::new(), newest: position })
    }

    /// Tries a command at the moment of the fork, after all earlier ones. A refusal changes nothing.
    ///
    /// # Errors
    /// When the stream cannot be read; something that is not a command is a refusal.
    pub fn attempt(&mut self, what: &WhatIf) -> Result<Decided, LogError> {
        let who = what.who.clone().or_else(|| Principal::new(WHO_DEFAULT).ok());
        let context = Context::of_admin(who.expect("the default is a valid id because it is written here"), self.at);
        let (newest, at) = (self.newest, self.at);
        self.entity(&what.stream)?;
        let entity = self.entities.get(&what.stream).expect("this holds because it was put there just now");
        let mut decided = Decided { stream: what.stream.clone(), outcome: Verdict::Refused, code: None, detail: None, events: Vec::new() };
        let unread = Cell::new(None);
        let find = |to: Referent<'_>| {
            self.find(to).unwrap_or_else(|error| {
                unread.set(Some(error));
                Found::Nothing
            })
        };
        let others = Others { find: &find, holder: &|code| self.views.now().holder(code).cloned() };
        let tried = entity.decide(&what.stream, &what.command, &context, &others, newest, at);
        if let Some(error) = unread.take() {
            return Err(error);
        }
        match tried {
            Ok((outcome, events)) => {
                decided.outcome = outcome.into();
                decided.events = events.iter().map(event_json).collect();
                self.record(&events);
            }
            Err(Refusal { code, detail, .. }) => (decided.code, decided.detail) = (Some(code), Some(detail)),
        }
        Ok(decided)
    }

    /// What there is under a reference, as of the fork and what was tried on it.
    fn find(&self, to: Referent<'_>) -> Result<Found, LogError> {
        let exists = |is_there: bool| if is_there { Found::Entity } else { Found::Nothing };
        Ok(match to {
            Referent::Store(id) | Referent::Money(id, ..) => self.views.currency(id).map_or(Found::Nothing, Found::Store),
            Referent::Product(id) => exists(self.views.is_registered(id)),
            Referent::Household(id) => exists(self.views.households.get(id).is_some()),
            Referent::List(id) => exists(self.has_list(id)?),
        })
    }

    fn has_list(&self, id: &ListId) -> Result<bool, LogError> {
        let Ok(stream) = StreamId::new(StreamKind::List, id.as_str()) else { return Ok(false) };
        if let Some(tried) = self.entities.get(&stream) {
            return Ok(tried.list().is_some());
        }
        let first = self.log.read_stream(&stream, 0, 1)?;
        Ok(first.iter().any(|one| one.position <= self.position))
    }

    /// A list's totals as they are now; `None` if there is no such list.
    ///
    /// # Errors
    /// When the list's stream cannot be read.
    pub fn totals(&mut self, id: &ListId) -> Result<Option<Totals>, LogError> {
        let Ok(stream) = StreamId::new(StreamKind::List, id.as_str()) else { return Ok(None) };
        let at = self.at;
        self.entity(&stream)?;
        let list = self.entities.get(&stream).and_then(|entity| entity.list());
        Ok(list.map(|list| Totals::of(ListTotals::build(list, &self.views, at).view(None))))
    }

    /// An entity as of the fork, folded on first use: most are never used.
    fn entity(&mut self, stream: &StreamId) -> Result<&mut Box<dyn AnyEntity>, LogError> {
        if !self.entities.contains_key(stream) {
            let mut entity = entity_of(stream.kind());
            for recorded in self.log.read_stream(stream, 0, usize::MAX)? {
                if recorded.position <= self.position {
                    entity.apply(&recorded);
                }
            }
            self.entities.insert(stream.clone(), entity);
        }
        Ok(self.entities.get_mut(stream).expect("it was put there just now"))
    }

    fn record(&mut self, events: &[Recorded]) {
        for recorded in events {
            self.newest = recorded.position;
            self.views.apply(recorded);
            if let Some(entity) = self.entities.get_mut(&recorded.stream) {
                entity.apply(recorded);
            }
        }
    }
}

impl Totals {
    fn of(view: TotalsView) -> Self {
        let stores = view.stores.clone();
        let mut shown = serde_json::to_value(view).unwrap_or(Value::Null);
        if let Value::Object(fields) = &mut shown {
            fields.remove("stores");
        }
        Self { shown, stores }
    }
}

impl From<Outcome> for Verdict {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Applied => Self::Applied,
            Outcome::Merged => Self::Merged,
            Outcome::Unchanged => Self::Unchanged,
        }
    }
}

#[cfg(test)]
mod tests;
