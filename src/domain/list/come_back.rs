//! Items that come back after their removal: unchanged, under a new id, as lines of their own.

use super::{Item, List, ListCommand, merge};
use crate::domain::{ItemId, StreamId};

/// The id under which an item comes back: the same for the same reason, and never that of a removed one. The reason is what
/// makes it come back once, such as the position of its removal.
pub(super) fn heir(stream: &StreamId, why: &str, position: u64, item: &ItemId) -> ItemId {
    let mut hasher = blake3::Hasher::new_derive_key("aisled 2026 id of an item that comes back");
    for part in [&stream.to_string(), why, &position.to_string(), item.as_str()] {
        hasher.update(part.as_bytes());
        hasher.update(&[0]);
    }
    let bytes = *hasher.finalize().as_bytes().first_chunk().expect("32 bytes hold 16 because a hash has a fixed length");
    let text = uuid::Builder::from_custom_bytes(bytes).into_uuid().to_string();
    ItemId::new(&text).expect("it is an id because a UUID has 36 letters, digits and hyphens")
}

/// Adds the item as it was. Where it would merge with an existing one, it is first added under a specification that
/// nothing else has, which is then corrected.
pub(super) fn come_back(list: &List, id: &ItemId, item: &Item) -> Vec<ListCommand> {
    let alone = !merge::takes_any(list, item);
    let specification = if alone { item.specification.clone() } else { Some(id.to_string()) };
    let mut commands = vec![ListCommand::AddItem {
        item: id.clone(),
        name: item.name.clone(),
        product: item.product.clone(),
        specification,
        quantity: item.quantity.clone(),
        note: item.note.clone(),
    }];
    if !alone {
        let specification = Some(item.specification.clone().unwrap_or_default());
        commands.push(ListCommand::ChangeDetails { item: id.clone(), name: None, specification, note: None });
    }
    if item.checked.is_some() {
        commands.push(ListCommand::Check { item: id.clone() });
    }
    commands
}
