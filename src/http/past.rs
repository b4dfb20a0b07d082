//! Points of the past that a request names.

use std::sync::Arc;

use super::error::Problem;
use crate::{
    app::App,
    commands::stream::blocking,
    events::{At, AtError, Point},
};

/// The point of the log that a moment names.
///
/// # Errors
/// See [`no_such_point`].
pub async fn point(app: &App, at: At, pointer: &'static str) -> Result<Point, Problem> {
    let log = Arc::clone(&app.log);
    let found = blocking(move || at.find(&*log)).await?;
    found.map_err(|error| no_such_point(&error, pointer))
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
