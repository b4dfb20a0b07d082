//! What holds for every history: replays agree, checkpoints change nothing, and a repeated event neither.

use proptest::prelude::*;

use crate::projections::{Totals, Views, testing::any_log};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn replaying_twice_gives_byte_equal_checkpoints_and_digests(log in any_log()) {
        let (one, two) = (log.views(), log.views());
        prop_assert_eq!(one.to_checkpoint(), two.to_checkpoint());
        prop_assert_eq!(one.digests(), two.digests());
    }

    #[test]
    fn a_checkpoint_and_the_tail_equal_a_full_replay(log in any_log(), cut in 0_usize..80) {
        let full = log.views();
        let mut resumed = Views::default();
        let cut = cut.min(log.events.len());
        log.events[..cut].iter().for_each(|event| drop(resumed.apply(event)));
        let mut resumed = Views::from_checkpoint(&resumed.to_checkpoint()).unwrap();
        // Some events are delivered again: they are at or before the position and change nothing.
        let repeated = cut.saturating_sub(3);
        log.events[repeated..].iter().for_each(|event| drop(resumed.apply(event)));
        prop_assert_eq!(resumed.position(), full.position());
        prop_assert_eq!(resumed.to_checkpoint(), full.to_checkpoint());
    }

    #[test]
    fn absorbing_events_gives_the_state_that_applying_them_does(log in any_log()) {
        let mut absorbed = Views::default();
        log.events.iter().for_each(|event| absorbed.absorb(event));
        prop_assert_eq!(absorbed.to_checkpoint(), log.views().to_checkpoint());
    }

    #[test]
    fn totals_replayed_twice_have_the_same_digest(log in any_log()) {
        let replay = || {
            let (mut views, mut totals) = (Views::default(), Totals::default());
            for event in &log.events {
                let changes = views.apply(event);
                totals.apply(event, &changes, &views);
            }
            totals.digest()
        };
        prop_assert_eq!(replay(), replay());
    }
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let mut bytes = Views::default().to_checkpoint();
    let middle = bytes.len() - 3;
    bytes[middle] ^= 1;
    assert!(Views::from_checkpoint(&bytes).is_err());
}
