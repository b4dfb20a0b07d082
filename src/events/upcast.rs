//! Old shapes of events: each is read as it was stored and becomes today's event. Stored bytes are never rewritten.
//!
//! To change the shape of an event: give it a new number in [`current_shape`], keep the old fields here as a struct, add its line to
//! [`upcast`], and leave the old fixture in `tests/fixtures/events` where it is.

use serde::Deserialize;

use super::content::read_content;
use crate::domain::{Event, ItemId, ProductId, Quantity, list::ListEvent};

/// The shape an event of this name is written in today.
#[must_use]
pub fn current_shape(_name: &str) -> u16 {
    1
}

/// Reads an event of any shape it was ever stored in. `version` is its version in its stream.
///
/// # Errors
/// A sentence about what cannot be read.
pub fn upcast(name: &str, shape: u16, version: u64, bytes: &[u8]) -> Result<Event, String> {
    match (name, shape) {
        (_, shape) if shape == current_shape(name) => read_content(name, bytes),
        ("list.item_added", 0) => read::<ItemAdded0>(bytes).map(|old| old.today(version)),
        _ => Err(format!("this version of the program does not know shape {shape} of {name}")),
    }
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    rmp_serde::from_slice(bytes).map_err(|error| error.to_string())
}

/// Before items could be moved they had no rank and stood in the order in which they were added.
#[derive(Deserialize)]
struct ItemAdded0 {
    item: ItemId,
    name: String,
    product: Option<ProductId>,
    specification: Option<String>,
    quantity: Quantity,
    note: Option<String>,
}

/// The distance of two ranks that leaves room to move an item between them.
const RANK_GAP: i64 = 1 << 20;

impl ItemAdded0 {
    fn today(self, version: u64) -> Event {
        let Self { item, name, product, specification, quantity, note } = self;
        let rank = i64::try_from(version).unwrap_or(i64::MAX).saturating_mul(RANK_GAP);
        ListEvent::ItemAdded { item, name, product, specification, quantity, note, rank }.into()
    }
}
