//! Where recorded time comes from: the system, or a test.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use crate::domain::Moment;

/// Reads the time. A clock may step back: what the log records then, `sequence.rs` says.
pub trait Clock: Send + Sync + 'static {
    /// The time now.
    fn now(&self) -> Moment;
}

/// A time that only goes forward, at the pace of the machine's monotonic clock: what is due after a while does not depend on whether
/// somebody sets the clock meanwhile.
#[derive(Debug, Clone, Copy)]
pub struct SteadyClock {
    began: Moment,
    since: Instant,
}

impl SteadyClock {
    /// Starts at a moment.
    #[must_use]
    pub fn from(began: Moment) -> Self {
        Self { began, since: Instant::now() }
    }

    /// Where it started.
    #[must_use]
    pub fn began(&self) -> Moment {
        self.began
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Moment {
        Moment(self.began.0.saturating_add(i64::try_from(self.since.elapsed().as_micros()).unwrap_or(i64::MAX)))
    }
}

/// How the clock stands to the newest event of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skew {
    Fine,
    /// It is this many seconds ahead: the server was not used for long, or the clock is wrong.
    Ahead(i64),
    /// It is this many seconds behind: it is wrong, or was when that event was recorded.
    Behind(i64),
}

/// A clock that is further ahead is suspicious: a quarter of a year.
const AHEAD_SECONDS: i64 = 90 * 24 * 3_600;
/// A clock that is further behind is suspicious; machines keep the same time within seconds.
const BEHIND_SECONDS: i64 = 5 * 60;

impl Skew {
    /// Compares a clock with the newest event.
    #[must_use]
    pub fn of(now: Moment, newest: Moment) -> Self {
        let seconds = now.0.saturating_sub(newest.0) / 1_000_000;
        if seconds > AHEAD_SECONDS {
            Self::Ahead(seconds)
        } else if seconds < -BEHIND_SECONDS {
            Self::Behind(-seconds)
        } else {
            Self::Fine
        }
    }

    /// What an operator should know; nothing if it is fine.
    #[must_use]
    pub fn warning(self) -> Option<String> {
        match self {
            Self::Fine => None,
            Self::Ahead(seconds) => Some(format!(
                "the clock was {} days ahead of the newest event at the start: if the clock is wrong, stop the server, set it and start again",
                seconds / 86_400
            )),
            Self::Behind(seconds) => Some(format!(
                "the clock was {} minutes behind the newest event at the start: set it if it is wrong; if it was wrong before, see docs/operations.md",
                seconds / 60
            )),
        }
    }
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Moment {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }
}

/// A clock that moves only by hand.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// Starts at a moment and stays there.
    #[must_use]
    pub fn at(moment: Moment) -> Self {
        Self(AtomicI64::new(moment.0))
    }

    /// Moves to a moment, forwards or back.
    pub fn set(&self, moment: Moment) {
        self.0.store(moment.0, Ordering::Relaxed);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_far_from_the_newest_event_is_worth_a_warning() {
        let of = |now: i64| Skew::of(Moment(now * 1_000_000), Moment(1_000_000_000_000_000));
        let newest = 1_000_000_000;
        assert_eq!([of(newest), of(newest + AHEAD_SECONDS), of(newest - BEHIND_SECONDS)], [Skew::Fine; 3]);
        assert_eq!(of(newest + AHEAD_SECONDS + 1), Skew::Ahead(AHEAD_SECONDS + 1));
        assert_eq!(of(newest - 3_600), Skew::Behind(3_600));
        assert!(of(newest - 3_600).warning().is_some_and(|warning| warning.contains("60 minutes behind")));
        assert_eq!(Skew::Fine.warning(), None);
    }

    #[test]
    fn a_steady_clock_starts_where_it_is_told_and_never_steps_back() {
        let clock = SteadyClock::from(Moment(5));
        let (one, other) = (clock.now(), clock.now());
        assert!(Moment(5) <= one && one <= other && clock.began() == Moment(5));
    }
}
