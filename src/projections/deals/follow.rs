//! Keeping the current deals: whatever order prices come in, what is kept is what judging every price again would give.

use super::{
    DealChange, Deals, Row,
    judge::{end, is_known, judge},
};
use crate::{
    domain::{Moment, product::PriceKind},
    events::Recorded,
    projections::{
        Changes, Views,
        history::Effect,
        observation::{KINDS, Slot},
    },
};

impl Deals {
    /// Rebuilds what a checkpoint leaves out.
    pub(in crate::projections) fn rebuild(&mut self) {
        self.ends = self.current.iter().map(|(&(product, slot), row)| (row.end(), product, slot)).collect();
        self.of_product.clear();
        let products: Vec<u32> = self.current.keys().map(|(product, _)| *product).collect();
        products.into_iter().for_each(|product| *self.count(product) += 1);
    }

    /// Records that the price of a deal was seen again; false where the slot has none.
    fn seen_again(&mut self, product: u32, slot: Slot, seen: Moment, position: u64) -> bool {
        let Some(row) = self.get(product, slot) else { return false };
        self.replace(product, slot, Some(Row { position, last_seen: seen, ..row }));
        true
    }

    fn get(&self, product: u32, slot: Slot) -> Option<Row> {
        if self.has(product) { self.current.get(&(product, slot)).copied() } else { None }
    }

    /// Most prices are of products without any deal.
    fn has(&self, product: u32) -> bool {
        self.of_product.get(product as usize).is_some_and(|&deals| deals > 0)
    }

    fn count(&mut self, product: u32) -> &mut u32 {
        let index = product as usize;
        if index >= self.of_product.len() {
            self.of_product.resize(index + 1, 0);
        }
        &mut self.of_product[index]
    }

    /// Replaces the former state with the current one; returns the former.
    fn replace(&mut self, product: u32, slot: Slot, now: Option<Row>) -> Option<Row> {
        if now.is_none() && !self.has(product) {
            return None;
        }
        let before = match now {
            Some(row) => self.current.insert((product, slot), row),
            None => self.current.remove(&(product, slot)),
        };
        match (before, now) {
            (None, Some(_)) => *self.count(product) += 1,
            (Some(_), None) => *self.count(product) -= 1,
            (None, None) | (Some(_), Some(_)) => {}
        }
        if let Some(row) = before {
            self.ends.remove(&(row.end(), product, slot));
        }
        if let Some(row) = now {
            self.ends.insert((row.end(), product, slot));
        }
        before
    }
}

impl Row {
    fn end(&self) -> Moment {
        end(self.until, self.last_seen)
    }

    /// Whether anything but the look at the price differs.
    fn is_news_after(&self, before: &Self) -> bool {
        *before != Self { position: before.position, last_seen: before.last_seen, ..*self }
    }
}

impl Views {
    /// Judges whatever a price may have made a deal, or none. `from` is the moment from which on it counts.
    pub(in crate::projections) fn judge_deals(
        &mut self,
        product: u32,
        slot: Slot,
        (effect, from): (Effect, Moment),
        recorded: &Recorded,
        changes: &mut Changes,
    ) {
        if !self.catalog.is_known(product) {
            return;
        }
        match (slot.kind(), effect) {
            // A first shelf price has nothing to compare with: by far the most common case.
            (PriceKind::Member, _) | (PriceKind::Shelf, Effect::First) => {}
            (_, Effect::Repeated) => self.see_again(product, slot, recorded, changes),
            (_, Effect::First | Effect::Newest | Effect::Late) => self.judge_deal(product, slot, recorded, changes),
        }
        if slot.kind() != PriceKind::Member && (slot.kind(), effect) != (PriceKind::Shelf, Effect::Repeated) {
            self.judge_beside(product, slot, from, recorded, changes);
        }
        self.judge_outliers(product, changes);
    }

    /// Judges every price of a product, once it is known to be one.
    pub(in crate::projections) fn judge_product(&mut self, product: u32, recorded: &Recorded, changes: &mut Changes) {
        let slots: Vec<_> = self.history.slots(product).filter(|slot| slot.kind() != PriceKind::Member).collect();
        slots.into_iter().for_each(|slot| self.judge_deal(product, slot, recorded, changes));
    }

    /// A deal lasts; what is none stays none, unless the look before this one was too long ago to count.
    fn see_again(&mut self, product: u32, slot: Slot, recorded: &Recorded, changes: &mut Changes) {
        let mut looks = self.history.newest_first(product, slot);
        let (Some(newest), Some(before)) = (looks.next(), looks.next()) else { return };
        drop(looks);
        let is_forgotten = end(self.history.tables.validity_of(&before).until, before.observed_at) <= recorded.at;
        if !self.deals.seen_again(product, slot, newest.observed_at, newest.position) && is_forgotten {
            self.judge_deal(product, slot, recorded, changes);
        }
    }

    /// The other kinds at the same store are measured against what was before them: one that begins later counts this price, too.
    fn judge_beside(&mut self, product: u32, slot: Slot, from: Moment, recorded: &Recorded, changes: &mut Changes) {
        let place = self.history.place(product, slot.store());
        let others = KINDS.into_iter().filter(|&kind| kind != slot.kind() && kind != PriceKind::Member);
        let begins_later = |kind: &PriceKind| {
            let newest = self.history.back_from(&place, *kind).next();
            newest.is_some_and(|newest| self.history.tables.start_of(&newest) >= from)
        };
        let later: smallvec::SmallVec<[PriceKind; 4]> = others.filter(begins_later).collect();
        later.into_iter().for_each(|kind| self.judge_deal(product, slot.with_kind(kind), recorded, changes));
    }

    /// Whether enough prices of a product are known to call one an outlier may change with a price at any store.
    fn judge_outliers(&mut self, product: u32, changes: &mut Changes) {
        if !self.deals.has(product) {
            return;
        }
        let of_product = self.deals.current.range((product, Slot::FIRST)..=(product, Slot::LAST));
        let suspects: Vec<_> = of_product.filter(|(_, row)| row.is_suspect()).map(|(&(_, slot), row)| (slot, *row)).collect();
        for (slot, row) in suspects {
            let outlier = is_known(&self.history, product, row.denomination);
            if outlier != row.outlier {
                self.put(product, slot, Some(Row { outlier, ..row }), changes);
            }
        }
    }

    fn judge_deal(&mut self, product: u32, slot: Slot, recorded: &Recorded, changes: &mut Changes) {
        let now = judge(&self.history, product, slot, recorded.at);
        self.put(product, slot, now, changes);
    }

    fn put(&mut self, product: u32, slot: Slot, now: Option<Row>, changes: &mut Changes) {
        let before = self.deals.replace(product, slot, now);
        if changes.unheard {
            return;
        }
        let change = match (before, now) {
            (None, Some(now)) => self.deal(product, slot, &now).map(DealChange::Began),
            (Some(before), None) => self.deal(product, slot, &before).map(DealChange::Ended),
            // The same price seen again is not news.
            (Some(before), Some(now)) if now.is_news_after(&before) => self.deal(product, slot, &now).map(DealChange::Changed),
            (None, None) | (Some(_), Some(_)) => None,
        };
        changes.deals.extend(change);
    }

    /// Ends the deals that are over when an event is recorded.
    pub(in crate::projections) fn end_expired_deals(&mut self, at: Moment, changes: &mut Changes) {
        while let Some(&(end, product, slot)) = self.deals.ends.first() {
            if end > at {
                return;
            }
            self.put(product, slot, None, changes);
        }
    }
}
