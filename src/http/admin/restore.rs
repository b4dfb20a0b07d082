//! Restores: a dry run shows what would happen and returns a confirmation token; the last restore can be undone.

use std::sync::Arc;

use actix_web::{HttpResponse, web::Data};
use serde::Deserialize;

use super::{begin, snapshots::folder};
use crate::{
    app::{Admin, RestoreOrder, Restored, Running},
    commands::{Caller, stream::blocking},
    events::{At, SeenAt},
    http::{
        body::{Json, Nothing, OptionalJson},
        error::{Problem, ProblemBody},
        reads::json,
    },
    snapshots::{Operation, Progress, RestorePlan, SnapshotError, Target, operations::OperationView},
};

/// What to restore. At least one of the first two is required.
#[derive(Debug, Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreRequest {
    /// A snapshot by its name; without it one that reaches the moment is chosen, or created first.
    pub snapshot: Option<String>,
    /// Up to this position or time; without it all of the snapshot.
    #[schema(value_type = Option<String>)]
    pub at: Option<SeenAt>,
    /// The confirmation token of the dry run. Without it the request is a dry run.
    pub confirm: Option<String>,
}

impl RestoreRequest {
    /// The moment. In a snapshot a position is one of the snapshot's history; else it must be of the one that is served.
    fn moment(&self) -> Result<Option<At>, Problem> {
        let of_served = |at: SeenAt| at.of_served().map_err(|changed| Problem::history_changed(changed.to_string()).at("/at"));
        match self.snapshot {
            Some(_) => Ok(self.at.map(SeenAt::of_any)),
            None => self.at.map(of_served).transpose(),
        }
    }
}

/// Replaces the served history with a snapshot, or any moment. Without `confirm` it is a dry run: every file is checked and the
/// answer lists what would be left out.
#[utoipa::path(post, path = "/api/v1/admin/restore", tag = "admin", request_body = RestoreRequest,
    responses((status = 200, body = RestorePlan, description = "a dry run"), (status = 202, body = OperationView, description = "its result is a Restored"), (status = "4XX", body = ProblemBody)))]
pub async fn restore(running: Data<Running>, caller: Caller, Json(body): Json<RestoreRequest>) -> Result<HttpResponse, Problem> {
    let (app, folder) = (running.current(), folder(&running));
    let at = body.moment()?;
    let (blocks, in_folder) = (app.history.blocks.clone().ok_or(SnapshotError::NoFolder)?, folder.clone());
    let target = blocking(move || Target::find(Some(&blocks), &in_folder, body.snapshot.as_deref(), at)).await??;
    match body.confirm {
        None => json(&blocking(move || target.plan(app.log.head(), &app.epoch, &folder, &Progress::default())).await??),
        Some(given) if given == target.confirm(&app.epoch) => {
            let admin = caller.admin();
            begin(&running, "restore", &admin.clone(), |running, operation| carry_out(target, running, admin, operation))
        }
        Some(_) => Err(SnapshotError::NotConfirmed.into()),
    }
}

async fn carry_out(target: Target, running: Arc<Running>, admin: Admin, operation: Arc<Operation>) -> Result<Restored, SnapshotError> {
    let snapshot = match target.snapshot {
        Some(manifest) => manifest.name,
        // It was not requested by name, so retention may remove it.
        None => Arc::clone(&running).take_snapshot(admin.clone(), true, Arc::clone(&operation)).await?.name,
    };
    running.restore(RestoreOrder { snapshot, upto: Some(target.position), admin }, operation).await
}

/// Undoes the last restore: serves again the history that it replaced, with everything in it.
#[utoipa::path(post, path = "/api/v1/admin/restore/undo", tag = "admin", request_body = Option<Nothing>,
    responses((status = 202, body = OperationView, description = "its result is an Undone"), (status = "4XX", body = ProblemBody)))]
pub async fn undo(running: Data<Running>, caller: Caller, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    let admin = caller.admin();
    begin(&running, "restore_undo", &admin.clone(), |running, _| running.undo_restore(admin))
}
