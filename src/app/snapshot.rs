//! Snapshots of the served history: made while it continues, removed, and kept by the schedule.

use std::sync::Arc;

use super::{Admin, App, Running, accounts, gently, record, record_or_warn, restore::blocking};
use crate::{
    disk::Pace,
    domain::system::SystemEvent,
    failpoint,
    projections::Views,
    snapshots::{
        About, Manifest, Operation, Snapshot, SnapshotError, SnapshotFolder, Verified, ViewsProof, create, retention::Retention, verify,
    },
};

impl Running {
    /// Writes a snapshot of everything committed by now. Appends continue meanwhile.
    ///
    /// # Errors
    /// See [`SnapshotError`].
    pub async fn take_snapshot(
        self: Arc<Self>,
        admin: Admin,
        scheduled: bool,
        operation: Arc<Operation>,
    ) -> Result<Manifest, SnapshotError> {
        let app = self.current();
        let (running, source, who) = (Arc::clone(&self), app.clone(), admin.who.to_string());
        let manifest = gently(move || running.write_snapshot(&source, who, scheduled, &operation)).await??;
        record(&app, &admin, SystemEvent::SnapshotCreated { snapshot: manifest.name.clone(), position: manifest.position.0, scheduled })
            .await?;
        accounts::tell_left_out(manifest.people.as_ref());
        failpoint::reach("snapshot.recorded");
        Ok(manifest)
    }

    fn write_snapshot(&self, app: &App, by: String, scheduled: bool, operation: &Operation) -> Result<Manifest, SnapshotError> {
        let blocks = app.history.blocks.as_ref().ok_or(SnapshotError::NoFolder)?;
        let folder = SnapshotFolder::new(&app.config.snapshots);
        let claim = folder.claim()?;
        operation.progress.begin("proving the views", 0);
        let log = Arc::clone(blocks);
        let standing = self.stand_still(move || log.chain())?;
        let (committed, views) = ((standing.position, standing.found), proof_of(&standing.views.read()));
        drop(standing);
        failpoint::reach("snapshot.proved");
        // After the position: everybody who is named up to there is in it.
        let people = accounts::sealed(&app.authority.people, &app.config)?;
        let (at, epoch) = (app.clock.now(), app.epoch.to_string());
        let about = About { at, by, scheduled, epoch, views: Some(views), people, pace: Pace::Gently };
        create(blocks, committed, &folder, &claim, about, &operation.progress)
    }

    /// Reads every file of a snapshot and checks all hashes. The result counts even if the log does not accept the record of it.
    ///
    /// # Errors
    /// `InUse` while the folder is being changed.
    pub async fn verify_snapshot(
        self: Arc<Self>,
        admin: Admin,
        snapshot: Snapshot,
        operation: Arc<Operation>,
    ) -> Result<Verified, SnapshotError> {
        let app = self.current();
        let _hold = SnapshotFolder::new(&app.config.snapshots).hold()?;
        let verified = gently(move || verify(&snapshot, &operation.progress)).await?;
        let problems = u64::try_from(verified.problems.len()).unwrap_or(u64::MAX);
        record_or_warn(&app, &admin, SystemEvent::SnapshotVerified { snapshot: verified.snapshot.clone(), problems }).await;
        Ok(verified)
    }

    /// Removes a snapshot and the segments only it needs.
    ///
    /// # Errors
    /// `NotFound`, `InUse`, or the file that cannot be removed.
    pub async fn delete_snapshot(&self, admin: &Admin, name: &str, scheduled: bool) -> Result<(), SnapshotError> {
        let app = self.current();
        let (folder, own) = (SnapshotFolder::new(&app.config.snapshots), name.to_owned());
        blocking(move || folder.delete(&own, &folder.claim()?)).await??;
        failpoint::reach("snapshot.deleted");
        Ok(record(&app, admin, SystemEvent::SnapshotDeleted { snapshot: name.to_owned(), scheduled }).await?)
    }

    /// Removes what retention does not keep. Returns the names, also for a dry run.
    ///
    /// # Errors
    /// See `delete_snapshot`.
    pub async fn prune_snapshots(&self, admin: &Admin, retention: Retention, only_ask: bool) -> Result<Vec<String>, SnapshotError> {
        let folder = SnapshotFolder::new(&self.current().config.snapshots);
        let expired = blocking(move || retention.expired(&folder.whole())).await?;
        if !only_ask {
            for name in &expired {
                self.delete_snapshot(admin, name, true).await?;
            }
        }
        Ok(expired)
    }
}

/// The digests of the views with the version they can be compared under.
#[must_use]
pub fn proof_of(views: &Views) -> ViewsProof {
    let digests = views.digests().into_iter().map(|(name, digest)| (name.to_owned(), digest)).collect();
    ViewsProof { version: Views::VERSION, digests }
}
