//! Restores the newest snapshot into a scratch folder, so that a snapshot that cannot be restored is noticed early.

use std::{fs, io, path::Path, str, sync::Arc, time::Instant};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Admin, Running, accounts, gently, record_or_warn};
use crate::{
    disk,
    domain::{Moment, system::SystemEvent},
    events::{Log, Position},
    snapshots::{Listed, Operation, SnapshotError, SnapshotFolder, WorkError, stage},
    telemetry,
};

/// The file of the last result, which outlives the process: a line of JSON, and one with the BLAKE3 of the first and of the snapshot's manifest.
/// Another server's snapshot may have the same name, but never the same manifest.
const FILE: &str = ".self-restore.json";

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
    /// The last result next to the snapshots, if any. One that was changed, or of a missing snapshot, does not count: the
    /// next test is then due.
    #[must_use]
    pub fn read(snapshots: &Path) -> Option<Self> {
        let file = snapshots.join(FILE);
        let bytes = fs::read(&file).ok()?;
        let result = Self::parse(&bytes, |snapshot| manifest(snapshots, snapshot).ok());
        if result.is_none() {
            tracing::warn!(file = %file.display(), "the result of the last self-restore is damaged or belongs to another folder; it runs again");
        }
        result.inspect(Self::measure)
    }

    fn parse(bytes: &[u8], manifest_of: impl FnOnce(&str) -> Option<Vec<u8>>) -> Option<Self> {
        let (line, seal) = str::from_utf8(bytes).ok()?.strip_suffix('\n')?.split_once('\n')?;
        let result: Self = serde_json::from_str(line).ok()?;
        let manifest = manifest_of(&result.snapshot)?;
        (*seal == *seal_of(line, &manifest).to_hex()).then_some(result)
    }

    fn to_text(&self, manifest: &[u8]) -> serde_json::Result<String> {
        let line = serde_json::to_string(self)?;
        let seal = seal_of(&line, manifest).to_hex();
        Ok(format!("{line}\n{seal}\n"))
    }

    fn write(&self, snapshots: &Path) -> io::Result<()> {
        let manifest = manifest(snapshots, &self.snapshot)?;
        disk::replace(&snapshots.join(FILE), self.to_text(&manifest)?.as_bytes())
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floats; no time in seconds comes near 2^52")]
    fn measure(&self) {
        metrics::gauge!(telemetry::SELF_RESTORE_OK).set(f64::from(u8::from(self.ok)));
        metrics::gauge!(telemetry::SELF_RESTORE_SECONDS).set(self.seconds);
        metrics::gauge!(telemetry::SELF_RESTORE_TIMESTAMP).set((self.at.0 / 1_000_000) as f64);
    }
}

fn manifest(snapshots: &Path, snapshot: &str) -> io::Result<Vec<u8>> {
    fs::read(snapshots.join(format!("{snapshot}.json")))
}

fn seal_of(line: &str, manifest: &[u8]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for part in [line.as_bytes(), b"\n", manifest] {
        hasher.update(part);
    }
    hasher.finalize()
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
    /// Only if there is no snapshot, or the folder cannot be used. A snapshot that cannot be restored is a result, logged as an error.
    pub async fn self_restore(
        self: Arc<Self>,
        admin: Admin,
        scheduled: bool,
        operation: Arc<Operation>,
    ) -> Result<SelfRestored, SnapshotError> {
        let app = self.current();
        let folder = SnapshotFolder::new(&app.config.snapshots);
        let (clock, config) = (Arc::clone(&app.clock), Arc::clone(&app.config));
        let result = gently(move || {
            let newest = folder.newest().ok_or(SnapshotError::NoneYet)?;
            let _hold = folder.hold()?;
            let began = Instant::now();
            let tried = try_out(&newest, &folder, &config, &operation);
            Ok::<_, SnapshotError>(SelfRestored {
                at: clock.now(),
                snapshot: newest.name().to_owned(),
                position: newest.position(),
                ok: tried.is_ok(),
                seconds: began.elapsed().as_secs_f64(),
                reason: tried.err().map(|error| error.to_string()),
            })
        });
        let result = result.await??;
        self.keep(&result);
        record_or_warn(&app, &admin, SystemEvent::SelfRestored { snapshot: result.snapshot.clone(), ok: result.ok, scheduled }).await;
        Ok(result)
    }

    fn keep(&self, result: &SelfRestored) {
        result.measure();
        if result.ok {
            tracing::info!(snapshot = result.snapshot, seconds = result.seconds, "the newest snapshot can be restored");
        } else {
            tracing::error!(snapshot = result.snapshot, reason = result.reason, "the newest snapshot cannot be restored");
        }
        if let Err(error) = result.write(&self.current().config.snapshots) {
            tracing::warn!(%error, "the result of the self-restore cannot be saved");
        }
        *self.self_restored.lock() = Some(result.clone());
    }
}

fn try_out(newest: &Listed, folder: &SnapshotFolder, config: &crate::config::Config, operation: &Operation) -> Result<(), SnapshotError> {
    let snapshot = folder.open(newest.name())?;
    accounts::prove(&snapshot, config)?;
    let scratch = folder.scratch()?;
    let staged = stage(&snapshot, None, config.log_options(scratch.path().join("log")), &operation.progress)?;
    let closed = staged.log.close().map_err(WorkError::Log);
    drop(staged);
    Ok(closed.and(scratch.close().map_err(|error| WorkError::io(folder.path(), error)))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_is_changed_or_of_another_manifest_does_not_count() {
        let result = SelfRestored { at: Moment(1), snapshot: "s".into(), position: Position(7), ok: false, seconds: 1.5, reason: None };
        let parse = |text: &[u8]| SelfRestored::parse(text, |_| Some(b"manifest".to_vec()));
        let text = result.to_text(b"manifest").unwrap().into_bytes();
        assert_eq!(parse(&text), Some(result));
        assert_eq!(SelfRestored::parse(&text, |_| Some(b"another server's".to_vec())), None);
        assert_eq!(SelfRestored::parse(&text, |_| None), None);
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                assert_eq!(parse(&flipped), None, "byte {at}, bit {bit}");
            }
            assert_eq!(parse(&text[..at]), None, "cut at {at}");
        }
    }
}
