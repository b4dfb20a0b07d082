//! The order of items: ranks with gaps, so that a move is nearly always one event.

use super::{List, ListEvent, found::existing};
use crate::domain::{Decision, ItemId, Outcome, Refusal, RefusalKind::Invalid};

/// Between neighbours that were never moved. Twenty-four moves into the same gap use it up; then the list is re-spaced.
const GAP: i64 = 1 << 24;

/// The rank of a new item: after all others.
pub(super) fn last(list: &List) -> i64 {
    list.items.index().last_rank().map_or(0, |rank| rank.saturating_add(GAP))
}

/// Decides a move directly after another item, or to the front.
pub(super) fn move_behind(list: &List, id: &ItemId, after: Option<&ItemId>) -> Result<Decision<ListEvent>, Refusal> {
    let moving = existing(list, id)?;
    if after == Some(id) {
        return Err(Refusal::new(Invalid, "move_behind_itself", "an item cannot be moved after itself").at("/after"));
    }
    let before = after.map(|after| existing(list, after).map_err(|refusal| refusal.at("/after"))).transpose()?;
    let left = before.map(|item| item.rank).zip(after);
    let right = list.items.index().places_after(left).find(|(_, other)| *other != id);
    let here = (moving.rank, id);
    if left.is_none_or(|left| left < here) && right.is_none_or(|right| here < right) {
        return Ok(Decision::unchanged());
    }
    match between(left.map(|(rank, _)| rank), right.map(|(rank, _)| rank)) {
        Some(rank) => Ok(Decision::applied(ListEvent::ItemMoved { item: id.clone(), rank })),
        None => Ok(respaced(list, id, after)),
    }
}

/// A rank with room on both sides, if there is one.
fn between(left: Option<i64>, right: Option<i64>) -> Option<i64> {
    match (left, right) {
        (None, None) => Some(0),
        (Some(left), None) => left.checked_add(GAP),
        (None, Some(right)) => right.checked_sub(GAP),
        (Some(left), Some(right)) => {
            let middle = left.midpoint(right);
            (left < middle && middle < right).then_some(middle)
        }
    }
}

/// New ranks for the whole list with the item in its new place. The moved item comes first; unchanged ranks are left out.
fn respaced(list: &List, id: &ItemId, after: Option<&ItemId>) -> Decision<ListEvent> {
    let mut order: Vec<_> = list.items_in_order().into_iter().filter(|(other, _)| *other != id).collect();
    let place = order.iter().position(|(other, _)| Some(*other) == after).map_or(0, |before| before + 1);
    if let Some(moving) = list.items.get_key_value(id) {
        order.insert(place, moving);
    }
    let ranks = std::iter::successors(Some(0), |rank: &i64| rank.checked_add(GAP));
    let mut moved: Vec<_> = order.into_iter().zip(ranks).filter(|((other, item), rank)| item.rank != *rank || *other == id).collect();
    moved.sort_by_key(|((other, _), _)| *other != id);
    let events = moved.into_iter().map(|((other, _), rank)| ListEvent::ItemMoved { item: other.clone(), rank }).collect();
    Decision { outcome: Outcome::Applied, events }
}
