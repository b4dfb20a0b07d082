//! For every history: a restore of its snapshot, whole or to any position, equals a fold of it.

use proptest::prelude::*;

use super::{SIDE_BY_SIDE, Scene, digests_of, fold, record};
use crate::{
    events::{Log, Position},
    log::LogOptions,
    projections::testing::{TestLog, any_log},
    snapshots::{
        Progress, Staged, stage,
        stage::{Compared, replay},
    },
};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_restored_snapshot_replays_to_the_original_digests_and_takes_events(history in any_log()) {
        let place = Scene::new();
        record(&place.log, &history);
        let original = digests_of(&fold(&place.log, place.log.head()));
        let manifest = place.snapshot();
        let options = LogOptions::new(place.path().join("new"));
        let Staged { log, views, proof } = stage(&place.open(&manifest), None, options, &Progress::default()).unwrap();
        prop_assert_eq!(proof.compared, Compared::WithSnapshot);
        prop_assert_eq!(digests_of(&views), original.clone());
        prop_assert_eq!(digests_of(&replay(&log, &Progress::default()).unwrap()), original);
        prop_assert_eq!(log.chain(), place.log.chain());
        let events = history.events.len() + 1;
        prop_assert_eq!(log.read(Position::START, events).unwrap(), place.log.read(Position::START, events).unwrap());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2))]

    #[test]
    fn a_restore_to_every_position_of_a_history_equals_a_fresh_fold_of_its_prefix(history in any_log(), place_of_block in 0_usize..20) {
        let place = Scene::new();
        record(&place.log, &with_a_block_of_several(&history, place_of_block));
        let snapshot = place.open(&place.snapshot());
        for upto in 1..=place.log.head().0 {
            let upto = Position(upto);
            let options = LogOptions::new(place.path().join(format!("new-{upto}")));
            let Staged { log, views, proof } = stage(&snapshot, Some(upto), options, &Progress::default()).unwrap();
            prop_assert_eq!((log.head(), proof.position), (upto, upto));
            prop_assert_eq!(proof.compared == Compared::WithSnapshot, upto == place.log.head());
            prop_assert_eq!(digests_of(&views), digests_of(&fold(&place.log, upto)), "at {}", upto);
        }
        let beyond = stage(&snapshot, Some(place.log.head().next()), LogOptions::new(place.path().join("beyond")), &Progress::default());
        prop_assert_eq!(beyond.map(drop).unwrap_err().code(), "position_beyond_snapshot");
    }
}

/// The same history with four renames of a list as one command in it, so that some positions are inside a block.
fn with_a_block_of_several(history: &TestLog, at: usize) -> TestLog {
    let mut log = TestLog::default();
    let (before, behind) = history.events.split_at(at.min(history.events.len()));
    let copy = |log: &mut TestLog, recorded: &crate::events::Recorded| {
        log.push(recorded.stream.kind(), recorded.stream.id(), recorded.event.clone());
    };
    before.iter().take(12).for_each(|recorded| copy(&mut log, recorded));
    for name in 0..SIDE_BY_SIDE {
        log.list("renamed", crate::domain::list::ListEvent::Renamed { name: format!("name {name}") });
    }
    behind.iter().take(12).for_each(|recorded| copy(&mut log, recorded));
    log
}
