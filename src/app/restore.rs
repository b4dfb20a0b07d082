//! Replaces the served history without a restart: the new one is built and proved next to it, switched at one instant, and undone if
//! it was a mistake.
//!
//! Commands pause only for the switch itself: entities finish, the last event of the new history is recorded in it, one file is replaced.
//! A failure before that leaves the old history served as if nothing had happened.

use std::{io, sync::Arc, thread, time::Duration};

use serde::Serialize;
use utoipa::ToSchema;

use super::{Admin, App, Current, DataFolder, Frame, History, Running, gently, histories, record, views};
use crate::{
    domain::{
        StreamId, StreamKind,
        system::{ADMIN, SystemEvent},
    },
    events::{Append, AppendError, Appended, Log, Position},
    failpoint,
    log::{DiskLog, OpenError, steps},
    projections::Views,
    snapshots::{Operation, Progress, Proof, Snapshot, SnapshotError, SnapshotFolder, Staged, WorkError, stage},
};

/// How often going back checks whether the replaced history is still open.
const LEFT_POLL: Duration = Duration::from_millis(50);
/// The most checks: five seconds in all.
const LEFT_POLLS_MAX: u32 = 100;
/// How long the views may take to reach the head once appends have stopped.
const VIEWS_WAIT: Duration = Duration::from_secs(10);

/// What is to be restored.
#[derive(Debug, Clone)]
pub struct RestoreOrder {
    pub snapshot: String,
    /// The last position; everything if not given.
    pub upto: Option<Position>,
    pub admin: Admin,
}

/// What a restore did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Restored {
    pub proof: Proof,
    /// The new history's name: live sessions start from snapshots under it.
    pub epoch: String,
    pub left_epoch: String,
    /// The end of the replaced history.
    #[schema(value_type = String)]
    pub left_position: Position,
    /// How long commands were refused, in milliseconds.
    pub paused_ms: u64,
}

/// A history that is ready to be served.
pub(super) struct Ready {
    pub log: DiskLog,
    pub views: Views,
    pub folder: DataFolder,
}

impl Running {
    /// Replaces the served history with a snapshot.
    ///
    /// # Errors
    /// See [`SnapshotError`]; the served history then stays in place.
    pub async fn restore(self: Arc<Self>, order: RestoreOrder, operation: Arc<Operation>) -> Result<Restored, SnapshotError> {
        let old = self.current();
        let left = old.history.folder.clone().ok_or(SnapshotError::NoFolder)?;
        let folder = SnapshotFolder::new(&old.config.snapshots);
        let snapshot = folder.open(&order.snapshot)?;
        let _hold = folder.hold()?;
        let begun = SystemEvent::RestoreBegun { snapshot: Some(order.snapshot.clone()), position: position_of(&order, &snapshot).0 };
        record(&old, &order.admin, begun).await?;
        failpoint::reach("restore.begun");
        let (config, upto) = (Arc::clone(&old.config), order.upto);
        let build = move || build(&snapshot, upto, &left, &config, &operation.progress);
        let (ready, proof) = gently(build).await??;
        let seal = {
            let (admin, proof) = (order.admin.clone(), proof.clone());
            move |ready: &mut Ready, old: &App| {
                let (left_epoch, left_position) = (old.epoch.to_string(), old.log.head().0);
                let snapshot = Some(proof.snapshot.clone());
                ready.record(&admin, SystemEvent::Restored { snapshot, position: proof.position.0, left_epoch, left_position })?;
                failpoint::reach("restore.sealed");
                let left = old.history.folder.as_ref().ok_or(SnapshotError::NoFolder)?;
                histories::switch(&ready.folder, left).map_err(|error| WorkError::io(ready.folder.root(), error))?;
                failpoint::reach("restore.switched");
                Ok(())
            }
        };
        let (epoch, paused) = self.switch(ready, seal, "restore.paused").await?;
        failpoint::reach("restore.serving");
        self.forget_older().await;
        let (left_epoch, left_position) = (old.epoch.to_string(), old.log.head());
        let paused_ms = u64::try_from(paused.as_millis()).unwrap_or(u64::MAX);
        Ok(Restored { proof, epoch, left_epoch, left_position, paused_ms })
    }

    /// Serves again the history that the last restore replaced.
    ///
    /// # Errors
    /// `NothingToUndo`, or why that history cannot be opened.
    pub async fn undo_restore(self: Arc<Self>, admin: Admin) -> Result<Undone, SnapshotError> {
        let old = self.current();
        let current = old.history.folder.clone().ok_or(SnapshotError::NoFolder)?;
        let left = histories::left_by(&current).map_err(|error| {
            let is_gone = error.kind() == io::ErrorKind::NotFound;
            if is_gone { SnapshotError::LeftGone(error.to_string()) } else { WorkError::io(current.root(), error).into() }
        })?;
        let left = left.ok_or(SnapshotError::NothingToUndo)?;
        let config = Arc::clone(&old.config);
        let ready = blocking(move || reopen(left, &config)).await??;
        let position = ready.log.head();
        let seal = move |ready: &mut Ready, old: &App| {
            let (left_epoch, left_position) = (old.epoch.to_string(), old.log.head().0);
            ready.record(&admin, SystemEvent::RestoreUndone { left_epoch, left_position })?;
            failpoint::reach("undo.recorded");
            Ok(histories::switch_back(&ready.folder, &current).map_err(|error| WorkError::io(ready.folder.root(), error))?)
        };
        let (epoch, _) = self.switch(ready, seal, "undo.paused").await?;
        Ok(Undone { epoch, position, left_epoch: old.epoch.to_string() })
    }

    /// Pauses commands, has the switch made durable, and serves the other history. Returns its name and how long commands were refused.
    async fn switch(
        &self,
        mut ready: Ready,
        seal: impl FnOnce(&mut Ready, &App) -> Result<(), SnapshotError> + Send + 'static,
        paused_at: &'static str,
    ) -> Result<(String, Duration), SnapshotError> {
        let (old, began) = (self.current(), std::time::Instant::now());
        old.registry.stop().await;
        failpoint::reach(paused_at);
        let app = old.clone();
        let sealed = match views_at_head(&old).await {
            Ok(()) => blocking(move || seal(&mut ready, &app).map(|()| ready)).await.map_err(Into::into).flatten(),
            Err(error) => Err(error.into()),
        };
        match sealed {
            Ok(ready) => {
                let epoch = ready.folder.epoch().to_owned();
                self.serve(&old, ready);
                Ok((epoch, began.elapsed()))
            }
            Err(error) => {
                old.registry.resume();
                Err(error)
            }
        }
    }

    /// Switches to another history. The one before ends in the background.
    fn serve(&self, old: &Current, ready: Ready) {
        let Ready { log, views, folder } = ready;
        let (app, behind) = Frame::of(old).around(History::in_folder(log, folder), (views, Position::START), &self.threads);
        let before = self.behind.lock().replace(behind);
        self.current.store(Arc::new(app));
        old.hub.end_sessions();
        let log = Arc::clone(&old.log);
        if let Some(before) = before {
            drop(tokio::task::spawn_blocking(move || {
                if let Err(error) = before.end(&*log) {
                    tracing::warn!(%error, "the previous history did not close cleanly");
                }
            }));
        }
    }

    async fn forget_older(&self) {
        let Some(folder) = self.current().history.folder.clone() else { return };
        match blocking(move || histories::forget_others(&folder)).await {
            Ok(Ok(removed)) if removed > 0 => tracing::info!(removed, "older histories are removed: only the last restore can be undone"),
            Ok(Err(error)) => tracing::warn!(%error, "an older history could not be removed"),
            _ => {}
        }
    }
}

/// What undoing a restore did.
#[derive(Debug, Serialize, ToSchema)]
pub struct Undone {
    pub epoch: String,
    /// That history continues after this point.
    #[schema(value_type = String)]
    pub position: Position,
    pub left_epoch: String,
}

impl Ready {
    /// Records an admin action in this history before it is served.
    pub fn record(&mut self, admin: &Admin, event: SystemEvent) -> Result<(), WorkError> {
        append_admin(&self.log, admin, event)?.iter().for_each(|recorded| self.views.absorb(recorded));
        Ok(())
    }
}

/// Appends an admin action to a log that is not served.
pub(super) fn append_admin(log: &DiskLog, admin: &Admin, event: SystemEvent) -> Result<Appended, WorkError> {
    let stream = StreamId::new(StreamKind::System, ADMIN).map_err(|error| WorkError::NotRecorded(error.to_string()))?;
    let expected_version = log.stream_head(&stream).map_or(0, |head| head.version);
    let Admin { who, by } = admin.clone();
    let append = Append { stream, expected_version, who, by, command: None, client: None, events: vec![event.into()] };
    log.append_blocking(append).wait().map_err(|error| match error {
        AppendError::NoRoom(_) => WorkError::Full(error.to_string()),
        other @ (AppendError::Conflict { .. }
        | AppendError::Unknown(_)
        | AppendError::Overloaded { .. }
        | AppendError::TooLarge { .. }
        | AppendError::ReadOnly(_)) => WorkError::NotRecorded(other.to_string()),
    })
}

/// Builds and proves a history next to the served one; leaves nothing if that fails.
pub(super) fn build(
    snapshot: &Snapshot,
    upto: Option<Position>,
    left: &DataFolder,
    config: &crate::config::Config,
    progress: &Progress,
) -> Result<(Ready, Proof), SnapshotError> {
    let failed = |error: io::Error| WorkError::io(left.home(), error);
    let folder = histories::stage(left.home()).map_err(failed)?;
    folder.inherit_breaks(left).map_err(failed)?;
    match stage(snapshot, upto, config.log_options(folder.log()), progress) {
        Ok(Staged { log, views, proof }) => {
            log.adopt_steps(steps::read(&left.log())).map_err(failed)?;
            Ok((Ready { log, views, folder }, proof))
        }
        Err(error) => {
            histories::abandon(&folder);
            Err(error)
        }
    }
}

/// Opens the replaced history, as soon as this process no longer reads it.
fn reopen(left: DataFolder, config: &crate::config::Config) -> Result<Ready, WorkError> {
    let mut tries = 0;
    let (log, _) = loop {
        match DiskLog::open(config.log_options(left.log())) {
            Ok(opened) => break opened,
            Err(error @ OpenError::InUse { .. }) if tries == LEFT_POLLS_MAX => {
                return Err(WorkError::LeftInUse(error.to_string()));
            }
            Err(OpenError::InUse { .. }) => tries += 1,
            Err(error) => return Err(WorkError::Staged(error.to_string())),
        }
        thread::park_timeout(LEFT_POLL);
    };
    let (views, _) = views::load(&log, Some(&left))?;
    Ok(Ready { log, views, folder: left })
}

fn position_of(order: &RestoreOrder, snapshot: &Snapshot) -> Position {
    order.upto.unwrap_or(snapshot.manifest.position)
}

/// Appends have stopped, so the views reach the head and publish nothing after it.
async fn views_at_head(old: &App) -> Result<(), WorkError> {
    let (mut applied, head) = (old.applied.clone(), old.log.head());
    let arrived = tokio::time::timeout(VIEWS_WAIT, applied.wait_for(|position| *position >= head)).await;
    match arrived {
        Ok(Ok(_)) => Ok(()),
        _ => Err(WorkError::Views("the views of the served history do not reach its head")),
    }
}

/// Runs blocking work on a thread that may block.
///
/// # Errors
/// When it panics.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, WorkError> {
    tokio::task::spawn_blocking(work).await.map_err(|error| WorkError::CutShort(error.to_string()))
}
