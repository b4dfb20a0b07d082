//! The list index: all lists, without their items' details. For overviews; a list itself is read from its actor.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{differences, interner::Interner, views::OwnView};
use crate::{
    domain::{
        Event, HouseholdId, ItemId, ListId, StoreId,
        list::{ListEvent, Presence},
    },
    events::{Position, Recorded},
};

/// Every list by its number, in order of creation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListIndex {
    ids: Interner<ListId>,
    rows: Vec<Row>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Row {
    name: String,
    household: Option<HouseholdId>,
    store: Option<StoreId>,
    archived: bool,
    /// Whether each item is ticked.
    items: BTreeMap<ItemId, bool>,
    ticked: u32,
    updated: Position,
}

/// A list in an overview.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ListEntry {
    pub id: ListId,
    pub name: String,
    pub household: Option<HouseholdId>,
    pub store: Option<StoreId>,
    pub archived: bool,
    pub items: u32,
    pub unchecked: u32,
    /// The position of its newest event.
    #[schema(value_type = String)]
    pub updated: Position,
}

/// The lists asked for.
#[derive(Debug, Clone, Default)]
pub struct ListQuery {
    pub household: Option<HouseholdId>,
    /// Archived ones too.
    pub archived: bool,
    /// After this one.
    pub after: Option<ListId>,
    pub limit: usize,
}

impl OwnView for ListIndex {
    fn apply(&mut self, recorded: &Recorded) {
        if let Event::List(event) = &recorded.event {
            self.record(recorded.stream.id(), event, recorded.position);
        }
    }

    fn rows(&self) -> Box<dyn Iterator<Item = differences::Row> + '_> {
        Box::new(self.ids.names().zip(&self.rows).map(|(id, row)| (format!("list/{id}"), format!("{row:?}"))))
    }
}

impl ListIndex {
    /// A page of lists, in order of creation.
    #[must_use]
    pub fn page(&self, query: &ListQuery) -> Vec<ListEntry> {
        let Some(start) = super::catalog::start_after(&self.ids, query.after.as_ref().map(ListId::as_str)) else { return Vec::new() };
        let wanted =
            |entry: &ListEntry| (query.archived || !entry.archived) && (query.household.is_none() || entry.household == query.household);
        (start..).map_while(|number| self.entry(number)).filter(wanted).take(query.limit).collect()
    }

    /// One list.
    #[must_use]
    pub fn get(&self, id: &ListId) -> Option<ListEntry> {
        self.entry(self.ids.get(id.as_str())?)
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn record(&mut self, id: &str, event: &ListEvent, position: Position) {
        let Some(row) = self.row(id) else { return };
        row.updated = position;
        let facts = event.facts();
        if let Some(name) = facts.name {
            name.clone_into(&mut row.name);
        }
        if let Some(household) = facts.household {
            row.household.clone_from(household);
        }
        if let Some(store) = facts.store {
            row.store.clone_from(store);
        }
        row.archived = facts.archived.unwrap_or(row.archived);
        facts.items.all().iter().for_each(|item| row.record(item, facts.presence));
    }

    fn row(&mut self, id: &str) -> Option<&mut Row> {
        let number = match self.ids.get(id) {
            Some(number) => number,
            None => self.ids.number(&ListId::new(id).ok()?),
        } as usize;
        if number >= self.rows.len() {
            self.rows.resize_with(number + 1, Row::default);
        }
        self.rows.get_mut(number)
    }

    fn entry(&self, number: u32) -> Option<ListEntry> {
        let row = self.rows.get(number as usize)?;
        let items = super::interner::as_number(row.items.len());
        Some(ListEntry {
            id: self.ids.name(number)?.clone(),
            name: row.name.clone(),
            household: row.household.clone(),
            store: row.store.clone(),
            archived: row.archived,
            items,
            unchecked: items.saturating_sub(row.ticked),
            updated: row.updated,
        })
    }
}

impl Row {
    fn record(&mut self, item: &ItemId, presence: Presence) {
        match presence {
            Presence::Open => self.set(item, false),
            Presence::Ticked => self.set(item, true),
            Presence::Gone => self.remove(item),
            Presence::Unchanged => {}
        }
    }

    fn set(&mut self, item: &ItemId, ticked: bool) {
        let before = self.items.insert(item.clone(), ticked).unwrap_or(false);
        self.ticked = self.ticked + u32::from(ticked) - u32::from(before);
    }

    fn remove(&mut self, item: &ItemId) {
        let ticked = self.items.remove(item).unwrap_or(false);
        self.ticked -= u32::from(ticked);
    }
}
