//! The views held at exactly one committed position while they are inspected; and threads that work without getting ahead
//! of those that serve.

use std::{
    sync::{Arc, mpsc},
    thread,
};

use tokio::sync::oneshot;

use super::Running;
use crate::{events::Position, projections::SharedViews, snapshots::WorkError};

/// Admin work has the lowest priority and uses only idle time. Measured at 10,000 commands a second on two cores: without this their
/// p99 during a snapshot is five times as high as before.
const NICE: i32 = 19;

/// Views held at a position until this is dropped.
pub struct Standing<T> {
    pub views: SharedViews,
    pub position: Position,
    /// The result, with the position.
    pub found: T,
    /// The projector continues when this is gone.
    _still: mpsc::Sender<()>,
}

impl Running {
    /// Brings the views to a committed position, such as the log's head when their turn comes, and holds them there. Blocks.
    ///
    /// # Errors
    /// When the projector is gone.
    pub fn stand_still<T: Send + 'static>(
        &self,
        choose: impl FnOnce() -> (Position, T) + Send + 'static,
    ) -> Result<Standing<T>, WorkError> {
        let (tell_found, found) = mpsc::channel();
        let (tell_views, views) = mpsc::channel();
        let (still, go_on) = mpsc::channel::<()>();
        let position = move || {
            let (position, found) = choose();
            // The caller may have given up.
            let _ = tell_found.send(found);
            position
        };
        let inspect = move |views: &SharedViews, position| {
            let _ = tell_views.send((Arc::clone(views), position));
            // Nothing is ever sent: it ends when the reader is done.
            let _ = go_on.recv();
        };
        self.look(position, Box::new(inspect));
        match (found.recv(), views.recv()) {
            (Ok(found), Ok((views, position))) => Ok(Standing { views, position, found, _still: still }),
            _ => Err(WorkError::Views("the views have stopped")),
        }
    }
}

/// Runs long work on a thread of its own with the lowest priority.
///
/// # Errors
/// When it panics, or there is no thread for it.
pub async fn gently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkError> {
    let (answer, done) = oneshot::channel();
    let run = move || {
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::debug!(%error, "admin work runs at normal priority");
        }
        // The caller may be gone with the server.
        let _ = answer.send(work());
    };
    thread::Builder::new().name("admin".into()).spawn(run).map_err(|error| WorkError::CutShort(error.to_string()))?;
    done.await.map_err(|_| WorkError::CutShort("it panicked".into()))
}
