//! The list index: all lists, without their items' details. For overviews; a list itself is read from its actor.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{differences, interner::Interner, views::OwnView};
use crate::{
    domain::{
        Event, HouseholdId, ItemId, ListId, Principal, StoreId,
        list::{ListEvent, Presence, Role},
        rights::{Action, Reader, Rights, Standing, Verdict},
    },
    events::{Position, Recorded},
};

/// Every list by its number, in order of creation.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ListIndex {
    ids: Interner<ListId>,
    rows: Vec<Row>,
    /// The lists of each household, in order of creation.
    #[serde(skip)]
    of_household: HashMap<HouseholdId, BTreeSet<u32>>,
    /// The lists shared with each person by name.
    #[serde(skip)]
    of_member: HashMap<Principal, BTreeSet<u32>>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Row {
    name: String,
    household: Option<HouseholdId>,
    store: Option<StoreId>,
    archived: bool,
    members: BTreeMap<Principal, Role>,
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
            self.record(recorded.stream.id(), event, &recorded.who, recorded.position);
        }
    }

    fn rows(&self) -> Box<dyn Iterator<Item = differences::Row> + '_> {
        Box::new(self.ids.names().zip(&self.rows).map(|(id, row)| (format!("list/{id}"), format!("{row:?}"))))
    }
}

impl ListIndex {
    /// A page of the lists that a reader may see, in order of creation.
    #[must_use]
    pub fn page(&self, reader: &Reader, query: &ListQuery) -> Vec<ListEntry> {
        let Some(start) = super::catalog::start_after(&self.ids, query.after.as_ref().map(ListId::as_str)) else { return Vec::new() };
        let wanted =
            |entry: &ListEntry| (query.archived || !entry.archived) && (query.household.is_none() || entry.household == query.household);
        match self.seen_by(reader) {
            // After a list that the reader must not know of there is nothing, as after one that is not there.
            Some(seen) if start > 0 && !seen.contains(&(start - 1)) => Vec::new(),
            None => (start..).map_while(|number| self.entry(number)).filter(wanted).take(query.limit).collect(),
            Some(seen) => seen.range(start..).filter_map(|number| self.entry(*number)).filter(wanted).take(query.limit).collect(),
        }
    }

    /// The numbers of the lists that a reader may see; `None` for all.
    fn seen_by(&self, reader: &Reader) -> Option<BTreeSet<u32>> {
        let roles = match &reader.rights {
            Rights::Admin => return None,
            Rights::Account(roles) => roles,
            Rights::Link(list) => return Some(self.ids.get(list.as_str()).into_iter().collect()),
            Rights::Nobody => return Some(BTreeSet::new()),
        };
        let of_households = roles.households.keys().filter_map(|household| self.of_household.get(household));
        let all = of_households.chain(self.of_member.get(&reader.who)).flatten().copied();
        Some(all.filter(|number| self.standing_on(*number, reader).may(Action::SeeList) == Verdict::Allowed).collect())
    }

    /// What a reader is to a list; to one that is not there, a stranger.
    #[must_use]
    pub fn standing(&self, reader: &Reader, id: &ListId) -> Standing {
        match (&reader.rights, self.ids.get(id.as_str())) {
            (Rights::Link(list), Some(_)) if list == id => Standing::Link,
            (_, Some(number)) => self.standing_on(number, reader),
            (rights, None) => rights.on_list_of(None, None),
        }
    }

    fn standing_on(&self, number: u32, Reader { who, rights }: &Reader) -> Standing {
        let row = self.rows.get(number as usize);
        let household = row.and_then(|row| row.household.as_ref());
        rights.on_list_of(household, row.and_then(|row| row.members.get(who)).copied())
    }

    /// Whether a list is shared with anybody of this name.
    #[must_use]
    pub fn knows_member(&self, who: &Principal) -> bool {
        self.of_member.contains_key(who)
    }

    /// Rebuilds what a checkpoint leaves out.
    pub(super) fn rebuild(&mut self) {
        (self.of_household, self.of_member) = Default::default();
        for number in 0..super::interner::as_number(self.rows.len()) {
            let row = &self.rows[number as usize];
            if let Some(household) = &row.household {
                self.of_household.entry(household.clone()).or_default().insert(number);
            }
            for member in row.members.keys() {
                self.of_member.entry(member.clone()).or_default().insert(number);
            }
        }
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

    fn record(&mut self, id: &str, event: &ListEvent, who: &Principal, position: Position) {
        let Some(number) = self.number(id) else { return };
        let Some(row) = self.rows.get_mut(number as usize) else { return };
        row.updated = position;
        if let ListEvent::Created { household: Some(household), .. } = event {
            self.of_household.entry(household.clone()).or_default().insert(number);
        }
        if let Some((member, role)) = shared_with(event, who) {
            row.members.insert(member.clone(), role);
            self.of_member.entry(member.clone()).or_default().insert(number);
        }
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

    fn number(&mut self, id: &str) -> Option<u32> {
        let number = match self.ids.get(id) {
            Some(number) => number,
            None => self.ids.number(&ListId::new(id).ok()?),
        };
        if number as usize >= self.rows.len() {
            self.rows.resize_with(number as usize + 1, Row::default);
        }
        Some(number)
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

/// With whom an event shares the list.
fn shared_with<'a>(event: &'a ListEvent, who: &'a Principal) -> Option<(&'a Principal, Role)> {
    if let ListEvent::Shared { member, role } = event {
        return Some((member, *role));
    }
    matches!(event, ListEvent::Created { .. }).then_some((who, Role::Owner))
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
