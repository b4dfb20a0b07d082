//! Restoring the newest snapshot into a scratch folder, so that nobody learns on the worst day that it cannot be restored.

use std::{fs, io, path::Path, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Running, gently};
use crate::{
    domain::Moment,
    events::{Log, Position},
    snapshots::{Operation, Snapshot, SnapshotError, SnapshotFolder, stage},
    telemetry,
};

/// Where the last result is kept, so that it outlives the process.
const FILE: &str = ".self-restore.json";
/// Where the scratch log is built.
const SCRATCH: &str = ".scratch";

/// How the last self-restore went.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SelfRestored {
    pub at: Moment,
    pub snapshot: String,
    #[schema(value_type = String)]
    pub position: Position,
    pub ok: bool,
    /// From the first file read to the last digest compared.
    pub seconds: f64,
    /// Why it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl SelfRestored {
    /// The last result beside the snapshots, if there is one.
    #[must_use]
    pub fn read(snapshots: &Path) -> Option<Self> {
        let bytes = fs::read(snapshots.join(FILE)).ok()?;
        serde_json::from_slice(&bytes).ok().inspect(Self::measure)
    }

    fn write(&self, snapshots: &Path) -> io::Result<()> {
        let file = snapshots.join(FILE);
        let fresh = file.with_extension("new");
        fs::write(&fresh, serde_json::to_vec(self)?)?;
        fs::rename(fresh, file)
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats; no time in seconds comes near 2^52")]
    fn measure(&self) {
        metrics::gauge!(telemetry::SELF_RESTORE_OK).set(f64::from(u8::from(self.ok)));
        metrics::gauge!(telemetry::SELF_RESTORE_SECONDS).set(self.seconds);
        metrics::gauge!(telemetry::SELF_RESTORE_TIMESTAMP).set((self.at.0 / 1_000_000) as f64);
    }
}

impl Running {
    /// How the last self-restore went.
    #[must_use]
    pub fn self_restored(&self) -> Option<SelfRestored> {
        self.self_restored.lock().clone()
    }

    /// Restores the newest snapshot into a scratch folder, proves it, and removes it again.
    ///
    /// # Errors
    /// Only where there is no snapshot, or the folder cannot be used. A snapshot that cannot be restored is a result, and is told loudly.
    pub async fn self_restore(self: Arc<Self>, operation: Arc<Operation>) -> Result<SelfRestored, SnapshotError> {
        let app = self.current();
        let folder = SnapshotFolder::new(&app.config.snapshots);
        let (clock, config) = (Arc::clone(&app.clock), Arc::clone(&app.config));
        let result = gently(move || {
            let _hold = folder.hold()?;
            let newest = folder.whole().pop().ok_or_else(|| SnapshotError::NotFound("newest".into()))?;
            let snapshot = folder.open(&newest.name)?;
            let began = Instant::now();
            let tried = try_out(&snapshot, folder.path(), &config, &operation);
            Ok::<_, SnapshotError>(SelfRestored {
                at: clock.now(),
                snapshot: newest.name,
                position: newest.position,
                ok: tried.is_ok(),
                seconds: began.elapsed().as_secs_f64(),
                reason: tried.err().map(|error| error.to_string()),
            })
        });
        let result = result.await??;
        self.keep(&result);
        Ok(result)
    }

    fn keep(&self, result: &SelfRestored) {
        result.measure();
        if result.ok {
            tracing::info!(snapshot = result.snapshot, seconds = result.seconds, "the newest snapshot restores well");
        } else {
            tracing::error!(snapshot = result.snapshot, reason = result.reason, "the newest snapshot cannot be restored");
        }
        if let Err(error) = result.write(&self.current().config.snapshots) {
            tracing::warn!(%error, "the result of the self-restore cannot be written down");
        }
        *self.self_restored.lock() = Some(result.clone());
    }
}

fn try_out(snapshot: &Snapshot, snapshots: &Path, config: &crate::config::Config, operation: &Operation) -> Result<(), SnapshotError> {
    let scratch = snapshots.join(SCRATCH);
    // A crash may have left one.
    let clear = || match fs::remove_dir_all(&scratch) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SnapshotError::io(&scratch, error)),
        _ => Ok(()),
    };
    clear()?;
    fs::create_dir_all(&scratch).map_err(|error| SnapshotError::io(&scratch, error))?;
    let staged = stage(snapshot, None, config.log_options(scratch.join("log")), &operation.progress);
    let tried = staged.and_then(|staged| staged.log.close().map_err(SnapshotError::Log));
    clear().and(tried)
}
