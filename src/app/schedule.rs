//! The schedule: snapshots, their retention, and the test restore of the newest.

use std::{sync::Arc, time::Duration};

use super::{Admin, Running, SelfRestored};
use crate::{
    config::Config,
    domain::{Moment, Principal},
    events::{At, Clock, Position, SteadyClock},
    snapshots::{Operation, SnapshotError, SnapshotFolder, WorkError},
    telemetry,
};

/// How often the schedule is checked.
const LOOK_EVERY: Duration = Duration::from_secs(20);
/// The principal recorded for scheduled work.
const WHO: &str = "schedule";

/// What is due now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Due {
    Snapshot,
    SelfRestore,
    Nothing,
}

/// What this run did itself, by its own steady time: the machine's clock may be set meanwhile.
#[derive(Debug, Clone, Copy, Default)]
struct Own {
    snapshot: Option<Moment>,
    self_restore: Option<Moment>,
}

impl Own {
    /// When something was last done. A noted time that has not come yet is of a clock that was ahead: it counts as the start of this run.
    fn newest(self, clock: &SteadyClock, noted: Option<Moment>, own: Option<Moment>) -> Option<Moment> {
        let noted = noted.map(|noted| if noted > clock.now() { clock.began() } else { noted });
        noted.max(own)
    }
}

/// Follows the schedule as long as the server runs. Failures are logged and retried when next due.
pub async fn follow(running: Arc<Running>) {
    let Ok(admin) = Principal::new(WHO).map(Admin::from) else { return };
    let mut looks = tokio::time::interval(LOOK_EVERY);
    let mut failed_at: Option<Moment> = None;
    let (clock, mut own) = (SteadyClock::from(running.current().clock.now()), Own::default());
    loop {
        looks.tick().await;
        let (now, config) = (clock.now(), Arc::clone(&running.current().config));
        let pause = i64::try_from(LOOK_EVERY.as_micros()).unwrap_or(i64::MAX).saturating_mul(15);
        if failed_at.is_some_and(|at| now.0 < at.0.saturating_add(pause)) {
            continue;
        }
        let Ok((newest, first)) = state_of(&running).await else { continue };
        let newest = own.newest(&clock, newest, own.snapshot);
        let tried = running
            .self_restored()
            .map(|tried| SelfRestored { at: own.newest(&clock, Some(tried.at), own.self_restore).unwrap_or(now), ..tried });
        let done = match due(&config, now, newest, own.newest(&clock, first, None), tried.as_ref()) {
            Due::Nothing => continue,
            Due::Snapshot => snapshot(&running, &admin, now).await.map(|()| own.snapshot = Some(clock.now())),
            Due::SelfRestore => self_restore(&running, &admin, now).await.map(|()| own.self_restore = Some(clock.now())),
        };
        failed_at = done.is_err().then_some(now);
    }
}

/// When the newest snapshot was made, and when the first event was recorded.
async fn state_of(running: &Arc<Running>) -> Result<(Option<Moment>, Option<Moment>), WorkError> {
    let app = running.current();
    super::blocking(move || {
        let newest = SnapshotFolder::new(&app.config.snapshots).whole().into_iter().map(|manifest| manifest.created_at).max();
        let first = At::Position(Position(1)).find(&*app.log).ok().map(|point| point.time);
        if let Some(newest) = newest {
            metrics::gauge!(telemetry::SNAPSHOT_TIMESTAMP)
                .set(telemetry::process::as_metric(u64::try_from(newest.0 / 1_000_000).unwrap_or(0)));
        }
        (newest, first)
    })
    .await
}

/// A snapshot is due an interval after the newest, or after the first event if there is none; a self-restore an interval after the last.
fn due(config: &Config, now: Moment, newest: Option<Moment>, first: Option<Moment>, tried: Option<&SelfRestored>) -> Due {
    let over = |since: Moment, minutes: u64| {
        let micros = i64::try_from(minutes).unwrap_or(i64::MAX).saturating_mul(60_000_000);
        minutes > 0 && now.0.saturating_sub(since.0) >= micros
    };
    if newest.or(first).is_some_and(|since| over(since, config.snapshot_every_minutes)) {
        return Due::Snapshot;
    }
    match (newest, tried) {
        (Some(_), None) if config.self_restore_every_minutes > 0 => Due::SelfRestore,
        (Some(_), Some(tried)) if over(tried.at, config.self_restore_every_minutes) => Due::SelfRestore,
        _ => Due::Nothing,
    }
}

async fn snapshot(running: &Arc<Running>, admin: &Admin, now: Moment) -> Result<(), SnapshotError> {
    let work = {
        let (running, admin) = (Arc::clone(running), admin.clone());
        |operation| running.take_snapshot(admin, true, operation)
    };
    as_operation(running, "snapshot", now, work).await?;
    let retention = running.current().config.retention();
    running.prune_snapshots(admin, retention, false).await.map(drop).inspect_err(|error| tracing::warn!(%error, "retention failed"))
}

async fn self_restore(running: &Arc<Running>, admin: &Admin, now: Moment) -> Result<(), SnapshotError> {
    let (own, admin) = (Arc::clone(running), admin.clone());
    as_operation(running, "self_restore", now, |operation| own.self_restore(admin, true, operation)).await
}

/// Runs work as an operation that admins see. While another operation runs, the schedule waits.
async fn as_operation<F, T>(
    running: &Running,
    kind: &'static str,
    now: Moment,
    work: impl FnOnce(Arc<Operation>) -> F,
) -> Result<(), SnapshotError>
where
    F: Future<Output = Result<T, SnapshotError>>,
    T: serde::Serialize,
{
    let operation = running.operations().begin(kind, WHO, now).map_err(WorkError::from)?;
    let done = work(Arc::clone(&operation)).await;
    running.operations().end(&operation, running.current().clock.now(), &done);
    done.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    fn tried(at: i64) -> SelfRestored {
        SelfRestored { at: Moment(at), snapshot: "s".into(), position: Position(1), ok: true, seconds: 1.0, reason: None }
    }

    #[test]
    fn a_snapshot_is_due_an_interval_after_the_newest_or_the_first_event() {
        let config = Config { snapshot_every_minutes: 10, self_restore_every_minutes: 0, ..Config::default() };
        let at = |now, newest: Option<i64>, first: Option<i64>| due(&config, Moment(now), newest.map(Moment), first.map(Moment), None);
        assert_eq!(at(100 * MINUTE, None, None), Due::Nothing, "an empty log needs none");
        assert_eq!(at(9 * MINUTE, None, Some(0)), Due::Nothing);
        assert_eq!(at(10 * MINUTE, None, Some(0)), Due::Snapshot);
        assert_eq!(at(19 * MINUTE, Some(10 * MINUTE), Some(0)), Due::Nothing);
        assert_eq!(at(20 * MINUTE, Some(10 * MINUTE), Some(0)), Due::Snapshot);
        let never = Config { snapshot_every_minutes: 0, ..config.clone() };
        assert_eq!(due(&never, Moment(i64::MAX), None, Some(Moment(0)), None), Due::Nothing);
    }

    #[test]
    fn a_clock_that_was_set_neither_stops_the_schedule_nor_hurries_it() {
        let clock = SteadyClock::from(Moment(100 * MINUTE));
        let own = Own { snapshot: None, self_restore: None };
        let future = Some(Moment(1_000_000 * MINUTE));
        assert_eq!(own.newest(&clock, future, own.snapshot), Some(Moment(100 * MINUTE)), "made by a clock that was ahead");
        assert_eq!(own.newest(&clock, Some(Moment(99 * MINUTE)), own.snapshot), Some(Moment(99 * MINUTE)));
        let done = Some(Moment(105 * MINUTE));
        assert_eq!(own.newest(&clock, future, done), done, "what this run did counts by its own time");
        assert_eq!(own.newest(&clock, None, None), None);
    }

    #[test]
    fn a_self_restore_is_due_once_there_is_a_snapshot_and_then_every_interval() {
        let config = Config { snapshot_every_minutes: 0, self_restore_every_minutes: 10, ..Config::default() };
        let at = |now, newest: Option<i64>, last: Option<i64>| {
            due(&config, Moment(now), newest.map(Moment), Some(Moment(0)), last.map(tried).as_ref())
        };
        assert_eq!(at(MINUTE, None, None), Due::Nothing);
        assert_eq!(at(MINUTE, Some(0), None), Due::SelfRestore);
        assert_eq!(at(9 * MINUTE, Some(0), Some(0)), Due::Nothing);
        assert_eq!(at(10 * MINUTE, Some(0), Some(0)), Due::SelfRestore);
    }
}
