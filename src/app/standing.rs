//! The views at exactly one committed position, standing still while somebody looks at them; and threads that work without pushing
//! themselves before those who serve.

use std::{
    io,
    sync::{Arc, mpsc},
    thread,
};

use tokio::sync::oneshot;

use super::{AppError, Running};
use crate::{events::Position, projections::SharedViews, snapshots::SnapshotError};

/// Admin work is last in turn: what is idle of the machine is its own. Measured at 10,000 commands a second on two cores: without it their
/// p99 during a snapshot is five times what it was before.
const NICE: i32 = 19;

/// Views that stand still at a position until this is dropped.
pub struct Standing<T> {
    pub views: SharedViews,
    pub position: Position,
    /// What was found together with the position.
    pub found: T,
    /// The projector continues when this is gone.
    _still: mpsc::Sender<()>,
}

impl Running {
    /// Has the views come to a committed position, such as the log's head when their turn comes, and stand still there. Blocks.
    ///
    /// # Errors
    /// When the projector is gone.
    pub fn stand_still<T: Send + 'static>(
        &self,
        choose: impl FnOnce() -> (Position, T) + Send + 'static,
    ) -> Result<Standing<T>, SnapshotError> {
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
            _ => Err(SnapshotError::Staged("the views have stopped; see the server's log output for the cause".into())),
        }
    }
}

/// Runs long work on a thread of its own that lets everybody else go first.
///
/// # Errors
/// When it panics, or there is no thread for it.
pub async fn gently<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, SnapshotError> {
    let (answer, done) = oneshot::channel();
    let run = move || {
        if let Err(error) = rustix::process::nice(NICE) {
            tracing::debug!(%error, "admin work runs at normal priority");
        }
        // Whoever asked may be gone with the server.
        let _ = answer.send(work());
    };
    let failed = |error: io::Error| SnapshotError::Staged(AppError::Server(error).to_string());
    thread::Builder::new().name("admin".into()).spawn(run).map_err(failed)?;
    done.await.map_err(|_| failed(io::Error::other("the work panicked")))
}
