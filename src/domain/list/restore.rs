//! A list brought back to what it was: its fields, its items (those that are gone under new ids), their order, its phase.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, List, ListCommand, ListDiff, ListState, Lists, Role,
    come_back::{come_back, heir},
    diff,
    order::to_move,
    state::own_fields,
};
use crate::domain::{
    Context, ItemId, StreamId,
    restore::{Restorable, Restored, Restoring},
};

impl Restorable for Lists {
    type Diff = ListDiff;

    fn diff(from: &ListState, to: &ListState) -> ListDiff {
        diff(from, to)
    }

    fn restore(now: &ListState, past: &ListState, stream: &StreamId, version: u64, context: &Context) -> Restored<Self> {
        restore(now, past, stream, version, context)
    }
}

/// Plans to bring a list back. `version` is the current one; the ids of returning items derive from it.
///
/// What commands cannot express is noted: another household, a member who was not one then, an order created since.
#[must_use]
pub fn restore(now: &ListState, past: &ListState, stream: &StreamId, version: u64, context: &Context) -> Restored<Lists> {
    let mut restoring = Restoring::from(now, stream, context);
    let Some(past_list) = past.list() else { return restoring.restored };
    let stays_archived = matches!((now, past), (ListState::Archived(_), ListState::Archived(_)));
    restoring.begin(past_list);
    restoring.fields(past_list);
    let names = restoring.items(past_list, |item| heir(stream, "restore", version, item));
    restoring.order(past_list, &names);
    restoring.members(past_list, context);
    if matches!(past, ListState::Archived(_)) {
        restoring.command(ListCommand::Archive, || "it could not be archived again".into());
    }
    // Reviving it only to archive it again is pointless.
    if stays_archived && restoring.restored.plan.commands == [ListCommand::Revive, ListCommand::Archive] {
        let notes = std::mem::take(&mut restoring.restored.notes);
        restoring = Restoring::from(now, stream, context);
        restoring.restored.notes = notes;
    }
    restoring.restored
}

impl Restoring<'_, Lists> {
    /// Creates the list if there is none, revives an archived one.
    fn begin(&mut self, past: &List) {
        match self.state() {
            ListState::Absent => {
                let command = ListCommand::Create { name: past.name.clone(), household: past.household.clone(), store: past.store.clone() };
                self.command(command, || "it could not be created again".into());
            }
            ListState::Archived(_) => self.command(ListCommand::Revive, || "it could not be revived".into()),
            ListState::Active(_) => {}
        }
    }

    fn fields(&mut self, past: &List) {
        for (command, refused) in own_fields(past) {
            self.command(command, || refused);
        }
        let Some(now) = self.state().list().cloned() else { return };
        if now.household != past.household {
            self.note("a list stays in its household".into());
        }
        if let Some(order) = now.last_order.filter(|order| past.last_order.as_ref() != Some(order)) {
            self.note(format!("order {order}, created by a later check-out, stays; cancel it if it is not wanted"));
        }
    }

    /// Every member gets the role of then. Owners come first, so that there is always one.
    fn members(&mut self, past: &List, context: &Context) {
        let mut roles: Vec<_> = past.members.iter().collect();
        roles.sort_by_key(|(_, role)| **role != Role::Owner);
        for (member, role) in roles {
            if *member == context.who
                && *role == Role::Viewer
                && self.state().list().is_some_and(|now| now.members.get(member) != Some(role))
            {
                self.note(format!("{member}, who brings it back, was a viewer then and keeps the role of now"));
                continue;
            }
            self.command(ListCommand::Share { member: member.clone(), role: *role }, || format!("{member} keeps another role than then"));
        }
        let members: Vec<_> = self.state().list().map(|now| now.members.keys().cloned().collect()).unwrap_or_default();
        for member in members.into_iter().filter(|member| !past.members.contains_key(member)) {
            self.note(format!("{member} was no member then and stays one: a list keeps its members"));
        }
    }

    /// The items of then, no others. Returns the current id of each.
    fn items(&mut self, past: &List, heir: impl Fn(&ItemId) -> ItemId) -> BTreeMap<ItemId, ItemId> {
        let Some(now) = self.state().list().cloned() else { return BTreeMap::new() };
        let names = same_items(&now, past);
        let kept: BTreeSet<_> = names.values().cloned().collect();
        for extra in now.items.keys().filter(|id| !kept.contains(*id)) {
            self.command(ListCommand::Remove { item: extra.clone() }, || format!("item {extra} stays on the list"));
        }
        for (then, id) in &names {
            self.item(id, &past.items[then]);
        }
        self.come_back(past, names, heir)
    }

    fn come_back(
        &mut self,
        past: &List,
        mut names: BTreeMap<ItemId, ItemId>,
        heir: impl Fn(&ItemId) -> ItemId,
    ) -> BTreeMap<ItemId, ItemId> {
        for (then, item) in past.items_in_order() {
            if names.contains_key(then) {
                continue;
            }
            let id = heir(then);
            let commands = self.state().list().map(|now| come_back(now, &id, item)).unwrap_or_default();
            for command in commands {
                self.command(command, || format!("“{}” could not be put on again", item.name));
            }
            if self.state().list().is_some_and(|now| now.items.contains_key(&id)) {
                names.insert(then.clone(), id);
            }
        }
        names
    }

    /// Every field of an item that is still there.
    fn item(&mut self, id: &ItemId, past: &Item) {
        let details = ListCommand::ChangeDetails {
            item: id.clone(),
            name: Some(past.name.clone()),
            specification: Some(past.specification.clone().unwrap_or_default()),
            note: Some(past.note.clone().unwrap_or_default()),
        };
        let tick = if past.checked.is_some() { ListCommand::Check { item: id.clone() } } else { ListCommand::Uncheck { item: id.clone() } };
        let product = ListCommand::Match { item: id.clone(), product: past.product.clone() };
        let quantity = ListCommand::SetQuantity { item: id.clone(), quantity: past.quantity.clone() };
        for command in [details, product, quantity, tick] {
            self.command(command, || format!("“{}” stays different", past.name));
        }
    }

    /// Moves as few items as possible.
    fn order(&mut self, past: &List, names: &BTreeMap<ItemId, ItemId>) {
        let Some(now) = self.state().list() else { return };
        let wanted: Vec<_> = past.items_in_order().into_iter().filter_map(|(then, _)| names.get(then)).cloned().collect();
        let current: Vec<_> = now.items_in_order().into_iter().map(|(id, _)| id.clone()).collect();
        let moving = to_move(&current, &wanted);
        for (place, id) in wanted.iter().enumerate().filter(|(_, id)| moving.contains(*id)) {
            let after = place.checked_sub(1).map(|before| wanted[before].clone());
            self.command(ListCommand::Move { item: id.clone(), after }, || format!("item {id} is in a different place"));
        }
    }
}

/// Maps items of now to those of then: by id, else one that came back under another id and is identical, or at least
/// the same thing.
fn same_items(now: &List, past: &List) -> BTreeMap<ItemId, ItemId> {
    let mut names: BTreeMap<_, _> = past.items.keys().filter(|id| now.items.contains_key(*id)).map(|id| (id.clone(), id.clone())).collect();
    let mut free: Vec<_> = now.items_in_order().into_iter().filter(|(id, _)| !past.items.contains_key(*id)).collect();
    let same_thing =
        |one: &Item, other: &Item| (&one.name, &one.product, &one.specification) == (&other.name, &other.product, &other.specification);
    let very_same = |one: &Item, other: &Item| {
        let rest = |item: &Item| (item.quantity.clone(), item.note.clone(), item.checked.is_some());
        same_thing(one, other) && rest(one) == rest(other)
    };
    for is_same in [&very_same as &dyn Fn(&Item, &Item) -> bool, &same_thing] {
        for (then, item) in past.items_in_order() {
            if !names.contains_key(then)
                && let Some(place) = free.iter().position(|(_, other)| is_same(item, other))
            {
                names.insert(then.clone(), free.remove(place).0.clone());
            }
        }
    }
    names
}
