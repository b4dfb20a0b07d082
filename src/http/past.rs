//! Points of the past that a request names.

use std::sync::Arc;

use super::error::Problem;
use crate::{
    app::App,
    commands::stream::blocking,
    domain::Moment,
    events::{At, AtError, Log, Point, Position},
};

/// A time that is no further back counts as now: it was, when the client sent it.
const NOW_MICROS: i64 = 1_000_000;

/// The point of the log that a moment names.
///
/// # Errors
/// See [`no_such_point`].
pub async fn point(app: &App, at: At, pointer: &'static str) -> Result<Point, Problem> {
    let (log, now) = (Arc::clone(&app.log), app.clock.now());
    blocking(move || find(&*log, at, now, pointer)).await?
}

/// The point in a log. A time that is now means all that is recorded, also where a clock that was ahead stamped it later.
///
/// # Errors
/// See [`no_such_point`].
pub fn find(log: &dyn Log, at: At, now: Moment, pointer: &str) -> Result<Point, Problem> {
    let head = log.head();
    match at {
        At::Time(time) if head > Position::START && time.0 >= now.0.saturating_sub(NOW_MICROS) => Ok(Point { position: head, time }),
        at @ (At::Time(_) | At::Position(_)) => at.find(log).map_err(|error| no_such_point(&error, pointer)),
    }
}

/// The log has no such point: 400 beyond its head, 404 before its first event.
#[must_use]
pub fn no_such_point(error: &AtError, pointer: &str) -> Problem {
    let detail = error.to_string();
    match error {
        AtError::BeyondHead { .. } => Problem::malformed("position_unknown", detail).at(pointer),
        AtError::BeforeFirst { .. } | AtError::Zero => Problem::not_found("before_first_event", detail).at(pointer),
        AtError::Empty => Problem::not_found("empty_log", detail).at(pointer),
        AtError::Log(error) => Problem::unreadable(error.clone()),
    }
}
