//! How each event of a list is undone: relative changes relatively, absolute ones only while their value is unchanged.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Item, List, ListCommand, ListEvent, ListState, Lists,
    come_back::{come_back, heir},
    facts,
    found::existing,
    merge,
};
use crate::domain::{
    ItemId, Principal, Quantity, Refusal,
    RefusalKind::Conflict,
    changes::{Touched, Traced},
    undo::{Undo, Undoing, changed_since},
};

type Inverse = Result<Vec<ListCommand>, Refusal>;

impl Traced for Lists {
    fn touched(event: &ListEvent, state: &ListState) -> Touched {
        super::changes::touched(event, state)
    }
}

impl Undo for Lists {
    fn inverse(of: &Undoing<'_, Self>) -> Inverse {
        match (of.before.list(), of.after.list(), of.now.list()) {
            (Some(before), Some(after), Some(now)) => Scene { of, before, after, now }.inverse(),
            _ => Err(stays("creation_stays", "a list cannot be deleted; archive it instead")),
        }
    }

    fn overwrites(later: &ListEvent, event: &ListEvent) -> bool {
        facts::overwrites(later, event)
    }

    fn continues(previous: &ListEvent, event: &ListEvent) -> bool {
        facts::continues(previous, event)
    }
}

fn stays(code: &'static str, detail: impl Into<String>) -> Refusal {
    Refusal::new(Conflict, code, detail)
}

/// One event of a list, and the list before it, after it and now.
struct Scene<'a> {
    of: &'a Undoing<'a, Lists>,
    before: &'a List,
    after: &'a List,
    now: &'a List,
}

impl Scene<'_> {
    fn inverse(&self) -> Inverse {
        use ListEvent as E;
        let Self { before, now, .. } = self;
        let archived = matches!(self.of.now, ListState::Archived(_));
        match self.of.event {
            E::Created { .. } => Err(stays("creation_stays", "a list cannot be deleted; archive it instead")),
            E::Renamed { name } => back(now.name == *name, ListCommand::Rename { name: before.name.clone() }, || {
                format!("the list is called “{}” now, not “{name}”", now.name)
            }),
            E::StoreChosen { store } => back(now.store == *store, ListCommand::ChooseStore { store: before.store.clone() }, || {
                "the list has a different store now".into()
            }),
            E::BudgetSet { budget } => back(now.budget == *budget, ListCommand::SetBudget { budget: before.budget }, || {
                "the list has a different budget now".into()
            }),
            E::Shared { member, role } => self.unshare(member, now.members.get(member) == Some(role)),
            E::Archived {} => back(archived, ListCommand::Revive, || "the list was revived".into()),
            E::Revived {} => back(!archived, ListCommand::Archive, || "the list was archived again".into()),
            E::ItemAdded { item, .. } => self.take_off(item),
            E::ItemQuantityChanged { item, by: Some(by), quantity } => self.change_back(item, by, quantity),
            E::ItemQuantityChanged { item, by: None, quantity } => self.set_back(item, quantity),
            E::ItemDetailsChanged { item, .. } => self.details_back(item),
            E::ItemMatched { item, product } => {
                let (id, there) = self.current(item)?;
                let command = ListCommand::Match { item: id, product: before.items.get(item).and_then(|item| item.product.clone()) };
                back(there.product == *product, command, || format!("“{}” is matched to another product by now", there.name))
            }
            E::ItemChecked { item } => {
                let (id, there) = self.current(item)?;
                back(there.checked.is_some(), ListCommand::Uncheck { item: id }, || format!("“{}” is not ticked any more", there.name))
            }
            E::ItemUnchecked { item } => {
                let (id, there) = self.current(item)?;
                back(there.checked.is_none(), ListCommand::Check { item: id }, || format!("“{}” is ticked again", there.name))
            }
            E::ItemMoved { item, .. } => self.move_back(item),
            E::ItemRemoved { item } => Ok(self.put_back(std::slice::from_ref(item))),
            E::CheckedCleared { items } => Ok(self.put_back(items)),
            E::CheckedOut { order, .. } => {
                let detail =
                    format!("the items were checked out into order {order}; cancel or amend that, and add again what is still needed");
                Err(stays("checked_out", detail))
            }
        }
    }

    fn unshare(&self, member: &Principal, still: bool) -> Inverse {
        let Some(role) = self.before.members.get(member) else {
            let detail = format!("a list keeps its members; make {member} a viewer instead, who may read but change nothing");
            return Err(stays("member_stays", detail));
        };
        let command = ListCommand::Share { member: member.clone(), role: *role };
        back(still, command, || format!("{member} has another role by now"))
    }

    /// An added item is removed as long as nobody changed it.
    fn take_off(&self, added: &ItemId) -> Inverse {
        let (id, there) = self.current(added)?;
        let same = self.after.items.get(added).is_some_and(|item| {
            let fields = super::changes::item_fields;
            fields(item) == fields(there)
        });
        back(same, ListCommand::Remove { item: id }, || {
            format!("“{}” is not as it was added any more; remove it if nobody needs it", there.name)
        })
    }

    /// Subtracts what was added. Where nothing else changed it, the earlier quantity is set, in its unit.
    fn change_back(&self, item: &ItemId, by: &Quantity, made: &Quantity) -> Inverse {
        let (id, there) = self.current(item)?;
        let was = self.before.items.get(item).map(|item| &item.quantity);
        let relative = by.negated();
        let exact = merge::sum(&there.quantity, &relative).ok();
        Ok(vec![match was {
            Some(was) if there.quantity == *made && exact.as_ref() != Some(was) => {
                ListCommand::SetQuantity { item: id, quantity: was.clone() }
            }
            _ => ListCommand::ChangeQuantity { item: id, by: relative },
        }])
    }

    fn set_back(&self, item: &ItemId, made: &Quantity) -> Inverse {
        let (id, there) = self.current(item)?;
        let was = self.before.items.get(item).map_or_else(|| there.quantity.clone(), |item| item.quantity.clone());
        back(there.quantity == *made, ListCommand::SetQuantity { item: id, quantity: was }, || {
            format!("“{}” is {} by now, not {made}", there.name, there.quantity)
        })
    }

    fn details_back(&self, item: &ItemId) -> Inverse {
        let ListEvent::ItemDetailsChanged { name, specification, note, .. } = self.of.event else { return Ok(Vec::new()) };
        let (id, there) = self.current(item)?;
        let Some(was) = self.before.items.get(item) else { return Ok(Vec::new()) };
        let still = [
            (name.as_deref(), Some(there.name.as_str())),
            (specification.as_deref(), there.specification.as_deref()),
            (note.as_deref(), there.note.as_deref()),
        ];
        let still = still.into_iter().all(|(made, is)| made.is_none_or(|made| made == is.unwrap_or_default()));
        let text = |touched: bool, was: Option<&String>| touched.then(|| was.cloned().unwrap_or_default());
        let command = ListCommand::ChangeDetails {
            item: id,
            name: text(name.is_some(), Some(&was.name)),
            specification: text(specification.is_some(), was.specification.as_ref()),
            note: text(note.is_some(), was.note.as_ref()),
        };
        back(still, command, || format!("the details of “{}” were changed again", there.name))
    }

    /// A place is defined by the item in front, among the items present both then and now.
    fn move_back(&self, item: &ItemId) -> Inverse {
        let (id, there) = self.current(item)?;
        let names = self.names();
        let [was, made] = [self.before, self.after].map(|list| {
            let in_front = list.in_front_of(item, |other| names.contains_key(other));
            in_front.and_then(|other| names.get(&other).cloned())
        });
        if was == made {
            return Ok(Vec::new());
        }
        let common: BTreeSet<_> = names.into_values().collect();
        let still = self.now.in_front_of(&id, |other| common.contains(other)) == made;
        back(still, ListCommand::Move { item: id, after: was }, || format!("“{}” stands elsewhere by now", there.name))
    }

    /// The current ids of items that were there before and after, as far as they exist.
    fn names(&self) -> BTreeMap<ItemId, ItemId> {
        let both = self.before.items.keys().filter(|id| self.after.items.contains_key(*id));
        both.filter_map(|id| Some((id.clone(), self.current(id).ok()?.0))).collect()
    }

    /// Items that were taken off come back, each after its former predecessor.
    fn put_back(&self, gone: &[ItemId]) -> Vec<ListCommand> {
        let mut commands = Vec::new();
        let mut in_front = None;
        for (id, item) in self.before.items_in_order() {
            if gone.contains(id) {
                let heir = self.heir(id, self.of.position);
                commands.extend(come_back(self.now, &heir, item));
                commands.push(ListCommand::Move { item: heir.clone(), after: in_front });
                in_front = Some(heir);
            } else if let Ok((there, _)) = self.current(id) {
                in_front = Some(there);
            }
        }
        commands
    }

    /// The item as it is now, under the id it came back with if it was gone meanwhile.
    fn current(&self, item: &ItemId) -> Result<(ItemId, &Item), Refusal> {
        let mut id = item.clone();
        while !self.now.items.contains_key(&id) {
            let heir = self.now.removed.get(&id).map(|removed| self.heir(&id, removed.position));
            let Some(heir) = heir.filter(|heir| self.now.items.contains_key(heir) || self.now.removed.contains_key(heir)) else { break };
            id = heir;
        }
        existing(self.now, &id).map(|there| (id.clone(), there)).map_err(|refusal| Refusal { kind: Conflict, ..refusal })
    }

    fn heir(&self, item: &ItemId, position: u64) -> ItemId {
        heir(self.of.stream, "undo", position, item)
    }
}

/// The command, if what it undoes is unchanged.
fn back(still: bool, command: ListCommand, otherwise: impl FnOnce() -> String) -> Inverse {
    if still { Ok(vec![command]) } else { Err(changed_since(otherwise())) }
}
