//! What differs between two sets of views that should be equal: which projections, which entities, and from where on.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Views, observation::Slot};
use crate::{
    domain::Event,
    domain::order::{OrderEvent, OrderLine},
    events::{Position, Recorded},
};

/// One difference of one projection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Difference {
    pub projection: &'static str,
    /// The stream whose rows differ, such as `product/milk`; absent where only the inner order differs.
    pub subject: Option<String>,
    /// The first position at which the rows themselves differ, where they hold positions.
    pub position: Option<Position>,
}

/// What one projection keeps of one subject: a hash each, because there may be hundreds of thousands.
type Rows = BTreeMap<String, blake3::Hash>;

/// One row: its owner, and its content as text, so that the inner numbers of two sets of views need not agree.
pub(super) type Row = (String, String);

impl Views {
    /// Every difference, in the order of projections and subjects; none exactly when all digests are equal.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let (ours, theirs) = (self.digests(), other.digests());
        let differing = ours.into_iter().filter(|(name, digest)| theirs.get(name) != Some(digest));
        let mut differences: Vec<_> = differing.flat_map(|(name, _)| self.differences_in(name, other)).collect();
        differences.sort();
        differences
    }

    fn differences_in(&self, projection: &'static str, other: &Self) -> Vec<Difference> {
        let found: Vec<_> = if projection == "prices" {
            self.price_differences(other)
        } else {
            let differing = differing(&rows(self, projection), &rows(other, projection));
            differing.into_iter().map(|subject| Difference { projection, subject: Some(subject), position: None }).collect()
        };
        // Every row is equal, but the bytes differ: names were met in another order.
        if found.is_empty() { vec![Difference { projection, subject: None, position: None }] } else { found }
    }

    /// For each product whose observations differ, the position of the first that is not the same.
    fn price_differences(&self, other: &Self) -> Vec<Difference> {
        let names: BTreeSet<_> = [self, other].into_iter().flat_map(|views| views.ids.products.names()).collect();
        let differing = names.into_iter().filter_map(|product| {
            let (ours, theirs) = (self.observations(product.as_str()), other.observations(product.as_str()));
            let position = ours.symmetric_difference(&theirs).map(|(position, _)| *position).min()?;
            Some(Difference { projection: "prices", subject: Some(format!("product/{product}")), position: Some(Position(position)) })
        });
        differing.collect()
    }

    /// Every observation of a product as text, by position.
    fn observations(&self, product: &str) -> BTreeSet<(u64, String)> {
        let Some(product) = self.ids.products.get(product) else { return BTreeSet::new() };
        let in_words = |slot: Slot| {
            let store = self.ids.stores.name(slot.store());
            self.history.newest_first(product, slot).map(move |o| {
                let tables = &self.history.tables;
                let (validity, source, price) = (tables.validity_of(&o), tables.source_of(&o), tables.price_of(&o));
                let (observed, recorded) = (o.observed_at, o.recorded_at);
                (o.position, format!("{store:?} {:?} {price:?} {validity:?} {source} {observed} {recorded}", slot.kind()))
            })
        };
        let former = self.history.slots(product).flat_map(|slot| self.history.former(product, slot));
        let former = former.map(|(observation, until)| (until, format!("until {until}: {observation:?}")));
        self.history.slots(product).flat_map(in_words).chain(former).collect()
    }
}

fn rows(views: &Views, projection: &str) -> Rows {
    match projection {
        "catalog" => hashed(views.catalog_rows()),
        "deals" => hashed(views.deal_rows()),
        "orders" => hashed(views.order_rows()),
        own => hashed(views.own_views().filter(|(name, _)| *name == own).flat_map(|(_, view)| view.rows())),
    }
}

fn hashed(rows: impl Iterator<Item = Row>) -> Rows {
    let mut hashers: BTreeMap<String, blake3::Hasher> = BTreeMap::new();
    for (subject, words) in rows {
        hashers.entry(subject).or_default().update(words.as_bytes()).update(b"\n");
    }
    hashers.into_iter().map(|(subject, hasher)| (subject, hasher.finalize())).collect()
}

fn differing(ours: &Rows, theirs: &Rows) -> BTreeSet<String> {
    let one_sided = |one: &Rows, other: &Rows| {
        let differing = one.iter().filter(|(subject, hash)| other.get(*subject) != Some(*hash));
        differing.map(|(subject, _)| subject.clone()).collect::<Vec<_>>()
    };
    [one_sided(ours, theirs), one_sided(theirs, ours)].into_iter().flatten().collect()
}

/// Whether an event may have changed what any projection keeps of a subject.
#[must_use]
pub fn touches(recorded: &Recorded, subjects: &BTreeSet<String>) -> Option<String> {
    let own = recorded.stream.to_string();
    if subjects.contains(&own) {
        return Some(own);
    }
    let lines: &[OrderLine] = match &recorded.event {
        Event::Order(OrderEvent::Placed { placement, .. }) => &placement.lines,
        Event::Order(OrderEvent::Amended { lines }) => lines,
        Event::List(_) | Event::Product(_) | Event::Order(_) | Event::Household(_) | Event::Store(_) | Event::System(_) => &[],
    };
    lines.iter().filter_map(|line| line.product.as_ref()).map(|product| format!("product/{product}")).find(|name| subjects.contains(name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        domain::{ItemId, StreamKind, household::HouseholdEvent, list::ListEvent, product::PriceKind},
        projections::testing::*,
    };

    /// A history with something of everything.
    fn history() -> TestLog {
        let mut log = TestLog::default();
        log.store("spar").product("milk", crate::domain::product::ProductEvent::Registered(details("Milk", None)));
        log.price("milk", "spar", PriceKind::Shelf, "2.00", 1).price("milk", "spar", PriceKind::Shelf, "2.00", 80);
        log.price("milk", "spar", PriceKind::Promo, "1.00", 90).price("bread", "spar", PriceKind::Shelf, "3.00", 91);
        log.list("weekly", created(Some("spar"))).list("weekly", ListEvent::ItemChecked { item: ItemId::new("i1").unwrap() });
        log.push(StreamKind::Household, "home", HouseholdEvent::Created { name: "Home".into() });
        log.order("o1", placed("home", "spar", 92, &[("milk", "1.00")]));
        log
    }

    /// The subjects that differ once one event of the history is replaced.
    fn planted(position: usize, change: impl FnOnce(&mut Event)) -> Vec<(&'static str, String, Option<u64>)> {
        let mut log = history();
        let truth = log.views();
        change(&mut log.events[position - 1].event);
        let found = truth.differences(&log.views());
        found.into_iter().map(|d| (d.projection, d.subject.unwrap_or_default(), d.position.map(|position| position.0))).collect()
    }

    #[test]
    fn a_planted_price_is_named_by_product_and_position() {
        let changed = planted(6, |event| *event = observed(seen("spar", PriceKind::Shelf, "3.10", 91)).into());
        assert_eq!(changed, [("prices", "product/bread".to_owned(), Some(6))]);
        let changed = planted(3, |event| *event = observed(seen("spar", PriceKind::Shelf, "2.50", 1)).into());
        assert!(changed.contains(&("prices", "product/milk".to_owned(), Some(3))), "{changed:?}");
        assert!(changed.iter().any(|found| found.0 == "deals" && found.1 == "product/milk"), "{changed:?}");
    }

    #[test]
    fn a_planted_row_of_any_other_projection_is_named_by_its_stream() {
        let changed = planted(2, |event| *event = crate::domain::product::ProductEvent::Registered(details("Silk", None)).into());
        assert_eq!(changed, [("catalog", "product/milk".to_owned(), None)]);
        let changed = planted(8, |event| *event = ListEvent::Archived {}.into());
        assert_eq!(changed, [("lists", "list/weekly".to_owned(), None)]);
        let changed = planted(9, |event| *event = HouseholdEvent::Created { name: "Flat".into() }.into());
        assert_eq!(changed, [("households", "household/home".to_owned(), None)]);
        let changed = planted(10, |event| *event = placed("home", "spar", 92, &[("milk", "1.01")]).into());
        assert!(changed.contains(&("orders", "order/o1".to_owned(), None)), "{changed:?}");
        assert!(changed.contains(&("prices", "product/milk".to_owned(), Some(10))), "{changed:?}");
    }

    #[test]
    fn an_event_touches_its_own_stream_and_the_products_of_its_lines() {
        let subjects = BTreeSet::from(["product/milk".to_owned()]);
        let touching: Vec<_> = history().events.iter().filter(|event| touches(event, &subjects).is_some()).map(|e| e.position.0).collect();
        assert_eq!(touching, [2, 3, 4, 5, 10]);
    }

    proptest! {
        #[test]
        fn views_differ_somewhere_exactly_when_their_digests_do(log in any_log(), cut in 0_usize..80) {
            let (full, mut less) = (log.views(), Views::default());
            log.events.iter().take(cut).for_each(|event| drop(less.apply(event)));
            prop_assert!(full.differences(&log.views()).is_empty());
            prop_assert_eq!(full.differences(&less).is_empty(), full.digests() == less.digests());
        }
    }
}
