//! Restores: a dry run says what would happen and gives the word that has it done; the last one can be undone.

use std::sync::Arc;

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};

use super::{begin, snapshots::blocking, who};
use crate::{
    app::{App, RestoreOrder, Running},
    domain::Principal,
    events::{At, Position},
    http::{
        body::Json,
        caller::Caller,
        error::{Problem, ProblemBody},
        reads::json,
    },
    snapshots::{FileProblem, Manifest, Operation, Progress, SnapshotError, SnapshotFolder, operations::OperationView, verify},
};

/// What is to be restored. At least one of the two must be given.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// A snapshot by its name; without it one that reaches the moment is chosen, or made first.
    pub snapshot: Option<String>,
    /// Up to this position or time; without it all of the snapshot.
    #[schema(value_type = Option<String>)]
    pub at: Option<At>,
    /// The word that the dry run gave. Without it nothing is done but a dry run.
    pub confirm: Option<String>,
}

/// What a restore would do.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RestorePlan {
    /// Absent where one is made first, because none reaches the moment.
    pub snapshot: Option<String>,
    /// The log would end here.
    #[schema(value_type = String)]
    pub position: Position,
    /// It ends here now.
    #[schema(value_type = String)]
    pub head: Position,
    /// Events behind that position that would be left. Undoing the restore brings them back.
    pub events_left: u64,
    /// False where the snapshot is of another history: then nothing of what is served now need be in it.
    pub same_history: bool,
    pub files: u64,
    /// Files that are wrong; with any, the restore would be refused.
    pub problems: Vec<FileProblem>,
    /// Send it back with the same request to have it done.
    pub confirm: String,
}

/// Restores a snapshot, or any moment, in place of what is served. Without `confirm` it is a dry run: every file is checked and the
/// answer says what would be left behind.
#[utoipa::path(post, path = "/api/v1/admin/restore", tag = "admin", request_body = RestoreRequest,
    responses((status = 200, body = RestorePlan, description = "a dry run"), (status = 202, body = OperationView, description = "its result is a Restored"), (status = "4XX", body = ProblemBody)))]
pub async fn restore(running: Data<Running>, caller: Caller, Json(body): Json<RestoreRequest>) -> Result<HttpResponse, Problem> {
    let app = running.current();
    let asked = body.clone();
    let target = blocking(move || Target::find(&app, &asked)).await??;
    let confirm = target.confirm(&running.current().epoch);
    let Some(given) = body.confirm else {
        let app = running.current();
        return json(&blocking(move || target.plan(&app, confirm)).await??);
    };
    if given != confirm {
        return Err(SnapshotError::NotConfirmed.into());
    }
    let by = who(caller);
    begin(&running, "restore", &by.clone(), |running, operation| target.carry_out(running, by, operation))
}

/// Serves the history again that the last restore left, with everything in it.
#[utoipa::path(post, path = "/api/v1/admin/restore/undo", tag = "admin",
    responses((status = 202, body = OperationView, description = "its result is an Undone"), (status = "4XX", body = ProblemBody)))]
pub async fn undo(running: Data<Running>, caller: Caller) -> Result<HttpResponse, Problem> {
    let by = who(caller);
    begin(&running, "restore_undo", &by.clone(), |running, _| running.undo_restore(by))
}

/// Which snapshot, up to where.
struct Target {
    snapshot: Option<Manifest>,
    position: Position,
    same_history: bool,
}

impl Target {
    fn find(app: &App, asked: &RestoreRequest) -> Result<Self, SnapshotError> {
        let blocks = app.history.blocks.as_ref().ok_or(SnapshotError::NoFolder)?;
        let folder = SnapshotFolder::new(&app.config.snapshots);
        let of_this = |manifest: &Manifest| {
            let known = blocks.chain_at(manifest.position).ok().flatten();
            known.is_some_and(|chain| crate::snapshots::segment::hex(&chain) == manifest.chain)
        };
        match (&asked.snapshot, asked.at) {
            (None, None) => Err(SnapshotError::NothingNamed),
            (Some(name), at) => {
                let snapshot = folder.open(name)?;
                let same_history = of_this(&snapshot.manifest);
                let end = snapshot.manifest.position;
                let position = match at {
                    None => end,
                    Some(At::Position(position)) => position,
                    Some(at) if same_history => at.find(&*app.log)?.position.min(end),
                    Some(At::Time(time)) => snapshot.last_until(time)?,
                };
                if end == Position::START {
                    return Err(crate::events::AtError::Empty.into());
                }
                if position > end || position == Position::START {
                    return Err(SnapshotError::BeyondSnapshot { asked: position, end });
                }
                Ok(Self { snapshot: Some(snapshot.manifest), position, same_history })
            }
            (None, Some(at)) => {
                let position = at.find(&*app.log)?.position;
                let reaching = folder.whole().into_iter().filter(|manifest| manifest.position >= position && of_this(manifest));
                Ok(Self { snapshot: reaching.min_by_key(|manifest| manifest.position), position, same_history: true })
            }
        }
    }

    /// Tells this restore of this history from any other.
    fn confirm(&self, epoch: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        let snapshot = self.snapshot.as_ref().map_or("", |manifest| &manifest.checksum);
        for part in [epoch, snapshot, &self.position.to_string()] {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        hasher.finalize().to_hex()[..12].to_owned()
    }

    fn plan(self, app: &App, confirm: String) -> Result<RestorePlan, SnapshotError> {
        let head = app.log.head();
        let verified = match &self.snapshot {
            Some(manifest) => {
                let folder = SnapshotFolder::new(&app.config.snapshots);
                let _hold = folder.hold()?;
                Some(verify(&folder.open(&manifest.name)?, &Progress::default()))
            }
            None => None,
        };
        let (files, problems) = verified.map_or((0, Vec::new()), |verified| (verified.files, verified.problems));
        Ok(RestorePlan {
            snapshot: self.snapshot.map(|manifest| manifest.name),
            position: self.position,
            head,
            events_left: if self.same_history { head.0.saturating_sub(self.position.0) } else { head.0 },
            same_history: self.same_history,
            files,
            problems,
            confirm,
        })
    }

    async fn carry_out(
        self,
        running: Arc<Running>,
        by: Principal,
        operation: Arc<Operation>,
    ) -> Result<crate::app::Restored, SnapshotError> {
        let snapshot = match self.snapshot {
            Some(manifest) => manifest.name,
            None => Arc::clone(&running).take_snapshot(by.clone(), false, Arc::clone(&operation)).await?.name,
        };
        running.restore(RestoreOrder { snapshot, upto: Some(self.position), by }, operation).await
    }
}
