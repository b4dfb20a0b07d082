//! Snapshots: create, list, inspect, verify, delete, prune, and test whether the newest restores.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::{Deserialize, Serialize};

use super::begin;
use crate::{
    app::Running,
    commands::{Caller, stream::blocking},
    http::{
        body::{Nothing, OptionalJson},
        error::{Problem, ProblemBody},
        reads::{Query, json},
    },
    snapshots::{Listed, Manifest, SnapshotFolder, operations::OperationView, retention::Retention},
};

/// Starts a snapshot of everything recorded so far, while the server keeps running.
#[utoipa::path(post, path = "/api/v1/admin/snapshots", tag = "admin", request_body = Option<Nothing>,
    responses((status = 202, body = OperationView, description = "its result is a Manifest"), (status = "4XX", body = ProblemBody)))]
pub async fn create(running: Data<Running>, caller: Caller, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    let admin = caller.admin();
    begin(&running, "snapshot", &admin.clone(), |running, operation| running.take_snapshot(admin, false, operation))
}

/// All snapshots.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SnapshotsView {
    /// Their folder.
    pub folder: String,
    /// The newest last; an unreadable one states why.
    pub snapshots: Vec<Listed>,
}

/// Lists the snapshots.
#[utoipa::path(get, path = "/api/v1/admin/snapshots", tag = "admin", responses((status = 200, body = SnapshotsView)))]
pub async fn index(running: Data<Running>, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let folder = folder(&running);
    let path = folder.path().display().to_string();
    let snapshots = blocking(move || folder.list()).await?;
    json(&SnapshotsView { folder: path, snapshots })
}

/// Shows what a snapshot holds: its position, hashes, segments and digests.
#[utoipa::path(get, path = "/api/v1/admin/snapshots/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 200, body = Manifest), (status = "4XX", body = ProblemBody)))]
pub async fn show(running: Data<Running>, request: HttpRequest, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let (folder, name) = (folder(&running), name(&request));
    json(&blocking(move || folder.open(&name)).await??.manifest)
}

/// Starts to read every file of a snapshot and check all hashes. The result lists every damaged file.
#[utoipa::path(post, path = "/api/v1/admin/snapshots/{name}/verify", tag = "admin", params(("name" = String, Path)), request_body = Option<Nothing>,
    responses((status = 202, body = OperationView, description = "its result is a Verified"), (status = "4XX", body = ProblemBody)))]
pub async fn check(
    running: Data<Running>,
    caller: Caller,
    request: HttpRequest,
    _: OptionalJson<Nothing>,
) -> Result<HttpResponse, Problem> {
    let (folder, name) = (folder(&running), name(&request));
    let snapshot = blocking(move || folder.open(&name)).await??;
    let admin = caller.admin();
    begin(&running, "verify", &admin.clone(), |running, operation| running.verify_snapshot(admin, snapshot, operation))
}

/// Deletes a snapshot, and the segments that no other snapshot needs.
#[utoipa::path(delete, path = "/api/v1/admin/snapshots/{name}", tag = "admin", params(("name" = String, Path)),
    responses((status = 204), (status = "4XX", body = ProblemBody)))]
pub async fn remove(
    running: Data<Running>,
    caller: Caller,
    request: HttpRequest,
    _: OptionalJson<Nothing>,
) -> Result<HttpResponse, Problem> {
    running.delete_snapshot(&caller.admin(), &name(&request), false).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// How much to keep; the configuration fills missing fields.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Prune {
    pub keep_daily: Option<usize>,
    pub keep_weekly: Option<usize>,
    /// Only report which would be deleted.
    #[serde(default)]
    pub dry_run: bool,
}

/// What was pruned.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Pruned {
    pub removed: Vec<String>,
    pub dry_run: bool,
}

/// Deletes scheduled snapshots that retention does not keep. Manual ones stay.
#[utoipa::path(post, path = "/api/v1/admin/snapshots/prune", tag = "admin", request_body = Option<Prune>,
    responses((status = 200, body = Pruned), (status = "4XX", body = ProblemBody)))]
pub async fn prune(running: Data<Running>, caller: Caller, OptionalJson(body): OptionalJson<Prune>) -> Result<HttpResponse, Problem> {
    let kept = running.current().config.retention();
    let retention = Retention { daily: body.keep_daily.unwrap_or(kept.daily), weekly: body.keep_weekly.unwrap_or(kept.weekly) };
    let removed = running.prune_snapshots(&caller.admin(), retention, body.dry_run).await?;
    json(&Pruned { removed, dry_run: body.dry_run })
}

/// Starts to restore the newest snapshot into a scratch folder and verify it.
#[utoipa::path(post, path = "/api/v1/admin/self-restore", tag = "admin", request_body = Option<Nothing>,
    responses((status = 202, body = OperationView, description = "its result is a SelfRestored"), (status = "4XX", body = ProblemBody)))]
pub async fn self_restore(running: Data<Running>, caller: Caller, _: OptionalJson<Nothing>) -> Result<HttpResponse, Problem> {
    let admin = caller.admin();
    begin(&running, "self_restore", &admin.clone(), |running, operation| running.self_restore(admin, false, operation))
}

pub(super) fn folder(running: &Running) -> SnapshotFolder {
    SnapshotFolder::new(&running.current().config.snapshots)
}

fn name(request: &HttpRequest) -> String {
    request.match_info().get("name").unwrap_or_default().to_owned()
}
