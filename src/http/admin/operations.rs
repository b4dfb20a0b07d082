//! Long work: what runs, its progress, how it ended.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde::Serialize;

use crate::{
    app::Running,
    http::{
        body::Nothing,
        error::{Problem, ProblemBody},
        reads::{Query, json},
    },
    snapshots::operations::OperationView,
};

/// The running operation and the last ended ones.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct OperationsView {
    /// The running one first, then the newest.
    pub operations: Vec<OperationView>,
}

/// Lists long work: the running operation, then the last fifty that ended.
#[utoipa::path(get, path = "/api/v1/admin/operations", tag = "admin", responses((status = 200, body = OperationsView)))]
pub async fn index(running: Data<Running>, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    json(&OperationsView { operations: running.operations().list().iter().map(|operation| operation.view()).collect() })
}

/// Shows the progress of long work, or how it ended.
#[utoipa::path(get, path = "/api/v1/admin/operations/{id}", tag = "admin", params(("id" = String, Path)),
    responses((status = 200, body = OperationView), (status = 404, body = ProblemBody)))]
pub async fn show(running: Data<Running>, request: HttpRequest, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let id = request.match_info().get("id").unwrap_or_default();
    let operation = running.operations().get(id);
    let unknown = || Problem::not_found("operation_not_found", format!("there is no operation {id}; operations are forgotten on restart"));
    json(&operation.ok_or_else(unknown)?.view())
}
