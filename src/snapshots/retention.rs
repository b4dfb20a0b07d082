//! Which scheduled snapshots to keep: the newest of each of the last days, and of each of the last weeks, that have one. Pure.

use std::collections::BTreeSet;

use super::manifest::Manifest;
use crate::domain::{Moment, moment::DAY_MICROS};

/// How many are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// Days with a snapshot whose newest one is kept.
    pub daily: usize,
    /// Weeks (from Monday, UTC) with a snapshot whose newest one is kept.
    pub weekly: usize,
}

impl Retention {
    /// The names of those to remove. Manually created ones are never among them, nor is the newest of all.
    #[must_use]
    pub fn expired(&self, snapshots: &[Manifest]) -> Vec<String> {
        let mut newest_first: Vec<_> = snapshots.iter().filter(|snapshot| snapshot.scheduled).collect();
        newest_first.sort_by_key(|snapshot| std::cmp::Reverse((snapshot.created_at, snapshot.position)));
        let (mut days, mut weeks) = (BTreeSet::new(), BTreeSet::new());
        let mut expired = Vec::new();
        for (place, snapshot) in newest_first.into_iter().enumerate() {
            let of_day = takes(&mut days, day_of(snapshot.created_at), self.daily);
            let of_week = takes(&mut weeks, week_of(snapshot.created_at), self.weekly);
            if place > 0 && !of_day && !of_week {
                expired.push(snapshot.name.clone());
            }
        }
        expired
    }
}

/// Whether a period that has none yet still gets one.
fn takes(periods: &mut BTreeSet<i64>, period: i64, most: usize) -> bool {
    periods.len() < most && periods.insert(period)
}

fn day_of(moment: Moment) -> i64 {
    moment.0.div_euclid(DAY_MICROS)
}

/// 1970-01-01 was a Thursday, so the Monday of its week is three days before.
fn week_of(moment: Moment) -> i64 {
    (day_of(moment) + 3).div_euclid(7)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Position;

    fn snapshot(created_at: &str, scheduled: bool) -> Manifest {
        Manifest {
            format: 2,
            name: created_at.replace(':', ""),
            created_at: created_at.parse().unwrap(),
            created_by: "schedule".into(),
            scheduled,
            program: "0".into(),
            epoch: "e".into(),
            position: Position(1),
            last_at: Moment(0),
            chain: String::new(),
            bytes: 0,
            segments: Vec::new(),
            views: None,
            people: None,
            checksum: String::new(),
        }
    }

    #[test]
    fn the_newest_of_seven_days_and_four_weeks_stay() {
        // From Sunday, 1 November 2026, to Tuesday, the 24th: two a day.
        let times = |hour| (1..=24).map(move |day| snapshot(&format!("2026-11-{day:02}T{hour}:00:00Z"), true));
        let all: Vec<_> = times("03").chain(times("15")).collect();
        let expired: BTreeSet<_> = Retention { daily: 7, weekly: 4 }.expired(&all).into_iter().collect();
        let kept: Vec<_> = all.iter().map(|one| &one.name).filter(|name| !expired.contains(*name)).cloned().collect();
        let mut days: Vec<_> = kept.iter().map(|name| name[8..13].to_owned()).collect();
        days.sort();
        assert_eq!(days, ["08T15", "15T15", "18T15", "19T15", "20T15", "21T15", "22T15", "23T15", "24T15"]);
    }

    #[test]
    fn what_was_made_by_hand_and_the_newest_always_stay() {
        let all = [snapshot("2020-01-01T00:00:00Z", false), snapshot("2026-11-01T00:00:00Z", true), snapshot("2026-11-02T00:00:00Z", true)];
        assert_eq!(Retention { daily: 0, weekly: 0 }.expired(&all), ["2026-11-01T000000Z"]);
    }
}
