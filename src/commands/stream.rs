//! The past of one stream, read and looked at on threads that may block.

use std::sync::Arc;

use crate::{actors::Failure, app::App, domain::StreamId, events::Recorded};

/// A stream's events from its first.
pub type StreamEvents = Arc<Vec<Arc<Recorded>>>;

/// The whole history of a stream; empty if there is none.
///
/// # Errors
/// When the log cannot be read.
pub async fn history(app: &App, stream: &StreamId) -> Result<StreamEvents, Failure> {
    let (log, stream) = (Arc::clone(&app.log), stream.clone());
    let read = blocking(move || log.read_stream(&stream, 0, usize::MAX)).await?;
    Ok(Arc::new(read?))
}

/// Reads what was recorded in a stream since.
///
/// # Errors
/// When the log cannot be read.
pub async fn catch_up(app: &App, stream: &StreamId, history: &mut StreamEvents) -> Result<(), Failure> {
    let (log, stream) = (Arc::clone(&app.log), stream.clone());
    let version = history.last().map_or(0, |last| last.version);
    let read = blocking(move || log.read_stream(&stream, version, usize::MAX)).await?;
    Arc::make_mut(history).extend(read?);
    Ok(())
}

/// Does work that blocks, or that takes a while, on a thread that may.
///
/// # Errors
/// When the work panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(|error| Failure::Internal(error.to_string()))
}
