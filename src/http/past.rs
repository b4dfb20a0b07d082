//! The past of one stream, read and looked at on threads that may block.

use std::sync::Arc;

use actix_web::web;

use super::error::Problem;
use crate::{
    app::App,
    domain::StreamId,
    events::{At, AtError, Point, Recorded},
};

/// A stream's events from its first.
pub type History = Arc<Vec<Arc<Recorded>>>;

/// The whole history of a stream; empty if there is none.
///
/// # Errors
/// 500 when the log cannot be read.
pub async fn history(app: &App, stream: &StreamId) -> Result<History, Problem> {
    let (log, stream) = (Arc::clone(&app.log), stream.clone());
    let read = blocking(move || log.read_stream(&stream, 0, usize::MAX)).await?;
    Ok(Arc::new(read.map_err(|error| Problem::unreadable(&error))?))
}

/// Reads what was recorded in a stream since.
///
/// # Errors
/// 500 when the log cannot be read.
pub async fn catch_up(app: &App, stream: &StreamId, history: &mut History) -> Result<(), Problem> {
    let (log, stream) = (Arc::clone(&app.log), stream.clone());
    let version = history.last().map_or(0, |last| last.version);
    let read = blocking(move || log.read_stream(&stream, version, usize::MAX)).await?;
    Arc::make_mut(history).extend(read.map_err(|error| Problem::unreadable(&error))?);
    Ok(())
}

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
        AtError::Log(error) => Problem::unreadable(error),
    }
}

/// Runs blocking or long work on a thread that may block.
///
/// # Errors
/// 500 when the work panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    web::block(work).await.map_err(|error| Problem::internal(&error))
}
