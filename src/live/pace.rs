//! `max_rate`: states of one key are sent at most this often; of faster ones the latest waits, so the last always arrives.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::publication::{Key, Publication};

/// The slowest and the fastest rate a client may ask for, in states a second of each key.
pub const RATE_MIN: f64 = 0.01;
pub const RATE_MAX: f64 = 1_000.0;
/// Keys remembered before idle ones are forgotten.
const KEYS_KEPT: usize = 64;

/// The pace of one follower.
#[derive(Debug)]
pub struct Pace {
    every: Duration,
    keys: Vec<Beat>,
}

/// When a key was sent last, and what waits to be sent next.
#[derive(Debug)]
struct Beat {
    key: Key,
    last: Instant,
    waits: Option<Arc<Publication>>,
}

/// Whether a state may leave.
#[derive(Debug)]
pub enum Turn {
    Now,
    /// It waits until then, replacing an older one.
    Later {
        at: Instant,
        replaced: Option<Arc<Publication>>,
    },
}

/// The time between two states of a key, for a rate a second. `None` for a rate out of range.
#[must_use]
pub fn interval(rate: f64) -> Option<Duration> {
    (RATE_MIN..=RATE_MAX).contains(&rate).then(|| Duration::from_secs_f64(1.0 / rate))
}

impl Pace {
    #[must_use]
    pub fn new(every: Duration) -> Self {
        Self { every, keys: Vec::new() }
    }

    /// Offers a state: it leaves now if its key is due.
    pub fn offer(&mut self, key: &Key, publication: &Arc<Publication>, now: Instant) -> Turn {
        let every = self.every;
        if let Some(beat) = self.keys.iter_mut().find(|beat| beat.key == *key) {
            let at = beat.last + every;
            if beat.waits.is_some() || now < at {
                return Turn::Later { at, replaced: beat.waits.replace(Arc::clone(publication)) };
            }
            beat.last = now;
            return Turn::Now;
        }
        if self.keys.len() >= KEYS_KEPT {
            self.keys.retain(|beat| beat.waits.is_some() || now < beat.last + every);
        }
        self.keys.push(Beat { key: key.clone(), last: now, waits: None });
        Turn::Now
    }

    /// Takes the states that are due, and returns when the next one is.
    pub fn take_due(&mut self, now: Instant) -> (Vec<Arc<Publication>>, Option<Instant>) {
        let every = self.every;
        let mut due = Vec::new();
        for beat in &mut self.keys {
            if now >= beat.last + every
                && let Some(publication) = beat.waits.take()
            {
                beat.last = now;
                due.push(publication);
            }
        }
        let next = self.keys.iter().filter(|beat| beat.waits.is_some()).map(|beat| beat.last + every).min();
        (due, next)
    }

    /// Takes everything waiting.
    pub fn take_all(&mut self) -> Vec<Arc<Publication>> {
        self.keys.iter_mut().filter_map(|beat| beat.waits.take()).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{
        events::Position,
        live::{pace::*, publication::Class},
    };

    fn key(name: &str) -> Key {
        Key::PriceOf(name.parse().unwrap())
    }

    fn state(name: &str, position: u64) -> Arc<Publication> {
        Arc::new(Publication::new(Class::State(key(name)), Position(position), [None, None]))
    }

    #[test]
    fn the_first_leaves_at_once_and_the_last_on_its_turn() {
        let (start, every) = (Instant::now(), Duration::from_millis(100));
        let mut pace = Pace::new(every);
        assert!(matches!(pace.offer(&key("a"), &state("a", 1), start), Turn::Now));
        assert!(matches!(pace.offer(&key("a"), &state("a", 2), start), Turn::Later { at, replaced: None } if at == start + every));
        assert!(matches!(pace.offer(&key("a"), &state("a", 3), start), Turn::Later { replaced: Some(_), .. }));
        assert!(matches!(pace.offer(&key("b"), &state("b", 3), start), Turn::Now), "keys do not wait for one another");
        assert_eq!(pace.take_due(start + every / 2).0.len(), 0);
        let (due, next) = pace.take_due(start + every);
        assert_eq!((due[0].position, due.len(), next), (Position(3), 1, None));
    }

    #[test]
    fn a_rate_out_of_range_is_refused() {
        assert_eq!(interval(2.0), Some(Duration::from_millis(500)));
        for rate in [0.0, -1.0, 0.001, 1_001.0, f64::NAN, f64::INFINITY] {
            assert_eq!(interval(rate), None, "{rate}");
        }
    }

    proptest! {
        #[test]
        fn the_last_value_always_arrives_and_never_two_within_one_interval(
            steps in prop::collection::vec((0_u64..40, 0_usize..3), 1..200),
        ) {
            let (start, every) = (Instant::now(), Duration::from_millis(50));
            let mut pace = Pace::new(every);
            let keys = ["a", "b", "c"];
            let (mut now, mut last_offered, mut arrived) = (start, [0; 3], vec![Vec::new(); 3]);
            let mut arrive = |publication: &Publication, at: Instant| {
                let Class::State(of) = &publication.class else { return };
                let index = keys.iter().position(|one| key(one) == *of).unwrap_or_default();
                arrived[index].push((publication.position.0, at));
            };
            for (position, (pause, index)) in (1..).zip(&steps) {
                now += Duration::from_millis(*pause);
                pace.take_due(now).0.iter().for_each(|one| arrive(one, now));
                let publication = state(keys[*index], position);
                last_offered[*index] = position;
                if let Turn::Now = pace.offer(&key(keys[*index]), &publication, now) {
                    arrive(&publication, now);
                }
            }
            pace.take_due(now + every).0.iter().for_each(|one| arrive(one, now + every));
            for (offered, arrived) in last_offered.iter().zip(&arrived) {
                prop_assert_eq!(arrived.last().map_or(0, |(position, _)| *position), *offered);
                prop_assert!(arrived.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[1].1 - pair[0].1 >= every));
            }
        }
    }
}
