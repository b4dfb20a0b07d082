//! The shortcuts in judging a deal change nothing.

use proptest::prelude::*;

use super::{judge::Before, *};
use crate::projections::{
    history::Run,
    testing::{any_log, day},
};

/// Every place and kind of a history, looked at from many days.
fn looks(views: &Views) -> Vec<Before<'_>> {
    let history = &views.history;
    let products = 0..u32::try_from(views.ids.products.len()).unwrap();
    let slots = products.flat_map(|product| history.slots(product).map(move |slot| (product, slot)));
    let look = |(product, slot): (u32, Slot), denomination, on_day| {
        let place = history.place(product, slot.store());
        Before { history, slot, place, denomination, since: day(on_day) }
    };
    slots.flat_map(|place| (90..300).step_by(9).map(move |on_day| look(place, u32::from(on_day % 2 == 1), on_day))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_look_at_a_year_tells_of_any_part_of_it_what_a_look_at_that_part_does(log in any_log()) {
        let views = log.views();
        for before in looks(&views) {
            for (kind, days) in KINDS.into_iter().flat_map(|kind| [(kind, HONESTY_DAYS), (kind, REFERENCE_DAYS)]) {
                let (year, part) = (before.slice(kind, NEW_LOW_DAYS), before.slice(kind, days));
                let held = |slice: &[Run]| before.held(slice, days).collect::<Vec<_>>();
                prop_assert_eq!(held(&year), held(&part));
                let known = |slice: &[Run]| slice.first().is_some_and(|run| run.first.observed_at <= before.since.days_before(days));
                prop_assert_eq!(known(&year), known(&part));
            }
        }
    }

    #[test]
    fn a_usual_price_below_what_is_asked_for_is_none(log in any_log(), least in 1_i64..100_000) {
        let views = log.views();
        for before in looks(&views) {
            let usual = before.reference(i64::MIN);
            prop_assert_eq!(before.reference(least), usual.filter(|&usual| usual >= least));
        }
    }
}
