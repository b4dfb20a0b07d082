//! A moment of the past as people name it: a position of the log, or a time.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer};

use super::{Clock, Log, LogError, Position, SystemClock, lineage::Seen, served};
use crate::domain::Moment;

/// What clients write for this very moment.
const NOW: &str = "now";

/// A point of a history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After the event at this position.
    Position(Position),
    /// After everything that was recorded up to this time.
    Time(Moment),
}

/// A point as clients name it: its position may be of another history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeenAt {
    Position(Seen),
    Time(Moment),
}

/// Why a history has no such point.
#[derive(Debug, thiserror::Error)]
pub enum AtError {
    #[error("position {asked} is beyond the head of the log at {head}")]
    BeyondHead { asked: Position, head: Position },
    #[error("nothing was recorded up to {time}: the first event is from {first}")]
    BeforeFirst { time: Moment, first: Moment },
    #[error("position 0 is before the first event")]
    Zero,
    #[error("the log is empty")]
    Empty,
    #[error(transparent)]
    Log(#[from] LogError),
}

/// A point that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// The last event that counts.
    pub position: Position,
    /// The time that counts as now: the one asked for, else that of the event at the position.
    pub time: Moment,
}

impl At {
    /// Finds the point in a log. Reads about twenty events for a time.
    ///
    /// # Errors
    /// See [`AtError`]: there is no such point, or the log cannot be read.
    pub fn find(self, log: &dyn Log) -> Result<Point, AtError> {
        let head = log.head();
        match self {
            _ if head == Position::START => Err(AtError::Empty),
            Self::Position(asked) if asked > head => Err(AtError::BeyondHead { asked, head }),
            Self::Position(Position::START) => Err(AtError::Zero),
            Self::Position(position) => Ok(Point { position, time: time_of(log, position)? }),
            Self::Time(time) => Ok(Point { position: last_until(log, head, time)?, time }),
        }
    }
}

/// The last position recorded up to a time. Recorded time never decreases but where the clock was set back, so the parts between are
/// searched, the newest first.
fn last_until(log: &dyn Log, head: Position, time: Moment) -> Result<Position, AtError> {
    let mut behind = head.0 + 1;
    let steps = log.steps_back();
    for first in steps.iter().rev().map(|step| step.0).filter(|first| *first <= head.0).chain([1]) {
        if first < behind && time_of(log, Position(first))? <= time {
            return last_within(log, first, behind, time);
        }
        behind = behind.min(first);
    }
    Err(AtError::BeforeFirst { time, first: time_of(log, Position::START.next())? })
}

/// The last position up to a time, from one that is and before another.
fn last_within(log: &dyn Log, first: u64, mut behind: u64, time: Moment) -> Result<Position, AtError> {
    let mut until = first;
    while until + 1 < behind {
        let middle = until + (behind - until) / 2;
        if time_of(log, Position(middle))? <= time { until = middle } else { behind = middle }
    }
    Ok(Position(until))
}

fn time_of(log: &dyn Log, position: Position) -> Result<Moment, LogError> {
    let missing = || LogError::Damaged { position, reason: "the event cannot be found".into() };
    log.read(Position(position.0 - 1), 1)?.first().map(|recorded| recorded.at).ok_or_else(missing)
}

impl SeenAt {
    /// The point, whatever history it is of: for one that is looked for in a snapshot.
    #[must_use]
    pub fn of_any(self) -> At {
        match self {
            Self::Position(seen) => At::Position(Position(seen.number)),
            Self::Time(time) => At::Time(time),
        }
    }

    /// The point in the history that is served.
    ///
    /// # Errors
    /// The position is of another one.
    pub fn of_served(self) -> Result<At, served::HistoryChanged> {
        match self {
            Self::Position(seen) => served::read(seen).map(At::Position),
            Self::Time(time) => Ok(At::Time(time)),
        }
    }
}

impl FromStr for SeenAt {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == NOW {
            return Ok(Self::Time(SystemClock.now()));
        }
        if text.contains('~') {
            return text.parse().map(Self::Position).map_err(|error: super::lineage::NotSeen| error.to_string());
        }
        text.parse().map(|at| match at {
            At::Position(position) => Self::Position(Seen::new(position.0, None)),
            At::Time(time) => Self::Time(time),
        })
    }
}

impl<'de> Deserialize<'de> for SeenAt {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl FromStr for At {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            return text.parse().map(Self::Position).map_err(|_| format!("{text} is not a position of a log"));
        }
        text.parse().map(Self::Time).map_err(|_| format!("{text:?} is neither a position nor a time such as 2026-11-24T18:03:00Z"))
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Position(position) => position.fmt(f),
            Self::Time(time) => time.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for At {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        SeenAt::deserialize(deserializer)?.of_served().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::events::{clock::ManualClock, contract, memory::MemoryLog};

    #[test]
    fn a_point_is_found_by_position_and_by_every_time() {
        let clock = Arc::new(ManualClock::at(Moment(1_000)));
        let log = MemoryLog::new(Arc::clone(&clock) as _);
        assert!(matches!(At::Time(Moment(5)).find(&log), Err(AtError::Empty)));
        for version in 0..50 {
            clock.set(Moment(1_000 + 10 * i64::try_from(version / 2).unwrap()));
            contract::put(&log, "a", version, &["milk"]).unwrap();
        }
        for time in 1_000..1_260 {
            let position = 2 * (u64::try_from(time - 1_000).unwrap() / 10 + 1);
            assert_eq!(At::Time(Moment(time)).find(&log).unwrap(), Point { position: Position(position.min(50)), time: Moment(time) });
        }
        assert_eq!(At::Position(Position(3)).find(&log).unwrap().time, Moment(1_010));
        assert!(matches!(At::Time(Moment(999)).find(&log), Err(AtError::BeforeFirst { .. })));
        assert!(matches!(At::Position(Position(0)).find(&log), Err(AtError::Zero)));
        assert!(matches!(At::Position(Position(51)).find(&log), Err(AtError::BeyondHead { .. })));
    }

    #[test]
    fn after_a_clock_that_was_ahead_time_goes_on_from_the_right_one_and_points_are_found() {
        const HOUR: i64 = 3_600_000_000;
        let clock = Arc::new(ManualClock::at(Moment(HOUR)));
        let log = MemoryLog::new(Arc::clone(&clock) as _);
        let far = 1_000_000 * HOUR;
        for (version, now) in [HOUR, 2 * HOUR, far, far + 1, 3 * HOUR, 3 * HOUR - 5, 4 * HOUR].into_iter().enumerate() {
            clock.set(Moment(now));
            contract::put(&log, "a", version as u64, &["milk"]).unwrap();
        }
        let times: Vec<_> = log.read(Position::START, 10).unwrap().iter().map(|one| one.at.0).collect();
        assert_eq!(times, [HOUR, 2 * HOUR, far, far + 1, 3 * HOUR, 3 * HOUR, 4 * HOUR], "not all of the future is stamped");
        assert_eq!(log.steps_back(), [Position(5)]);
        let at = |time| At::Time(Moment(time)).find(&log).map(|point| point.position.0).ok();
        assert_eq!(
            [at(HOUR - 1), at(HOUR), at(2 * HOUR + 7), at(3 * HOUR), at(4 * HOUR), at(far)],
            [None, Some(1), Some(2), Some(6), Some(7), Some(7)]
        );
    }

    #[test]
    fn a_point_is_written_as_digits_or_as_a_time() {
        assert_eq!("17".parse(), Ok(At::Position(Position(17))));
        assert_eq!("1970-01-01T00:00:01Z".parse(), Ok(At::Time(Moment(1_000_000))));
        for wrong in ["", "-1", "yesterday", "99999999999999999999"] {
            assert!(wrong.parse::<At>().is_err(), "{wrong}");
        }
    }
}
