//! The views: what they are now, and a second set built next to them.

use std::collections::BTreeMap;

use actix_web::{HttpResponse, web::Data};
use serde::{Deserialize, Serialize};

use super::begin;
use crate::{
    app::{Running, Switch},
    commands::{Caller, stream::blocking},
    events::Position,
    http::{
        body::{Nothing, OptionalJson},
        error::{Problem, ProblemBody},
        reads::{Query, json},
    },
    snapshots::{SnapshotError, operations::OperationView},
};

/// The digests of the views at a position.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DigestsView {
    #[schema(value_type = String)]
    pub position: Position,
    /// Digests of different versions cannot be compared.
    pub version: u32,
    /// BLAKE3 by projection, in hex.
    pub digests: BTreeMap<String, String>,
}

/// Shows the digest of every view at exactly one position; `aisled replay --url` compares them with a replay.
#[utoipa::path(get, path = "/api/v1/admin/digests", tag = "admin",
    responses((status = 200, body = DigestsView), (status = "4XX", body = ProblemBody)))]
pub async fn digests(running: Data<Running>, _: Query<Nothing>) -> Result<HttpResponse, Problem> {
    let running = running.into_inner();
    let asked = move || running.digests_now();
    let (position, proof) = blocking(asked).await??;
    json(&DigestsView { position, version: proof.version, digests: proof.digests })
}

/// What to do with the new views.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Rebuild {
    /// When to use the new views; by default only if they differ from those in use.
    #[serde(default)]
    pub switch: Switch,
}

/// Starts to rebuild every view from the log next to those in use, compares the two at one position, and switches.
#[utoipa::path(post, path = "/api/v1/admin/views/rebuild", tag = "admin", request_body = Option<Rebuild>,
    responses((status = 202, body = OperationView, description = "its result is a Rebuilt"), (status = "4XX", body = ProblemBody)))]
pub async fn rebuild(running: Data<Running>, caller: Caller, OptionalJson(body): OptionalJson<Rebuild>) -> Result<HttpResponse, Problem> {
    let admin = caller.admin();
    begin(&running, "rebuild", &admin.clone(), |running, operation| running.rebuild_views(admin, body.switch, operation))
}

impl From<crate::snapshots::Busy> for Problem {
    fn from(busy: crate::snapshots::Busy) -> Self {
        Self::conflict("operation_running", busy.to_string())
    }
}

impl From<SnapshotError> for Problem {
    fn from(error: SnapshotError) -> Self {
        Self::of_snapshot(&error)
    }
}
