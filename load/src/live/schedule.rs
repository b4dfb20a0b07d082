//! The open loop: when each publication is meant to be sent, fixed before the first one, whatever the server does.

use std::time::Duration;

use crate::measure;

/// Every publication of a run, in the order of their intended times.
#[derive(Debug, Default)]
pub struct Schedule {
    pub shots: Vec<Shot>,
    pub phases: Vec<Phase>,
    length: Duration,
}

/// One publication.
#[derive(Debug, Clone, Copy)]
pub struct Shot {
    /// After the start.
    pub at: Duration,
    pub phase: usize,
    /// The number of its topic.
    pub topic: usize,
}

/// A part of a run whose latencies are kept separately.
#[derive(Debug)]
pub struct Phase {
    pub name: String,
    pub length: Duration,
    /// False for a warm-up.
    pub measured: bool,
}

impl Schedule {
    /// Adds a phase of `rate` publications a second, `burst` of them at a time, going round `topics`.
    pub fn phase(mut self, name: &str, rate: f64, burst: usize, topics: usize, length: Duration) -> Self {
        let phase = self.open(name, length);
        let bursts = measure::count(rate * length.as_secs_f64() / burst.max(1) as f64);
        for number in 0..bursts {
            let at = self.length + length.mul_f64(number as f64 / bursts as f64);
            self.shots.extend((0..burst).map(|one| Shot { at, phase, topic: (number * burst + one) % topics.max(1) }));
        }
        self.length += length;
        self
    }

    /// Adds `count` publications at once, and nothing for the rest of `length`.
    pub fn burst(mut self, name: &str, count: usize, topics: usize, length: Duration) -> Self {
        let phase = self.open(name, length);
        let at = self.length;
        self.shots.extend((0..count).map(|one| Shot { at, phase, topic: one % topics.max(1) }));
        self.length += length;
        self
    }

    /// The last phase is not measured.
    pub fn unmeasured(mut self) -> Self {
        if let Some(phase) = self.phases.last_mut() {
            phase.measured = false;
        }
        self
    }

    /// From the start to the end of the last phase.
    pub fn length(&self) -> Duration {
        self.length
    }

    /// The phase of this name, or a new one.
    fn open(&mut self, name: &str, length: Duration) -> usize {
        if let Some(known) = self.phases.iter().position(|phase| phase.name == name) {
            self.phases[known].length += length;
            return known;
        }
        self.phases.push(Phase { name: name.to_owned(), length, measured: true });
        self.phases.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bursts_are_spread_evenly_and_go_round_the_topics() {
        let second = Duration::from_secs(1);
        let schedule = Schedule::default().phase("warm", 10.0, 1, 1, second).unmeasured().phase("main", 20.0, 10, 5, second);
        assert_eq!(schedule.shots.len(), 30);
        assert_eq!(schedule.shots[10].at, second);
        assert_eq!(schedule.shots[20].at, second * 3 / 2);
        assert_eq!(schedule.shots[14].topic, 4);
        assert_eq!(schedule.shots[15].topic, 0);
        assert!(!schedule.phases[0].measured);
    }
}
