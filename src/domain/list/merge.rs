//! Additions: the same thing unticked on the list takes the quantity, anything else becomes a new item.

use super::{
    Item, List, ListEvent,
    found::{quantity_refusal, removal},
    index::digest,
    rank,
};
use crate::domain::{
    Decision, ItemId, Outcome, ProductId, Quantity, QuantityError, Refusal,
    RefusalKind::Conflict,
    limits::{ITEMS_PER_LIST_MAX, NAME_CHARS_MAX, NOTE_CHARS_MAX, QUANTITY_MILLIONTHS_MAX},
    text::{check_optional_text, check_text},
};

/// The separator between two joined notes.
const NOTE_SEPARATOR: &str = "; ";

/// An item to add: texts trimmed, empty ones absent, everything within its limits.
pub(super) struct Addition<'a> {
    name: &'a str,
    product: Option<&'a ProductId>,
    specification: Option<&'a str>,
    quantity: &'a Quantity,
    note: Option<&'a str>,
}

impl<'a> Addition<'a> {
    pub(super) fn checked(
        name: &'a str,
        product: Option<&'a ProductId>,
        specification: Option<&'a str>,
        quantity: &'a Quantity,
        note: Option<&'a str>,
    ) -> Result<Self, Refusal> {
        check_text(name, NAME_CHARS_MAX, "/name")?;
        check_optional_text(specification.unwrap_or_default(), NOTE_CHARS_MAX, "/specification")?;
        check_optional_text(note.unwrap_or_default(), NOTE_CHARS_MAX, "/note")?;
        quantity.validate_positive().map_err(|error| quantity_refusal(&error, "/quantity/amount"))?;
        Ok(Self { name: name.trim(), product, specification: present(specification), quantity, note: present(note) })
    }

    /// Whether the list's item is this same addition, repeated.
    fn is(&self, item: &Item) -> bool {
        item.name == self.name && self.is_same_thing(item) && item.quantity == *self.quantity && item.note.as_deref() == self.note
    }

    /// Same product, or the same name where neither has a product; same specification.
    fn is_same_thing(&self, item: &Item) -> bool {
        let same = match (self.product, &item.product) {
            (Some(product), Some(other)) => product == other,
            (None, None) => same_name(self.name, &item.name),
            _ => false,
        };
        same && item.specification.as_deref() == self.specification
    }

    /// The unticked items that are the same thing, by id.
    fn same_things<'b>(&'b self, list: &'b List) -> impl Iterator<Item = (&'b ItemId, &'b Item)> {
        let alike = list.items.index().alike(digest(self.name, self.product, self.specification));
        alike.filter_map(|id| list.items.get_key_value(id)).filter(|(_, item)| self.is_same_thing(item))
    }
}

/// Whether an item of the list might absorb an added one like it.
pub(super) fn takes_any(list: &List, added: &Item) -> bool {
    let Item { name, product, specification, quantity, note, .. } = added;
    let (product, specification, note) = (product.as_ref(), specification.as_deref(), note.as_deref());
    Addition { name, product, specification, quantity, note }.same_things(list).next().is_some()
}

fn present(text: Option<&str>) -> Option<&str> {
    text.map(str::trim).filter(|text| !text.is_empty())
}

/// Compares without regard to case; most names differ within the first letters, so nothing is copied.
fn same_name(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        return left.eq_ignore_ascii_case(right);
    }
    left.chars().flat_map(char::to_lowercase).eq(right.chars().flat_map(char::to_lowercase))
}

/// Decides an addition.
pub(super) fn add(list: &List, id: &ItemId, addition: &Addition<'_>) -> Result<Decision<ListEvent>, Refusal> {
    if let Some(item) = list.items.get(id) {
        return repeated(id, item, addition);
    }
    if let Some(refusal) = removal(list, id) {
        return Err(refusal.at("/item"));
    }
    for (other, item) in addition.same_things(list) {
        // Another dimension, or a conversion that would round, makes it a separate line of the list.
        match sum(&item.quantity, addition.quantity) {
            Ok(quantity) => return merged(other, item, addition, quantity),
            Err(QuantityError::TooLarge) => return Err(quantity_refusal(&QuantityError::TooLarge, "/quantity/amount")),
            Err(_) => {}
        }
    }
    added(list, id, addition)
}

fn repeated(id: &ItemId, item: &Item, addition: &Addition<'_>) -> Result<Decision<ListEvent>, Refusal> {
    if addition.is(item) {
        return Ok(Decision::unchanged());
    }
    let detail = format!("item {id} is already on the list as “{}”; give the new item an id of its own", item.name);
    Err(Refusal::new(Conflict, "item_exists", detail).at("/item"))
}

fn merged(id: &ItemId, item: &Item, addition: &Addition<'_>, quantity: Quantity) -> Result<Decision<ListEvent>, Refusal> {
    quantity.validate_positive().map_err(|error| quantity_refusal(&error, "/quantity/amount"))?;
    let mut events = vec![ListEvent::ItemQuantityChanged { item: id.clone(), by: Some(addition.quantity.clone()), quantity }];
    if let Some(note) = joined_note(item.note.as_deref(), addition.note) {
        events.push(ListEvent::ItemDetailsChanged { item: id.clone(), name: None, specification: None, note: Some(note) });
    }
    Ok(Decision { outcome: Outcome::Merged, events })
}

/// Both notes, so that none is lost; `None` where the item's note contains it already or both would be too long.
fn joined_note(own: Option<&str>, new: Option<&str>) -> Option<String> {
    let new = new?;
    let Some(own) = own else { return Some(new.to_owned()) };
    let joined = format!("{own}{NOTE_SEPARATOR}{new}");
    let known = own.split(NOTE_SEPARATOR).any(|part| part == new);
    (!known && joined.chars().count() <= NOTE_CHARS_MAX).then_some(joined)
}

fn added(list: &List, id: &ItemId, addition: &Addition<'_>) -> Result<Decision<ListEvent>, Refusal> {
    if list.items.len() >= ITEMS_PER_LIST_MAX {
        let detail = format!("this list holds {ITEMS_PER_LIST_MAX} items, the maximum; clear the ticked ones first");
        return Err(Refusal::new(Conflict, "list_full", detail));
    }
    Ok(Decision::applied(ListEvent::ItemAdded {
        item: id.clone(),
        name: addition.name.to_owned(),
        product: addition.product.cloned(),
        specification: addition.specification.map(str::to_owned),
        quantity: addition.quantity.clone(),
        note: addition.note.map(str::to_owned),
        rank: rank::last(list),
    }))
}

/// The sum in the first's unit, or in the other's where only that is exact (1 tbsp and 1 tsp are 4 tsp) or within the limit.
pub(super) fn sum(left: &Quantity, right: &Quantity) -> Result<Quantity, QuantityError> {
    let fits = |sum: &Result<Quantity, _>| sum.as_ref().is_ok_and(|sum| sum.millionths() <= QUANTITY_MILLIONTHS_MAX);
    let sum = left.checked_add(right);
    if fits(&sum) {
        return sum;
    }
    let other = right.checked_add(left);
    if fits(&other) { other } else { sum }
}
