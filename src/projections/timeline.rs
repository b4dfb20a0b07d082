//! What happened to a list or household, newest first: who, sent by whom, from which device, when, before and after, and why.

use std::sync::Arc;

use serde::Serialize;

use super::commands::{Undos, events_of, restores, undoes};
use crate::{
    domain::{
        ClientId, CommandId, ItemId, Moment, Outcome, Principal,
        changes::{Change, trace},
        household::Households,
        list::{ListEvent, ListState, Lists},
        undo::Undo,
    },
    events::{At, Position, Recorded, names::event_name},
};

/// One event as a person reads it.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct TimelineEntry {
    #[schema(value_type = String)]
    pub position: Position,
    /// The version that the entity had with it.
    pub version: u64,
    pub at: Moment,
    pub who: Principal,
    /// Who really sent the command, acting for `who`; absent if nobody acts for another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<Principal>,
    /// The device or program it was sent from, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientId>,
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The items it touched, with their names at that time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<NamedItem>,
    pub changes: Vec<Change>,
    pub cause: Cause,
}

/// An item and its name.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct NamedItem {
    pub id: ItemId,
    pub name: String,
}

/// What led to an event.
#[derive(Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Cause {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command_id: Option<CommandId>,
    /// The command at this position was undone by it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub undoes: Option<Position>,
    /// The entity was brought back to what it was at this position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub restores: Option<Position>,
    /// What was added was merged with what was there.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub merged: bool,
    /// Its command was undone at this position.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub undone: Option<Position>,
}

/// The events asked for.
#[derive(Debug, Default)]
pub struct TimelineQuery {
    pub item: Option<ItemId>,
    /// The oldest that is shown.
    pub from: Option<At>,
    /// The newest that is shown.
    pub to: Option<At>,
    /// Only events older than this.
    pub before: Option<Position>,
    pub limit: usize,
}

/// An entity with a timeline.
pub trait Told: Undo {
    /// The items that an event touches, as a state names them.
    fn items(_event: &Self::Event, _state: &Self::State) -> Vec<NamedItem> {
        Vec::new()
    }

    /// Whether an event touches an item.
    fn touches(_event: &Self::Event, _item: &ItemId) -> bool {
        false
    }
}

impl Told for Lists {
    fn items(event: &ListEvent, state: &ListState) -> Vec<NamedItem> {
        let name = |id: &ItemId| state.list().and_then(|list| list.items.get(id)).map(|item| item.name.clone());
        event.facts().items.all().iter().filter_map(|id| Some(NamedItem { id: id.clone(), name: name(id)? })).collect()
    }

    fn touches(event: &ListEvent, item: &ItemId) -> bool {
        event.facts().items.all().contains(item)
    }
}

impl Told for Households {}

/// The newest events asked for, newest first. The history must be the whole stream.
#[must_use]
pub fn timeline<E: Told>(history: &[Arc<Recorded>], query: &TimelineQuery) -> Vec<TimelineEntry> {
    let wanted = |place: &usize| wants::<E>(query, &history[*place]);
    let mut shown: Vec<_> = (0..history.len()).rev().filter(wanted).take(query.limit).collect();
    let undos = Undos::of(history);
    let (mut state, mut entries) = (E::State::default(), Vec::new());
    let Some(last) = shown.first().copied() else { return entries };
    for (place, recorded) in history.iter().enumerate().take(last + 1) {
        let Some(event) = E::own(&recorded.event) else { continue };
        if shown.last() == Some(&place) {
            shown.pop();
            let first = history[events_of::<E>(history, place).start].position;
            entries.push(entry::<E>(&mut state, event, recorded, undos.by(first), query.item.as_ref()));
        } else {
            E::evolve(&mut state, event, &recorded.fact());
        }
    }
    entries.reverse();
    entries
}

fn wants<E: Told>(query: &TimelineQuery, recorded: &Recorded) -> bool {
    let is_from = query.from.is_none_or(|from| match from {
        At::Position(from) => recorded.position >= from,
        At::Time(from) => recorded.at >= from,
    });
    let is_until = query.to.is_none_or(|to| match to {
        At::Position(to) => recorded.position <= to,
        At::Time(to) => recorded.at <= to,
    });
    let of_item = query.item.as_ref().is_none_or(|item| E::own(&recorded.event).is_some_and(|event| E::touches(event, item)));
    is_from && is_until && of_item && query.before.is_none_or(|before| recorded.position < before)
}

/// Applies the event to the state and describes it.
fn entry<E: Told>(
    state: &mut E::State,
    event: &E::Event,
    recorded: &Recorded,
    undone: Option<Position>,
    item: Option<&ItemId>,
) -> TimelineEntry {
    let of_item = |id: &str| item.is_none_or(|item| item.as_str() == id);
    let mut items = E::items(event, state);
    let mut changes = trace::<E>(state, event, &recorded.fact());
    if items.is_empty() {
        items = E::items(event, state);
    }
    items.retain(|item| of_item(item.id.as_str()));
    changes.retain(|change| change.item.as_deref().is_none_or(of_item));
    let command = recorded.command.as_ref();
    TimelineEntry {
        position: recorded.position,
        version: recorded.version,
        at: recorded.at,
        who: recorded.who.clone(),
        by: recorded.by.clone(),
        client: recorded.client.clone(),
        kind: event_name(&recorded.event),
        items,
        changes,
        cause: Cause {
            command_id: command.map(|mark| mark.id.clone()),
            undoes: undoes(recorded),
            restores: restores(recorded),
            merged: command.is_some_and(|mark| mark.outcome == Outcome::Merged),
            undone,
        },
    }
}
