//! What one address does is felt at no other.

use std::collections::HashMap;

use proptest::prelude::*;

use super::{super::throttle::Throttle, *};

proptest! {
    #[test]
    fn an_address_is_never_held_back_by_another(tries in prop::collection::vec((0_u8..4, 0_u8..4, 0_u64..40), 1..200)) {
        let seconds = Arc::new(AtomicU64::new(0));
        let read = seconds.clone();
        let ticks = Ticks::new(move || Duration::from_secs(read.load(Relaxed)));
        let all = Throttle::new(&ticks);
        // The same tries with each address alone.
        let mut alone = HashMap::new();
        for (address, person, wait) in tries {
            seconds.fetch_add(wait, Relaxed);
            let (login, ip) = (login(&format!("u{person}")), Some(ip(&format!("10.0.0.{address}"))));
            let own = alone.entry(address).or_insert_with(|| Throttle::new(&ticks));
            prop_assert_eq!(all.take_sign_in(&login, ip, true).is_ok(), own.take_sign_in(&login, ip, true).is_ok());
            prop_assert_eq!(all.take_code(ip).is_ok(), own.take_code(ip).is_ok());
        }
    }
}
